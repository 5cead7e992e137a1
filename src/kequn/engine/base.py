"""The analytics base: one row a customer in a DuckDB file, history laid out by the calendar, child rows gathered.

It is derived from a snapshot and may be thrown away at any time. It is built in ranges of customers, so that
memory does not grow with the book; a few changed customers replace their rows in place.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.definitions import Plan
from kequn.domain.errors import Misuse, Text
from kequn.domain.facts import CHILD_GRAINS, Fact, FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.program import QUARTERS
from kequn.engine.backends import connect
from kequn.engine.bounds import Bounds
from kequn.engine.children import gathered, nobody_has_any
from kequn.engine.columns import ARROW_TYPES, normal_column
from kequn.engine.digests import DIGEST, customer_digests, row_digests
from kequn.engine.history import MonthSlots, Placed, Slots, place_months, place_statements
from kequn.engine.layout import BASE_FACTS, BaseColumn, Layout, layout_of
from kequn.engine.lookups import Resolver
from kequn.engine.snapshot import KEY, RANGE, Owned, Snapshot
from kequn.engine.sql import SQL_TYPES, Writer, name_of

STATEMENT_KEYS = ("period_end", "months", "flows", "scope", "standard", "version")
Columns = dict[str, Any]


def build_base(
    snapshot_dir: Path, plan: Plan, as_of: date, base_path: Path, changed: Collection[str] | None = None
) -> None:
    """Build the base of a snapshot; or, given changed customers, replace their rows in a base that is there.

    With `changed` the snapshot need hold only those customers, each with all of its rows. A changed customer who
    is not in the snapshot leaves the base.
    """
    snapshot = Snapshot(Path(snapshot_dir))
    if changed is not None:
        _replace(snapshot, plan, as_of, Path(base_path), changed)
        return
    fresh = Path(base_path).with_name(Path(base_path).name + ".fresh")
    fresh.unlink(missing_ok=True)
    known = sorted((grain.value, name) for grain, names in snapshot.columns.items() for name in names)
    meta = {"as_of": as_of.isoformat(), "snapshot": snapshot.manifest.get("digest", ""), "known": known,
            "lookups": {lookup.name: [] for lookup in plan.lookups}}  # fmt: skip
    book = _Book(plan, as_of, meta)
    with connect(fresh) as connection:
        connection.execute(f"CREATE TABLE base ({', '.join(book.declared())})")
        book.fill(connection, snapshot)
        connection.execute("CREATE TABLE meta (document VARCHAR)")
        connection.execute("INSERT INTO meta VALUES (?)", [json.dumps(book.document(), ensure_ascii=False)])
    fresh.replace(base_path)


def _replace(snapshot: Snapshot, plan: Plan, as_of: date, base_path: Path, changed: Collection[str]) -> None:
    with connect(base_path) as connection:
        meta = read_meta(connection)
        book = _Book(plan, as_of, meta)
        if meta["as_of"] != as_of.isoformat() or meta["layout"] != book.document()["layout"]:
            raise Misuse(
                Text(
                    "分析底表属于另一日期或另一政策，须重建",
                    "the base is of another date or policy and must be rebuilt",
                )
            )
        wanted = pa.array(sorted(changed), pa.string())
        snapshot.only(wanted)
        connection.register("gone", pa.table({KEY: wanted}))
        connection.execute("BEGIN")
        connection.execute(f"DELETE FROM base WHERE {KEY} IN (SELECT {KEY} FROM gone)")
        book.fill(connection, snapshot)
        document = json.dumps(book.document(), ensure_ascii=False)
        connection.execute("UPDATE meta SET document = ?", [document])
        connection.execute("COMMIT")


def read_meta(connection: Any) -> dict[str, Any]:
    """What a base says of itself: date, snapshot, layout, known facts, keys of the look-ups."""
    document: dict[str, Any] = json.loads(connection.execute("SELECT document FROM meta").fetchall()[0][0])
    return document


@dataclass(slots=True)
class _Book:
    """One book on its way from a snapshot into the base."""

    plan: Plan
    as_of: date
    meta: dict[str, Any]
    layout: Layout = None  # type: ignore[assignment]  # made below from the other fields
    names: dict[tree.Expr, str] = None  # type: ignore[assignment]
    grains: frozenset[Grain] = frozenset()
    resolver: Resolver = None  # type: ignore[assignment]  # made below from the other fields

    def __post_init__(self) -> None:
        self.layout = layout_of(self.plan, knower(self.meta))
        self.names = column_names(self.layout)
        self.resolver = Resolver(self.plan.lookups, self.as_of, self.meta["lookups"])
        self.grains = frozenset(Grain(grain) for grain, _ in self.meta["known"])

    def document(self) -> dict[str, Any]:
        layout = {column.key: self.names[leaf] for leaf, column in self.layout.columns.items()}
        looked_up = {"lookups": self.resolver.keys(), "answers": self.resolver.digest()}
        return {**self.meta, **looked_up, "layout": layout}

    def fill(self, connection: Any, snapshot: Snapshot) -> None:
        """Put the customers of a snapshot into the base, and widen the bounds of its numbers to hold them."""
        declared, selected = ", ".join(self.declared()), ", ".join(self.selected())
        for rows in self.ranges(snapshot):
            connection.register("piece", rows)
            connection.execute(f"CREATE TEMP TABLE part ({declared})")
            connection.execute(f"INSERT INTO part SELECT {selected} FROM piece")
            self.measure(connection)
            connection.execute("INSERT INTO base BY NAME SELECT * FROM part")  # a base may be of another process
            connection.execute("DROP TABLE part")
            connection.unregister("piece")

    def measure(self, connection: Any) -> None:
        names = [self.names[leaf] for leaf, column in self.layout.columns.items() if column.type == FactType.NUMBER]
        if not names:
            return
        sizes = ", ".join(f"max(abs({name})), min(CASE WHEN {name} <> 0e0 THEN abs({name}) END)" for name in names)
        found = connection.execute(f"SELECT {sizes} FROM part").fetchall()[0]
        bounds = self.meta.setdefault("bounds", {})
        for at, name in enumerate(names):
            largest, smallest = bounds.get(name, (0.0, None))
            sizes_seen = [one for one in (smallest, found[2 * at + 1]) if one is not None]
            bounds[name] = (max(largest, found[2 * at] or 0.0), min(sizes_seen, default=None))

    def declared(self) -> list[str]:
        columns = [
            f"{KEY} VARCHAR",
            f"{DIGEST} UBIGINT",
        ]
        return columns + [
            f"{self.names[leaf]} {SQL_TYPES[column.type]}" for leaf, column in self.layout.columns.items()
        ]

    def selected(self) -> list[str]:
        """The base's columns out of the raw columns of one range."""
        places = {leaf: name_of(raw_name(leaf)) for leaf in self.raw_leaves()}
        places[QUARTERS] = "quarters_"
        writer = Writer(places)
        selected = [KEY, DIGEST]
        for leaf, column in self.layout.columns.items():
            selected.append(self.names[leaf] if column.kind == "rows" else writer.value(column.expr))
        return selected

    def raw_leaves(self) -> tuple[tree.Expr, ...]:
        """The facts and cells that the columns are computed from."""
        found: dict[tree.Expr, None] = {}
        for column in self.layout.columns.values():
            if column.kind != "rows":
                for leaf in _raw(column):
                    found.setdefault(leaf)
        return tuple(found)

    def ranges(self, snapshot: Snapshot) -> Iterator[Any]:
        """The raw columns of the customers, a range at a time, as Arrow tables."""
        customers = snapshot.customers()
        whole = self._children(snapshot, customers.num_rows)
        wanted = {name for lookup in self.plan.lookups for name in lookup.keys}
        outputs = {name: kind for lookup in self.plan.lookups for name, kind in lookup.outputs}
        statements = Reading(snapshot, Grain.STATEMENT)
        months = Reading(snapshot, Grain.ACCOUNT_MONTH)
        digests = whole.pop(DIGEST) + row_digests(customers, "customers")
        facts = {leaf.name: leaf for leaf in self.raw_leaves() if isinstance(leaf, tree.FactRef)}
        for low in range(0, customers.num_rows, RANGE):
            count = min(RANGE, customers.num_rows - low)
            columns: Columns = {KEY: customers.column(KEY).slice(low, count).cast(pa.string())}
            for name, leaf in facts.items():
                if name in customers.column_names:
                    columns[raw_name(leaf)] = normal_column(customers.column(name).slice(low, count), leaf.type)
            columns |= {name: column.slice(low, count) for name, column in whole.items()}
            keyed = {name: normal_column(customers.column(name).slice(low, count), FactType.TEXT)
                     for name in wanted if name in customers.column_names}  # fmt: skip
            supplied = {name: normal_column(customers.column(name).slice(low, count), kind)
                        for name, kind in outputs.items() if name in customers.column_names}  # fmt: skip
            for name, column in self.resolver.columns(keyed | supplied, count).items():
                columns[raw_name(tree.FactRef(name, Grain.CUSTOMER, outputs[name]))] = column
            sums = digests[low : low + count].copy()
            self._statements(columns, sums, statements, low, count)
            self._months(columns, sums, months, low, count)
            columns[DIGEST] = pa.array(sums)
            yield pa.table(columns)

    def _children(self, snapshot: Snapshot, customers: int) -> Columns:
        """Every aggregate over child rows, and the digests of the rows."""
        columns: Columns = {DIGEST: np.zeros(customers, dtype=np.uint64)}
        for grain in CHILD_GRAINS:
            wanted = {self.names[leaf]: column.expr for leaf, column in self.layout.columns.items()
                      if isinstance(column.expr, tree.Children) and column.expr.grain == grain}  # fmt: skip
            if grain not in snapshot.columns:
                absent = grain not in self.grains
                empty = nobody_has_any(wanted, customers)
                columns |= {
                    name: pa.nulls(customers, column.type) if absent else column for name, column in empty.items()
                }
                continue
            table, owner = snapshot.sorted_table(grain)
            columns[DIGEST] += customer_digests(row_digests(table, grain), owner, customers)
            columns |= gathered(table, owner, customers, wanted, self.as_of)
        return columns

    def _statements(self, columns: Columns, sums: Any, reading: "Reading", low: int, count: int) -> None:
        cells = [leaf for leaf in self.raw_leaves() if isinstance(leaf, tree.Cell) and leaf.grain == Grain.STATEMENT]
        table, owner = reading.rows(low, count, {*STATEMENT_KEYS, *(leaf.name for leaf in cells)}, sums)
        if table is None:
            columns["quarters_"] = pa.nulls(count, pa.float64())
            self._anchored(columns, None, np.full(count, -1, dtype=np.int64))
            columns.update({raw_name(leaf): pa.nulls(count, ARROW_TYPES[leaf.type]) for leaf in cells})
            return
        read = place_statements(table, owner, count, self.plan.basis_order, self.as_of)
        columns["quarters_"] = pa.array(read.quarters.astype(np.float64), mask=read.quarters < 0)
        self._anchored(columns, table, read.anchor_row)
        fitting = Placed(*(part[read.fits] for part in (read.placed.rows, read.placed.owner, read.placed.offset)))
        makers: dict[tuple[bool, tuple[int, ...]], Slots] = {}
        for name, offsets in _offsets(cells).items():
            fact = self.plan.vocabulary[name]
            key = (fact.flow, offsets)
            if key not in makers:
                makers[key] = Slots(fitting if fact.flow else read.placed, count, offsets)
            slots = makers[key]
            values, known, dictionary = _values(table, fact, slots.rows)
            for offset, (filled, there) in zip(offsets, slots.columns(values, known), strict=True):
                cell = tree.Cell(name, Grain.STATEMENT, fact.type, offset)
                columns[raw_name(cell)] = _arrow(filled, there, fact.type, dictionary)

    def _anchored(self, columns: Columns, table: Any, anchor_row: Any) -> None:
        """The date, age and scope of the statement read; a supplied value stands where there is none."""
        at = pa.array(anchor_row, mask=anchor_row < 0)
        nothing = len(anchor_row)
        date_ = (
            pa.nulls(nothing, pa.date32()) if table is None else table.column("period_end").combine_chunks().take(at)
        )
        scope = pa.nulls(nothing, pa.string()) if table is None else table.column("scope").combine_chunks().take(at)
        date_ = date_.cast(pa.date32())
        age = pc.days_between(date_, pa.scalar(self.as_of, pa.date32())).cast(pa.float64())
        for name, found in (("statement_date", date_), ("statement_age_days", age), ("statement_scope", scope)):
            key = raw_name(tree.FactRef(name, Grain.CUSTOMER, BASE_FACTS[name]))
            supplied = columns.get(key)
            columns[key] = found.cast(ARROW_TYPES[BASE_FACTS[name]])
            if supplied is not None:
                columns[key] = pc.coalesce(columns[key], supplied.combine_chunks())

    def _months(self, columns: Columns, sums: Any, reading: "Reading", low: int, count: int) -> None:
        cells = [
            leaf for leaf in self.raw_leaves() if isinstance(leaf, tree.Cell) and leaf.grain == Grain.ACCOUNT_MONTH
        ]
        table, owner = reading.rows(low, count, {"month", *(leaf.name for leaf in cells)}, sums)
        if table is None:
            columns.update({raw_name(leaf): pa.nulls(count, ARROW_TYPES[leaf.type]) for leaf in cells})
            return
        placed = place_months(table, owner, self.as_of)
        makers: dict[tuple[int, ...], MonthSlots] = {}
        for name, offsets in _offsets(cells).items():
            fact = self.plan.vocabulary[name]
            slots = (
                makers.setdefault(offsets, MonthSlots(placed, count, offsets))
                if offsets not in makers
                else makers[offsets]
            )
            values, known, dictionary = _values(table, fact, slots.rows)
            combined = slots.combined(fact, values, known)
            for offset, (filled, there) in zip(offsets, combined, strict=True):
                cell = tree.Cell(name, Grain.ACCOUNT_MONTH, fact.type, offset)
                columns[raw_name(cell)] = _arrow(filled, there, fact.type, dictionary)


