"""A number for all that is known of a customer, equal when and only when (but for chance) the facts are equal.

It tells a change of facts from a change of policy or of time. It depends on values alone, not on the order of
rows, the version of a library or the machine.
"""

import zlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of, normal_column

DIGEST = "facts_digest_"  # the column of a base and of findings that holds it
_MULTIPLIER = 0x9E3779B97F4A7C15
_MISSING = np.uint64(0xD1B54A32D192ED03)


def row_digests(table: Any, salt: str) -> Any:
    """One number for each row of a table, over every column but the key."""
    total = np.full(table.num_rows, _number(salt), dtype=np.uint64)
    for name in sorted(table.column_names):
        kind = kind_of(table.schema.field(name).type)
        if name == "customer_id" or kind is None:
            continue
        bits = _bits(normal_column(table.column(name), kind), kind)
        total += _mixed(bits * (_number(name) | np.uint64(1)))
    return _mixed(total)


def customer_digests(rows: Any, owner: Any, customers: int) -> Any:
    """The rows of each customer added up; owners come sorted, and -1 is nobody."""
    totals = np.zeros(customers, dtype=np.uint64)
    kept = owner >= 0
    rows, owner = rows[kept], owner[kept]
    if len(owner):
        starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        totals[owner[starts]] = np.add.reduceat(rows, starts)
    return totals


def _number(word: str) -> Any:
    return np.uint64(zlib.crc32(word.encode()) * _MULTIPLIER % 2**64)


def _bits(column: Any, kind: FactType) -> Any:
    known = column.is_valid().to_numpy() if column.null_count else None
    if kind == FactType.NUMBER:
        values = (pc.fill_null(column, 0.0).to_numpy() + 0.0).view(np.uint64)
    elif kind == FactType.TEXT:
        encoded = column.combine_chunks().dictionary_encode()
        words = np.array([zlib.crc32(word.encode()) for word in encoded.dictionary.to_pylist()] or [0], dtype=np.uint64)
        values = words[pc.fill_null(encoded.indices, 0).to_numpy()]
    else:
        whole = column.cast(pa.int32() if kind == FactType.DATE else pa.int8()).cast(pa.int64())
        values = pc.fill_null(whole, 0).to_numpy().astype(np.uint64)
    return values if known is None else np.where(known, values, _MISSING)


def _mixed(value: Any) -> Any:
    """The finishing mix of splitmix64: every bit of the input moves half of the output's."""
    value = value ^ (value >> np.uint64(30))
    value = value * np.uint64(0xBF58476D1CE4E5B9)
    value = value ^ (value >> np.uint64(27))
    value = value * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
