"""A plan as a program: steps without history functions, each computed once, in order.

History unrolls into cells (a fact so many periods back), definitions into steps, and what several places share
becomes a step of its own. The Python source and the SQL of a plan are both written from its program, so that
they cannot differ in order or meaning.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kequn.domain.definitions import Definition
from kequn.domain.facts import CALENDAR_GRAINS, FactType, Grain
from kequn.domain.rules.reader import cumulated_at, trend_weights, twelve_month_parts
from kequn.domain.rules.tree import (
    NULL,
    Arithmetic,
    Between,
    Case,
    Cell,
    Children,
    Comparison,
    Constant,
    Expr,
    FactRef,
    FirstHit,
    Function,
    FunctionName,
    History,
    IsNull,
    Made,
    Negative,
    OneOf,
    children_of,
    height,
    number,
    rebuilt,
    type_of,
)

QUARTERS = FactRef("statement_quarters_", Grain.CUSTOMER, FactType.NUMBER)
LONGEST_CHAIN = 40
LONGEST_TABLE = 6
HIGHEST = 10
Known = Callable[[str, Grain], bool]


@dataclass(frozen=True, slots=True)
class Program:
    """`steps[i]` may read facts, cells, child rows and steps before it; `outputs` names the definitions' steps."""

    steps: tuple[Expr, ...]
    outputs: Mapping[str, int]

    def leaves(self) -> tuple[Expr, ...]:
        """The customer facts and cells that the steps read, once each."""
        found: dict[Expr, None] = {}
        stack = list(reversed(self.steps))
        while stack:
            node = stack.pop()
            if isinstance(node, FactRef | Cell):
                found.setdefault(node)
            elif not isinstance(node, Children):
                stack.extend(reversed(children_of(node)))
        return tuple(found)


def program_of(definitions: Iterable[Definition], known: Known = lambda _name, _grain: True) -> Program:
    """The program of the definitions. `known` tells which facts the data has; the others are unknown throughout."""
    made = _Unrolling({definition.name: definition for definition in definitions}, known)
    for definition in made.definitions.values():
        if definition.grain == Grain.CUSTOMER:
            made.step_of(definition.name, 0)
    return _shared(made.steps, {name: step for (name, _), step in made.places.items()
                                if made.definitions[name].grain == Grain.CUSTOMER})  # fmt: skip


