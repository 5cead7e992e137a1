"""Adding up any part of the book: who stands where and with how much, as arrays over the numbers of customers.

A page may ask for the sums of one manager's customers in fifty findings: row by row a million spans, from arrays a few
milliseconds. Spans and figures change only when a run is published, so the arrays are kept for the run that stands.
Whose customers they are is known by the last act that may have changed the book (`customers/keeping.py`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from django.db.models import QuerySet, Value
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import CustomerFigures, FindingSpan, Run, RunState
from kequn.apps.audit.bulk import Numbers, numbers_of
from kequn.apps.customers.keeping import numbers_visible_to
from kequn.apps.customers.models import Customer

NOWHERE = -1
UNKNOWN = -(2**62)  # an exposure that is not known, on its way out of the database
KEPT = 128  # findings of one run; each takes two bytes a customer
Sums = dict[tuple[str, str], tuple[int, int]]  # (class, class) -> customers, gross exposure
Mark = tuple[int, datetime | None]  # the run that stands
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Totals:
    """A number of customers and their exposure in minor units of yuan; of `without_exposure` it is not known."""

    customers: int
    exposure_gross: int
    exposure_net: int
    without_exposure: int


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Where each customer stands in one finding: the place of its value in `values`, NOWHERE where none stands."""

    values: tuple[str, ...]
    places: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Exposures in one order of customers, nil where not known; and whom a run has judged at all."""

    gross: Numbers
    net: Numbers
    is_known: Mask
    is_assessed: Mask


class Part:
    """Some customers of the book, by their numbers, under the run that stands."""

    def __init__(self, numbers: Numbers, mark: Mark | None = None) -> None:
        self._mark, self.numbers = mark or standing_mark(), np.sort(numbers)

    @classmethod
    def of(cls, found: QuerySet[Customer], mark: Mark | None = None) -> "Part":
        """The customers of a query."""
        return cls(numbers_of(found, "pk")[0], mark)

    @classmethod
    def visible_to(cls, person: Person, mark: Mark | None = None) -> "Part":
        """All customers that a person may see."""
        return cls(numbers_visible_to(person), mark)

    @classmethod
    def numbered(cls, numbers: Iterable[int], mark: Mark | None = None) -> "Part":
        """The customers of these numbers, each counted once; whoever gives them has seen to who may see them."""
        return cls(np.fromiter(set(numbers), np.int64), mark)

    def only(self, mask: Mask) -> "Part":
        """Those of them whom a mask names."""
        return Part(self.numbers[mask], self._mark)

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def figures(self) -> Figures:
        """Their exposures as the last run published them."""
        pks, book = _figures(self._mark)
        if not len(pks):
            nobody = np.zeros(len(self), np.bool_)
            return Figures(nobody.astype(np.int64), nobody.astype(np.int64), nobody, nobody)
        at = np.minimum(np.searchsorted(pks, self.numbers), len(pks) - 1)
        there = pks[at] == self.numbers
        gross, net = (np.where(there, values[at], 0) for values in (book.gross, book.net))
        return Figures(gross, net, there & book.is_known[at], there)

    def totals(self) -> Totals:
        """How many they are, and what they sum up to."""
        held = self.figures
        return Totals(len(self), int(held.gross.sum()), int(held.net.sum()), int((~held.is_known).sum()))

    def by_value(self, key: str) -> dict[str, Totals]:
        """Their sums in each value of a finding that somebody has."""
        values, places = self._places(key)
        met, held = places != NOWHERE, self.figures
        counts = np.bincount(places[met], minlength=len(values))
        without = np.bincount(places[met & ~held.is_known], minlength=len(values))
        gross, net = (_summed(places[met], amounts[met], len(values)) for amounts in (held.gross, held.net))
        return {
            value: Totals(int(counts[at]), int(gross[at]), int(net[at]), int(without[at]))
            for at, value in enumerate(values)
            if counts[at]
        }

    def crossed(self, one: str, two: str) -> Sums:
        """Customers and exposure in every pair of values of two findings."""
        (firsts, rows), (seconds, columns) = self._places(one), self._places(two)
        met = (rows != NOWHERE) & (columns != NOWHERE)
        pairs = rows[met].astype(np.int64) * len(seconds) + columns[met]
        size = len(firsts) * len(seconds)
        counts, gross = np.bincount(pairs, minlength=size), _summed(pairs, self.figures.gross[met], size)
        named = ((first, second) for first in firsts for second in seconds)
        return {pair: (int(counts[at]), int(gross[at])) for at, pair in enumerate(named) if counts[at]}

    def shared(self, keys: Sequence[str]) -> Sums:
        """Customers and exposure that any two yes-or-no findings share; one with itself is the whole of it."""
        holding = [self.stand_in(key, "true") for key in keys]
        met: Sums = {}
        for one, mine in zip(keys, holding, strict=True):
            for two, others in zip(keys, holding, strict=True):
                both = mine & others
                if both.any():
                    met[one, two] = (int(both.sum()), int(self.figures.gross[both].sum()))
        return met

    def stand_in(self, key: str, *wanted: str) -> Mask:
        """Who of them stands in one of these values of a finding; without a value, in any."""
        values, places = self._places(key)
        if not wanted:
            return places != NOWHERE
        return np.isin(places, [at for at, value in enumerate(values) if value in wanted])

    def largest(self, count: int) -> list[int]:
        """The numbers of those with the largest exposure, the largest first; where it is not known, last."""
        held = self.figures
        order = np.lexsort((self.numbers, -held.gross, ~held.is_known))[:count]
        return [int(one) for one in self.numbers[order]]

    def _places(self, key: str) -> tuple[tuple[str, ...], NDArray[np.int16]]:
        """Their places in a finding; who came after the run stands nowhere."""
        column = _column(self._mark, key)
        inside = self.numbers[: np.searchsorted(self.numbers, len(column.places))]
        places = np.full(len(self), NOWHERE, np.int16)
        places[: len(inside)] = column.places[inside]
        return column.values, places


def _summed(places: NDArray[Any], amounts: Numbers, size: int) -> Numbers:
    """Sums by place in whole numbers: `bincount` adds floats, which lose fen above ninety trillion yuan."""
    total = np.zeros(size, np.int64)
    np.add.at(total, places, amounts)
    return total


def standing_mark() -> Mark:
    """The run that stands: whoever asks for several parts on one page reads it once."""
    published = Run.objects.filter(state=RunState.PUBLISHED).order_by("-published_at", "-id")
    return published.values_list("pk", "published_at").first() or (0, None)


@lru_cache(maxsize=KEPT)
def _column(_mark: Mark, key: str) -> Column:
    rows = FindingSpan.objects.filter(key=key, valid_to__isnull=True)
    values = tuple(rows.order_by("value").values_list("value", flat=True).distinct())
    found = [numbers_of(rows.filter(value=value), "customer_id")[0] for value in values]
    places = np.full(1 + max((int(one.max()) for one in found if len(one)), default=-1), NOWHERE, np.int16)
    for at, some in enumerate(found):
        places[some] = at
    return Column(values, places)


@lru_cache(maxsize=2)
def _figures(_mark: Mark) -> tuple[Numbers, Figures]:
    """The numbers of all who were assessed, smallest first, and their exposures."""
    unknown = Value(UNKNOWN)
    rows = CustomerFigures.objects.annotate(
        gross_or=Coalesce("exposure_gross", unknown), net_or=Coalesce("exposure_net", unknown)
    )
    pks, gross, net = numbers_of(rows, "customer_id", "gross_or", "net_or")
    order = np.argsort(pks)
    pks, gross, net = pks[order], gross[order], net[order]
    known = gross != UNKNOWN
    figures = Figures(np.where(known, gross, 0), np.where(net != UNKNOWN, net, 0), known, np.ones(len(pks), np.bool_))
    return pks, figures
