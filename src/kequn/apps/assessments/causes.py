"""Why findings changed, told as closely as it can be known.

The engine tells facts from everything else. Here the rest is told apart: a reference table that says something else
(`reference`), a definition that was changed (`policy`), the passing of time (`time`); and of facts those that put right
what was known of a date already judged (`correction`).
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kequn.domain.definitions import Plan
from kequn.domain.rules.tree import facts_in
from kequn.policy import Pack
from kequn.policy.items import Item
from kequn.policy.planning import with_constants

FILE = "definitions.json"


def definition_digests(pack: Pack, plan: Plan, as_of: date) -> dict[str, str]:
    """A number for each definition and all it rests on, as policy wrote them: days passing do not change it."""
    items = {one.name: one for one in pack.items(as_of)}
    constants = {one.name: one.constant for one in items.values() if one.constant is not None}
    found: dict[str, str] = {}
    for one in plan.definitions:  # each comes after what it reads
        said = [_wording(items[one.name], constants) if one.name in items else one.name]
        said += [found[ref.name] for ref in facts_in(one.expr) if ref.name in found]
        found[one.name] = hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]
    return found


def _wording(item: Item, constants: dict[str, float]) -> str:
    table = json.dumps(item.table, sort_keys=True, default=str) if item.table is not None else ""
    return f"{with_constants(item.rule, constants)}\0{table}\0{item.column}\0{item.unknown_means}"


def keep(folder: Path, pack: Pack, plan: Plan, as_of: date) -> None:
    """Beside the results of a run: what its definitions were."""
    (folder / FILE).write_text(json.dumps(definition_digests(pack, plan, as_of), indent=0), encoding="utf-8")


def told_apart(
    con: duckdb.DuckDBPyConnection, *, plan: Plan, results: Path, previous: Path | None, same_date: bool
) -> str:
    """SQL of the view `changes` with the causes of the engine told apart. Registers what it reads."""
    con.register("rests_on", _rests_on_lookups(plan))
    con.register("rewritten", _rewritten(results, previous))
    facts = "correction" if same_date else "facts"
    policy = "policy" if same_date else "time"
    moved = """SELECT 1 FROM rests_on r JOIN changes d ON d.key = r.dimension
        WHERE r.key = c.key AND d.customer_id = c.customer_id AND d.cause IN ('policy', 'time')"""
    return f"""SELECT c.* REPLACE (CASE
        WHEN c.cause = 'facts' THEN '{facts}'
        WHEN c.cause IN ('policy', 'time') AND EXISTS ({moved}) THEN 'reference'
        WHEN c.cause = 'policy' AND c.key NOT IN (SELECT key FROM rewritten) THEN '{policy}'
        ELSE c.cause END AS cause) FROM changes c"""


def _rests_on_lookups(plan: Plan) -> pa.Table:
    """For each finding the looked-up classes that it rests on, itself included."""
    classes = {name for lookup in plan.lookups for name in lookup.dimensions}
    reads: dict[str, set[str]] = {name: {name} for name in classes}
    for one in plan.definitions:
        reads[one.name] = set().union(*(reads.get(ref.name, set()) for ref in facts_in(one.expr)))
    pairs = sorted((key, dimension) for key, found in reads.items() for dimension in found)
    return pa.table(
        {
            "key": pa.array([one for one, _ in pairs], pa.string()),
            "dimension": pa.array([two for _, two in pairs], pa.string()),
        }
    )


def _rewritten(results: Path, previous: Path | None) -> pa.Table:
    """The findings whose definition, or one it rests on, differs from that of the run before."""
    now, before = kept(results), kept(previous)
    names = sorted(name for name, digest in now.items() if before.get(name) != digest)
    return pa.table({"key": pa.array(names, pa.string())})


def kept(folder: Path | None) -> dict[str, Any]:
    """What the definitions of a run were; nothing where it was not kept."""
    if folder is None or not (folder / FILE).is_file():
        return {}
    found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return found
