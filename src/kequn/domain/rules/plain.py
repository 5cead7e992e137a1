"""One customer, one policy, every definition: the plain reader at the speed of generated source."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from kequn.domain.definitions import Lookup, Plan
from kequn.domain.facts import Grain
from kequn.domain.rules.generated import Run, compiled
from kequn.domain.rules.program import program_of
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Value

Answers = dict[str, Value | None]

_MOST_PLANS = 8
_MOST_KEYS = 200_000


class PlanReader:
    """A plan made ready for many customers as of one date."""

    def __init__(self, plan: Plan, as_of: date) -> None:
        self.plan = plan
        self.as_of = as_of
        self.run: Run = compiled(program_of(plan.definitions))
        self.tables: list[tuple[Lookup, tuple[str, ...], dict[tuple[Any, ...], dict[str, Any]]]] = [
            (lookup, tuple(name for name, _ in lookup.outputs), {}) for lookup in plan.lookups
        ]

    def resolved(self, record: Record) -> dict[str, Any]:
        """What the look-ups say of one customer; supplied facts fill what they leave unknown."""
        found: dict[str, Any] = {}
        customer = record.customer
        for lookup, names, known in self.tables:
            key = cast("tuple[str | None, ...]", tuple([customer.get(name) for name in lookup.keys]))
            outputs = known.get(key)
            if outputs is None:
                if len(known) > _MOST_KEYS:
                    known.clear()
                outputs = known[key] = dict(zip(names, lookup.resolve(key, self.as_of), strict=True))
            found.update(outputs)
        return found

    def evaluate(self, record: Record) -> Answers:
        found = self.resolved(record)
        answers = self.run(record, found)
        for name, value in found.items():
            answers[name] = record.customer.get(name) if value is None else value
        return answers

    def reader(self, record: Record) -> Reader:
        """The node-by-node reader of the same plan and record, for reasons."""
        formulas = formulas_of(self.plan)
        return Reader(record, formulas, self.resolved(record))


def formulas_of(plan: Plan) -> Mapping[str, tuple[Grain, Any, bool]]:
    return {one.name: (one.grain, one.expr, one.kind == "derived") for one in plan.definitions}


_ready: dict[tuple[int, date], PlanReader] = {}


def reader_of(plan: Plan, as_of: date) -> PlanReader:
    """The ready reader of a plan, made once."""
    key = (id(plan), as_of)
    ready = _ready.get(key)
    if ready is None or ready.plan is not plan:
        if len(_ready) >= _MOST_PLANS:
            _ready.clear()
        ready = _ready[key] = PlanReader(plan, as_of)
    return ready


def evaluate(plan: Plan, record: Record, as_of: date) -> Answers:
    """Every definition of the customer grain and every look-up, by name; None is unknown."""
    return reader_of(plan, as_of).evaluate(record)
