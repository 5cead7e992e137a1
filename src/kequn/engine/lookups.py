"""Look-ups in standard tables for a whole book: once for every distinct key, then spread by number."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.definitions import Lookup
from kequn.domain.facts import FactType
from kequn.engine.columns import ARROW_TYPES

Columns = dict[str, pa.ChunkedArray]


def resolved_columns(facts: Mapping[str, pa.ChunkedArray], lookups: Sequence[Lookup], as_of: date) -> Columns:
    """The outputs of every look-up as columns; a supplied value stands where the table says nothing."""
    rows = len(next(iter(facts.values()))) if facts else 0
    found: Columns = {}
    for lookup in lookups:
        keys, number_of = distinct_keys([facts.get(name) for name in lookup.keys], rows)
        for name, column in table_of(lookup, keys, as_of).items():
            spread = pa.chunked_array([column.take(pa.array(number_of))])
            found[name] = pc.coalesce(spread, facts[name]) if name in facts else spread
    return found


class Resolver:
    """The look-ups of a plan over one book: each key resolved once, and a digest of all that was answered."""

    def __init__(
        self, lookups: Sequence[Lookup], as_of: date, met: Mapping[str, Sequence[Sequence[str | None]]]
    ) -> None:
        self.lookups = lookups
        self.as_of = as_of
        self.answers: dict[str, dict[tuple[str | None, ...], tuple[Any, ...]]] = {}
        for lookup in lookups:
            self.answers[lookup.name] = {}
            self._resolve(lookup, [tuple(key) for key in met.get(lookup.name, ())])

    def columns(self, facts: Mapping[str, Any], rows: int) -> Columns:
        """The outputs for some customers; a supplied value stands where the table says nothing."""
        found: Columns = {}
        for lookup in self.lookups:
            keys, number_of = distinct_keys([facts.get(name) for name in lookup.keys], rows)
            self._resolve(lookup, keys)
            answers = [self.answers[lookup.name][key] for key in keys]
            for place, (name, kind) in enumerate(lookup.outputs):
                column = pa.array([answer[place] for answer in answers], ARROW_TYPES[FactType(kind)])
                spread = column.take(pa.array(number_of))
                found[name] = pc.coalesce(spread, facts[name].combine_chunks()) if name in facts else spread
        return found

    def _resolve(self, lookup: Lookup, keys: Iterable[tuple[str | None, ...]]) -> None:
        known = self.answers[lookup.name]
        for key in keys:
            if key not in known:
                known[key] = lookup.resolve(key, self.as_of)

    def keys(self) -> dict[str, list[list[str | None]]]:
        return {name: [list(key) for key in answers] for name, answers in self.answers.items()}

    def digest(self) -> str:
        """Equal for the same keys and the same answers."""
        said = repr([(name, sorted(answers.items(), key=repr)) for name, answers in sorted(self.answers.items())])
        return hashlib.sha256(said.encode()).hexdigest()


def distinct_keys(
    columns: Sequence[pa.ChunkedArray | None], rows: int
) -> tuple[list[tuple[str | None, ...]], "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """The distinct keys of a book, and for each row the number of its key. An absent column is unknown."""
    number_of = np.zeros(rows, dtype=np.int64)
    keys: list[tuple[str | None, ...]] = [()]
    for column in columns:
        values: list[str | None] = [None]
        codes = np.zeros(rows, dtype=np.int64)
        if column is not None:
            encoded = column.combine_chunks().dictionary_encode()
            if isinstance(encoded, pa.ChunkedArray):
                encoded = encoded.combine_chunks()
            codes = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy().astype(np.int64)
            values = [*encoded.dictionary.to_pylist(), None]
        used, number_of = np.unique(number_of * len(values) + codes, return_inverse=True)
        keys = [(*keys[pair // len(values)], values[pair % len(values)]) for pair in used.tolist()]
    return keys, number_of.astype(np.int64)


def table_of(lookup: Lookup, keys: Sequence[tuple[str | None, ...]], as_of: date) -> dict[str, pa.Array]:
    """The outputs of a look-up for each key, in the types its outputs declare."""
    answers = [lookup.resolve(key, as_of) for key in keys]
    return {
        name: pa.array([answer[place] for answer in answers], ARROW_TYPES[FactType(kind)])
        for place, (name, kind) in enumerate(lookup.outputs)
    }
