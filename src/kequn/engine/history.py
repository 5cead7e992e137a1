"""Statements and account months laid out by the calendar, for many customers at once, in numpy.

The same choices as `domain.periods` makes for one customer: basis, version, anchor, quarters back, and whether
the flows of a period fit the anchor's. Rows come sorted by customer; `owner` numbers customers from 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.facts import Fact
from kequn.domain.periods import last_full_month
from kequn.domain.rules.reader import SUM_LIMIT, SUM_SCALE

Array = Any
NOTHING = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Placed:
    """Where rows go: `rows[i]` of the table stands at `offset[i]` periods back for customer `owner[i]`."""

    rows: Array
    owner: Array
    offset: Array


@dataclass(frozen=True, slots=True)
class PlacedStatements:
    """The statements read. `fits` says of each placed row whether its flows fit; -1 quarters is unknown."""

    placed: Placed
    fits: Array
    anchor_row: Array
    quarters: Array


def _days(column: Any) -> Array:
    return pc.fill_null(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), NOTHING).to_numpy()


def _months(days: Array) -> Array:
    """Month numbers of days since 1970; the number of no day is meaningless and is never used."""
    safe = np.where(days == NOTHING, 0, days)
    months: Array = safe.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12 + 1
    return months


def _codes(column: Any, words: Sequence[str]) -> Array:
    """The place of each text among the words; the number of words where it is none of them."""
    found = pc.index_in(column.combine_chunks(), value_set=pa.array(list(words), pa.string()))
    return pc.fill_null(found, len(words)).to_numpy().astype(np.int64)


def place_statements(
    table: Any, owner: Array, customers: int, basis_order: Sequence[tuple[str, str]], as_of: date
) -> PlacedStatements:
    """Which statement rows are read, and where they stand, for customers numbered from 0."""
    days = _days(table.column("period_end"))
    today = (as_of - date(1970, 1, 1)).days
    rank = _basis_rank(table, basis_order)
    read = (owner >= 0) & (days <= today) & (days != NOTHING) & (rank < len(basis_order))
    best = _least(owner[read], rank[read], customers, len(basis_order))
    read[read] = rank[read] == best[owner[read]]
    rows = np.flatnonzero(read)
    owner, months = owner[rows], _months(days)[rows]
    newest = -_least(owner, -months, customers, 1)
    back, rest = np.divmod(newest[owner] - months, 3)
    whole = rest == 0
    rows, owner, back = rows[whole], owner[whole], back[whole]
    version = pc.fill_null(table.column("version").cast(pa.int64()), 0).to_numpy()[rows]
    last = _last_of_each(owner, back, (version, days[rows], rows))
    rows, owner, back = rows[last], owner[last], back[last]
    cumulated = _cumulated(table, rows)
    anchor_row = np.full(customers, -1, dtype=np.int64)
    anchor_row[owner[back == 0]] = rows[back == 0]
    quarters = np.full(customers, -1, dtype=np.int64)
    quarters[owner[back == 0]] = cumulated[back == 0]
    anchored = quarters[owner]
    expected = np.where(anchored == 0, 0, (anchored - 1 - back) % 4 + 1)
    fits = (back == 0) | ((anchored >= 0) & (cumulated == expected))
    return PlacedStatements(Placed(rows, owner, back), fits, anchor_row, quarters)


def _basis_rank(table: Any, basis_order: Sequence[tuple[str, str]]) -> Array:
    scopes = sorted({scope for scope, _ in basis_order})
    standards = sorted({standard for _, standard in basis_order})
    ranks = np.full((len(scopes) + 1, len(standards) + 1), len(basis_order), dtype=np.int64)
    for place, (scope, standard) in reversed(list(enumerate(basis_order))):
        ranks[scopes.index(scope), standards.index(standard)] = place
    return ranks[_codes(table.column("scope"), scopes), _codes(table.column("standard"), standards)]


def _cumulated(table: Any, rows: Array) -> Array:
    """`cumulated_quarters` of the rows; -1 where there is no answer."""
    months = pc.fill_null(table.column("months").cast(pa.int64()), 0).to_numpy()[rows]
    flows = _codes(table.column("flows"), ("cumulative", "discrete"))[rows]
    whole = np.isin(months, (3, 6, 9, 12))
    discrete = np.where(months == 3, 0, np.where(months == 12, 4, -1))
    return np.where(whole & (flows == 0), months // 3, np.where(flows == 1, discrete, -1))


def _least(owner: Array, values: Array, customers: int, nothing: int) -> Array:
    """The least value of each owner, `nothing` for owners without rows. Owners come sorted."""
    least = np.full(customers, nothing, dtype=np.int64)
    if len(owner):
        starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        least[owner[starts]] = np.minimum.reduceat(values, starts)
    return least


def _last_of_each(owner: Array, back: Array, order: tuple[Array, ...]) -> Array:
    """One row for each owner and period: the last by the keys of `order`, the most important first."""
    span = int(back.max()) + 1 if len(back) else 1
    slot = owner * span + back
    if len(slot) < 2 or np.bincount(slot - slot.min()).max() <= 1:
        return np.arange(len(slot))
    sorted_rows = np.lexsort((*reversed(order), slot))
    ends = np.concatenate([slot[sorted_rows][1:] != slot[sorted_rows][:-1], [True]])
    return np.sort(sorted_rows[ends])


def place_months(table: Any, owner: Array, as_of: date) -> Placed:
    """Account-month rows by months back from the last full month; later months are not read."""
    days = _days(table.column("month"))
    back = last_full_month(as_of) - _months(days)
    rows = np.flatnonzero((owner >= 0) & (days != NOTHING) & (back >= 0))
    return Placed(rows, owner[rows], back[rows])


class Slots:
    """Placed rows put into columns, one column for each offset that is wanted."""

    def __init__(self, placed: Placed, customers: int, offsets: Sequence[int]) -> None:
        self.customers = customers
        self.offsets = list(offsets)
        place_of = np.full(max([*self.offsets, 0]) + 1, -1, dtype=np.int64)
        place_of[self.offsets] = np.arange(len(self.offsets))
        near = placed.offset < len(place_of)
        place = np.where(near, place_of[np.where(near, placed.offset, 0)], -1)
        kept = np.flatnonzero(place >= 0)
        self.kept = kept
        self.rows = placed.rows[kept]
        self.slot = place[kept] * customers + placed.owner[kept]
        self.size = customers * len(self.offsets)

    def columns(self, values: Array, known: Array) -> list[tuple[Array, Array]]:
        """(values, known) for each offset; a slot that no row fills is unknown."""
        filled = np.zeros(self.size, dtype=values.dtype)
        there = np.zeros(self.size, dtype=bool)
        filled[self.slot] = values
        there[self.slot] = known
        return [(filled[low : low + self.customers], there[low : low + self.customers])
                for low in range(0, self.size, max(self.customers, 1))]  # fmt: skip


class MonthSlots(Slots):
    """Slots into which several accounts of one month may fall."""

    def __init__(self, placed: Placed, customers: int, offsets: Sequence[int]) -> None:
        super().__init__(placed, customers, offsets)
        self.crowded = bool(len(self.slot)) and int(np.bincount(self.slot, minlength=1).max()) > 1
        if self.crowded:
            self.order = np.argsort(self.slot, kind="stable")
            ordered = self.slot[self.order]
            self.starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
            self.slot_of_group = ordered[self.starts]

    def combined(self, fact: Fact, values: Array, known: Array) -> list[tuple[Array, Array]]:
        """Months by offset, the accounts combined as the fact says; one missing account makes the month unknown."""
        if fact.combine == "sum":
            scaled = values * SUM_SCALE + 0.5
            known = known & (np.abs(scaled) < SUM_LIMIT)
            whole = np.floor(np.where(known, scaled, 0.0)).astype(np.int64)
            if not self.crowded:
                return self.columns(whole / SUM_SCALE, known)
            totals = np.add.reduceat(whole[self.order], self.starts)
            near = np.add.reduceat(whole[self.order].astype(np.float64), self.starts)
            return self._grouped(totals / SUM_SCALE, self._all_known(known) & (np.abs(near) < SUM_LIMIT))
        if not self.crowded:
            return self.columns(values, known)
        if fact.combine == "":
            alone = np.diff(np.append(self.starts, len(self.order))) == 1
            return self._grouped(values[self.order][self.starts], known[self.order][self.starts] & alone)
        reduce: Callable[..., Array] = (np.minimum if fact.combine == "min" else np.maximum).reduceat
        return self._grouped(reduce(values[self.order], self.starts), self._all_known(known))

    def _all_known(self, known: Array) -> Array:
        return np.logical_and.reduceat(known[self.order], self.starts)

    def _grouped(self, values: Array, known: Array) -> list[tuple[Array, Array]]:
        slots, self.slot = self.slot, self.slot_of_group
        try:
            return self.columns(values, known)
        finally:
            self.slot = slots
