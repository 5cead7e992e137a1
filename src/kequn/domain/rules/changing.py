"""What would change an answer: the nearest change of one single fact, found by trying and proved by applying it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from math import ceil, floor, log10

from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import CALENDAR_GRAINS, CHILD_GRAINS, Fact, FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.plain import PlanReader
from kequn.domain.rules.reader import Answer
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Value

STEPS = ((0.005, 0.01, 0.02), (0.05, 0.1), (0.2, 0.35, 0.5), (0.75, 1.0, 1.5), (3.0, 9.0), (99.0,))
FROM_ZERO = ((0.01, 0.1, 1.0), (10.0, 100.0), (1e4, 1e6), (1e8, 1e10))
SIDES = (-1.0, 1.0)
HALVINGS = 40
NEAR_ENOUGH = 1e-7  # of the value: far finer than the four digits in which a change is said
CHILD_ROWS = 4  # a customer with more facilities is changed by one of the first few or by none
CHOICE_DISTANCE = 1.0
WHOLE_UNITS = frozenset({"persons", "days", "count", "months", "mark 1-5"})
SMALLEST_MONEY = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """One fact set to another value, and what the definition then answers. `row` counts child rows from 0."""

    fact: str
    grain: Grain
    row: int | None
    before: Value | None
    after: Value
    answer: Answer
    distance: float


def nearest_changes(plan: Plan, record: Record, as_of: date, name: str, *, most: int = 5) -> tuple[Change, ...]:
    """Single changes that give the definition another known answer, the nearest first; each was applied.

    Distance is the relative change of a number; another choice counts as one. Only facts that were known are
    changed: what is unknown is to be obtained, not imagined. A number moves with every fact, so only classes and
    verdicts have nearest changes.
    """
    if plan.definition(name).type == FactType.NUMBER:
        return ()
    search = _Search(plan, as_of, name, record)
    found: dict[tuple[str, int | None], Change] = {}
    for fact, row, value in search.known_values():
        change = search.nearest(fact, row, value)
        if change is not None:
            found[fact.name, row] = change
    ordered = sorted(found.values(), key=lambda one: (one.distance, one.fact, one.row or 0))
    return tuple(ordered[:most])


def needed_for(plan: Plan, name: str) -> tuple[tuple[Definition, ...], tuple[tree.FactRef, ...]]:
    """The definitions that one definition rests on, in order, and the supplied facts they read."""
    by_name = {one.name: one for one in plan.definitions}
    wanted = {name}
    facts: dict[tree.FactRef, None] = {}
    for definition in reversed(plan.definitions):
        if definition.name in wanted:
            for ref in tree.facts_in(definition.expr):
                if ref.name in by_name:
                    wanted.add(ref.name)
                else:
                    facts.setdefault(ref)
    return tuple(one for one in plan.definitions if one.name in wanted), tuple(facts)


@lru_cache(maxsize=256)
def _smaller(holder: "_Holder", as_of: date, name: str) -> tuple[PlanReader, tuple[tree.FactRef, ...]]:
    """A reader of only what one definition needs; kept, because compiling takes longer than reading."""
    definitions, facts = needed_for(holder.plan, name)
    return PlanReader(replace(holder.plan, definitions=definitions), as_of), facts


@dataclass(frozen=True, slots=True, eq=False)
class _Holder:
    """Carries a plan past the cache: two plans with one digest are the same plan."""

    plan: Plan

    def __hash__(self) -> int:
        return hash(self.plan.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.plan.digest == self.plan.digest


class _Search:
    def __init__(self, plan: Plan, as_of: date, name: str, record: Record) -> None:
        self.reader, self.refs = _smaller(_Holder(plan), as_of, name)
        self.plan, self.name, self.record = plan, name, record
        self.now = self.answer(record)

    def answer(self, record: Record) -> Answer:
        return self.reader.evaluate(record).get(self.name)

    def known_values(self) -> Iterator[tuple[Fact, int | None, Value]]:
        """Every supplied fact the definition may read, with its present value; look-up keys too."""
        keys = {key for lookup in self.plan.lookups for key in lookup.keys}
        names = dict.fromkeys([*(ref.name for ref in self.refs), *keys])
        for name in names:
            fact = self.plan.vocabulary.get(name)
            if fact is None:
                continue
            if fact.grain in CHILD_GRAINS:
                rows = self.record.children.get(fact.grain, ())[:CHILD_ROWS]
                yield from ((fact, at, value) for at, row in enumerate(rows) if (value := row.get(name)) is not None)
            else:
                found = self.value(fact)
                if found is not None:
                    yield fact, None, found

    def value(self, fact: Fact) -> Value | None:
        if fact.grain in CALENDAR_GRAINS:
            return self.record.cell(fact.grain, fact.name, 0)
        return self.record.customer.get(fact.name)

    def with_value(self, fact: Fact, row: int | None, value: Value) -> Record:
        record = self.record
        if row is not None:
            rows: list[Mapping[str, Value | None]] = list(record.children[fact.grain])
            rows[row] = {**rows[row], fact.name: value}
            return replace(record, children={**record.children, fact.grain: rows})
        if fact.grain in CALENDAR_GRAINS:
            series: Sequence[Value | None] = record.periods[fact.grain][fact.name]
            changed = {**record.periods[fact.grain], fact.name: (value, *series[1:])}
            return replace(record, periods={**record.periods, fact.grain: changed})
        return replace(record, customer={**record.customer, fact.name: value})

    def tried(self, fact: Fact, row: int | None, value: Value) -> Answer:
        return self.answer(self.with_value(fact, row, value))

    def flips(self, answer: Answer) -> bool:
        return answer not in (None, self.now, "unknown")

    def nearest(self, fact: Fact, row: int | None, value: Value) -> Change | None:
        if isinstance(value, bool):
            return self.choice(fact, row, value, (not value,))
        if fact.type == FactType.TEXT:
            return self.choice(fact, row, value, tuple(one for one in fact.choices if one != value))
        if isinstance(value, float):
            return self.number(fact, row, value)
        return None

    def choice(self, fact: Fact, row: int | None, before: Value, others: tuple[Value, ...]) -> Change | None:
        for other in others:
            answer = self.tried(fact, row, other)
            if self.flips(answer):
                return Change(fact.name, fact.grain, row, before, other, answer, CHOICE_DISTANCE)
        return None

    def number(self, fact: Fact, row: int | None, before: float) -> Change | None:
        """Step outwards on both sides until the answer changes, then halve the last step.

        Of each stretch of steps the farthest is tried first: most facts change nothing, and are soon done with.
        """
        for stretch in STEPS if before else FROM_ZERO:
            if any(self.stepped(fact, row, before, stretch[-1], sign) is not None for sign in SIDES):
                for step in stretch:
                    for sign in SIDES:
                        far = self.stepped(fact, row, before, step, sign)
                        if far is not None:
                            return self.halved(fact, row, before, far)
        return None

    def stepped(self, fact: Fact, row: int | None, before: float, step: float, sign: float) -> float | None:
        """The value so far away, where it is believable and the answer changes there."""
        far = before + sign * step * (abs(before) or 1.0)
        if far < 0 <= before and (fact.unit == "CNY" or fact.unit in WHOLE_UNITS):
            return None
        return far if self.flips(self.tried(fact, row, far)) else None

    def halved(self, fact: Fact, row: int | None, before: float, far: float) -> Change:
        near = before
        for _ in range(HALVINGS):
            if abs(far - near) <= NEAR_ENOUGH * max(abs(far), abs(near)):
                break
            middle = (near + far) / 2
            if self.flips(self.tried(fact, row, middle)):
                far = middle
            else:
                near = middle
        after = self.rounded(fact, row, before, far)
        return Change(
            fact.name, fact.grain, row, before, after, self.tried(fact, row, after),
            abs(after - before) / (abs(before) or 1.0),
        )  # fmt: skip

    def rounded(self, fact: Fact, row: int | None, before: float, after: float) -> float:
        """A number a person would say: four digits, whole where the unit is, just beyond the boundary."""
        outwards = ceil if after > before else floor
        step = 10.0 ** (floor(log10(abs(after))) - 3) if after else 1.0
        if fact.unit in WHOLE_UNITS:
            step = max(step, 1.0)
        if fact.unit == "CNY":
            step = max(step, SMALLEST_MONEY)
        for steps in (round(after / step), outwards(after / step)):
            spoken = float(f"{steps * step:.12g}")
            if self.flips(self.tried(fact, row, spoken)):
                return spoken
        return after