class Reading:
    """One long table of a snapshot, read by ranges of customers in their order."""

    def __init__(self, snapshot: Snapshot, grain: Grain) -> None:
        self.grain = grain
        self.owned: Owned | None = snapshot.ranges(grain) if grain in snapshot.columns else None

    def rows(self, low: int, count: int, columns: Collection[str], sums: Any) -> tuple[Any, Any]:
        """Some columns of the rows of `count` customers from number `low`, and their owners counted from 0.

        The digests of the rows, over all their columns, are added to `sums`.
        """
        if self.owned is None:
            return None, None
        table, owner, rows = self.owned.rows(low, count)
        sums += customer_digests(row_digests(table, self.grain)[rows], owner, count)
        found = table.select([name for name in table.column_names if name in columns])
        whole = len(rows) == table.num_rows and self.owned.is_sorted
        return (found if whole else found.take(pa.array(rows))), owner


def knower(meta: Mapping[str, Any]) -> Any:
    """Whether a base, by its document, knows a fact of a grain."""
    known = {(Grain(grain), name) for grain, name in meta["known"]}
    has_statements = any(grain == Grain.STATEMENT for grain, _ in known)
    return lambda name, grain: (
        (grain, name) in known or (has_statements and grain == Grain.CUSTOMER and name in BASE_FACTS)
    )


