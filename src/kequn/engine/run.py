"""A run: the whole book through one policy as of one date, results to a folder that appears whole or not at all.

findings.parquet holds one row a customer with every output; changes.parquet what differs from the run before and
why; manifest.json the identity of snapshot, policy and program, and the counts.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition, Plan
from kequn.domain.errors import Misuse, Text
from kequn.domain.facts import Grain
from kequn.domain.rules import tree
from kequn.engine.backends import ORDERS, EngineName, batches_of, connect
from kequn.engine.base import bounds_in, knower, places_of, read_meta
from kequn.engine.beside import TRACKED_FILE, Beside, Unseen
from kequn.engine.changes import facts_decide, standing_folders, tracked_kinds, write_changes
from kequn.engine.coding import Coded, coded
from kequn.engine.digests import DIGEST
from kequn.engine.layout import Layout, layout_of
from kequn.engine.lookups import Resolver
from kequn.engine.snapshot import KEY
from kequn.engine.sql import SQL_TYPES, name_of, staged
from kequn.version import VERSION

Previous = Path | Sequence[Path] | None


def run(
    base_path: Path,
    plan: Plan,
    as_of: date,
    out_dir: Path,
    *,
    previous: Previous = None,
    engine: EngineName = "duckdb",
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """Evaluate the base and write the results; the manifest.

    `previous` is the folder of the run before (or that of a whole run and those of the partial runs since, oldest
    first). `only` restricts the run to some customers: the results then are those customers' alone.
    """
    out_dir = Path(out_dir)
    fresh = out_dir.with_name(f".{out_dir.name}.{os.getpid()}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        with connect(base_path, read_only=True) as connection:
            meta = read_meta(connection)
            if meta["as_of"] != as_of.isoformat():
                raise Misuse(
                    Text(
                        f"底表是 {meta['as_of']} 的，不是 {as_of} 的", f"the base is as of {meta['as_of']}, not {as_of}"
                    )
                )
            work = _Work.of(plan, as_of, meta)
            tables: dict[str, Any] = {}
            if only is not None:
                connection.register("only_", pa.table({KEY: pa.array(sorted(only), pa.string())}))
                tables["only_"] = pa.table({KEY: pa.array(sorted(only), pa.string())})
            folders = [previous] if isinstance(previous, str | Path) else list(previous or ())
            before = standing_folders(folders)
            parents = {
                "as_of": as_of.isoformat(), "policy": plan.digest, "program": VERSION, "known": known_words(meta)
            }  # fmt: skip
            beside: Beside | Unseen | None = None
            if not before:
                beside = Unseen(fresh / "changes.parquet", tracked_kinds(plan))
            elif len(before) == 1:
                decide = facts_decide(before[0], parents)
                keys = _keys(connection, only)
                beside = Beside(before[0], list(tracked_kinds(plan)), keys, facts_decide=decide)
            some = None if only is None else _only(connection, ORDERS[engine])
            batches = batches_of(engine, connection, work.sql(some), tables)
            tracked = [KEY, DIGEST, *tracked_kinds(plan)]
            rows = _write_findings(fresh, work.decoded(batches), beside, tracked)
        manifest = {
            "as_of": as_of.isoformat(), "snapshot": meta["snapshot"], "policy": plan.digest, "program": VERSION,
            "engine": engine, "customers": rows, "whole": only is None, "outputs": work.outputs(),
            "known": known_words(meta),
        }  # fmt: skip
        manifest["digest"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
        gone = _gone(only, base_path) if only else ()
        manifest |= write_changes(fresh, before, plan, manifest, beside=beside, gone=gone)
        _write(fresh / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1))
        _keep(fresh)
        shutil.rmtree(out_dir, ignore_errors=True)
        fresh.rename(out_dir)
        _sync(out_dir.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return manifest


@dataclass(frozen=True, slots=True)
class _Work:
    """One plan over one base: the layout, where its columns stand, the look-ups."""

    plan: Plan
    as_of: date
    meta: Mapping[str, Any]
    layout: Layout
    columns: dict[tree.Expr, str]
    coded: Coded

    @classmethod
    def of(cls, plan: Plan, as_of: date, meta: Mapping[str, Any]) -> "_Work":
        layout = layout_of(plan, knower(meta))
        lacking = [column.key for column in layout.columns.values() if column.key not in meta["layout"]]
        if Resolver(plan.lookups, as_of, meta["lookups"]).digest() != meta["answers"]:
            lacking.append("look-ups")
        if lacking:
            shown = ", ".join(lacking[:3])
            raise Misuse(
                Text(
                    f"底表缺少政策所需的 {shown}，须重建", f"the base lacks what the policy reads ({shown}); rebuild it"
                )
            )
        return cls(plan, as_of, meta, layout, places_of(layout, meta), coded(layout.program))

    def classes(self) -> list[tree.FactRef]:
        """The outputs of look-ups that are findings."""
        kinds = {name: kind for lookup in self.plan.lookups for name, kind in lookup.outputs}
        named = [name for lookup in self.plan.lookups for name in lookup.dimensions]
        return [tree.FactRef(name, Grain.CUSTOMER, kinds[name]) for name in named]

    def definitions(self) -> list[Definition]:
        return [one for one in self.plan.definitions if one.output and one.grain == Grain.CUSTOMER]

    def outputs(self) -> dict[str, str]:
        """Every column of the findings and its type."""
        classes = {ref.name: ref.type.value for ref in self.classes()}
        return classes | {one.name: one.type.value for one in self.definitions()}

    def decoded(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches with the words of the policy where their numbers stand."""
        steps = self.layout.program.outputs
        names = {one.name for one in self.definitions() if steps[one.name] in self.coded.steps}
        for batch in batches:
            columns = [self.coded.decoded(column) if name in names else column
                       for name, column in zip(batch.schema.names, batch.columns, strict=True)]  # fmt: skip
            yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def sql(self, source: str | None = None) -> str:
        """The findings of the whole base, or of what is given of it."""
        body, made = staged(self.coded.program, source or "base", self.columns, bounds_in(self.columns, self.meta))
        selected = [KEY, DIGEST]
        selected += [f"{self.columns[ref]} AS {name_of(ref.name)}" for ref in self.classes()]
        steps = self.layout.program.outputs
        for one in self.definitions():
            step = steps[one.name]
            kind = "SMALLINT" if step in self.coded.steps else SQL_TYPES[one.type]
            selected.append(f"CAST({made[step]} AS {kind}) AS {name_of(one.name)}")
        return f"SELECT {', '.join(selected)} FROM {body}"


