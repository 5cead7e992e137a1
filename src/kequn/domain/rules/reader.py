"""The plain reader: one rule read for one customer, node by node, as the grammar is defined.

It is the meaning of the rule language. The generated readers (Python source, SQL) are held equal to it by test.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from kequn.domain.facts import CALENDAR_GRAINS, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.record import Record, Row
from kequn.domain.rules.tree import Expr

Answer = Any  # a Value or None; the types were checked when the tree was made
Truth = bool | None

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
SUM_SCALE = 10_000.0
SUM_LIMIT = 2.0**63


@dataclass(frozen=True, slots=True)
class Place:
    """Where an expression is read: so many periods back, or at one child row."""

    offset: int = 0
    row: Row | None = None


HERE = Place()


@dataclass(slots=True)
class Reader:
    """Reads expressions for one record. `formulas` are the plan's definitions, `resolved` its look-ups' results."""

    record: Record
    formulas: Mapping[str, tuple[Grain, Expr, bool]] = field(default_factory=dict)
    resolved: Row = field(default_factory=dict)
    known: dict[tuple[str, int], Answer] = field(default_factory=dict)

    def read(self, expr: Expr, at: Place = HERE) -> Answer:
        match expr:
            case tree.Constant(constant):
                return constant
            case tree.FactRef(name, grain):
                return self.fact(name, grain, at)
            case tree.Arithmetic(first, rest):
                return self.arithmetic(first, rest, at)
            case tree.Negative(of):
                value = self.read(of, at)
                return None if value is None else -value
            case tree.Comparison(sign, left, right):
                return compared(sign, self.read(left, at), self.read(right, at))
            case tree.IsNull(of, negated):
                return (self.read(of, at) is None) != negated
            case tree.OneOf(of, among, negated):
                value = self.read(of, at)
                hit = any_of(compared("=", value, self.read(one, at)) for one in among)
                return opposite(hit) if negated else hit
            case tree.Between(of, low, high, negated):
                value = self.read(of, at)
                ends = (compared(">=", value, self.read(low, at)), compared("<=", value, self.read(high, at)))
                return opposite(all_of(ends)) if negated else all_of(ends)
            case tree.And(parts):
                return all_of(self.truth(part, at) for part in parts)
            case tree.Or(parts):
                return any_of(self.truth(part, at) for part in parts)
            case tree.Not(of):
                return opposite(self.truth(of, at))
            case tree.Case(branches, otherwise):
                return self.read(self.branch(branches, otherwise, at), at)
            case tree.FirstHit(lines, otherwise):
                return self.first_hit(lines, otherwise, at)
            case tree.Function(name, arguments):
                return called(name, [self.read(one, at) for one in arguments])
            case tree.History(name, of, n, grain):
                return self.history(name, of, n, grain, at.offset)
            case tree.Children(name, of, grain):
                rows = self.record.children.get(grain)
                return None if rows is None else over_rows(name, [self.read(of, Place(0, row)) for row in rows])
            case tree.Cell() | tree.Made():
                raise TypeError("a lowered tree is read by generated code")

    def truth(self, expr: Expr, at: Place = HERE) -> Truth:
        value = self.read(expr, at)
        return value if isinstance(value, bool) else None

    def fact(self, name: str, grain: Grain, at: Place) -> Answer:
        if name not in self.formulas:
            return self.supplied(name, grain, at)
        if at.row is not None:
            return self.formula(name, at)
        key = (name, at.offset if grain in CALENDAR_GRAINS else 0)
        if key not in self.known:
            self.known[key] = self.formula(name, Place(key[1]))
        return self.known[key]

    def formula(self, name: str, at: Place) -> Answer:
        grain, expr, may_be_supplied = self.formulas[name]
        value = self.read(expr, at)
        return self.supplied(name, grain, at) if value is None and may_be_supplied else value

    def supplied(self, name: str, grain: Grain, at: Place) -> Answer:
        if at.row is not None:
            return at.row.get(name)
        if grain in CALENDAR_GRAINS:
            return self.record.cell(grain, name, at.offset)
        value = self.resolved.get(name)
        return self.record.customer.get(name) if value is None else value

    def arithmetic(self, first: Expr, rest: tuple[tuple[str, Expr], ...], at: Place) -> Answer:
        total: Any = self.read(first, at)
        for sign, term in rest:
            value: Any = self.read(term, at)
            if total is None or value is None:
                return None
            if sign == "/":
                total = total / value if value != 0.0 else None
            else:
                total = total + value if sign == "+" else total - value if sign == "-" else total * value
            total = finite(total)
        return total

    def branch(self, branches: Iterable[tuple[Expr, Expr]], otherwise: Expr, at: Place) -> Expr:
        return next((then for if_, then in branches if self.read(if_, at) is True), otherwise)

    def first_hit(self, lines: Iterable[tuple[Expr, Expr]], otherwise: Expr, at: Place) -> Answer:
        for condition, outcome in lines:
            hit = self.read(condition, at)
            if hit is None:
                return None
            if hit:
                return self.read(outcome, at)
        return self.read(otherwise, at)

    def history(self, name: tree.HistoryName, of: Expr, n: int, grain: Grain, offset: int) -> Answer:
        def back(periods: int) -> Any:
            return self.read(of, Place(offset + periods))

        if name == "lag":
            return back(n)
        if name == "ttm":
            return self.twelve_months(back, grain, offset)
        if name == "streak":
            return streak(back(period) for period in range(n))
        values = [back(period) for period in range(n)]
        if any(value is None for value in values):
            return None
        if name == "trend":
            return trend(values)
        return finite(total_of(values) / n) if name == "mean" else min(values) if name == "min" else max(values)

    def twelve_months(self, back: Callable[[int], Any], grain: Grain, offset: int) -> Answer:
        quarters = 0 if grain == Grain.ACCOUNT_MONTH else self.record.quarters
        if quarters is None:
            return None
        parts = twelve_month_parts(cumulated_at(quarters, offset), 12 if grain == Grain.ACCOUNT_MONTH else 4)
        values = [(sign, back(period)) for sign, period in parts]
        if any(value is None for _, value in values):
            return None
        total = values[0][1]
        for sign, value in values[1:]:
            total = total + value if sign > 0 else total - value
        return finite(total)


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def opposite(value: Truth) -> Truth:
    return None if value is None else not value


def all_of(values: Iterable[Truth]) -> Truth:
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def any_of(values: Iterable[Truth]) -> Truth:
    unknown = False
    for value in values:
        if value is True:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def compared(sign: str, left: Answer, right: Answer) -> Truth:
    return None if left is None or right is None else _COMPARE[sign](left, right)


def called(name: tree.FunctionName, values: Sequence[Any]) -> Answer:
    if name == "coalesce":
        return next((value for value in values if value is not None), None)
    if any(value is None for value in values):
        return None
    if name == "least":
        return min(values)
    if name == "greatest":
        return max(values)
    if name == "abs":
        return abs(values[0])
    return logarithm(values[0]) if name == "ln" else exponential(values[0])


def logarithm(value: float) -> float | None:
    return math.log(value) if value > 0.0 else None


def exponential(value: float) -> float | None:
    try:
        return math.exp(value)
    except OverflowError:
        return None


def total_of(values: Sequence[float]) -> float:
    """The sum from the newest period back, in that order, so that every reader rounds alike."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def trend_weights(n: int) -> tuple[float, ...]:
    """Least-squares slope per period as weights of the values, the newest first."""
    middle = (n - 1) / 2
    spread = sum((period - middle) ** 2 for period in range(n))
    return tuple((middle - offset) / spread for offset in range(n))


