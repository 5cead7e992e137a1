"""How large and how small the numbers of a book can get, so that no test is made for what cannot happen.

Of every base column it is measured how large its values are and how near to zero those that are not zero. From
that it follows for a formula whether it can overflow. Where it cannot, its result needs no test for infinity or
NaN; where it can, or where nothing is known, the test is made.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from kequn.domain.rules import tree
from kequn.domain.rules.tree import Expr

TINIEST = 5e-324
SAFE = 1e300


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every value is zero or lies, by size, between `smallest` and `largest`."""

    largest: float
    smallest: float

    @property
    def is_safe(self) -> bool:
        return self.largest < SAFE

    @property
    def grain(self) -> float:
        """A power of two of which every value is a whole multiple: doubles are spaced no closer than that."""
        if math.isinf(self.smallest):
            return math.inf
        return max(math.ldexp(1.0, math.frexp(self.smallest)[1] - 54), TINIEST)


ANYTHING = Bounds(math.inf, TINIEST)
NOTHING = Bounds(0.0, math.inf)


def union(bounds: Iterable[Bounds]) -> Bounds:
    found = list(bounds)
    return Bounds(
        max((one.largest for one in found), default=0.0), min((one.smallest for one in found), default=math.inf)
    )


def measured(column: Any) -> Bounds:
    """The bounds of a column of finite numbers."""
    sizes = np.abs(pc.fill_null(column, 0.0).to_numpy())
    if not len(sizes):
        return NOTHING
    return Bounds(float(sizes.max()), float(sizes.min(where=sizes > 0.0, initial=math.inf)))


def bounds_of(expr: Expr, known: Mapping[Expr, Bounds]) -> Bounds:
    """The bounds of a number, given those of the columns and steps it reads."""
    match expr:
        case tree.Constant(float() as value):
            return Bounds(abs(value), abs(value)) if value else NOTHING
        case tree.Constant():
            return NOTHING
        case tree.FactRef() | tree.Cell() | tree.Made():
            return known.get(expr, ANYTHING)
        case tree.Arithmetic(first, rest):
            total = bounds_of(first, known)
            for sign, term in rest:
                total = _combined(sign, total, bounds_of(term, known))
            return total
        case tree.Negative(of) | tree.Function("abs", (of,)):
            return bounds_of(of, known)
        case tree.Case(pairs, otherwise) | tree.FirstHit(pairs, otherwise):
            return union(bounds_of(outcome, known) for outcome in (*(then for _, then in pairs), otherwise))
        case tree.Function("least" | "greatest" | "coalesce", arguments):
            return union(bounds_of(one, known) for one in arguments)
        case tree.Function("ln", (of,)):
            return Bounds(1e3, TINIEST) if bounds_of(of, known).is_safe else ANYTHING
        case tree.Function("exp", (of,)):
            reach = bounds_of(of, known).largest
            return Bounds(math.exp(reach) * 1.001, TINIEST) if reach < 600 else ANYTHING
    return ANYTHING


def _combined(sign: str, one: Bounds, other: Bounds) -> Bounds:
    """A little is added for rounding, so that the bounds hold for what is computed, not only for what is meant."""
    if sign in "+-":
        smallest = min(one.grain, other.grain)
        return Bounds((one.largest + other.largest) * 1.001, max(smallest * 0.999, TINIEST))
    if sign == "*":
        return Bounds(
            _times(one.largest, other.largest) * 1.001, max(_times(one.smallest, other.smallest) * 0.999, TINIEST)
        )
    if math.isinf(other.smallest):
        return NOTHING
    smallest = one.smallest / other.largest if other.largest else math.inf
    return Bounds(_over(one.largest, other.smallest) * 1.001, max(smallest * 0.999, TINIEST))


def _times(one: float, other: float) -> float:
    """What has no bound may be infinite, and infinity times zero is not zero."""
    if math.isinf(one) or math.isinf(other):
        return math.inf
    return one * other


def _over(one: float, other: float) -> float:
    return 0.0 if one == 0.0 else one / other if other > 1e-300 else math.inf