def places_of(layout: Layout, meta: Mapping[str, Any]) -> dict[tree.Expr, str]:
    """The column of a base, by its document, in which each value of a layout stands."""
    return {leaf: meta["layout"][column.key] for leaf, column in layout.columns.items()}


def bounds_in(places: Mapping[tree.Expr, str], meta: Mapping[str, Any]) -> dict[tree.Expr, Bounds]:
    """How large and how small the numbers of the base are, as measured when it was built."""
    measured = meta.get("bounds", {})
    return {
        leaf: Bounds(measured[name][0], math.inf if measured[name][1] is None else measured[name][1])
        for leaf, name in places.items()
        if name in measured
    }


def column_names(layout: Layout) -> dict[tree.Expr, str]:
    """The column of each base value, numbered by key so that the same layout always has the same names."""
    ordered = sorted(layout.columns, key=lambda leaf: layout.columns[leaf].key)
    return {leaf: f"c{number}" for number, leaf in enumerate(ordered)}


def raw_name(leaf: tree.Expr) -> str:
    """The column of one raw fact or cell while a range is on its way."""
    if isinstance(leaf, tree.Cell):
        return f"{leaf.grain}.{leaf.name}@{leaf.offset}"
    return f"fact.{leaf.name}" if isinstance(leaf, tree.FactRef) else ""


