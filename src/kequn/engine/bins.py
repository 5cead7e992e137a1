"""Decision tables over the ranges of one number: one comparison a bin, and a tree of them for many bins."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from kequn.domain.rules import tree
from kequn.domain.rules.tree import Expr

MANY = 6
FEW = 4
Writer = Callable[[Expr], str]


@dataclass(frozen=True, slots=True)
class Edge:
    """A cut of the number line: everything below `at` (and `at` itself where `inclusive`) lies to the left."""

    at: float
    inclusive: bool

    @property
    def order(self) -> tuple[float, bool]:
        return (self.at, self.inclusive)


@dataclass(frozen=True, slots=True)
class Bins:
    """Outcomes by range of one value: `outcomes[i]` stands left of `edges[i]`, the last one right of all."""

    of: Expr
    missing: Expr
    edges: tuple[Edge, ...]
    outcomes: tuple[Expr, ...]

    def sql(self, write: Writer) -> str:
        said = write(self.of)
        known = self._between(write, said, 0, len(self.edges))
        return f"(CASE WHEN {said} IS NULL THEN {write(self.missing)} ELSE {known} END)"

    def _between(self, write: Writer, said: str, low: int, high: int) -> str:
        if high - low <= MANY:
            tests = "".join(
                f" WHEN {self._left(write, said, edge)} THEN {write(self.outcomes[edge])}" for edge in range(low, high)
            )
            last = write(self.outcomes[high])
            return f"CASE{tests} ELSE {last} END" if tests else last
        middle = (low + high) // 2
        left, right = self._between(write, said, low, middle), self._between(write, said, middle + 1, high)
        return f"CASE WHEN {self._left(write, said, middle)} THEN {left} ELSE {right} END"

    def _left(self, write: Writer, said: str, number: int) -> str:
        edge = self.edges[number]
        return f"{said} {'<=' if edge.inclusive else '<'} {write(tree.number(edge.at))}"


@dataclass(frozen=True, slots=True)
class Switch:
    """Outcomes by single values of one number, found by halving."""

    of: Expr
    outcomes: tuple[tuple[float, Expr], ...]
    otherwise: Expr

    def sql(self, write: Writer) -> str:
        said = write(self.of)
        return f"(CASE WHEN {said} IS NULL THEN {write(tree.NULL)} ELSE {self._among(write, said, self.outcomes)} END)"

    def _among(self, write: Writer, said: str, outcomes: tuple[tuple[float, Expr], ...]) -> str:
        if len(outcomes) <= FEW:
            tests = "".join(f" WHEN {said} = {write(tree.number(at))} THEN {write(then)}" for at, then in outcomes)
            return f"CASE{tests} ELSE {write(self.otherwise)} END"
        middle = len(outcomes) // 2
        left, right = (self._among(write, said, half) for half in (outcomes[:middle], outcomes[middle:]))
        return f"CASE WHEN {said} < {write(tree.number(outcomes[middle][0]))} THEN {left} ELSE {right} END"


def as_switch(table: tree.FirstHit) -> Switch | None:
    """The table as a switch, where every row asks for one value of the same number."""
    found: dict[float, Expr] = {}
    of: Expr | None = None
    for condition, outcome in table.rows:
        match condition:
            case tree.Comparison("=", left, tree.Constant(float() as at)) if _is_leaf(left) and of in (None, left):
                of = left
                found.setdefault(at, outcome)
            case _:
                return None
    return (
        None if of is None or len(found) <= FEW else Switch(of, tuple(sorted(found.items(), key=_at)), table.otherwise)
    )


def _at(one: tuple[float, Expr]) -> float:
    return one[0]


def as_bins(table: tree.FirstHit) -> Bins | None:
    """The table as bins, where its rows are ranges of one value that follow one another from the left."""
    rows = list(table.rows)
    missing: Expr = tree.NULL
    if rows and isinstance(rows[0][0], tree.IsNull) and not rows[0][0].negated:
        missing = rows.pop(0)[1]
    ranges = [range_of(condition) for condition, _ in rows]
    of = ranges[0][0] if ranges and ranges[0] else None
    if of is None or (missing != tree.NULL and table.rows[0][0] != tree.IsNull(of)):
        return None
    edges: list[Edge] = []
    reached = Edge(-inf, False)
    for found in ranges:
        if found is None or found[0] != of or found[1].order > reached.order or found[2].order <= reached.order:
            return None
        reached = found[2]
        edges.append(reached)
    outcomes = [outcome for _, outcome in rows]
    if edges[-1].at == inf:
        edges.pop()
    else:
        outcomes.append(table.otherwise)
    return Bins(of, missing, tuple(edges), tuple(outcomes))


def range_of(condition: Expr) -> tuple[Expr, Edge, Edge] | None:
    """(value, left edge, right edge) of a condition that is one range of one value."""
    match condition:
        case tree.Comparison(sign, of, tree.Constant(float() as at)):
            return _half_line(sign, of, at)
        case tree.Between(of, tree.Constant(float() as low), tree.Constant(float() as high), False):
            return (of, Edge(low, False), Edge(high, True)) if _is_leaf(of) else None
        case tree.And((first, second)):
            one, two = range_of(first), range_of(second)
            if one is None or two is None or one[0] != two[0]:
                return None
            left = max(one[1], two[1], key=lambda edge: edge.order)
            return one[0], left, min(one[2], two[2], key=lambda edge: edge.order)
    return None


def _half_line(sign: str, of: Expr, at: float) -> tuple[Expr, Edge, Edge] | None:
    if not _is_leaf(of):
        return None
    left, right = Edge(-inf, False), Edge(inf, True)
    ranges = {
        "<": (left, Edge(at, False)), "<=": (left, Edge(at, True)),
        ">": (Edge(at, True), right), ">=": (Edge(at, False), right),
    }  # fmt: skip
    return (of, *ranges[sign]) if sign in ranges else None


def _is_leaf(of: Expr) -> bool:
    return isinstance(of, tree.FactRef | tree.Cell | tree.Made)
