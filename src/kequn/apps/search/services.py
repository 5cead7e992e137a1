"""Keep the index true to the records: inside the transaction that changes them, or anew as a whole."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from django.db import transaction

from kequn.apps.accounts.access import REBUILD_SEARCH, Person, may
from kequn.apps.audit import bulk
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer, Group
from kequn.apps.deals.models import Project
from kequn.apps.search import postings
from kequn.apps.search.models import BLOCK, SHELF, IndexLock, Kind, Posting, Shelf
from kequn.apps.search.tokens import squeezed, tokens_of
from kequn.domain.errors import Misuse, Text

Texts = dict[int, str]  # record number -> its squeezed texts, tab between
SOURCES: dict[int, tuple[Any, tuple[str, ...]]] = {
    Kind.CUSTOMER: (Customer, ("name", "short_name", "code", "uscc")),
    Kind.GROUP: (Group, ("name", "code")),
    Kind.PROJECT: (Project, ("project_name", "project_id")),
}
CHUNK = 5_000


def reindex(*, kind: Kind, numbers: Iterable[int]) -> int:
    """Bring these records in line with the index, in the caller's transaction; the number that had changed.

    A number without a record is taken out. Records whose texts are as before cost a look at them and no more.
    """
    wanted = sorted(set(numbers))
    if not wanted:
        return 0
    with transaction.atomic():
        _lock()
        changed = 0
        for block, some in groupby(wanted, key=lambda number: number // BLOCK):
            changed += _reindex_block(kind, block, list(some))
    return changed


def rebuild(*, person: Person) -> dict[str, int]:
    """Throw the index away and make it anew from the records."""
    if not may(person, REBUILD_SEARCH):
        raise Misuse(Text("没有重建检索的权限", "you may not rebuild the search index"))
    counts = {}
    with line(actor=person.actor_key, action="search.rebuild") as audit:
        _lock()
        Posting.objects.all()._raw_delete("default")  # noqa: SLF001
        Shelf.objects.all()._raw_delete("default")  # noqa: SLF001
        for kind, (model, _) in SOURCES.items():
            numbers = model.objects.order_by("pk").values_list("pk", flat=True)
            counts[Kind(kind).name.lower()] = reindex(kind=Kind(kind), numbers=numbers)
        audit.detail.update(counts)
    return counts


def _lock() -> None:
    IndexLock.objects.get_or_create(id=1)
    IndexLock.objects.select_for_update().get(id=1)


def _reindex_block(kind: Kind, block: int, numbers: list[int]) -> int:
    new = _texts(kind, numbers)
    old = _shelved(kind, numbers)
    changed = [one for one in numbers if new.get(one) != old.get(one)]
    if changed:
        _shelve(kind, {one: new.get(one, "") for one in changed})
        first = block * BLOCK
        before, after = (
            [(one - first, some[one].split("\t")) for one in changed if one in some] for some in (old, new)
        )
        postings.change(kind=kind, block=block, old=tokens_of(before), new=tokens_of(after))
    return len(changed)


def _texts(kind: Kind, numbers: list[int]) -> Texts:
    model, columns = SOURCES[kind]
    found: Texts = {}
    for start in range(0, len(numbers), CHUNK):
        rows = model.objects.filter(pk__in=numbers[start : start + CHUNK]).order_by()
        for pk, *said in rows.values_list("pk", *columns):
            found[pk] = "\t".join(dict.fromkeys(some for one in said if one and (some := squeezed(one))))
    return found


# --- the shelves --------------------------------------------------------------------------------------------


def _shelves(kind: Kind, numbers: Iterable[int]) -> Iterator[tuple[int, int, Texts]]:
    """The shelves on which these numbers stand: row, number, texts."""
    wanted = sorted({one // SHELF for one in numbers})
    for start in range(0, len(wanted), CHUNK):
        rows = Shelf.objects.filter(kind=kind, number__in=wanted[start : start + CHUNK])
        for pk, number, lines in rows.values_list("pk", "number", "lines"):
            yield pk, number, read_lines(number, lines)


def read_lines(number: int, lines: str) -> Texts:
    """The texts on a shelf by record number."""
    return {number * SHELF + place: texts for place, texts in enumerate(lines.split("\n")) if texts}


def written_lines(number: int, texts: Texts) -> str:
    return "\n".join(texts.get(one, "") for one in range(number * SHELF, (number + 1) * SHELF)).rstrip("\n")


def _shelved(kind: Kind, numbers: list[int]) -> Texts:
    wanted, found = set(numbers), {}
    for _, _, texts in _shelves(kind, numbers):
        found.update((one, said) for one, said in texts.items() if one in wanted)
    return found


def _shelve(kind: Kind, texts: Texts) -> None:
    """Put the texts on their shelves; an empty one is taken off."""
    there = {number: (pk, some) for pk, number, some in _shelves(kind, texts)}
    fresh, written, emptied = [], [], []
    for number, some in groupby(sorted(texts), key=lambda one: one // SHELF):
        pk, held = there.get(number, (None, {}))
        kept = held | {one: texts[one] for one in some}
        lines = written_lines(number, kept)
        if pk is None:
            fresh.append((int(kind), number, lines))
        elif lines:
            written.append((lines, pk))
        else:
            emptied.append(pk)
    bulk.insert(Shelf, ("kind", "number", "lines"), fresh)
    bulk.update(Shelf, ("lines",), written)
    bulk.delete(Shelf, emptied)
