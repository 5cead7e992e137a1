"""Read whole tables from one consistent view of the records, without holding up those who write.

SQLite: a second connection in one read transaction; PostgreSQL: repeatable read. Types are stated, never inferred.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
import pyarrow as pa
from django.db import connection

BLOCK = 50_000


class View(Protocol):
    """One unchanging view of the records."""

    def table(self, sql: str, columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table: ...


class _SqliteView:
    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor

    def table(self, sql: str, columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
        self.cursor.execute(sql)
        return _table(iter(lambda: self.cursor.fetchmany(BLOCK), []), columns)


class _PostgresView:
    def __init__(self, conn: "psycopg.Connection[Any]") -> None:
        self.conn = conn

    def table(self, sql: str, columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
        with self.conn.cursor("kequn_snapshot") as cursor:
            cursor.execute(sql)  # type: ignore[call-overload]
            return _table(iter(lambda: cursor.fetchmany(BLOCK), []), columns)


def _table(blocks: Iterator[list[Any]], columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    schema = pa.schema(list(columns))
    batches = []
    for block in blocks:
        arrays = [_array(values, kind) for values, (_, kind) in zip(zip(*block, strict=True), columns, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """SQLite keeps days as text and truths as 0 and 1."""
    if pa.types.is_date32(kind):
        parse = dt.date.fromisoformat
        return pa.array([parse(one) if isinstance(one, str) else one for one in values], kind)
    if pa.types.is_boolean(kind):
        return pa.array([None if one is None else bool(one) for one in values], kind)
    return pa.array(values, kind)


@contextmanager
def one_view() -> Iterator[View]:
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        name = str(settings["NAME"])
        if "memory" in name:  # a test database lives in this one connection
            connection.ensure_connection()
            yield _SqliteView(connection.connection.cursor())  # type: ignore[union-attr]
            return
        conn = sqlite3.connect(f"file:{name}?mode=ro", uri=True, timeout=30)
        try:
            conn.execute("BEGIN")
            yield _SqliteView(conn.cursor())
        finally:
            conn.close()
        return
    if connection.in_atomic_block:
        connection.ensure_connection()
        yield _PostgresView(connection.connection)  # type: ignore[arg-type]
        return
    parameters = {key: value for key, value in connection.get_connection_params().items() if key in _PARAMETERS}
    with psycopg.connect(**parameters) as pg:
        pg.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        pg.read_only = True
        yield _PostgresView(pg)


_PARAMETERS = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert")
