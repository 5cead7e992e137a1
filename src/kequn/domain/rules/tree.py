"""The rule tree: a small closed set of frozen nodes that every reader understands in the same way.

Three values everywhere (Kleene). A missing fact is unknown; division by zero, logarithm of zero or less, NaN,
infinity and overflow are unknown. Chains of one precedence are flat, so that depth is bounded by the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kequn.domain.facts import FactType, Grain

Value = float | str | bool | date

ArithmeticSign = Literal["+", "-", "*", "/"]
ComparisonSign = Literal["=", "<>", "<", "<=", ">", ">="]
FunctionName = Literal["abs", "least", "greatest", "coalesce", "ln", "exp"]
HistoryName = Literal["lag", "ttm", "mean", "min", "max", "trend", "streak"]
ChildName = Literal["sum", "max", "min", "count", "any"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. `null` has no value and no type, and fits everywhere."""

    value: Value | None
    type: FactType | None


@dataclass(frozen=True, slots=True)
class FactRef:
    """A fact or an earlier definition. A bare fact of a calendar grain means its newest period."""

    name: str
    grain: Grain
    type: FactType


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the analytics base: a fact so many periods back. Only in lowered trees."""

    name: str
    grain: Grain
    type: FactType
    offset: int


@dataclass(frozen=True, slots=True)
class Made:
    """The result of an earlier step. Only in lowered trees."""

    step: int
    type: FactType | None


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Terms joined from left to right by signs of one precedence: + and -, or * and /."""

    first: "Expr"
    rest: tuple[tuple[ArithmeticSign, "Expr"], ...]


@dataclass(frozen=True, slots=True)
class Negative:
    of: "Expr"


