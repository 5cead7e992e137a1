"""What holds for a customer of several segments that ask for different terms: one declared policy settles it.

`strictest` takes of each term the value hardest on the customer, `best` the kindest, `priority` that of the segment
that ranks first. Which way is strict is a property of the term: a higher spread is, a shorter tenor is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Settlement = Literal["strictest", "priority", "best"]
Strict = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one segment asks for; the smaller `priority` ranks first. Values are in the units of their terms."""

    segment: str
    priority: int
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Settled:
    """One term as it holds, the segment it comes from, and what the others asked for."""

    term: str
    value: float
    segment: str
    asked: tuple[tuple[str, float], ...]

    @property
    def is_disputed(self) -> bool:
        return len({value for _, value in self.asked}) > 1


def settle(demands: Iterable[Demand], policy: Settlement, strict: Mapping[str, Strict]) -> tuple[Settled, ...]:
    """Each term that anybody asks for, in the order of `strict`; equal demands go to the segment that ranks first.

    >>> demands = [Demand("green", 2, {"spread": 0.002}), Demand("at_risk", 1, {"spread": 0.02})]
    >>> [(one.segment, one.value) for one in settle(demands, "best", {"spread": "higher"})]
    [('green', 0.002)]
    """
    ranked = sorted(demands, key=lambda one: (one.priority, one.segment))
    found = []
    for term, way in strict.items():
        asked = tuple((one.segment, one.terms[term]) for one in ranked if term in one.terms)
        if not asked:
            continue
        if policy == "priority":
            segment, value = asked[0]
        else:
            takes_most = (way == "higher") == (policy == "strictest")
            wanted = (max if takes_most else min)(value for _, value in asked)
            segment, value = next(pair for pair in asked if pair[1] == wanted)
        found.append(Settled(term, value, segment, asked))
    return tuple(found)
