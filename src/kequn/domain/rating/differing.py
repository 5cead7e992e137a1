"""The difference between two ratings, told by driver: which facts changed, and by how many notches each group moved it.

The facts of one driver after another are put from the old to the new; what the grade moves at each is that driver's
part. The parts add up to the whole difference. Their order is policy's: where two drivers act together, the earlier
one is told of what both did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kequn.domain.rating.composing import Inputs, Override, Rated, Scheme, compose
from kequn.domain.rules.tree import Value

OVERRIDE = "override"
QUESTIONNAIRE = "questionnaire"
Pair = tuple[Value | None, Value | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """One driver's part. `notches` up (safer) where positive; None where a grade cannot be told on one side.

    `facts`: what changed, old and new, by name.
    """

    driver: str
    before: str | None
    after: str | None
    notches: int | None
    facts: Mapping[str, Pair]


def difference(
    scheme: Scheme, drivers: Sequence[tuple[str, frozenset[str]]], old: Inputs, new: Inputs
) -> tuple[Moved, ...]:
    """The drivers of which anything changed, in their order. `drivers` names the facts of each."""
    found = []
    facts, answers, override = dict(old.facts), dict(old.answers), old.override
    before = compose(scheme, old)
    for name, of in drivers:
        changed: dict[str, Pair] = {}
        for fact in sorted(of):
            if old.facts.get(fact) != new.facts.get(fact):
                changed[fact] = (old.facts.get(fact), new.facts.get(fact))
                facts[fact] = new.facts.get(fact)
        if name == QUESTIONNAIRE:
            asked = sorted(set(old.answers) | set(new.answers))
            changed |= {one: (old.answers.get(one), new.answers.get(one)) for one in asked
                        if old.answers.get(one) != new.answers.get(one)}  # fmt: skip
            answers = dict(new.answers)
        if name == OVERRIDE and old.override != new.override:
            changed[OVERRIDE] = (_notches(old.override), _notches(new.override))
            override = new.override
        if not changed:
            continue
        after = compose(scheme, Inputs(facts, answers, override))
        found.append(Moved(name, before.grade, after.grade, notches_between(scheme, before, after), changed))
        before = after
    return tuple(found)


def _notches(override: Override | None) -> int:
    return 0 if override is None else override.notches


def notches_between(scheme: Scheme, before: Rated, after: Rated) -> int | None:
    """How many notches safer the second is; default counts as one below the worst grade."""
    order = [*scheme.scale.grades, scheme.scale.default]
    if before.grade is None or after.grade is None:
        return None
    return order.index(before.grade) - order.index(after.grade)
