"""The bounds that warnings set to single facts: where a line in a chart would turn into a signal."""

from collections.abc import Iterator
from dataclasses import dataclass

from kequn.domain.definitions import Plan
from kequn.domain.rules.tree import And, Comparison, ComparisonSign, Constant, Expr, FactRef, Negative


@dataclass(frozen=True, slots=True)
class Bound:
    """A warning looks at `fact` with this sign and this number, alone or together with other conditions."""

    fact: str
    sign: ComparisonSign
    value: float
    warning: str
    alone: bool


def bounds_of(plan: Plan) -> tuple[Bound, ...]:
    """Every comparison of one fact with one number in the warnings of a plan, in the order of the warnings."""
    return tuple(
        bound for one in plan.definitions if one.kind == "signal" for bound in _compared(one.name, one.expr, True)
    )


def _compared(warning: str, expr: Expr, alone: bool) -> Iterator[Bound]:
    match expr:
        case And(parts):
            for part in parts:
                yield from _compared(warning, part, False)
        case Comparison(sign, FactRef(name), right):
            value = _number(right)
            if value is not None:
                yield Bound(name, sign, value, warning, alone)


def _number(expr: Expr) -> float | None:
    match expr:
        case Constant(value) if isinstance(value, float | int) and not isinstance(value, bool):
            return float(value)
        case Negative(of):
            inner = _number(of)
            return None if inner is None else -inner
    return None
