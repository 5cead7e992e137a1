"""A pack with the documents that were published since: one policy, with one digest over both.

Each published version of a segment stands for its segment from the day on which it takes effect; before that day, and
for every other segment, what the pack's file says stands. So whoever reads a pack reads an amended one in the same way,
and there is one way only from policy to plan.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from kequn.policy.documents import Document, in_force
from kequn.policy.pack import Pack

SEGMENTS = "segments"
EARLIEST = date(1900, 1, 1)
_MOST = 16


@dataclass(frozen=True, slots=True)
class Amendment:
    """One published version of a segment. `row` is what the file would hold; a version that retires it holds none."""

    key: str
    number: int
    effective_from: date
    digest: str
    row: tuple[tuple[str, str], ...] | None


def amended(pack: Pack, amendments: Iterable[Amendment]) -> Pack:
    """The pack with these versions in it; the pack itself where there are none."""
    ordered = tuple(sorted(amendments, key=lambda one: (one.effective_from, one.number, one.key)))
    return _amended(pack, ordered) if ordered else pack


@lru_cache(maxsize=_MOST)
def _amended(pack: Pack, ordered: tuple[Amendment, ...]) -> Pack:
    editions = pack.editions[SEGMENTS]
    begun = {one.heading.in_force for one in editions}
    first = min(begun)
    days = sorted(begun | {one.effective_from for one in ordered})
    if days[0] < first:
        days = [EARLIEST, *days]  # before the first edition the first is read, and nothing that came later
    made = tuple(_edition(editions, ordered, day) for day in days)
    return replace(pack, digest=_digest(pack, ordered), editions={**pack.editions, SEGMENTS: made})


def _edition(editions: Sequence[Document], ordered: Sequence[Amendment], day: date) -> Document:
    """The document of segments as it stands from one day on."""
    chosen = in_force(editions, day)
    base = chosen if isinstance(chosen, Document) else min(editions, key=lambda one: one.heading.in_force)
    rows: dict[str, Mapping[str, Any]] = {str(row.get("name", "")): row for row in base.body.get(SEGMENTS, ())}
    for one in ordered:
        if one.effective_from > day:
            break
        if one.row is None:
            rows.pop(one.key, None)
        else:
            rows[one.key] = dict(one.row)
    heading = replace(base.heading, in_force=day)
    return Document(base.key, heading, {**base.body, SEGMENTS: list(rows.values())})


def _digest(pack: Pack, ordered: Sequence[Amendment]) -> str:
    whole = hashlib.sha256(pack.digest.encode())
    for one in ordered:
        whole.update(f"\0{one.key}\0{one.number}\0{one.effective_from}\0{one.digest}".encode())
    return whole.hexdigest()
