"""What the customers of a segment are worth, line by line: sums over arrays of the last run, by policy's formulas.

Each line is computed once a run by the engine and kept. A sum is over the customers of whom the whole contribution is
known, so that the lines add up to it; how many are left out is said. Amounts are whole fen of yuan (CNY).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import Run
from kequn.apps.assessments.outcomes import Z95
from kequn.apps.assessments.standing_book import standing_book, stands
from kequn.apps.audit.bulk import Numbers
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.strategies.books import MINOR, Floats, Mask, RunBook, book_of, books, visible
from kequn.domain.errors import Refused
from kequn.policy.items import Item
from kequn.policy.pack import Pack

# the lines of the contribution in their order, and whether they add to it; all are definitions of policy
LINES = (
    ("worth_interest", 1), ("worth_funding", -1), ("worth_fees", 1), ("worth_deposits", 1), ("worth_loss", -1),
    ("worth_capital_cost", -1), ("worth_service", -1),
)  # fmt: skip
CONTRIBUTION, CAPITAL, DAYS, DRAWN = "worth_contribution", "worth_capital", "worth_manager_days", "exposure_drawn"
INTEREST, FUNDING, MAY_LEAVE = "worth_interest", "worth_funding", "may_leave"


@dataclass(frozen=True, slots=True)
class Margin:
    """Interest less the price of the money over what is drawn, with its 95 % interval over customers."""

    rate: float | None
    low: float | None
    high: float | None
    customers: int


@dataclass(frozen=True, slots=True)
class Worth:
    """A part of the book. `known` of its customers are counted.

    `days` are manager's days a year of those whose days are known too, and `with_days` what these contribute.
    """

    key: str
    customers: int
    known: int
    lines: tuple[tuple[str, int, int], ...]  # name, sign, fen
    contribution: int
    capital: int
    days: float
    with_days: int
    may_leave: int

    @property
    def on_capital(self) -> float | None:
        """Contribution before the cost of capital over the capital bound; None where none is bound."""
        cost = next((amount for name, _sign, amount in self.lines if name == "worth_capital_cost"), 0)
        return (self.contribution + cost) / self.capital if self.capital > 0 else None

    @property
    def per_day(self) -> int | None:
        """Contribution for each of the manager's days, in fen."""
        return round(self.with_days / self.days) if self.days > 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The arrays of one run, in the order of its book."""

    book: RunBook
    values: dict[str, Floats]


def _lines() -> _Lines | None:
    """The lines of the last published run; None before the first, or where its files are gone."""
    try:
        standing = standing_book()
    except Refused:
        return None
    read = books(1)
    if not read or read[-1].run_id != standing.run_id:
        return None
    return _Lines(read[-1], _computed(read[-1], policy_in_use()))


@lru_cache(maxsize=2)
def _computed(book: RunBook, pack: Pack) -> dict[str, Floats]:
    standing = standing_book()
    names = [name for name, _sign in LINES] + [CONTRIBUTION, CAPITAL, DAYS, DRAWN]
    return {name: np.asarray(standing.numbers(pack, name), dtype=np.float64)[book.places] for name in names}


def margin_of(*, person: Person, segment: str, unknown_means: str) -> Margin:
    """The margin of a segment's members that a person may see."""
    found = _lines()
    if found is None:
        return Margin(None, None, None, 0)
    return _margin(found, found.book.members(segment, unknown_means) & found.book.seen_by(visible(person)))


def margins(*, mine: Numbers, items: list[Item]) -> dict[str, Margin]:
    """The margin of several segments, for who may see these customers."""
    found = _lines()
    if found is None:
        return {}
    seen = found.book.seen_by(mine)
    return {one.name: _margin(found, found.book.members(one.name, one.unknown_means) & seen) for one in items}


def _margin(found: _Lines, members: Mask) -> Margin:
    """A ratio of sums and its standard error by linearisation (Cochran, Sampling Techniques, 1977, section 2.11)."""
    drawn, earned = found.values[DRAWN], found.values[INTEREST] - found.values[FUNDING]
    counted = members & np.isfinite(drawn) & np.isfinite(earned) & (drawn > 0)
    count, whole = int(counted.sum()), float(drawn[counted].sum())
    if not count:
        return Margin(None, None, None, 0)
    rate = float(earned[counted].sum()) / whole
    if count < 2:
        return Margin(rate, None, None, count)
    left = earned[counted] - rate * drawn[counted]
    error = Z95 * float(np.sqrt(count / (count - 1) * (left**2).sum())) / whole
    return Margin(rate, rate - error, rate + error, count)


def worth_of_segments(*, person: Person, items: list[Item]) -> list[Worth]:
    """Each segment of the reader's customers that has any, and last, under no key, all of them; empty before a run."""
    found = _lines()
    if found is None:
        return []
    seen, leaving = found.book.seen_by(visible(person)), stands(found.book.verdict(MAY_LEAVE), "out")
    parts = [(one.name, found.book.members(one.name, one.unknown_means) & seen) for one in items]
    return [_worth(found, key, part, leaving) for key, part in (*parts, ("", seen)) if part.any()]


def worth_of_values(*, person: Person, dimension: str) -> list[Worth]:
    """The same for the classes of one dimension."""
    found = _lines()
    if found is None:
        return []
    seen, leaving = found.book.seen_by(visible(person)), stands(found.book.verdict(MAY_LEAVE), "out")
    classes = found.book.column(dimension)
    if classes.dtype != object:
        return []
    values = sorted({one for one in classes[seen].tolist() if one is not None})
    return [_worth(found, value, seen & (classes == value), leaving) for value in values]


def _worth(found: _Lines, key: str, part: Mask, leaving: Mask) -> Worth:
    known = part & np.isfinite(found.values[CONTRIBUTION])
    timed = known & np.isfinite(found.values[DAYS])
    lines = tuple((name, sign, _fen(found.values[name][known])) for name, sign in LINES)
    contribution = sum(sign * amount for _name, sign, amount in lines)
    return Worth(
        key, int(part.sum()), int(known.sum()), lines, contribution, _fen(found.values[CAPITAL][known]),
        float(found.values[DAYS][timed].sum()), _fen(found.values[CONTRIBUTION][timed]), int((part & leaving).sum()),
    )  # fmt: skip


def _fen(yuan: Any) -> int:
    """Whole fen, each customer rounded, then added as whole numbers."""
    return int(np.rint(yuan * MINOR).astype(np.int64).sum())


def group_worth(run: Run, numbers: Sequence[int]) -> tuple[int, int] | None:
    """The contribution of some customers together, and of how many of them it is known; None where of none."""
    book = book_of(run)
    if book is None:
        return None
    places = book.at(np.array(sorted(numbers), dtype=np.int64))
    amounts = book.column(CONTRIBUTION)[places[places >= 0]]
    known = amounts[np.isfinite(amounts)]
    return (_fen(known), len(known)) if len(known) else None
