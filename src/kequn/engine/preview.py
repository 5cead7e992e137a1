"""One more rule over the book of a run: its verdict for every customer, by the same SQL as the run itself.

What the run found (ratios, classes, segments) is read from its results, what it started from out of its base. A rule
that reads what the run's policy did not lay out gets a base of its own from the snapshot, with its few columns alone.
Every column is read once and kept, so that the second question is as quick as any.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.changing import needed_for
from kequn.engine.backends import connect
from kequn.engine.base import bounds_in, build_base, knower, read_meta
from kequn.engine.bounds import Bounds
from kequn.engine.coding import coded
from kequn.engine.layout import layout_of
from kequn.engine.snapshot import KEY
from kequn.engine.sql import staged

YES, NO, UNKNOWN = 1, 0, -1  # the verdicts of an array
NAME = "preview="  # no definition of a pack can have this name
Verdicts = Any  # numpy int8, one a customer in the order of the base


@dataclass(slots=True, eq=False)
class Book:
    """Where one run lies: the base that it was computed from, its snapshot, its findings, and the day."""

    base: Path
    snapshot: Path
    findings: Path
    as_of: date
    beside: Path  # a folder for the bases of rules that read more
    columns: dict[tuple[Path, str], Any] = field(default_factory=dict)
    metas: dict[Path, dict[str, Any]] = field(default_factory=dict)

    def meta(self, base: Path) -> dict[str, Any]:
        if base not in self.metas:
            with connect(base, read_only=True) as connection:
                self.metas[base] = read_meta(connection)
        return self.metas[base]

    def load(self, file: Path, names: Collection[str]) -> None:
        """Read the columns of a base or of the findings that were not read yet, all in one opening."""
        wanted = sorted({name for name in names if (file, name) not in self.columns})
        if not wanted:
            return
        if file == self.findings:
            found = pq.read_table(file, columns=wanted)
        else:
            with connect(file, read_only=True) as connection:
                found = connection.sql(f"SELECT {', '.join(wanted)} FROM base").to_arrow_table()
        self.columns |= {(file, name): found.column(name) for name in wanted}

    def column(self, file: Path, name: str) -> Any:
        """One column, in the order of the customers."""
        self.load(file, (name,))
        return self.columns[file, name]


def verdicts(book: Book, plan: Plan, rule: tree.Expr, given: Collection[str] = ()) -> Verdicts:
    """1 where the rule holds, 0 where it does not, -1 where it cannot be told; customers in the order of the base.

    `given` are the definitions that the plan says as the run's policy did: what the run found is read for them.
    """
    said = f"CAST(CASE WHEN {{0}} THEN {YES} WHEN NOT {{0}} THEN {NO} ELSE {UNKNOWN} END AS TINYINT)"
    return np.asarray(_asked(book, plan, rule, FactType.BOOLEAN, given, said), dtype=np.int8)


def numbers(book: Book, plan: Plan, formula: tree.Expr, given: Collection[str] = ()) -> Any:
    """The value of a formula for each customer in the order of the base, as float64; NaN where it is unknown."""
    found = _asked(book, plan, formula, FactType.NUMBER, given, "CAST({0} AS DOUBLE)")
    return np.ma.filled(np.ma.asarray(found, dtype=np.float64), np.nan)


def customers_of(book: Book) -> Any:
    """The customers in the order of the base."""
    return book.column(book.base, KEY).combine_chunks()


def _asked(book: Book, plan: Plan, expr: tree.Expr, kind: FactType, given: Collection[str], form: str) -> Any:
    """One column for what is asked; `form` is SQL around its step."""
    meta = book.meta(book.base)
    known = knower(meta)
    smaller = _plan_of(plan, expr, kind, given)
    layout = layout_of(smaller, lambda name, grain: name in given or known(name, grain))
    places: dict[tree.Expr, str] = {}
    bounds: dict[tree.Expr, Bounds] = {}
    taken: dict[str, tuple[Path, str]] = {KEY: (book.base, KEY)}
    for at, leaf in enumerate(layout.program.leaves()):
        places[leaf] = f"p{at}"
        if isinstance(leaf, tree.FactRef) and leaf.name in given:
            taken[places[leaf]] = (book.findings, leaf.name)
            continue
        key = layout.columns[leaf].key
        base = book.base if key in meta["layout"] else _base_beside(book, plan, expr, kind)
        document = book.meta(base)
        taken[places[leaf]] = (base, document["layout"][key])
        bounds |= bounds_in({leaf: document["layout"][key]}, document)
    for file in {file for file, _ in taken.values()}:
        book.load(file, [name for one, name in taken.values() if one == file])
    table = {place: book.columns[found] for place, found in taken.items()}
    body, made = staged(coded(layout.program).program, "book", places, bounds)
    step = made[layout.program.outputs[NAME]]
    with _memory().cursor() as connection:
        connection.register("book", pa.table(table))
        return connection.sql(f"SELECT {form.format(step)} AS v FROM {body}").fetchnumpy()["v"]


@cache
def _memory() -> Any:
    """One DuckDB without a file for all questions: to open one takes longer than to ask."""
    return connect()


def _plan_of(plan: Plan, expr: tree.Expr, kind: FactType, given: Collection[str]) -> Plan:
    """The rule or formula, and of the plan only what it rests on, down to what is given."""
    more = Definition(NAME, Grain.CUSTOMER, kind, expr, "flag")
    whole = replace(plan, definitions=(*(one for one in plan.definitions if one.name not in given), more))
    return replace(whole, definitions=needed_for(whole, NAME)[0])


def _base_beside(book: Book, plan: Plan, expr: tree.Expr, kind: FactType) -> Path:
    """A base with every column that a rule reads, made where it is not there yet."""
    smaller = _plan_of(plan, expr, kind, ())
    layout = layout_of(smaller, knower(book.meta(book.base)))
    path = book.beside / f"{layout.digest[:24]}.duckdb"
    if not path.exists():
        book.beside.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        build_base(book.snapshot, smaller, book.as_of, fresh)
        fresh.replace(path)
    return path
