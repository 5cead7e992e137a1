"""A pack with the documents that were published since: one policy, with one digest over both.

Each published version of a segment, or of its strategy, stands for it from the day on which it takes effect; before
that day, and for every other segment, what the pack's file says stands. So whoever reads a pack reads an amended one
in the same way, and there is one way only from policy to plan.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from kequn.policy.documents import Document, in_force
from kequn.policy.pack import Pack

SEGMENTS, STRATEGIES = "segments", "segment_strategies"
EARLIEST = date(1900, 1, 1)
_MOST = 16


@dataclass(frozen=True, slots=True)
class Amendment:
    """One published version of a segment or its strategy.

    `row` is the canonical JSON of what the file would hold; a version that retires it holds none.
    """

    key: str
    number: int
    effective_from: date
    digest: str
    row: str | None
    document: str = SEGMENTS


def amended(pack: Pack, amendments: Iterable[Amendment]) -> Pack:
    """The pack with these versions in it; the pack itself where there are none."""
    ordered = tuple(sorted(amendments, key=lambda one: (one.effective_from, one.number, one.key)))
    return _amended(pack, ordered) if ordered else pack


@lru_cache(maxsize=_MOST)
def _amended(pack: Pack, ordered: tuple[Amendment, ...]) -> Pack:
    editions = dict(pack.editions)
    for document in (SEGMENTS, STRATEGIES):
        those = [one for one in ordered if one.document == document]
        if those and document in editions:
            editions[document] = _editions(editions[document], those)
    return replace(pack, digest=_digest(pack, ordered), editions=editions)


def _editions(editions: Sequence[Document], ordered: Sequence[Amendment]) -> tuple[Document, ...]:
    """One more edition for each day on which a version takes effect."""
    begun = {one.heading.in_force for one in editions}
    days = sorted(begun | {one.effective_from for one in ordered})
    if days[0] < min(begun):
        days = [EARLIEST, *days]  # before the first edition the first is read, and nothing that came later
    return tuple(_edition(editions, ordered, day) for day in days)


def _edition(editions: Sequence[Document], ordered: Sequence[Amendment], day: date) -> Document:
    """The document as it stands from one day on."""
    chosen = in_force(editions, day)
    base = chosen if isinstance(chosen, Document) else min(editions, key=lambda one: one.heading.in_force)
    is_strategy = base.key == STRATEGIES
    listed = base.body[STRATEGIES]["rows"] if is_strategy else base.body.get(SEGMENTS, ())
    rows = {str(row.get("segment" if is_strategy else "name", "")): row for row in listed}
    for one in ordered:
        if one.effective_from > day:
            break
        if one.row is None:
            rows.pop(one.key, None)
        else:
            rows[one.key] = json.loads(one.row)
    made: Any = list(rows.values())
    if is_strategy:
        made = {**base.body[STRATEGIES], "rows": made}
    return Document(base.key, replace(base.heading, in_force=day), {**base.body, base.key: made})


def _digest(pack: Pack, ordered: Sequence[Amendment]) -> str:
    whole = hashlib.sha256(pack.digest.encode())
    for one in ordered:
        key = one.key if one.document == SEGMENTS else f"{one.document} {one.key}"
        whole.update(f"\0{key}\0{one.number}\0{one.effective_from}\0{one.digest}".encode())
    return whole.hexdigest()
