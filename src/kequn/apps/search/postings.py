"""The packed members of a token: a sorted array of 16-bit places, or a bitmap of the block where that is smaller."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from kequn.apps.audit import bulk
from kequn.apps.search.models import BLOCK, Posting
from kequn.apps.search.tokens import PLACE_BITS, Numbers

BITMAP = BLOCK // 8
READ_WHOLE = 20_000  # beyond so many tokens a block is read as a whole
CHUNK = 5_000
Places = NDArray[np.uint16]
Mask = NDArray[np.bool_]


def packed(places: Places) -> bytes:
    if len(places) * 2 < BITMAP:
        return places.astype("<u2").tobytes()
    bits = np.zeros(BLOCK, np.bool_)
    bits[places] = True
    return np.packbits(bits, bitorder="little").tobytes()


def unpacked(members: bytes | memoryview) -> Places:
    if len(members) < BITMAP:
        return np.frombuffer(members, "<u2")
    return np.flatnonzero(np.unpackbits(np.frombuffer(members, np.uint8), bitorder="little")).astype(np.uint16)


def put(mask: Mask, block: int, members: bytes | memoryview) -> None:
    """Mark the members of one posting in a mask of all records."""
    part = mask[block * BLOCK : (block + 1) * BLOCK]
    if len(members) < BITMAP:
        part[np.frombuffer(members, "<u2")] = True
    else:
        part |= np.unpackbits(np.frombuffer(members, np.uint8), bitorder="little").view(np.bool_)


def without(some: Numbers, others: Numbers) -> Numbers:
    """What of one sorted array is not in another sorted array."""
    if not len(others):
        return some
    at = np.minimum(np.searchsorted(others, some), len(others) - 1)
    return some[others[at] != some]


def _grouped(tokens: Numbers) -> dict[int, Places]:
    """Sorted `token << 16 | place` numbers as places by token."""
    keys = tokens >> PLACE_BITS
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    parts = np.split((tokens & (BLOCK - 1)).astype(np.uint16), starts[1:])
    return dict(zip(keys[starts].tolist(), parts, strict=False))


def change(*, kind: int, block: int, old: Numbers, new: Numbers) -> int:
    """Take the old tokens of some records of a block out and put the new ones in; the number of postings written."""
    added, gone = _grouped(without(new, old)), _grouped(without(old, new))
    touched = added.keys() | gone.keys()
    nothing = np.zeros(0, np.uint16)
    written: list[tuple[bytes, int]] = []
    emptied: list[int] = []
    for number, token, members in _stored(kind, block, touched):
        if token not in touched:
            continue
        touched.discard(token)
        kept = np.setdiff1d(unpacked(members), gone.get(token, nothing), assume_unique=True)
        places = np.union1d(kept, added[token]) if token in added else kept
        if len(places):
            written.append((packed(places), number))
        else:
            emptied.append(number)
    fresh = [(kind, token, block, packed(added[token])) for token in sorted(touched) if token in added]
    bulk.update(Posting, ("members",), written)
    bulk.delete(Posting, emptied)
    bulk.insert(Posting, ("kind", "token", "block", "members"), fresh)
    return len(written) + len(emptied) + len(fresh)


def _stored(kind: int, block: int, tokens: Iterable[int]) -> Iterator[tuple[int, int, bytes]]:
    rows = Posting.objects.filter(kind=kind, block=block)
    columns = ("id", "token", "members")
    wanted = sorted(tokens)
    if len(wanted) > READ_WHOLE:
        yield from list(rows.values_list(*columns))
        return
    for start in range(0, len(wanted), CHUNK):
        yield from list(rows.filter(token__in=wanted[start : start + CHUNK]).values_list(*columns))