def _raw(column: BaseColumn) -> Iterable[tree.Expr]:
    stack = [column.expr]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.FactRef | tree.Cell) and node != QUARTERS:
            yield node
        stack.extend(tree.children_of(node))


def _offsets(cells: Iterable[tree.Cell]) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for cell in cells:
        found.setdefault(cell.name, set()).add(cell.offset)
    return {name: tuple(sorted(offsets)) for name, offsets in found.items()}


def _values(table: Any, fact: Fact, rows: Any) -> tuple[Any, Any, Any]:
    """The values of a fact at some rows as numpy: (values, known, the words that text codes stand for)."""
    column = normal_column(table.column(fact.name), fact.type)
    dictionary = None
    if fact.type == FactType.TEXT:
        encoded = column.combine_chunks().dictionary_encode()
        column, dictionary = encoded.indices, encoded.dictionary
    elif fact.type == FactType.DATE:
        column = column.cast(pa.int32())
    zero: float | bool | int = 0.0 if fact.type == FactType.NUMBER else False if fact.type == FactType.BOOLEAN else 0
    known = (
        column.is_valid().to_numpy(zero_copy_only=False)
        if not isinstance(column, pa.ChunkedArray)
        else column.is_valid().to_numpy()
    )
    values = pc.fill_null(column, zero)
    values = values.to_numpy() if isinstance(values, pa.ChunkedArray) else values.to_numpy(zero_copy_only=False)
    return values[rows], known[rows], dictionary


def _arrow(values: Any, known: Any, kind: FactType, dictionary: Any) -> Any:
    array = pa.array(values, mask=~known)
    if kind == FactType.TEXT:
        return dictionary.take(array) if len(dictionary) else pa.nulls(len(values), pa.string())
    return array.cast(ARROW_TYPES[kind])
