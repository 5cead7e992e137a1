"""A policy pack: a folder of documents and standards, read and checked as a whole, with one digest.

The shipped packs lie in `packs/`; an institution copies one, changes it, and names it by its path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from kequn.domain.errors import Text
from kequn.domain.facts import Vocabulary
from kequn.policy.dictionary import Dictionary
from kequn.policy.documents import Complaints, Document, Heading, in_force
from kequn.policy.items import Item, items_of
from kequn.policy.standards import Standards

_MOST_EDITIONS = 16
_items: dict[tuple[str, tuple[date, ...], tuple[object, ...]], tuple[Item, ...]] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """A checked pack. `editions` holds every edition of every document, by its key.

    Two packs of one digest are the same policy, so a pack may be the key of a cache.
    """

    id: str
    version: str
    title: Text
    digest: str
    folder: Path
    dictionary: Dictionary
    standards: Standards
    editions: Mapping[str, tuple[Document, ...]]
    basis_order: tuple[tuple[str, str], ...]
    alone: tuple[Heading, ...] = ()  # of documents that stand by themselves: slotting, rule books of assets

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pack) and other.digest == self.digest

    @property
    def vocabulary(self) -> Vocabulary:
        """The facts that may be supplied; names that policy derives come with a plan."""
        return self.dictionary.vocabulary

    def documents(self, as_of: date) -> tuple[Document, ...]:
        """The edition of each document in force; before the first, the first is read."""
        found = []
        for editions in self.editions.values():
            chosen = in_force(editions, as_of)
            document = chosen if isinstance(chosen, Document) else min(editions, key=lambda e: e.heading.in_force)
            found.append(self._with_series(document, as_of))
        return tuple(found)

    def _with_series(self, document: Document, as_of: date) -> Document:
        """The document with each constant that names a dated `series` (a standard, and what its rows must hold)
        filled with the last value published by the date; before the first, the first is read.
        """
        constants = document.body.get("constants", {})
        dated = {name: {**row, "value": value} for name, row in constants.items()
                 if "series" in row and (value := self._published(row["series"], as_of)) is not None}  # fmt: skip
        return replace(document, body={**document.body, "constants": {**constants, **dated}}) if dated else document

    def _published(self, series: Mapping[str, Any], as_of: date) -> float | None:
        wanted = {key: str(value) for key, value in series.items() if key != "table"}
        editions = self.standards.editions.get(str(series.get("table")), ())
        rows = [row for edition in editions for row in edition.rows
                if all(row.get(key) == value for key, value in wanted.items())]  # fmt: skip
        rows.sort(key=lambda row: row["date"])
        begun = [row for row in rows if row["date"] <= as_of.isoformat()]
        return float((begun[-1] if begun else rows[0])["value"]) if rows else None

    def items(self, as_of: date) -> tuple[Item, ...]:
        """What the pack defines at a date, in the order of its documents; read once for each set of editions."""
        documents = self.documents(as_of)
        series = tuple(row["value"] for one in documents for row in one.body.get("constants", {}).values()
                       if "series" in row)  # fmt: skip
        key = (self.digest, tuple(document.heading.in_force for document in documents), series)
        if key not in _items:
            if len(_items) >= _MOST_EDITIONS:
                _items.clear()
            complaints = Complaints()
            _items[key] = tuple(item for document in documents for item in items_of(document, complaints))
        return _items[key]

    def constant(self, name: str, as_of: date) -> float:
        """A named number of the documents in force; KeyError where the pack has none of this name."""
        for document in self.documents(as_of):
            row = document.body.get("constants", {}).get(name)
            if row is not None:
                return float(row["value"])
        raise KeyError(name)

    def headings(self) -> tuple[Heading, ...]:
        """Title, source, date in force and status of every table, for the screen that shows them."""
        documents = (edition.heading for editions in self.editions.values() for edition in editions)
        standards = (edition.heading for editions in self.standards.editions.values() for edition in editions)
        return (*documents, *self.alone, *standards)

    def profiles(self, as_of: date) -> Mapping[str, Mapping[str, Any]]:
        """What each industry family usually needs, minds, bears and repays from."""
        document = next(document for document in self.documents(as_of) if document.key == "industry")
        found: Mapping[str, Mapping[str, Any]] = document.body["profiles"]
        return found

    def cny_per_unit(self, currency: str, as_of: date) -> float | None:
        """The newest reference rate at or before a date, else the oldest; None for a currency without one."""
        rows = [row for row in self.standards.at("fx_rates", date.max) if row["currency"] == currency]
        begun = [row for row in rows if row["rate_date"] <= as_of.isoformat()]
        best = max(
            begun, key=lambda row: row["rate_date"], default=min(rows, key=lambda row: row["rate_date"], default=None)
        )
        return float(best["cny_per_unit"]) if best is not None else None
