"""A base made out of the one before: only customers whose facts moved are laid out again.

It holds where day and policy are the same; what depends on time moves with the day, and a new day lays out all.
"""

import json
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.definitions import Plan
from kequn.domain.facts import CHILD_GRAINS, Grain
from kequn.engine.backends import connect
from kequn.engine.base import Reading, build_base, read_meta
from kequn.engine.digests import DIGEST, customer_digests, row_digests
from kequn.engine.snapshot import KEY, RANGE, Snapshot

MOST_CHANGED = 0.3  # of the book; to replace more than that costs as much as to build the base


def refresh_base(snapshot_dir: Path, plan: Plan, as_of: date, base_path: Path, *, earlier: Path) -> int | None:
    """Make the base of a snapshot from an earlier base of the same policy; how many customers were laid out again.

    None where the earlier base is of another day, knows other facts, or differs in too much: then all were.
    """
    snapshot = Snapshot(Path(snapshot_dir))
    changed = _changed(snapshot, as_of, Path(earlier))
    if changed is None:
        build_base(snapshot_dir, plan, as_of, base_path)
        return None
    fresh = Path(base_path).with_name(Path(base_path).name + ".fresh")
    shutil.copyfile(earlier, fresh)
    build_base(snapshot_dir, plan, as_of, fresh, changed=changed)
    with connect(fresh) as connection:
        document = read_meta(connection) | {"snapshot": snapshot.manifest.get("digest", "")}
        connection.execute("UPDATE meta SET document = ?", [json.dumps(document, ensure_ascii=False)])
    fresh.replace(base_path)
    return len(changed)


def _changed(snapshot: Snapshot, as_of: date, earlier: Path) -> list[str] | None:
    """Who is new, gone, or known otherwise than in the earlier base; None where they cannot be told apart."""
    with connect(earlier, read_only=True) as connection:
        meta = read_meta(connection)
        stood = connection.sql(f"SELECT {KEY}, {DIGEST} FROM base").to_arrow_table()
    known = sorted([grain.value, name] for grain, names in snapshot.columns.items() for name in names)
    if meta["as_of"] != as_of.isoformat() or meta["known"] != known:
        return None
    keys, before = stood.column(KEY).combine_chunks(), stood.column(DIGEST).to_numpy()
    place = pc.fill_null(pc.index_in(snapshot.ids, value_set=keys), -1).to_numpy()
    same = np.zeros(len(place), dtype=bool)
    there = place >= 0
    same[there] = before[place[there]] == digests_of(snapshot)[there]
    gone = keys.filter(pc.invert(pc.is_in(keys, value_set=snapshot.ids)))
    changed = [*_words(snapshot.ids.filter(pa.array(~same))), *_words(gone)]
    return changed if len(changed) <= MOST_CHANGED * max(len(keys), 1) else None


def _words(keys: Any) -> Iterable[str]:
    return (str(one) for one in keys.to_pylist())


def digests_of(snapshot: Snapshot) -> Any:
    """The number for all that is known of each customer of a snapshot, in its order."""
    customers = snapshot.customers()
    found = row_digests(customers, "customers")
    for grain in CHILD_GRAINS:
        if grain in snapshot.columns:
            table, owner = snapshot.sorted_table(grain)
            found += customer_digests(row_digests(table, grain), owner, customers.num_rows)
    for grain in (Grain.STATEMENT, Grain.ACCOUNT_MONTH):
        reading = Reading(snapshot, grain)
        for low in range(0, customers.num_rows, RANGE):
            count = min(RANGE, customers.num_rows - low)
            reading.rows(low, count, (), found[low : low + count])
    return found