class _Unrolling:
    """Definitions to steps over cells, in the order in which they are needed."""

    def __init__(self, definitions: Mapping[str, Definition], known: Known) -> None:
        self.definitions = definitions
        self.known = known
        self.steps: list[Expr] = []
        self.numbers: dict[Expr, int] = {}
        self.places: dict[tuple[str, int], int] = {}

    def step_of(self, name: str, offset: int) -> int:
        if (name, offset) not in self.places:
            definition = self.definitions[name]
            expr = self.unrolled(definition.expr, offset)
            if definition.kind == "derived" and self.known(name, definition.grain):
                leaf = self.leaf(FactRef(name, definition.grain, definition.type), offset)
                expr = Function("coalesce", (expr, leaf))
            self.places[name, offset] = self.add(expr)
        return self.places[name, offset]

    def add(self, expr: Expr) -> int:
        if isinstance(expr, Made):
            return expr.step
        if expr not in self.numbers:
            self.numbers[expr] = len(self.steps)
            self.steps.append(expr)
        return self.numbers[expr]

    def spilled(self, expr: Expr) -> Expr:
        """The expression as a step of its own, where it is more than a leaf."""
        return expr if isinstance(expr, Constant | FactRef | Cell | Made) else Made(self.add(expr), type_of(expr))

    def leaf(self, ref: FactRef, offset: int) -> Expr:
        if not self.known(ref.name, ref.grain):
            return NULL
        return Cell(ref.name, ref.grain, ref.type, offset) if ref.grain in CALENDAR_GRAINS else ref

    def unrolled(self, expr: Expr, offset: int) -> Expr:
        match expr:
            case FactRef(name, grain, kind):
                if name not in self.definitions:
                    return self.leaf(expr, offset)
                return Made(self.step_of(name, offset if grain in CALENDAR_GRAINS else 0), kind)
            case History():
                return self.history(expr, offset)
            case Children(function, of, grain):
                return Made(self.add(Children(function, self.row(of), grain)), type_of(expr))
        below = self.consuming(rebuilt(expr, lambda part: self.unrolled(part, offset)))
        if isinstance(below, Arithmetic) and len(below.rest) > LONGEST_CHAIN:
            return self.chain(below)
        if isinstance(below, Case | FirstHit) and len(children_of(below)) > 2 * LONGEST_TABLE:
            return self.spilled(below)
        return below

    def consuming(self, expr: Expr) -> Expr:
        """The node with every operand that may overflow, or is read twice, in a step of its own."""
        match expr:
            case Between(of, low, high, negated):
                return Between(self.spilled(of), self.settled(low), self.settled(high), negated)
            case Function("least" | "greatest" as name, arguments):
                return Function(name, tuple(map(self.spilled, arguments)))
            case Comparison() | IsNull() | OneOf() | Function("coalesce" | "exp"):
                return rebuilt(expr, self.settled)
            case Arithmetic(first, rest):
                terms = ((sign, self.settled(term) if sign == "/" else term) for sign, term in rest)
                return Arithmetic(first, tuple(terms))
        return expr

    def settled(self, expr: Expr) -> Expr:
        return expr if is_finite(expr) else self.spilled(expr)

    def chain(self, expr: Arithmetic) -> Expr:
        """A long chain in pieces, from the left, so that no reader needs a deep stack."""
        first, rest = expr.first, expr.rest
        while len(rest) > LONGEST_CHAIN:
            first = self.spilled(Arithmetic(first, rest[:LONGEST_CHAIN]))
            rest = rest[LONGEST_CHAIN:]
        return Arithmetic(first, rest)

    def row(self, expr: Expr) -> Expr:
        """An expression over one child row, with the definitions of that grain written out."""
        if isinstance(expr, FactRef):
            definition = self.definitions.get(expr.name)
            raw = expr if self.known(expr.name, expr.grain) else NULL
            if definition is None:
                return raw
            formula = self.row(definition.expr)
            return Function("coalesce", (formula, raw)) if definition.kind == "derived" else formula
        return rebuilt(expr, self.row)

    def history(self, expr: History, offset: int) -> Expr:
        def back(periods: int) -> Expr:
            return self.spilled_cell(expr.of, offset + periods)

        n = expr.n
        match expr.function:
            case "lag":
                return self.unrolled(expr.of, offset + n)
            case "ttm":
                return self.twelve_months(expr, offset)
            case "mean":
                total = self.chain(Arithmetic(back(0), tuple(("+", back(period)) for period in range(1, n))))
                return Arithmetic(self.spilled(total) if n > 1 else back(0), (("/", number(n)),))
            case "trend":
                terms = [
                    Arithmetic(number(weight), (("*", back(period)),)) for period, weight in enumerate(trend_weights(n))
                ]
                return self.chain(Arithmetic(terms[0], tuple(("+", term) for term in terms[1:])))
            case "streak":
                return self.streak([back(period) for period in range(n)])
            case "min" | "max":
                name: FunctionName = "least" if expr.function == "min" else "greatest"
                return Function(name, tuple(back(period) for period in range(n))) if n > 1 else back(0)

    def spilled_cell(self, of: Expr, offset: int) -> Expr:
        return self.spilled(self.unrolled(of, offset))

    def streak(self, conditions: list[Expr]) -> Expr:
        rows: list[tuple[Expr, Expr]] = []
        for period, condition in enumerate(conditions):
            rows.append((Comparison("=", condition, Constant(False, FactType.BOOLEAN)), number(period)))
        table = FirstHit(tuple(rows), number(len(conditions)))
        return self.spilled(table) if len(rows) > LONGEST_TABLE else table

    def twelve_months(self, expr: History, offset: int) -> Expr:
        """Twelve months to a period, by how many quarters the anchor statement cumulates."""

        def summed(parts: tuple[tuple[int, int], ...]) -> Expr:
            terms = [(sign, self.spilled_cell(expr.of, offset + period)) for sign, period in parts]
            rest = tuple(("+" if sign > 0 else "-", term) for sign, term in terms[1:])
            return Arithmetic(terms[0][1], rest) if rest else terms[0][1]  # type: ignore[arg-type]  # signs as above

        if expr.grain == Grain.ACCOUNT_MONTH:
            return summed(twelve_month_parts(0, 12))
        branches = tuple(
            (Comparison("=", QUARTERS, number(anchor)), summed(twelve_month_parts(cumulated_at(anchor, offset))))
            for anchor in (4, 0, 2, 1, 3)
        )
        return self.spilled(Case(branches, NULL))


