"""A whole book, block by block: sheets for the importer, or the snapshot that the engine reads.

Both carry the same facts. Sheets have amounts as decimals in yuan and one row shape each, as the import workbook has;
a snapshot has amounts as float yuan, one Parquet file for each grain, and a manifest.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.samples import deals
from kequn.samples.firms import Firms, make_firms
from kequn.samples.statements import Statements, make_statements

BLOCK = 50_000
SEED = 20260930
AS_OF = date(2026, 9, 30)
SHEETS = ("customers", "groups", "statements", "facilities", "projects", "account_months", "events", "ratings")
SNAPSHOT_FILES = ("customers", "statements", "facilities", "projects", "account_months", "events")
OUTCOMES = ("defaulted", "default_date")
MONEY = pa.decimal128(20, 2)


def make_book(customers: int, *, seed: int = SEED, as_of: date = AS_OF) -> Iterator[dict[str, pa.Table]]:
    """Blocks of sheets; amounts are integers in fen with the metadata `fen`."""
    for first in range(0, customers, BLOCK):
        yield make_block(np.random.default_rng([seed, first]), first, min(BLOCK, customers - first), as_of)


def make_block(draw: np.random.Generator, first: int, count: int, as_of: date) -> dict[str, pa.Table]:
    firms = make_firms(draw, first=first + 1, count=count, as_of=as_of)
    statements = make_statements(draw, firms, as_of)
    projects, carriers = deals.make_projects(draw, firms, as_of)
    outcome = deals.default_columns(draw, firms, statements.latest, as_of)
    columns = firms.columns | outcome
    columns["registered_capital"] = (np.asarray(columns["registered_capital"]) * 100).astype(np.int64)
    return {
        "customers": table(columns, money=("registered_capital",)),
        "groups": relations_table(deals.make_relations(draw, firms, as_of)),
        "statements": statements_table(firms, statements),
        "facilities": of_firms(firms, deals.make_facilities(draw, firms, statements.latest, as_of, carriers)),
        "projects": of_firms(firms, projects),
        "account_months": of_firms(firms, deals.make_account_months(draw, firms, as_of)),
        "events": of_firms(firms, deals.make_events(draw, firms, statements.latest, as_of)),
        "ratings": of_firms(firms, deals.make_ratings(draw, firms, as_of)),
    }


def table(columns: dict[str, Any], money: tuple[str, ...] = ()) -> pa.Table:
    """Columns as Arrow; NaN and None are null; amounts are marked as fen."""
    arrays, fields = [], []
    for name, values in columns.items():
        array = pa.array(values, from_pandas=True)
        arrays.append(array)
        fields.append(pa.field(name, array.type, metadata={"unit": "fen"} if name in money else None))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def of_firms(firms: Firms, columns: dict[str, Any]) -> pa.Table:
    """Child rows with the customer they belong to."""
    ids = np.array(firms.ids, dtype=object)
    rest = {name: values for name, values in columns.items() if name != "firm"}
    money = tuple(name for name, values in rest.items() if isinstance(values, np.ndarray) and values.dtype == np.int64)
    return table({"customer_id": ids[columns["firm"]], **rest}, money)


def relations_table(columns: dict[str, Any]) -> pa.Table:
    types = {"share": pa.float64(), "amount": pa.int64(), "from_date": pa.date32()}
    fields = [
        pa.field(name, types.get(name, pa.string()), metadata={"unit": "fen"} if name == "amount" else None)
        for name in columns
    ]
    return pa.Table.from_arrays(
        [pa.array(values, field.type) for values, field in zip(columns.values(), fields, strict=True)],
        schema=pa.schema(fields),
    )


def statements_table(firms: Firms, statements: Statements) -> pa.Table:
    """All statements; the larger firms hand in the parent's own beside the consolidated one, at half its figures."""
    ids = np.array(firms.ids, dtype=object)
    columns = {"customer_id": ids[statements.firm], **statements.columns}
    money = tuple(
        name
        for name, values in statements.columns.items()
        if values.dtype == np.int64 and name not in {"months", "version"}
    )
    beside = (columns["scope"] == "consolidated") & (firms.number[statements.firm] % 3 == 0)
    doubled = {
        name: np.concatenate([values, _parents(name, values[beside], name in money)])
        for name, values in columns.items()
    }
    gaps = {name: np.concatenate([gone, gone[beside]]) for name, gone in statements.gaps.items()}
    made = table(doubled, money)
    for name, gone in gaps.items():
        place = made.schema.get_field_index(name)
        made = made.set_column(place, made.schema.field(place), pa.array(doubled[name], mask=gone))
    return made


def _parents(name: str, values: Any, is_money: bool) -> Any:
    if is_money:
        return values // 2  # items are whole yuan, so halves add up exactly
    return np.full(len(values), "parent") if name == "scope" else values


# -- writing --------------------------------------------------------------------------------------------------


def in_yuan(block: pa.Table, exact: bool) -> pa.Table:
    """Amounts in yuan: exact decimals for the importer, floats for the engine."""
    for place, field in enumerate(block.schema):
        if field.metadata == {b"unit": b"fen"}:
            values = block.column(place).combine_chunks()
            if exact:
                made = pa.array([None if one is None else f"{one / 100:.2f}" for one in values.to_pylist()]).cast(MONEY)
            else:
                made = pc.divide(values.cast(pa.float64()), 100.0)
            block = block.set_column(place, pa.field(field.name, made.type), made)
    return block


def write_sheets(folder: Path, customers: int, *, seed: int = SEED, as_of: date = AS_OF) -> dict[str, int]:
    """The sheets as Parquet files for `kequn import FOLDER`; rows by sheet."""
    blocks = make_book(customers, seed=seed, as_of=as_of)
    sheets = ({name: in_yuan(one, exact=True) for name, one in block.items()} for block in blocks)
    return _write(folder, SHEETS, sheets)


def write_snapshot(folder: Path, customers: int, *, seed: int = SEED, as_of: date = AS_OF) -> dict[str, int]:
    """The snapshot layout of the engine, with a manifest; rows by file."""
    rows = _write(folder, SNAPSHOT_FILES, (
        {name: in_yuan(block[name], exact=False) for name in SNAPSHOT_FILES} | {"customers": _without_outcomes(block)}
        for block in make_book(customers, seed=seed, as_of=as_of)
    ))  # fmt: skip
    digest = hashlib.sha256(f"sample {seed} {customers} {as_of}".encode()).hexdigest()
    manifest = {"as_of": as_of.isoformat(), "rows": rows, "digest": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    return rows


def _without_outcomes(block: dict[str, pa.Table]) -> pa.Table:
    return in_yuan(block["customers"].drop_columns(list(OUTCOMES)), exact=False)


def _write(folder: Path, names: tuple[str, ...], blocks: Iterator[dict[str, pa.Table]]) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    rows = dict.fromkeys(names, 0)
    try:
        for block in blocks:
            for name in names:
                one = block[name]
                if name not in writers:
                    schema = pa.schema([_nullable_text(field) for field in one.schema])
                    writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd")
                writers[name].write_table(one.cast(writers[name].schema))
                rows[name] += one.num_rows
    finally:
        for writer in writers.values():
            writer.close()
    return rows


def _nullable_text(field: pa.Field) -> pa.Field:
    """A column that is empty in the first block is text until a later block says otherwise."""
    return pa.field(field.name, pa.string() if pa.types.is_null(field.type) else field.type)
