"""Calendar arithmetic of statements and account months, shared by every reader.

Months are numbered through (year x 12 + month), so that periods are counted along the calendar and never by the
position of a row: a missing quarter stays missing.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


def month_number(day: date) -> int:
    return day.year * 12 + day.month


def last_full_month(as_of: date) -> int:
    """The number of the last month that has ended by the end of the day.

    >>> last_full_month(date(2026, 2, 28)) - last_full_month(date(2026, 2, 27))
    1
    """
    ended = as_of.day == calendar.monthrange(as_of.year, as_of.month)[1]
    return month_number(as_of) if ended else month_number(as_of) - 1


def cumulated_quarters(months: int | None, flows: str | None) -> int | None:
    """How many quarters the flows of a statement cumulate: 1 to 4; 0 for the flows of one quarter alone.

    A discrete statement of twelve months is a whole year (4). Anything else has no place in a twelve-month sum.
    """
    if months is None or months not in (3, 6, 9, 12):
        return None
    if flows == "cumulative":
        return months // 3
    return {3: 0, 12: 4}.get(months) if flows == "discrete" else None


@dataclass(frozen=True, slots=True)
class StatementKey:
    """What places one statement row among a customer's: `place` is its position among the rows given."""

    period_end: date
    months: int | None
    flows: str | None
    scope: str | None
    standard: str | None
    version: int
    place: int


@dataclass(frozen=True, slots=True)
class StatementsRead:
    """The statements policy reads: by quarters back from the anchor, (row, whether its flows fit the anchor's)."""

    anchor: StatementKey
    quarters: int | None
    rows: dict[int, tuple[StatementKey, bool]]


def statements_read(
    keys: Iterable[StatementKey], basis_order: Sequence[tuple[str, str]], as_of: date
) -> StatementsRead | None:
    """The first basis of the order that has a statement by the date; per period the highest version.

    Of two statements of one month the higher version is read, then the later day, then the later row.
    """
    known = [key for key in keys if key.period_end <= as_of]
    for basis in basis_order:
        chosen = [key for key in known if (key.scope, key.standard) == tuple(basis)]
        if chosen:
            return _laid_out(chosen)
    return None


def _laid_out(keys: list[StatementKey]) -> StatementsRead:
    newest = max(month_number(key.period_end) for key in keys)
    rows: dict[int, StatementKey] = {}
    for key in sorted(keys, key=lambda key: (key.version, key.period_end, key.place)):
        quarters_back, rest = divmod(newest - month_number(key.period_end), 3)
        if rest == 0:
            rows[quarters_back] = key
    quarters = cumulated_quarters(rows[0].months, rows[0].flows)
    return StatementsRead(rows[0], quarters, {back: (key, _fits(key, quarters, back)) for back, key in rows.items()})


def _fits(key: StatementKey, quarters: int | None, back: int) -> bool:
    """Whether the flows of a row cover the months that its distance from the anchor asks for."""
    if back == 0:
        return True
    if quarters is None:
        return False
    expected = 0 if quarters == 0 else (quarters - 1 - back) % 4 + 1
    return cumulated_quarters(key.months, key.flows) == expected