def row_program(exprs: Iterable[Expr]) -> Program:
    """Expressions over one child row as steps, what they share computed once; output `i` is the i-th expression."""
    found = list(exprs)
    return _shared(found, {str(at): at for at in range(len(found))})


def is_finite(expr: Expr) -> bool:
    """Whether an expression over finite values can be neither infinite nor NaN."""
    match expr:
        case Arithmetic() | Function("exp"):
            return False
        case Negative(of) | Function("abs" | "ln", (of,)):
            return is_finite(of)
        case Case(pairs, otherwise) | FirstHit(pairs, otherwise):
            return is_finite(otherwise) and all(is_finite(outcome) for _, outcome in pairs)
    return True


def _shared(steps: list[Expr], outputs: Mapping[str, int]) -> Program:
    """The same steps with what several places share computed once."""
    seen: dict[Expr, int] = {}

    def count(expr: Expr) -> None:
        seen[expr] = seen.get(expr, 0) + 1
        if seen[expr] == 1 and not isinstance(expr, Children):
            for part in children_of(expr):
                count(part)

    for step in steps:
        count(step)
    sharing = _Sharing({expr for expr, times in seen.items() if times > 1 and _worth_sharing(expr)})
    for step in steps:
        sharing.place(step)
    return Program(tuple(sharing.steps), {name: sharing.moved[step] for name, step in outputs.items()})


def _worth_sharing(expr: Expr) -> bool:
    """Whatever is more than a leaf, a test against null, or a question about the anchor statement."""
    if isinstance(expr, Comparison) and expr.left == QUARTERS:
        return False
    return not isinstance(expr, Constant | FactRef | Cell | Made | IsNull)


def _is_large(expr: Expr) -> bool:
    """Too deep, or too long a table, to stand within another expression."""
    if isinstance(expr, Case | FirstHit) and len(children_of(expr)) > 2 * LONGEST_TABLE:
        return True
    return height(expr) > HIGHEST


class _Sharing:
    """Steps numbered again, with a step before them for each shared part."""

    def __init__(self, shared: set[Expr]) -> None:
        self.shared = shared
        self.steps: list[Expr] = []
        self.moved: list[int] = []
        self.placed: dict[Expr, Expr] = {}

    def place(self, expr: Expr) -> None:
        new = self.rewritten(expr)
        self.moved.append(new.step if isinstance(new, Made) else self.add(new))

    def add(self, expr: Expr) -> int:
        self.steps.append(expr)
        return len(self.steps) - 1

    def rewritten(self, expr: Expr) -> Expr:
        if expr in self.placed:
            return self.placed[expr]
        if isinstance(expr, Made):
            return Made(self.moved[expr.step], expr.type)
        if isinstance(expr, Children):
            new: Expr = expr
        else:
            new = rebuilt(expr, self.rewritten)
        if expr in self.shared or (_is_large(new) and not isinstance(expr, Children)):
            new = Made(self.add(new), type_of(expr))
            self.placed[expr] = new
        return new
