"""Many rows at once: written by prepared statements, read as arrays.

The columns are those of the models, the values never become SQL.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Field, Model, QuerySet
from numpy.typing import NDArray

CHUNK = 10_000
Converter = Callable[[object], object]
Numbers = NDArray[np.int64]


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def field_of(model: type[Model], attname: str) -> Field:
    return next(one for one in model._meta.concrete_fields if one.attname == attname)  # noqa: SLF001


def _converter(field: Field) -> Converter | None:
    kind = field.get_internal_type()
    plain = {"CharField", "TextField", "FloatField", "BooleanField", "BigIntegerField", "PositiveSmallIntegerField"}
    if kind in plain or field.is_relation or kind == "BigAutoField":
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _prepared(model: type[Model], attnames: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[list[object]]:
    converters = [
        (number, made)
        for number, name in enumerate(attnames)
        if (made := _converter(field_of(model, name))) is not None
    ]
    for row in rows:
        values = list(row)
        for number, convert in converters:
            if values[number] is not None:
                values[number] = convert(values[number])
        yield values


def _many(sql: str, rows: Iterator[list[object]]) -> int:
    written = 0
    with connection.cursor() as cursor:
        while some := list(islice(rows, CHUNK)):
            cursor.executemany(sql, some)
            written += len(some)
    return written


def insert(model: type[Model], attnames: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Insert rows of exactly these columns; columns left out must have a default of their own here."""
    missing = [
        one
        for one in model._meta.concrete_fields  # noqa: SLF001
        if one.attname not in attnames and not one.primary_key and (one.has_default() or not one.null)
    ]
    names = [*attnames, *(one.attname for one in missing)]
    defaults = [one.get_default() for one in missing]
    columns = ", ".join(quoted(field_of(model, name).column) for name in names)
    marks = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {quoted(model._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: SLF001
    return _many(sql, _prepared(model, names, ([*row, *defaults] for row in rows)))


def update(model: type[Model], attnames: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Set these columns; the last value of each row is its primary key."""
    pk = model._meta.pk.attname  # noqa: SLF001
    sets = ", ".join(f"{quoted(field_of(model, name).column)} = %s" for name in attnames)
    key = quoted(field_of(model, pk).column)
    sql = f"UPDATE {quoted(model._meta.db_table)} SET {sets} WHERE {key} = %s"  # noqa: SLF001
    return _many(sql, _prepared(model, [*attnames, pk], rows))


def delete(model: type[Model], ids: Iterable[int]) -> int:
    sql = f"DELETE FROM {quoted(model._meta.db_table)} WHERE {quoted('id')} = %s"  # noqa: SLF001
    return _many(sql, ([one] for one in ids))


def to_json(value: object) -> object:
    """A column's value as JSON keeps it; `Field.to_python` brings it back."""
    if isinstance(value, dt.date | dt.datetime | Decimal):
        return str(value)
    return value if not isinstance(value, dict | list) else json.loads(json.dumps(value))


def numbers_of(rows: QuerySet[Any], *columns: str) -> list[Numbers]:
    """Columns of whole numbers, none of them null, as arrays that keep one order; the order itself is any.

    The database hands them over as one text each: a hundred thousand rows of their own would cost ten times as much.
    """
    names = {f"number_{place}": F(column) for place, column in enumerate(columns)}
    try:
        sql, parameters = rows.order_by().values(**names).query.sql_with_params()
    except EmptyResultSet:
        return [np.zeros(0, np.int64) for _ in columns]
    gathered = "group_concat({0})" if connection.vendor == "sqlite" else "string_agg({0}::text, ',')"
    texts = ", ".join(gathered.format(quoted(name)) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {texts} FROM ({sql}) found", parameters)
        found = cursor.fetchone()
    return [np.fromstring(text or "", np.int64, sep=",") for text in found]