def trend(values: Sequence[float]) -> float | None:
    return finite(total_of([weight * value for weight, value in zip(trend_weights(len(values)), values, strict=True)]))


def streak(values: Iterable[Truth]) -> float | None:
    """How many periods in a row, from the newest, are true; unknown where an unknown comes before a false."""
    count = 0
    for value in values:
        if value is None:
            return None
        if not value:
            break
        count += 1
    return float(count)


def cumulated_at(quarters: int, offset: int) -> int:
    """The quarters that the statement `offset` quarters before an anchor with `quarters` cumulates."""
    return 0 if quarters == 0 else (quarters - 1 - offset) % 4 + 1


def twelve_month_parts(quarters: int, periods: int = 4) -> tuple[tuple[int, int], ...]:
    """Twelve months as (sign, periods back): this year to date + last year - last year to the same date.

    >>> twelve_month_parts(1)
    ((1, 0), (1, 1), (-1, 4))
    """
    if quarters == 0:
        return tuple((1, period) for period in range(periods))
    return ((1, 0),) if quarters == 4 else ((1, 0), (1, quarters), (-1, 4))


def over_rows(name: tree.ChildName, values: Sequence[Any]) -> Answer:
    """A child function over the values of the rows; the order of the rows never matters."""
    if name == "any":
        return any_of(values)
    if any(value is None for value in values):
        return None
    if name == "count":
        return float(sum(values))
    if name == "sum":
        return exact_sum(values)
    if not values:
        return None
    return min(values) if name == "min" else max(values)


def exact_sum(values: Sequence[float]) -> float | None:
    """The sum in whole ten-thousandths, so that no order and no engine can differ; unknown past 63 bits."""
    total = 0
    for value in values:
        scaled = value * SUM_SCALE + 0.5
        if not -SUM_LIMIT < scaled < SUM_LIMIT:
            return None
        total += math.floor(scaled)
    return total / SUM_SCALE if -SUM_LIMIT < total < SUM_LIMIT else None