def known_words(meta: Mapping[str, Any]) -> list[str]:
    """Which facts the snapshot holds at all: a first table of child rows changes what its absence meant."""
    return sorted(f"{grain}.{name}" for grain, name in meta["known"])


def _keys(connection: Any, only: Collection[str] | None) -> Any:
    """The customers of the run, in the order of the base."""
    where = "" if only is None else f" WHERE {KEY} IN (SELECT {KEY} FROM only_) ORDER BY rowid"
    return connection.sql(f"SELECT {KEY} FROM base{where}").to_arrow_table().column(KEY).combine_chunks()


def _only(connection: Any, order: str) -> str:
    """The customers of the table `only_` in the base, in its order.

    Changed customers stand together at its end: naming the stretch spares the reading of all the others.
    """
    found = f"SELECT min(rowid), max(rowid) FROM base WHERE {KEY} IN (SELECT {KEY} FROM only_)"
    low, high = connection.execute(found).fetchall()[0]
    stretch = f"{order} BETWEEN {low} AND {high}" if low is not None else "FALSE"
    return f"(SELECT * FROM base WHERE {stretch} AND {KEY} IN (SELECT {KEY} FROM only_) ORDER BY {order})"


def _gone(only: Collection[str], base_path: Path) -> tuple[str, ...]:
    """The changed customers who are no longer in the base."""
    with connect(base_path, read_only=True) as connection:
        connection.register("only_", pa.table({KEY: pa.array(sorted(only), pa.string())}))
        found = connection.execute(f"SELECT {KEY} FROM only_ ANTI JOIN base USING ({KEY})").fetchall()
    return tuple(row[0] for row in found)


def _write_findings(
    folder: Path, batches: Iterator[Any], beside: Beside | Unseen | None, tracked: Sequence[str]
) -> int:
    """Write the findings as they come, comparing them with the run before; how many customers they are."""
    rows = 0
    with contextlib.ExitStack() as open_files:
        findings: Any = None
        kept: Any = None
        for batch in batches:
            told = batch.select(tracked)
            if findings is None:
                findings = open_files.enter_context(_writer(folder / "findings.parquet", batch.schema))
                kept = open_files.enter_context(pa.ipc.new_file(str(folder / TRACKED_FILE), told.schema))
            findings.write_batch(batch)
            kept.write_batch(told)
            rows += batch.num_rows
            if beside is not None:
                beside.look(batch)
    return rows


def _writer(path: Path, schema: Any) -> pq.ParquetWriter:
    """Words by number, figures as they are: hardly one figure is like another, so packing them gains little.

    Large pages written many rows at a time save a tenth of the time of writing.
    """
    texts = [field.name for field in schema if not pa.types.is_primitive(field.type)]
    packed = {field.name: "snappy" if field.name in texts else "none" for field in schema}
    words = [name for name in texts if name != KEY]
    return pq.ParquetWriter(
        path, schema, compression=packed, use_dictionary=words, write_statistics=False, store_schema=False,
        data_page_size=8 << 20, write_batch_size=1 << 16,
    )  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _keep(folder: Path) -> None:
    """Ask the disk to hold every file of the folder before the folder gets its name."""
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
