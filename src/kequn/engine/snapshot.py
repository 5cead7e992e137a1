"""A snapshot: the facts of a book as of a date, as Parquet files that never change.

customers.parquet holds one row a customer; statements, facilities, projects, account_months and events one row
each. A missing file means that the book has no such table. Tables are read by ranges of customers; a table whose
rows do not follow the order of the customers is sorted once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.domain.errors import Misuse, Text
from kequn.domain.facts import Grain

Integers = "np.ndarray[Any, np.dtype[np.int64]]"
KEY = "customer_id"
RANGE = 122_880  # customers at a time: the rows of one row group of DuckDB
FILES = {
    Grain.CUSTOMER: "customers",
    Grain.STATEMENT: "statements",
    Grain.FACILITY: "facilities",
    Grain.PROJECT: "projects",
    Grain.ACCOUNT_MONTH: "account_months",
    Grain.EVENT: "events",
}


@dataclass(slots=True)
class Ranges:
    """One file read by ranges of rows; the row group read last is kept for the next range."""

    file: pq.ParquetFile
    columns: Sequence[str]
    starts: Any = None
    kept: tuple[int, Any] = (-1, None)

    def __post_init__(self) -> None:
        sizes = [self.file.metadata.row_group(group).num_rows for group in range(self.file.num_row_groups)]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])

    def rows(self, start: int, stop: int) -> Any:
        """The rows from `start` to before `stop`, as one table."""
        first = int(np.searchsorted(self.starts, start, side="right")) - 1
        pieces = []
        while first < len(self.starts) - 1 and self.starts[first] < stop:
            low, high = int(self.starts[first]), int(self.starts[first + 1])
            begin = max(start, low) - low
            pieces.append(self.group(first).slice(begin, min(stop, high) - low - begin))
            first += 1
        if not pieces:
            return self.file.schema_arrow.empty_table().select(list(self.columns))
        return pa.concat_tables(pieces)

    def group(self, number: int) -> Any:
        if self.kept[0] != number:
            self.kept = (number, self.file.read_row_group(number, columns=list(self.columns)))
        return self.kept[1]


@dataclass(slots=True)
class Owned:
    """A long table and the number of each row's customer. Rows need not follow the customers' order closely."""

    table: Ranges
    owner: Any
    is_sorted: bool

    def rows(self, low: int, count: int) -> tuple[Any, Any, Any]:
        """The rows of `count` customers from number `low`: (table, owners from 0 in order, which rows those are)."""
        if self.is_sorted:
            start, stop = np.searchsorted(self.owner, [low, low + count])
            found = self.table.rows(int(start), int(stop))
            return found, self.owner[start:stop] - low, np.arange(stop - start)
        wanted = np.flatnonzero((self.owner >= low) & (self.owner < low + count))
        if not len(wanted):
            return self.table.rows(0, 0), self.owner[:0], wanted
        start, owner = int(wanted[0]), self.owner[wanted]
        order = np.argsort(owner, kind="stable")
        return self.table.rows(start, int(wanted[-1]) + 1), owner[order] - low, wanted[order] - start

    def is_near(self) -> bool:
        """Whether each range of customers lies within a few stretches of the file."""
        if self.is_sorted or not len(self.owner):
            return True
        highest = np.maximum.accumulate(self.owner)
        return bool((highest - self.owner).max() < 2 * RANGE and self.owner.min() >= 0)


@dataclass
class Snapshot:
    """A snapshot folder, and the customers of it that are looked at."""

    folder: Path
    ids: Any = field(init=False)

    def __post_init__(self) -> None:
        if not self.path(Grain.CUSTOMER).is_file():
            raise Misuse(Text(f"快照 {self.folder} 中没有 customers.parquet", f"no customers.parquet in {self.folder}"))
        keys = pq.read_table(self.path(Grain.CUSTOMER), columns=[KEY]).column(KEY)
        self.ids = keys.cast(pa.string()).combine_chunks()

    def path(self, grain: Grain) -> Path:
        return self.folder / f"{FILES[grain]}.parquet"

    @cached_property
    def columns(self) -> Mapping[Grain, frozenset[str]]:
        """The columns of each table that is there."""
        return {
            grain: frozenset(pq.read_schema(self.path(grain)).names) for grain in FILES if self.path(grain).is_file()
        }

    def knows(self, name: str, grain: Grain) -> bool:
        return name in self.columns.get(grain, ())

    @cached_property
    def manifest(self) -> dict[str, Any]:
        path = self.folder / "manifest.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found

    def only(self, wanted: Any) -> None:
        """Look at these customers only, in the order in which the snapshot has them."""
        self.ids = self.ids.filter(pc.is_in(self.ids, value_set=wanted))

    def customers(self) -> Any:
        """The customers looked at, with every column."""
        table = pq.read_table(self.path(Grain.CUSTOMER))
        if table.num_rows != len(self.ids):
            table = table.filter(pc.is_in(table.column(KEY), value_set=self.ids))
        return table

    def sorted_table(self, grain: Grain) -> tuple[Any, Any]:
        """A whole table in the order of the customers, and the number of each row's customer."""
        table, owner = pq.read_table(self.path(grain)), self.owners(grain)
        if _is_sorted(owner):
            return table, owner
        order = np.flatnonzero(owner >= 0)
        order = order[np.argsort(owner[order], kind="stable")]
        return table.take(pa.array(order)), owner[order]

    def ranges(self, grain: Grain) -> "Owned":
        """A long table to be read by ranges of customers."""
        owner = self.owners(grain)
        file = pq.ParquetFile(self.path(grain))
        owned = Owned(Ranges(file, file.schema_arrow.names), owner, _is_sorted(owner))
        if owned.is_near():
            return owned
        table, owner = self.sorted_table(grain)
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, compression="lz4", row_group_size=500_000)
        file = pq.ParquetFile(pa.BufferReader(buffer.getvalue()))
        return Owned(Ranges(file, file.schema_arrow.names), owner, is_sorted=True)

    def owners(self, grain: Grain) -> Any:
        """For each row of a table the number of its customer; -1 where the customer is not in the snapshot."""
        keys = pq.read_table(self.path(grain), columns=[KEY], read_dictionary=[KEY]).column(KEY)
        pieces = [self._numbers(piece) for piece in keys.chunks]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)

    def _numbers(self, piece: Any) -> Any:
        known = pc.fill_null(pc.index_in(piece.dictionary, value_set=self.ids), -1).to_numpy().astype(np.int64)
        places = pc.fill_null(piece.indices, len(known)).to_numpy()
        return np.append(known, -1)[places]


def _is_sorted(owner: Any) -> bool:
    return bool(len(owner) == 0 or (owner[1:] >= owner[:-1]).all())
