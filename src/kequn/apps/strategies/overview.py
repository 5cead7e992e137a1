"""Every segment that is looked after by a strategy, or combined from others, and how it does today."""

from dataclasses import dataclass
from datetime import date

from kequn.apps.accounts.access import Person
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.strategies.books import visible
from kequn.apps.strategies.documents import strategies_at
from kequn.apps.strategies.performance import Today, fewest, read_books, step, today
from kequn.apps.strategies.rates import Rate
from kequn.apps.strategies.worth import Margin, margins
from kequn.policy.items import Item
from kequn.policy.pack import Pack

NO_MARGIN = Margin(None, None, None, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """One segment: `lines` of its strategy, nil where it has none; `formation` since the date before."""

    key: str
    lines: int
    today: Today
    formation: Rate | None
    margin: Margin


def looked_after(pack: Pack, as_of: date) -> list[Item]:
    """The segments combined from others, and those of a dimension that have a strategy."""
    own = strategies_at(pack, as_of).strategies
    return [one for one in pack.items(as_of) if one.kind == "segment" and (not one.dimension or one.name in own)]


def overview(*, person: Person, as_of: date) -> list[Line]:
    """A line for each, those with members first by their exposure; empty before the first run."""
    pack = policy_in_use()
    read = read_books(pack, as_of)
    if not read:
        return []
    items, least, mine = looked_after(pack, as_of), fewest(pack, as_of), visible(person)
    own, earned = strategies_at(pack, as_of).strategies, margins(mine=mine, items=items)
    seen, found = read[-1].seen_by(mine), []
    for one in items:
        members = read[-1].members(one.name, one.unknown_means) & seen
        formation = None
        if len(read) > 1:
            before = read[-2].members(one.name, one.unknown_means) & read[-2].seen_by(mine)
            formation = step(read[-2], read[-1], before, mine, least).inside
        lines = len(own[one.name].rows) if one.name in own else 0
        found.append(Line(one.name, lines, today(read[-1], members, least), formation, earned.get(one.name, NO_MARGIN)))
    return sorted(found, key=lambda line: (-line.today.exposure, line.key))
