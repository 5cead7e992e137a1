"""What differs between two runs, for whom, and why: facts, policy, time, or the first sight of a customer.

A verdict is written as `true`, `false` or nothing (unknown). Of a customer seen for the first time only what
stands is written: a segment or signal that is false is not a change.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.domain.definitions import Plan
from kequn.domain.facts import FactType, Grain
from kequn.engine.backends import connect
from kequn.engine.beside import SILENT_WHEN_FALSE, Beside, Unseen, nothing, said_as_text
from kequn.engine.digests import DIGEST
from kequn.engine.snapshot import KEY
from kequn.engine.sql import name_of, quoted

TRACKED = ("dimension", "segment", "signal", "flag", "strategy")


def tracked_kinds(plan: Plan) -> dict[str, str]:
    """The findings whose changes are told, by name, with their kind."""
    return {
        one.name: one.kind
        for one in plan.findings()
        if one.output and one.grain == Grain.CUSTOMER and (one.kind in TRACKED or one.type == FactType.TEXT)
    }


def write_changes(
    folder: Path,
    previous: Sequence[Path],
    plan: Plan,
    manifest: Mapping[str, Any],
    *,
    beside: Beside | Unseen | None = None,
    gone: Sequence[str] = (),
) -> dict[str, Any]:
    """Write changes.parquet beside the findings; the counts of changes by cause."""
    before = standing_folders(previous)
    kinds = tracked_kinds(plan)
    if isinstance(beside, Unseen):
        return {"changes": beside.close(), "previous": []}
    with connect() as connection:
        findings = quoted(str(folder / "findings.parquet"))
        connection.execute(f"CREATE VIEW fresh AS SELECT * FROM read_parquet({findings})")
        if beside is not None:
            cause = other_cause(_manifest(before[-1]), manifest)
            _from_beside(connection, beside, kinds, manifest, cause, gone)
        else:
            _joined(connection, before, kinds, manifest, gone)
        target = quoted(str(folder / "changes.parquet"))
        connection.execute(f"COPY changes TO {target} (FORMAT parquet, COMPRESSION snappy)")
        counted = connection.execute("SELECT cause, count(*) FROM changes GROUP BY cause ORDER BY cause").fetchall()
    return {"changes": dict(counted), "previous": [str(_manifest(one).get("digest", "")) for one in before]}


def standing_folders(previous: Sequence[Path]) -> list[Path]:
    return [Path(one) for one in previous if (Path(one) / "findings.parquet").is_file()]


def _manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def _from_beside(
    connection: Any,
    beside: Beside,
    kinds: Mapping[str, str],
    manifest: Mapping[str, Any],
    cause: str,
    gone: Sequence[str],
) -> None:
    """The changes out of the rows that were found to differ, and of the customers who are there no more."""
    found = beside.differences(kinds, cause=cause, gone=None if manifest["whole"] else gone)
    if not found:
        connection.execute(f"CREATE TABLE changes AS {nothing()}")
        return
    connection.register("told", pa.concat_tables(found))
    connection.execute(f"CREATE TABLE changes AS {said_as_text('told')}")


def _joined(
    connection: Any, before: list[Path], kinds: Mapping[str, str], manifest: Mapping[str, Any], gone: Sequence[str]
) -> None:
    there = _columns(before[-1])
    names, added = [name for name in kinds if name in there], [name for name in kinds if name not in there]
    connection.execute(f"CREATE VIEW stood AS {_standing(before, names)}")
    differ = [f"f.{name_of(name)} IS DISTINCT FROM s.{name_of(name)}" for name in names]
    some = [f"f.{name_of(name)} IS NOT NULL" for name in added]
    both = [f"f.{KEY}", f"s.{KEY} AS had_", f"f.{DIGEST} IS DISTINCT FROM s.{DIGEST} AS moved_"]
    both += [f"f.{name_of(name)} AS n{at}, s.{name_of(name)} AS o{at}" for at, name in enumerate(names)]
    both += [f"f.{name_of(name)} AS a{at}" for at, name in enumerate(added)]
    connection.execute(
        f"CREATE TABLE pairs AS SELECT {', '.join(both)} FROM fresh f LEFT JOIN stood s ON f.{KEY} = s.{KEY} "
        f"WHERE {' OR '.join([f's.{KEY} IS NULL', *differ, *some])}"
    )
    parts = _changed_parts(names, added, kinds, _cause(_manifest(before[-1]), manifest))
    parts += _vanished(connection, manifest, names, kinds, gone)
    connection.execute(f"CREATE TABLE changes AS {' UNION ALL '.join(parts) or nothing()}")


def _changed_parts(names: Sequence[str], added: Sequence[str], kinds: Mapping[str, str], cause: str) -> list[str]:
    parts = [_changed(name, kinds[name], f"n{at}", f"o{at}", cause) for at, name in enumerate(names)]
    return parts + [_changed(name, kinds[name], f"a{at}", "NULL", cause) for at, name in enumerate(added)]


def _standing(before: list[Path], names: list[str]) -> str:
    """The findings that stood: each customer's from the latest run that has it."""
    columns = ", ".join([KEY, DIGEST, *map(name_of, names)])
    selects = [
        f"SELECT {columns}, {at} AS at_ FROM read_parquet({quoted(str(one / 'findings.parquet'))})"
        for at, one in enumerate(before)
    ]
    if len(selects) == 1:
        return selects[0]
    latest = f"row_number() OVER (PARTITION BY {KEY} ORDER BY at_ DESC) = 1"
    return f"SELECT * FROM ({' UNION ALL '.join(selects)}) QUALIFY {latest}"


