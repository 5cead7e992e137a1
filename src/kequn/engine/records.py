"""One customer's rows, as they come from the system of record, to the record that the plain reader reads.

The same rows through the analytics base give the same values: the parity tests hold the two together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kequn.domain.definitions import Plan
from kequn.domain.facts import CHILD_GRAINS, Fact, FactType, Grain
from kequn.domain.periods import StatementKey, last_full_month, month_number, statements_read
from kequn.domain.rules.reader import exact_sum
from kequn.domain.rules.record import Record, Row, normal
from kequn.domain.rules.tree import Value

RawRow = Mapping[str, object]
Rows = Sequence[RawRow] | None
Series = dict[str, list[Value | None]]


@dataclass(frozen=True, slots=True)
class _Names:
    """The facts of a vocabulary by grain, as (name, type) to read from a row."""

    by_grain: dict[Grain, tuple[Fact, ...]]


_names: dict[int, tuple[Plan, _Names]] = {}


def _names_of(plan: Plan) -> _Names:
    known = _names.get(id(plan))
    if known is None or known[0] is not plan:
        _names.clear()
        facts = [fact for fact in plan.vocabulary if not fact.outcome]
        by_grain = {grain: tuple(fact for fact in facts if fact.grain == grain) for grain in Grain}
        known = _names[id(plan)] = (plan, _Names(by_grain))
    return known[1]


def record_from_rows(
    plan: Plan,
    customer_row: RawRow,
    *,
    statements: Rows,
    facilities: Rows,
    projects: Rows,
    account_months: Rows,
    events: Rows,
    as_of: date,
) -> Record:
    """The record of one customer. None for a table means that the data has no such table at all."""
    names = _names_of(plan)
    customer = _row(customer_row, names.by_grain[Grain.CUSTOMER])
    periods: dict[Grain, Series] = {}
    quarters = None
    if statements is not None:
        quarters, periods[Grain.STATEMENT] = _statements(plan, customer, statements, names, as_of)
    if account_months is not None:
        periods[Grain.ACCOUNT_MONTH] = _months(account_months, names, as_of)
    children: dict[Grain, list[Row]] = {}
    for grain, rows in zip(CHILD_GRAINS, (facilities, projects, _happened(events, as_of)), strict=True):
        if rows is not None:
            children[grain] = [_row(row, names.by_grain[grain]) for row in rows]
    return Record(customer, periods, quarters, children)


def _row(row: RawRow, facts: tuple[Fact, ...]) -> dict[str, Value | None]:
    return {fact.name: normal(row[fact.name], fact.type) for fact in facts if fact.name in row}


def _happened(events: Rows, as_of: date) -> Rows:
    """The events of the day and before; an event without a date has happened."""
    if events is None:
        return None
    dated = [(row, normal(row.get("event_date"), FactType.DATE)) for row in events]
    return [row for row, day in dated if not isinstance(day, date) or day <= as_of]


def _statements(
    plan: Plan, customer: dict[str, Value | None], rows: Sequence[RawRow], names: _Names, as_of: date
) -> tuple[int | None, Series]:
    keys = [_key(row, place) for place, row in enumerate(rows)]
    read = statements_read((key for key in keys if key is not None), plan.basis_order, as_of)
    if read is None:
        return None, {}
    customer["statement_date"] = read.anchor.period_end
    customer["statement_age_days"] = float((as_of - read.anchor.period_end).days)
    customer["statement_scope"] = read.anchor.scope
    series: Series = {}
    length = max(read.rows) + 1
    for fact in names.by_grain[Grain.STATEMENT]:
        values: list[Value | None] = [None] * length
        for back, (key, fits) in read.rows.items():
            if fits or not fact.flow:
                values[back] = normal(rows[key.place].get(fact.name), fact.type)
        series[fact.name] = values
    return read.quarters, series


def _key(row: RawRow, place: int) -> StatementKey | None:
    day = normal(row.get("period_end"), FactType.DATE)
    if not isinstance(day, date):
        return None
    months, version = row.get("months"), row.get("version")
    texts = [normal(row.get(name), FactType.TEXT) for name in ("flows", "scope", "standard")]
    flows, scope, standard = (value if isinstance(value, str) else None for value in texts)
    return StatementKey(
        day, months if isinstance(months, int) else None, flows, scope, standard,
        version if isinstance(version, int) else 0, place,
    )  # fmt: skip


def _months(rows: Sequence[RawRow], names: _Names, as_of: date) -> Series:
    """Month by month back from the last full one; several accounts combine as the fact says."""
    last = last_full_month(as_of)
    by_month: dict[int, list[RawRow]] = {}
    for row in rows:
        day = normal(row.get("month"), FactType.DATE)
        if isinstance(day, date) and month_number(day) <= last:
            by_month.setdefault(last - month_number(day), []).append(row)
    length = max(by_month, default=-1) + 1
    series: Series = {}
    for fact in names.by_grain[Grain.ACCOUNT_MONTH]:
        values: list[Value | None] = [None] * length
        for back, found in by_month.items():
            values[back] = _combined(fact, [normal(row.get(fact.name), fact.type) for row in found])
        series[fact.name] = values
    return series


def _combined(fact: Fact, values: list[Value | None]) -> Value | None:
    numbers = [value for value in values if isinstance(value, float)]
    if fact.combine == "" or len(values) != len(numbers):
        return values[0] if len(values) == 1 else None
    if fact.combine == "sum":
        return exact_sum(numbers)
    return min(numbers) if fact.combine == "min" else max(numbers)
