"""Columns from outside, brought to the four types that rules read.

Every number becomes a float64 by its shortest decimal text or exactly, NaN and infinity become unknown, moments
become calendar days. It is done once, before any reader, so that no two readers can convert differently.
"""

import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.facts import FactType

ARROW_TYPES = {
    FactType.NUMBER: pa.float64(),
    FactType.TEXT: pa.string(),
    FactType.BOOLEAN: pa.bool_(),
    FactType.DATE: pa.date32(),
}


def kind_of(arrow: pa.DataType) -> FactType | None:
    """The type of fact a column can be; None for lists, bytes, times of day and moments with a zone."""
    if pa.types.is_dictionary(arrow):
        return kind_of(arrow.value_type)
    if pa.types.is_boolean(arrow):
        return FactType.BOOLEAN
    if pa.types.is_integer(arrow) or pa.types.is_floating(arrow) or pa.types.is_decimal(arrow):
        return FactType.NUMBER
    if pa.types.is_string(arrow) or pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow):
        return FactType.TEXT
    if pa.types.is_date(arrow) or (pa.types.is_timestamp(arrow) and arrow.tz is None):
        return FactType.DATE
    return None


def normal_column(column: pa.ChunkedArray, kind: FactType) -> pa.ChunkedArray:
    """The column in the one type of its kind; all unknown where the column is not of that kind."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kind_of(column.type) != kind:
        return pa.chunked_array([pa.nulls(len(column), ARROW_TYPES[kind])])
    if kind == FactType.NUMBER:
        return _numbers(column)
    if pa.types.is_timestamp(column.type):
        column = pc.floor_temporal(column, unit="day")
    return column.cast(ARROW_TYPES[kind])


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_decimal(column.type):
        numbers = column.cast(pa.string()).cast(pa.float64())
    else:
        numbers = column.cast(pa.float64(), safe=False)
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
