"""What a column of somebody else's file may be: by name, label or synonym. Only a suggestion."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from kequn.apps.ingest.layout import SHEET_ORDER, sheet_columns_of
from kequn.apps.ingest.units import split_header, unit_of
from kequn.policy import load_pack

NEAR = 0.72  # how alike two words must be


@dataclass(frozen=True, slots=True)
class Suggestion:
    header: str
    target: str = ""
    unit: str = ""
    how: str = ""  # label, synonym, alike


def _plain(word: str) -> str:
    return re.sub(r"[\s_\-./（）()]+", "", unicodedata.normalize("NFKC", word)).casefold()


@lru_cache(maxsize=32)
def _words(pack: str, kind: str) -> dict[str, tuple[str, str]]:
    """Every word for the columns of a kind of sheet: the column, and whether it is a label or a synonym."""
    columns = sheet_columns_of(kind)
    found: dict[str, tuple[str, str]] = {}
    for document in load_pack(pack).documents(timezone.localdate()):
        for name, words in document.body.get("synonyms", {}).items():
            if name in columns:
                found.update({_plain(str(word)): (name, "synonym") for word in words})
    for name, column in columns.items():
        found.update({_plain(word): (name, "label") for word in (name, column.zh, column.en)})
    return found


def suggest(kind: str, header: Sequence[str]) -> list[Suggestion]:
    """One suggestion for each column; a target is suggested once, to the column that fits it best."""
    words = _words(settings.KEQUN_PACK, kind)
    ranked: list[tuple[int, int, str, str, str]] = []
    for at, text in enumerate(header):
        label, stated = split_header(text.rpartition(" / ")[2])
        plain = _plain(label)
        unit = stated if unit_of(stated) else ""
        if plain in words:
            target, how = words[plain]
            ranked.append((0 if how == "label" else 1, at, target, unit, how))
        elif near := difflib.get_close_matches(plain, words, n=1, cutoff=NEAR):
            ranked.append((2, at, words[near[0]][0], unit, "alike"))
    taken: dict[str, int] = {}
    chosen: dict[int, Suggestion] = {}
    for _, at, target, unit, how in sorted(ranked):
        if target not in taken:
            taken[target] = at
            chosen[at] = Suggestion(header[at], target, unit, how)
    return [chosen.get(at, Suggestion(text)) for at, text in enumerate(header)]


def likely_kind(header: Sequence[str]) -> str:
    """The kind of sheet whose words fit this header best; customers where none does."""
    marks = {
        kind: sum(bool(one.target) - 0.4 * (one.how == "alike") for one in suggest(kind, header))
        for kind in SHEET_ORDER
    }
    return max(SHEET_ORDER, key=lambda kind: marks[kind])
