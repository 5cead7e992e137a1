"""Why a definition answers as it does for one customer: its conditions, what they read, what is missing.

A reason is a tree. A definition made of conditions shows each of them with its verdict; one that reads other
definitions shows theirs below it. Missing facts are those, and only those, that keep an answer unknown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import CHILD_GRAINS, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.plain import reader_of
from kequn.domain.rules.reader import HERE, Answer, Place, Reader, Truth
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Expr, FactRef

UNKNOWN = "unknown"
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a condition read, with the value it had; None is unknown.

    `term` is a fact, or a fact along the calendar (its twelve months, its mean). Of child rows the fact's value in
    each row stands in `rows`.
    """

    term: FactRef | tree.History
    value: Answer
    rows: tuple[Answer, ...] | None = None

    @property
    def fact(self) -> FactRef:
        """The fact that was read."""
        return self.term if isinstance(self.term, FactRef) else tree.facts_in(self.term)[0]

    @property
    def name(self) -> str:
        return self.fact.name


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition or formula: its tree, its answer, the facts it read."""

    expr: Expr
    answer: Answer
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one definition answers as it does. `because` holds the reasons of the definitions it read."""

    name: str
    answer: Answer
    conditions: tuple[Condition, ...]
    because: tuple["Reason", ...]
    missing: tuple[str, ...]


def explain(plan: Plan, record: Record, as_of: date, name: str, *, deepest: int = DEEPEST) -> Reason:
    """The reason of one customer definition; KeyError where the plan has no such definition.

    `deepest` is how many levels of reasons stand below it.
    """
    plan.definition(name)
    reader = reader_of(plan, as_of).reader(record)
    return _Explainer({one.name: one for one in plan.definitions}, reader, deepest).reason(name, 0)


@dataclass(slots=True)
class _Explainer:
    definitions: Mapping[str, Definition]
    reader: Reader
    deepest: int
    told: dict[tuple[str, int], Reason] = field(default_factory=dict)  # what is read from two sides is told once

    def reason(self, name: str, depth: int) -> Reason:
        if (name, depth) not in self.told:
            self.told[name, depth] = self._reason(name, depth)
        return self.told[name, depth]

    def _reason(self, name: str, depth: int) -> Reason:
        definition = self.definitions[name]
        answer = self.reader.fact(name, definition.grain, HERE)
        parts = dict.fromkeys(self.parts(self.seen_through(definition.expr), all_terms=depth == 0))
        conditions = tuple(self.condition(expr) for expr in parts)
        below: dict[str, None] = {}
        for condition in conditions:
            for reading in condition.readings:
                below_it = self.definitions.get(reading.name)
                if below_it is not None and below_it.grain not in CHILD_GRAINS and reading.name != name:
                    below.setdefault(reading.name)
        because = tuple(self.reason(one, depth + 1) for one in below) if depth < self.deepest else ()
        missing = tuple(dict.fromkeys(self.missing_fact(name, HERE))) if answer in (None, UNKNOWN) else ()
        return Reason(name, answer, conditions, because, missing)

    def seen_through(self, expr: Expr) -> Expr:
        """What stands behind a name that only says `unknown` where another definition is unknown."""
        match expr:
            case tree.Function("coalesce", (FactRef(name), tree.Constant())) if name in self.definitions:
                return self.seen_through(self.definitions[name].expr)
            case _:
                return expr

    def condition(self, expr: Expr) -> Condition:
        return Condition(expr, self.reader.read(expr), tuple(dict.fromkeys(self.readings(expr))))

    def readings(self, expr: Expr) -> Iterator[Reading]:
        match expr:
            case FactRef():
                yield Reading(expr, self.value_of(expr))
            case tree.History() if tree.facts_in(expr):
                yield Reading(expr, self.reader.read(expr))
            case tree.Children(_, of, grain):
                rows = self.reader.record.children.get(grain, ())
                for ref in tree.facts_in(of):
                    values = (self.reader.fact(ref.name, ref.grain, Place(0, row)) for row in rows)
                    yield Reading(ref, None, tuple(values))
            case _:
                for child in tree.children_of(expr):
                    yield from self.readings(child)

    def value_of(self, ref: FactRef) -> Answer:
        """The value of the newest period; child rows have none of their own here."""
        if ref.grain in (Grain.FACILITY, Grain.PROJECT, Grain.EVENT):
            return None
        return self.reader.fact(ref.name, ref.grain, HERE)

    def parts(self, expr: Expr, *, all_terms: bool) -> Iterator[Expr]:
        """The conditions to show: the terms of `and` and `or`, the rows of a table down to the one that holds.

        Below the definition asked for only the terms that decide are shown: those that make an `and` false or an
        `or` true, those that keep either unknown, else all of them.
        """
        match expr:
            case tree.And(terms) | tree.Or(terms):
                answers = [self.reader.read(term) for term in terms]
                together = self.reader.read(expr)
                alike = [term for term, answer in zip(terms, answers, strict=True) if answer == together]
                for term in terms if all_terms else alike:
                    yield from self.parts(term, all_terms=all_terms)
            case tree.FirstHit(rows):
                for condition, _ in rows:
                    fails = self.reader.read(condition) is False
                    yield from self.parts(condition, all_terms=all_terms and not fails)
                    if not fails:
                        return
            case _:
                yield expr

    def missing(self, expr: Expr, at: Place) -> Iterator[str]:
        """The supplied facts for want of which an expression is unknown."""
        if isinstance(expr, tree.Function) and expr.name == "coalesce":
            stands_in = isinstance(expr.arguments[-1], tree.Constant)
            for argument in expr.arguments[:-1] if stands_in else expr.arguments:
                yield from self.missing(argument, at)
            return
        if self.reader.read(expr, at) is not None:
            return
        match expr:
            case FactRef(name):
                yield from self.missing_fact(name, at)
            case tree.FirstHit(rows, otherwise):
                yield from self.missing(self.undecided(rows, otherwise, at), at)
            case tree.History(_, of, n):
                for offset in range(max(n, 1)):
                    yield from self.missing(of, Place(at.offset + offset))
            case tree.Children(_, of, grain):
                yield from self.missing_below(of, grain)
            case _:
                for child in tree.children_of(expr):
                    yield from self.missing(child, at)

    def missing_fact(self, name: str, at: Place) -> Iterator[str]:
        definition = self.definitions.get(name)
        if definition is None or at.row is not None:
            yield name
            return
        yield from list(self.missing(definition.expr, at)) or self.unknown_below(definition, at)

    def unknown_below(self, definition: Definition, at: Place) -> Iterator[str]:
        """Every unknown supplied fact that a definition rests on: it is unknown by its own rule, for want of enough."""
        for ref in tree.facts_in(definition.expr):
            below = self.definitions.get(ref.name)
            if below is not None:
                yield from self.unknown_below(below, at)
            elif self.value_of(ref) is None:
                yield ref.name

    def undecided(self, rows: tuple[tuple[Expr, Expr], ...], otherwise: Expr, at: Place) -> Expr:
        """The first row that cannot be decided, or the outcome that is unknown itself."""
        for condition, outcome in rows:
            hit: Truth = self.reader.read(condition, at)
            if hit is None:
                return condition
            if hit:
                return outcome
        return otherwise

    def missing_below(self, of: Expr, grain: Grain) -> Iterator[str]:
        rows = self.reader.record.children.get(grain)
        if not rows:
            yield from (ref.name for ref in tree.facts_in(of))
            return
        for row in rows:
            yield from self.missing(of, Place(0, row))
