"""What each published run found, as arrays over the customers by their numbers: the same customer stands at any date.

A run's results never change, so its columns are read once and kept. Who may be seen is asked of the database each time.
Membership is by the rule alone: pins are no work of the strategy.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from django.conf import settings
from numpy.typing import NDArray

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import Run, RunState
from kequn.apps.assessments.standing_book import stands
from kequn.apps.audit.bulk import Numbers, numbers_of
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of

KEY = "customer_id"
MINOR = 100
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RunBook:
    """One run. `numbers` are the customers who are still in the book, in order; every column is in their order."""

    run_id: int
    as_of: date
    file: Path
    numbers: Numbers
    places: Numbers
    kept: dict[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> Any:
        """Numbers as floats (NaN unknown), truths as 1, 0, -1, texts as objects; unknown where the run had none."""
        if name not in self.kept:
            self.kept[name] = self._read(name)
        return self.kept[name]

    def _read(self, name: str) -> Any:
        if name not in pq.read_schema(self.file).names:
            return np.full(len(self.numbers), np.nan)
        found = pq.read_table(self.file, columns=[name]).column(0)
        kind = kind_of(found.type)
        if kind == FactType.BOOLEAN:
            known = np.asarray(found.fill_null(False).to_numpy(), dtype=np.int8)
            return np.where(found.is_null().to_numpy(), -1, known).astype(np.int8)[self.places]
        if kind == FactType.NUMBER:
            return np.asarray(found.fill_null(np.nan).to_numpy(), dtype=np.float64)[self.places]
        return np.array(found.to_pylist(), dtype=object)[self.places]

    def verdict(self, name: str) -> NDArray[np.int8]:
        """A yes or no of the run; unknown for all where it was not defined then."""
        found = self.column(name)
        return found if found.dtype == np.int8 else np.full(len(self.numbers), -1, np.int8)

    def members(self, segment: str, unknown_means: str) -> Mask:
        """Who is in a segment by its rule as it stood; nobody where the run did not know it."""
        if self.column(segment).dtype != np.int8:
            return np.zeros(len(self.numbers), np.bool_)
        found: Mask = stands(self.column(segment), unknown_means)
        return found

    def seen_by(self, numbers: Numbers) -> Mask:
        """Who of them is among these numbers, which are in order."""
        found: Mask = np.isin(self.numbers, numbers, assume_unique=True)
        return found

    def at(self, numbers: Numbers) -> Numbers:
        """The place of each number here, -1 where the run did not judge it."""
        if not len(self.numbers):
            return np.full(len(numbers), -1)
        places = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[places] == numbers, places, -1)


def books(most: int) -> list[RunBook]:
    """The last published run of each date whose results are here, the oldest first, at most so many dates."""
    newest: dict[date, Run] = {}
    published = Run.objects.filter(state=RunState.PUBLISHED).order_by("-as_of", "-published_at")
    for run in published[:200]:
        newest.setdefault(run.as_of, run)
    found = (book for run in newest.values() if (book := book_of(run)) is not None and len(book.numbers))
    return list(islice(found, most))[::-1]


def book_of(run: Run) -> RunBook | None:
    """The book of one run; None where its results are not here."""
    if not run.folder or not (Path(settings.KEQUN_HOME) / run.folder / "findings.parquet").is_file():
        return None
    return _book(run.pk, run.folder)


@lru_cache(maxsize=16)
def _book(number: int, folder: str) -> RunBook:
    run = Run.objects.get(pk=number)
    file = Path(settings.KEQUN_HOME) / folder / "findings.parquet"
    codes = pq.read_table(file, columns=[KEY]).column(0).to_pylist()
    by_code = dict(Customer.objects.values_list("code", "pk"))
    numbers = np.array([by_code.get(code, -1) for code in codes], dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    order = order[numbers[order] >= 0]
    return RunBook(number, run.as_of, file, numbers[order], order)


def visible(person: Person) -> Numbers:
    """The numbers of the customers a person may see, in order."""
    return np.sort(numbers_of(visible_to(person).order_by(), "pk")[0])