def _columns(folder: Path) -> frozenset[str]:
    return frozenset(pq.read_schema(folder / "findings.parquet").names)


def other_cause(stood: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Why findings change whose facts did not: the policy (or the program that reads it), else the date."""
    if stood["policy"] != manifest["policy"]:
        return "policy"
    return "time" if stood["as_of"] != manifest["as_of"] else "policy"


def facts_decide(before: Path, manifest: Mapping[str, Any]) -> bool:
    """Whether two runs can differ only where facts do: policy, date, program and the facts on record are the same."""
    stood = _manifest(before)
    return all(stood.get(name) == manifest[name] for name in ("policy", "as_of", "program", "known"))


def _cause(stood: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Facts before policy before time: what is told is the nearest cause that is certain."""
    other = other_cause(stood, manifest)
    return f"CASE WHEN had_ IS NULL THEN 'first' WHEN moved_ THEN 'facts' ELSE '{other}' END"


def _changed(name: str, kind: str, new: str, old: str, cause: str) -> str:
    silent = f"AND NOT (had_ IS NULL AND {new} IS NOT DISTINCT FROM FALSE)" if kind in SILENT_WHEN_FALSE else ""
    return (
        f"SELECT {KEY}, {quoted(kind)} AS kind, {quoted(name)} AS key, CAST({old} AS VARCHAR) AS old, "
        f"CAST({new} AS VARCHAR) AS new, {cause} AS cause FROM pairs WHERE {new} IS DISTINCT FROM {old} {silent}"
    )


def _vanished(
    connection: Any, manifest: Mapping[str, Any], names: Sequence[str], kinds: Mapping[str, str], gone: Sequence[str]
) -> list[str]:
    """What stood of customers who are there no more."""
    if manifest["whole"]:
        connection.execute(f"CREATE TABLE lost AS SELECT s.* FROM stood s ANTI JOIN fresh f ON f.{KEY} = s.{KEY}")
    else:
        connection.register("gone_", pa.table({KEY: pa.array(list(gone), pa.string())}))
        connection.execute(f"CREATE TABLE lost AS SELECT s.* FROM stood s SEMI JOIN gone_ g ON g.{KEY} = s.{KEY}")
    return _vanished_parts(names, kinds)


def _vanished_parts(names: Sequence[str], kinds: Mapping[str, str]) -> list[str]:
    return [
        f"SELECT {KEY}, {quoted(kinds[name])} AS kind, {quoted(name)} AS key, CAST({name_of(name)} AS VARCHAR) AS old, "
        f"NULL AS new, 'facts' AS cause FROM lost WHERE {name_of(name)} IS NOT NULL"
        for name in names
    ]


def migration(before: Path, after: Path, key: str) -> list[tuple[str, str, int]]:
    """Customers by what a finding said in two runs: (before, after, customers).

    `absent` is a customer who is not in a run, `unknown` one of whom it could not be said. Rows add up to the
    customers of the first run, columns to those of the second.
    """
    sides = [
        pq.read_table(Path(one) / "findings.parquet", columns=[KEY, key], read_dictionary=[key]).combine_chunks()
        for one in (before, after)
    ]
    keys = [side.column(KEY) for side in sides]
    if keys[0].equals(keys[1]):
        return _counted([_said_of(side.column(key)) for side in sides])
    return _counted_by_key(sides, key)


def _said_of(column: Any) -> tuple[Any, list[str]]:
    """A column as numbers of words, and the words."""
    text = column if pa.types.is_dictionary(column.type) else column.cast(pa.string()).dictionary_encode()
    chunk = text.chunk(0) if isinstance(text, pa.ChunkedArray) else text
    words = [*chunk.dictionary.to_pylist(), "unknown"]
    return pc.fill_null(chunk.indices, len(words) - 1).to_numpy(), words


def _counted(sides: list[tuple[Any, list[str]]]) -> list[tuple[str, str, int]]:
    (old, old_words), (new, new_words) = sides
    counts = np.bincount(old.astype(np.int64) * len(new_words) + new, minlength=len(old_words) * len(new_words))
    pairs = [divmod(int(at), len(new_words)) for at in np.flatnonzero(counts)]
    found = [(old_words[a], new_words[b], int(counts[a * len(new_words) + b])) for a, b in pairs]
    return sorted(found)


def _counted_by_key(sides: list[Any], key: str) -> list[tuple[str, str, int]]:
    said = ", ".join(
        f"CASE WHEN {side}.{KEY} IS NULL THEN 'absent' "
        f"ELSE COALESCE(CAST({side}.v AS VARCHAR), 'unknown') END AS {name}"
        for side, name in (("b", "before"), ("a", "after"))
    )
    with connect() as connection:
        for name, side in zip(("b_", "a_"), sides, strict=True):
            plain = side.column(key)
            connection.register(name, pa.table({KEY: side.column(KEY), "v": plain.cast(plain.type.value_type)
                                if pa.types.is_dictionary(plain.type) else plain}))  # fmt: skip
        rows = connection.execute(
            f"SELECT before, after, count(*) FROM (SELECT {said} FROM b_ b FULL JOIN a_ a ON a.{KEY} = b.{KEY}) "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    return [(str(old), str(new), int(count)) for old, new, count in rows]
