"""A bare table of customers through a plan: one row a customer, columns named by facts, no history.

A statement fact given as a column is one statement of twelve months; child rows are absent, so what they would
say is unknown. The same table may be read by the plain reader, DuckDB or Spark, with equal answers.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.definitions import Plan
from kequn.domain.facts import CALENDAR_GRAINS, FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.domain.rules.generated import compiled
from kequn.domain.rules.program import QUARTERS, Program, is_finite, program_of
from kequn.domain.rules.record import Record
from kequn.engine.backends import ROW, query
from kequn.engine.bounds import Bounds, measured
from kequn.engine.columns import ARROW_TYPES, normal_column
from kequn.engine.lookups import resolved_columns
from kequn.engine.sql import literal, staged

ReaderName = Literal["plain", "duckdb", "spark"]


def evaluate_frame(table: pa.Table, plan: Plan, as_of: date, reader: ReaderName = "duckdb") -> pa.Table:
    """The look-ups' results and every output definition of the customer grain, a row for a row, in order."""
    facts = facts_of(table, plan.vocabulary, as_of)
    looked_up = resolved_columns(facts, plan.lookups, as_of)
    facts = {**facts, **looked_up}
    program = program_of(plan.definitions, lambda name, _grain: name in facts)
    outputs = {one.name: one.type for one in plan.definitions if one.output and one.grain == Grain.CUSTOMER}
    found = answers(facts, table.num_rows, plan.vocabulary, program, outputs, reader)
    names = [name for name in looked_up if name not in outputs]
    columns = [looked_up[name] for name in names] + [found.column(name) for name in outputs]
    return pa.table(columns, names=[*names, *outputs])


def facts_of(table: pa.Table, vocabulary: Vocabulary, as_of: date) -> dict[str, pa.ChunkedArray]:
    """The columns that are facts, each in the type of its fact; the age of the statement where its date is known."""
    facts = {}
    for name in table.column_names:
        fact = vocabulary.get(name)
        if fact is not None and not fact.outcome:
            facts[fact.name] = normal_column(table.column(name), fact.type)
    if "statement_date" in facts and "statement_age_days" not in facts:
        days = pc.days_between(facts["statement_date"], pa.scalar(as_of, pa.date32()))
        facts["statement_age_days"] = days.cast(pa.float64())
    return facts


def answers(
    facts: Mapping[str, pa.ChunkedArray],
    rows: int,
    vocabulary: Vocabulary,
    program: Program,
    outputs: Mapping[str, FactType],
    reader: ReaderName,
) -> pa.Table:
    """The value of each output for each row, as Arrow columns in the types of the definitions."""
    if reader == "plain":
        return _read_plainly(facts, rows, vocabulary, program, outputs)
    order = list(facts)
    table = pa.table([*facts.values(), pa.array(np.arange(rows))], names=[*_names(len(order)), ROW])
    places = {name: f"c{number}" for number, name in enumerate(order)}
    columns = {leaf: _column(leaf, places) for leaf in program.leaves()}
    unknown = Program(
        tuple(
            tree.Constant(None, tree.type_of(step)) if isinstance(step, tree.Children) else step
            for step in program.steps
        ),
        {},
    )
    overflows = any(not is_finite(step) for step in unknown.steps)
    numbers = {name: column for name, column in facts.items() if pa.types.is_floating(column.type)}
    sizes = {name: measured(column) for name, column in numbers.items()} if overflows else {}
    bounds: dict[tree.Expr, Bounds] = {leaf: sizes[leaf.name] for leaf in columns
              if isinstance(leaf, tree.Cell | tree.FactRef) and columns[leaf] == places.get(leaf.name)
              and leaf.name in sizes}  # fmt: skip
    body, made = staged(unknown, "facts", columns, bounds)
    results = [
        f"{_typed(made[program.outputs[name]], kind)} AS o{number}"
        for number, (name, kind) in enumerate(outputs.items())
    ]
    found = query(reader, f"SELECT {', '.join([ROW, *results])} FROM {body}", {"facts": table})
    return pa.table([found.column(f"o{number}") for number in range(len(outputs))], names=list(outputs))


def _names(count: int) -> list[str]:
    return [f"c{number}" for number in range(count)]


def _typed(column: str, kind: FactType) -> str:
    from kequn.engine.sql import SQL_TYPES

    return f"CAST({column} AS {SQL_TYPES[kind]})"


def _column(leaf: tree.Expr, places: Mapping[str, str]) -> str:
    if leaf == QUARTERS:
        return literal(4.0)
    if isinstance(leaf, tree.Cell) and leaf.offset > 0:
        return literal(None, leaf.type)
    if isinstance(leaf, tree.Cell | tree.FactRef) and leaf.name in places:
        return places[leaf.name]
    return literal(None, tree.type_of(leaf))


def _read_plainly(
    facts: Mapping[str, pa.ChunkedArray],
    rows: int,
    vocabulary: Vocabulary,
    program: Program,
    outputs: Mapping[str, FactType],
) -> pa.Table:
    run: Callable[[Record, Mapping[str, Any]], dict[str, Any]] = compiled(program)
    found: dict[str, list[Any]] = {name: [] for name in outputs}
    for record in records_of(facts, rows, vocabulary):
        values = run(record, {})
        for name, answers_so_far in found.items():
            answers_so_far.append(values[name])
    columns = [pa.array(found[name], ARROW_TYPES[kind]) for name, kind in outputs.items()]
    return pa.table(columns, names=list(outputs))


def records_of(facts: Mapping[str, pa.ChunkedArray], rows: int, vocabulary: Vocabulary) -> Iterator[Record]:
    """The rows as records for the plain reader."""
    lists = {name: column.to_pylist() for name, column in facts.items()}
    grains = {name: fact.grain for name in facts if (fact := vocabulary.get(name)) is not None}
    calendar = {grain: [name for name, own in grains.items() if own == grain] for grain in CALENDAR_GRAINS}
    for row in range(rows):
        periods = {grain: {name: [lists[name][row]] for name in names} for grain, names in calendar.items()}
        yield Record({name: values[row] for name, values in lists.items()}, periods, quarters=4)
