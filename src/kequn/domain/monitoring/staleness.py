"""Facts that are older than policy allows. They are used and named, never blanked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """A fact, the date that ages it, and the days after which it is stale."""

    fact: str
    dated_by: str
    max_age_days: int


def stale_facts(known: Mapping[str, object], limits: Iterable[AgeLimit], as_of: date) -> tuple[str, ...]:
    """Names of known facts past their age limit at a date, in order of the limits.

    A fact without a date is not stale: nobody knows its age. A fact of exactly the limit's age is not stale.

    >>> limit = AgeLimit("revenue", "statement_date", 549)
    >>> stale_facts({"revenue": 1.0, "statement_date": date(2024, 6, 30)}, [limit], date(2026, 6, 30))
    ('revenue',)
    """
    found = []
    for limit in limits:
        dated = known.get(limit.dated_by)
        if known.get(limit.fact) is None or not isinstance(dated, date):
            continue
        if (as_of - dated).days > limit.max_age_days:
            found.append(limit.fact)
    return tuple(found)