@dataclass(frozen=True, slots=True)
class Comparison:
    sign: ComparisonSign
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class IsNull:
    """Never unknown."""

    of: "Expr"
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """`of in (among)`: unknown where nothing matches and something is unknown."""

    of: "Expr"
    among: tuple["Expr", ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`of >= low and of <= high`, both ends in."""

    of: "Expr"
    low: "Expr"
    high: "Expr"
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Not:
    of: "Expr"


@dataclass(frozen=True, slots=True)
class Case:
    """The first branch whose condition is true; an unknown condition is passed over, as in SQL."""

    branches: tuple[tuple["Expr", "Expr"], ...]
    otherwise: "Expr"


@dataclass(frozen=True, slots=True)
class FirstHit:
    """A decision table: the first row whose condition is true; an unknown one before it makes all unknown."""

    rows: tuple[tuple["Expr", "Expr"], ...]
    otherwise: "Expr"


@dataclass(frozen=True, slots=True)
class Function:
    """`least` and `greatest` with a missing argument are unknown; `coalesce` takes the first known one."""

    name: FunctionName
    arguments: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class History:
    """A function along the calendar of one grain; `n` counts periods (`lag`: periods back; `ttm`: 0)."""

    function: HistoryName
    of: "Expr"
    n: int
    grain: Grain


@dataclass(frozen=True, slots=True)
class Children:
    """A function over a customer's child rows of one grain."""

    function: ChildName
    of: "Expr"
    grain: Grain


Expr = (
    Constant
    | FactRef
    | Cell
    | Made
    | Arithmetic
    | Negative
    | Comparison
    | IsNull
    | OneOf
    | Between
    | And
    | Or
    | Not
    | Case
    | FirstHit
    | Function
    | History
    | Children
)

NULL = Constant(None, None)
TRUE = Constant(True, FactType.BOOLEAN)
FALSE = Constant(False, FactType.BOOLEAN)


def number(value: float) -> Constant:
    return Constant(float(value), FactType.NUMBER)


def text(value: str) -> Constant:
    return Constant(value, FactType.TEXT)


def children_of(expr: Expr) -> tuple[Expr, ...]:
    """The nodes directly below one node, in order of the text."""
    match expr:
        case Arithmetic(first, rest):
            return (first, *(term for _, term in rest))
        case Negative(of) | IsNull(of) | Not(of) | History(_, of) | Children(_, of):
            return (of,)
        case Comparison(_, left, right):
            return (left, right)
        case OneOf(of, among):
            return (of, *among)
        case Between(of, low, high):
            return (of, low, high)
        case And(parts) | Or(parts):
            return parts
        case Case(pairs, otherwise) | FirstHit(pairs, otherwise):
            return (*(part for pair in pairs for part in pair), otherwise)
        case Function(_, arguments):
            return arguments
        case _:
            return ()


def pairs_of(expr: "Case | FirstHit") -> tuple[tuple[Expr, Expr], ...]:
    """The (condition, outcome) pairs of either kind of table."""
    return expr.branches if isinstance(expr, Case) else expr.rows


def type_of(expr: Expr) -> FactType | None:
    """The type of a checked tree; None for what is always unknown."""
    match expr:
        case Constant(_, kind):
            return kind
        case FactRef(_, _, kind) | Cell(_, _, kind):
            return kind
        case Made(_, kind):
            return kind
        case Arithmetic() | Negative():
            return FactType.NUMBER
        case Case(pairs, otherwise) | FirstHit(pairs, otherwise):
            return first_type((*(outcome for _, outcome in pairs), otherwise))
        case Function(name, arguments):
            return FactType.NUMBER if name in ("abs", "ln", "exp") else first_type(arguments)
        case History(function, of):
            return _history_type(function, of)
        case Children(function, of):
            return _children_type(function, of)
        case _:
            return FactType.BOOLEAN


def _history_type(function: HistoryName, of: Expr) -> FactType | None:
    return type_of(of) if function in ("lag", "min", "max") else FactType.NUMBER


def _children_type(function: ChildName, of: Expr) -> FactType | None:
    if function == "any":
        return FactType.BOOLEAN
    return type_of(of) if function in ("min", "max") else FactType.NUMBER


def first_type(exprs: tuple[Expr, ...]) -> FactType | None:
    """The type the expressions share, each of them being of it or unknown."""
    return next((kind for kind in map(type_of, exprs) if kind is not None), None)


def rebuilt(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The same node over changed children."""
    match expr:
        case Arithmetic(first, rest):
            return Arithmetic(change(first), tuple((sign, change(term)) for sign, term in rest))
        case Negative(of):
            return Negative(change(of))
        case Comparison(sign, left, right):
            return Comparison(sign, change(left), change(right))
        case IsNull(of, negated):
            return IsNull(change(of), negated)
        case OneOf(of, among, negated):
            return OneOf(change(of), tuple(map(change, among)), negated)
        case Between(of, low, high, negated):
            return Between(change(of), change(low), change(high), negated)
        case And(parts):
            return And(tuple(map(change, parts)))
        case Or(parts):
            return Or(tuple(map(change, parts)))
        case Not(of):
            return Not(change(of))
        case Case(pairs, otherwise):
            return Case(tuple((change(a), change(b)) for a, b in pairs), change(otherwise))
        case FirstHit(pairs, otherwise):
            return FirstHit(tuple((change(a), change(b)) for a, b in pairs), change(otherwise))
        case Function(name, arguments):
            return Function(name, tuple(map(change, arguments)))
        case History(function, of, n, grain):
            return History(function, change(of), n, grain)
        case Children(name, of, grain):
            return Children(name, change(of), grain)
        case _:
            return expr


def height(expr: Expr) -> int:
    """How many nodes stand above one another; a leaf has height 0."""
    return 1 + max(map(height, children_of(expr)), default=-1)


def facts_in(expr: Expr) -> tuple[FactRef, ...]:
    """Every fact an expression names, once each, in the order of the text."""
    found: dict[FactRef, None] = {}
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, FactRef):
            found.setdefault(node)
        stack.extend(reversed(children_of(node)))
    return tuple(found)
