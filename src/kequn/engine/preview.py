"""One more rule over the book of a run: its verdict for every customer, by the same SQL as the run itself.

The base of the run answers as far as it goes. A rule that reads what the run's policy did not lay out gets a base of
its own from the run's snapshot, with its few columns alone; it is kept, so that the second question is as quick as any.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.changing import needed_for
from kequn.engine.backends import connect
from kequn.engine.base import bounds_in, build_base, knower, places_of, read_meta
from kequn.engine.coding import coded
from kequn.engine.layout import Layout, layout_of
from kequn.engine.snapshot import KEY
from kequn.engine.sql import staged

YES, NO, UNKNOWN = 1, 0, -1  # the verdicts of an array
NAME = "preview="  # no definition of a pack can have this name
Verdicts = Any  # numpy int8, one a customer in the order of the base


@dataclass(frozen=True, slots=True)
class Book:
    """Where the facts of one run lie: the base that it was computed from, its snapshot, and the day."""

    base: Path
    snapshot: Path
    as_of: date
    beside: Path  # a folder for the bases of rules that read more


def verdicts(book: Book, plan: Plan, rule: tree.Expr) -> Verdicts:
    """1 where the rule holds, 0 where it does not, -1 where it cannot be told; customers in the order of the base."""
    said = f"CAST(CASE WHEN {{0}} THEN {YES} WHEN NOT {{0}} THEN {NO} ELSE {UNKNOWN} END AS TINYINT)"
    return np.asarray(_asked(book, plan_of(plan, rule, FactType.BOOLEAN), said), dtype=np.int8)


def numbers(book: Book, plan: Plan, formula: tree.Expr) -> Any:
    """The value of a formula for each customer in the order of the base, as float64; NaN where it is unknown."""
    found = _asked(book, plan_of(plan, formula, FactType.NUMBER), "CAST({0} AS DOUBLE)")
    return np.ma.filled(np.ma.asarray(found, dtype=np.float64), np.nan)


def _asked(book: Book, smaller: Plan, form: str) -> Any:
    """One column for the definition asked for; `form` is SQL around its step."""
    with _open(book, smaller) as (connection, layout, meta):
        program = coded(layout.program).program
        places = places_of(layout, meta)
        body, made = staged(program, "base", places, bounds_in(places, meta))
        step = made[layout.program.outputs[NAME]]
        return connection.sql(f"SELECT {form.format(step)} AS v FROM {body}").fetchnumpy()["v"]


def plan_of(plan: Plan, rule: tree.Expr, kind: FactType) -> Plan:
    """The rule or formula, and of the plan only what it rests on."""
    more = Definition(NAME, Grain.CUSTOMER, kind, rule, "flag")
    whole = replace(plan, definitions=(*plan.definitions, more))
    return replace(whole, definitions=needed_for(whole, NAME)[0])


def customers_of(book: Book) -> Any:
    """The customers in the order of the base."""
    with connect(book.base, read_only=True) as connection:
        return connection.sql(f"SELECT {KEY} FROM base").to_arrow_table().column(KEY).combine_chunks()


@contextmanager
def _open(book: Book, plan: Plan) -> Iterator[tuple[Any, Layout, dict[str, Any]]]:
    """The first base that has every column the plan reads: the run's own, else one made for it."""
    with connect(book.base, read_only=True) as connection:
        meta = read_meta(connection)
        layout = layout_of(plan, knower(meta))
        if all(column.key in meta["layout"] for column in layout.columns.values()):
            yield connection, layout, meta
            return
    path = book.beside / f"{layout.digest[:24]}.duckdb"
    if not path.exists():
        book.beside.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        build_base(book.snapshot, plan, book.as_of, fresh)
        fresh.replace(path)
    with connect(path, read_only=True) as connection:
        meta = read_meta(connection)
        layout = layout_of(plan, knower(meta))
        yield connection, layout, meta
