"""The findings of a run beside those of the run before: what differs, read batch by batch.

What is tracked is kept a second time beside findings.parquet, as plain Arrow that is mapped and not read, so that
the next run compares at the speed of memory.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.engine.backends import connect
from kequn.engine.digests import DIGEST
from kequn.engine.snapshot import KEY

SILENT_WHEN_FALSE = ("segment", "signal")
COLUMNS = (KEY, "kind", "key", "old", "new", "cause")
TRACKED_FILE = "tracked.arrow"


def said_as_text(table: str) -> str:
    """Changes with their values as text: every number is written out by the same hand."""
    sides = ", ".join(f"COALESCE({side}_text, CAST({side}_number AS VARCHAR)) AS {side}" for side in ("old", "new"))
    return f"SELECT {KEY}, kind, key, {sides}, cause FROM {table}"


def nothing() -> str:
    """No changes, in their columns."""
    return f"SELECT {', '.join(f'CAST(NULL AS VARCHAR) AS {name}' for name in COLUMNS)} WHERE FALSE"


def standing(folder: Path, tracked: Sequence[str]) -> Any:
    """The key, the digest and the tracked findings of a run, mapped where they were kept apart, else read."""
    kept = folder / TRACKED_FILE
    if kept.is_file():
        table = pa.ipc.open_file(pa.memory_map(str(kept))).read_all()
        return table.select([name for name in (KEY, DIGEST, *tracked) if name in table.column_names])
    there = pq.read_schema(folder / "findings.parquet").names
    return pq.read_table(
        folder / "findings.parquet", columns=[name for name in (KEY, DIGEST, *tracked) if name in there]
    )


class Unseen:
    """The changes of a run before which nothing stood: all that stands after it, batch by batch."""

    def __init__(self, path: Path, kinds: Mapping[str, str]) -> None:
        self.path = path
        self.kinds = kinds
        self.writer: Any = None
        self.count = 0

    def look(self, batch: Any) -> None:
        """Write what stands for the customers of one batch."""
        found = []
        for name, kind in self.kinds.items():
            new = _plain(batch.column(name))
            stands = pc.fill_null(new, True) if kind in SILENT_WHEN_FALSE else pc.is_valid(new)
            keys, values = batch.column(KEY).filter(stands), new.filter(stands)
            if len(keys):
                sides = pa.nulls(len(keys), new.type), values
                found.append(_told(keys, kind, name, sides, pa.repeat(pa.scalar("first"), len(keys))))
        self._write(pa.concat_tables(found) if found else None)

    def _write(self, told: Any) -> None:
        with connect() as connection:
            if told is not None:
                connection.register("told", told)
            rows = connection.sql(said_as_text("told") if told is not None else nothing()).to_arrow_table()
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, rows.schema, compression="snappy", write_statistics=False)
        self.writer.write_table(rows)
        self.count += rows.num_rows

    def close(self) -> dict[str, int]:
        """The counts of changes by cause."""
        if self.writer is None:
            self._write(None)
        self.writer.close()
        return {"first": self.count} if self.count else {}


class Beside:
    """The run before, read beside the new findings batch by batch; only the rows that differ are kept.

    `keys` are the customers of the new run in its order. While both runs list the same customers in one order,
    the old findings are read along with the new; else each customer's old row is found by its key first. Where
    policy, date and program are the same, customers whose facts are the same cannot differ and are not compared.
    """

    def __init__(self, before: Path, tracked: Sequence[str], keys: Any, *, facts_decide: bool) -> None:
        self.old = standing(before, tracked)
        self.names = [name for name in tracked if name in self.old.column_names]
        self.added = [name for name in tracked if name not in self.old.column_names]
        self.facts_decide = facts_decide and not self.added
        self.at = 0
        self.kept: list[Any] = []
        self.keys, self.digests = (self.old.column(name).combine_chunks() for name in (KEY, DIGEST))
        aligned = keys.equals(self.keys)
        self.place = None if aligned else pc.index_in(keys, value_set=self.keys)

    def look(self, batch: Any) -> None:
        """Compare one batch of new findings with what stood for the same customers."""
        start, self.at = self.at, self.at + batch.num_rows
        place = None if self.place is None else self.place.slice(start, batch.num_rows)
        digests = self.digests.slice(start, batch.num_rows) if place is None else self.digests.take(place)
        moved = pc.fill_null(pc.not_equal(batch.column(DIGEST), digests), True)
        rows = None
        if self.facts_decide:
            rows = pa.array(np.flatnonzero(moved.to_numpy(zero_copy_only=False)))
            batch, moved = batch.take(rows), moved.take(rows)
        if batch.num_rows:
            self._compare(batch, moved, self._standing(start, batch.num_rows, place, rows))

    def _compare(self, batch: Any, moved: Any, old: Any) -> None:
        differs = pc.is_null(old.column(KEY))
        for name in self.added:
            differs = pc.or_(differs, pc.is_valid(batch.column(name)))
        columns = {name: _plain(batch.column(name)) for name in (KEY, *self.names, *self.added)}
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        for name in self.names:
            differs = pc.or_(differs, _differs(batch.column(name), old.column(name)))
        if pc.any(differs).as_py():
            self.kept.append((batch.filter(differs), moved.filter(differs), old.filter(differs)))

    def _standing(self, start: int, count: int, place: Any, rows: Any) -> Any:
        """What stood for some customers of a batch: their keys (none where they are new) and tracked findings."""
        if place is None and rows is None:
            found = self.old.slice(start, count)
        else:
            at = place if rows is None else pc.add(rows, start) if place is None else place.take(rows)
            found = self.old.take(at)
        columns = [_plain(found.column(name)) for name in (KEY, *self.names)]
        return pa.RecordBatch.from_arrays(columns, names=[KEY, *self.names])

    def differences(self, kinds: Mapping[str, str], *, cause: str, gone: Sequence[str] | None) -> list[Any]:
        """The changes as tables with the values in their own types; `gone` limits who may have vanished."""
        found: list[Any] = []
        for new, moved, old in self.kept:
            told = pc.if_else(moved, "facts", cause)
            told = pc.if_else(pc.is_null(old.column(KEY)), "first", told)
            for name in (*self.names, *self.added):
                before = old.column(name) if name in self.names else pa.nulls(len(told), new.column(name).type)
                differs = _differs(new.column(name), before)
                if kinds[name] in SILENT_WHEN_FALSE:
                    silent = pc.and_(pc.is_null(old.column(KEY)), pc.fill_null(pc.invert(new.column(name)), False))
                    differs = pc.and_not(differs, silent)
                if pc.any(differs).as_py():
                    sides = before.filter(differs), new.column(name).filter(differs)
                    found.append(_told(new.column(KEY).filter(differs), kinds[name], name, sides, told.filter(differs)))
        return found + self._vanished(kinds, gone)

    def _vanished(self, kinds: Mapping[str, str], gone: Sequence[str] | None) -> list[Any]:
        """What stood of customers who are in the new run no more."""
        if self.place is None:
            return []
        lost = np.ones(len(self.keys), dtype=bool)
        lost[self.place.drop_null().to_numpy()] = False
        if gone is not None:
            lost &= pc.is_in(self.keys, value_set=pa.array(list(gone), pa.string())).to_numpy(zero_copy_only=False)
        rows = pa.array(np.flatnonzero(lost))
        if not len(rows):
            return []
        found, keys = self.old.take(rows), self.keys.take(rows)
        tables = []
        for name in self.names:
            before = _plain(found.column(name))
            stood = pc.is_valid(before)
            sides = before.filter(stood), pa.nulls(pc.sum(stood).as_py() or 0, before.type)
            told = pa.repeat(pa.scalar("facts"), len(sides[0]))
            tables.append(_told(keys.filter(stood), kinds[name], name, sides, told))
        return tables


def _told(keys: Any, kind: str, name: str, sides: tuple[Any, Any], cause: Any) -> Any:
    """Some changes of one finding. Numbers and other values stand apart, to be written out by one hand."""
    numeric = pa.types.is_floating(sides[0].type)
    texts = [pa.nulls(len(keys), pa.string()) if numeric else side.cast(pa.string()) for side in sides]
    numbers = [side if numeric else pa.nulls(len(keys), pa.float64()) for side in sides]
    said = [pa.repeat(pa.scalar(word), len(keys)) for word in (kind, name)]
    names = [KEY, "kind", "key", "old_text", "new_text", "old_number", "new_number", "cause"]
    return pa.table([keys, *said, *texts, *numbers, cause], names=names)


def _plain(column: Any) -> Any:
    """A text column as text, however it was read."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _differs(one: Any, other: Any) -> Any:
    """Where two columns differ; unknown equals unknown."""
    values = pc.fill_null(pc.not_equal(one, other), False)
    if not one.null_count and not other.null_count:
        return values
    return pc.or_(values, pc.xor(pc.is_null(one), pc.is_null(other)))
