"""Who was in a segment on a date, as known then and as known now; who entered and left between two dates, and why.

As known then is what runs published: the spans. As known now is a replay: the date judged again by the facts and the
policy that are known now, computed into a run that is never published.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db.models import F, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.assessments import pins
from kequn.apps.assessments.models import FindingSpan, Run, RunState
from kequn.apps.assessments.selectors import NOT_ASSESSED, standing
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to

ENTERED, LEFT = "entered", "left"
MOST = 500


def known_then(*, person: Person, key: str, when: date) -> QuerySet[FindingSpan]:
    """Whom the runs published until a date had in the segment, within the person's scope."""
    found = standing(when).filter(key=key, value="true", customer__in=visible_to(person).order_by().values("pk"))
    return found.select_related("customer", "customer__figures").order_by("customer__name", "customer_id")


def replay_of(when: date) -> Run | None:
    """The newest replay of a date."""
    return Run.objects.filter(as_of=when, state=RunState.REPLAYED).order_by("-id").first()


def known_now(*, person: Person, key: str, replay: Run, unknown_means: str) -> list[Customer]:
    """Whom a replay has in the segment, by the rule as it is now and the pins that held on its day."""
    file = Path(settings.KEQUN_HOME) / replay.folder / "findings.parquet"
    with duckdb.connect() as con:
        there = [row[0] for row in con.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]).fetchall()]
        holds = f'"{key}"' if unknown_means != "in" else f'coalesce("{key}", TRUE)'
        rows = con.execute(f"SELECT customer_id FROM read_parquet(?) WHERE {holds}", [str(file)]).fetchall() \
            if key in there else []  # fmt: skip
    codes = {row[0] for row in rows}
    for pin in pins.active(replay.as_of).filter(key=key):
        (codes.add if pin.is_in else codes.discard)(pin.customer.code)
    mine = visible_to(person).select_related("figures")
    ordered: list[Customer] = []
    listed = sorted(codes)
    for at in range(0, len(listed), MOST):
        ordered += mine.filter(code__in=listed[at : at + MOST])
    return sorted(ordered, key=lambda one: (one.name, one.pk))


@dataclass(frozen=True, slots=True)
class Move:
    """One customer crossing the border of a segment on the date of a run."""

    customer: Customer
    when: date
    way: str
    cause: str
    span: int
    run: int


def moves(*, person: Person, key: str, since: date, until: date) -> list[Move]:
    """Who entered or left after `since` and up to `until`, the latest first.

    Somebody leaves for the cause of what stood next; where nothing stands after it, for that of the run that ended it.
    """
    mine = visible_to(person).order_by().values("pk")
    spans = FindingSpan.objects.filter(key=key, customer__in=mine).exclude(valid_to=F("valid_from"))
    spans = spans.select_related("customer", "opened_by", "closed_by")
    entered = spans.filter(value="true", valid_from__gt=since, valid_from__lte=until)
    left = spans.filter(value="true", valid_to__gt=since, valid_to__lte=until)
    found = [Move(one.customer, one.valid_from, ENTERED, one.cause, one.pk, one.opened_by_id) for one in entered]
    found += [
        Move(one.customer, one.valid_to, LEFT, one.closed_cause, one.pk, one.closed_by_id)
        for one in left
        if one.valid_to is not None and one.closed_by_id is not None
    ]
    return sorted(found, key=lambda one: (one.when.toordinal() * -1, one.customer.name, one.customer.pk))


def movers(*, person: Person, key: str, before: date, after: date, value: str, then: str) -> QuerySet[Customer]:
    """The visible customers of one cell of the migration matrix; '-' is a date on which nothing stood."""
    found = visible_to(person).select_related("figures")
    for when, wanted in ((before, value), (after, then)):
        at = standing(when).filter(key=key)
        if wanted == NOT_ASSESSED:
            found = found.exclude(pk__in=at.values("customer"))
        else:
            found = found.filter(pk__in=at.filter(value=wanted).values("customer"))
    if value == then == NOT_ASSESSED:
        return found.none()
    return found.order_by(F("figures__exposure_gross").desc(nulls_last=True), "id")


def counted_causes(found: list[Move]) -> list[dict[str, Any]]:
    """How many entered and left by each cause."""
    counted: dict[str, dict[str, Any]] = {}
    for one in found:
        row = counted.setdefault(one.cause, {"cause": one.cause, ENTERED: 0, LEFT: 0})
        row[one.way] += 1
    return sorted(counted.values(), key=lambda row: -(row[ENTERED] + row[LEFT]))
