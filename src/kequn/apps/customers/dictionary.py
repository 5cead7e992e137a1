"""The fact dictionary as the records need it: which facts a grain has, their labels, units and bounds.

The rows are those of the pack's facts.yaml and sheets.yaml; nothing is retyped here.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

import kequn.policy
from kequn.policy import load_pack
from kequn.policy.planning import build_plan
from kequn.policy.words import words_of

MONEY = "CNY"


@dataclass(frozen=True, slots=True)
class Entry:
    """One column that may be handed in: a fact, or a key of a sheet."""

    name: str
    type: str
    zh: str
    en: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    outcome: bool = False
    source: str = "person"
    required: bool = False

    @property
    def is_money(self) -> bool:
        return self.type == "number" and self.unit == MONEY

    def label(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One sheet of the import workbook: its labels, its keys, and the grain whose facts follow them."""

    name: str
    zh: str
    en: str
    grain: str
    keys: tuple[Entry, ...]


def _entry(row: dict[str, Any]) -> Entry:
    kept = {key: row[key] for key in Entry.__dataclass_fields__ if key in row}
    kept["choices"] = tuple(str(one) for one in row.get("choices", ()))
    return Entry(**kept)


def pack_folder() -> Path:
    named = Path(settings.KEQUN_PACK)
    return named if named.is_dir() else Path(kequn.policy.__path__[0]) / "packs" / settings.KEQUN_PACK


@cache
def _document(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((pack_folder() / f"{name}.yaml").read_text(encoding="utf-8")))


@cache
def entries(grain: str) -> tuple[Entry, ...]:
    """All facts of a grain in the order of the dictionary."""
    return tuple(_entry(row) for row in _document("facts").get(grain, ()))


def handed_in(grain: str) -> tuple[Entry, ...]:
    """The facts of a grain that a person hands in; what is known only afterwards stands apart."""
    return tuple(one for one in entries(grain) if one.source == "person")


@cache
def by_name(grain: str) -> dict[str, Entry]:
    return {one.name: one for one in entries(grain)}


@cache
def derived() -> tuple[Entry, ...]:
    """Ratios that policy derives and that somebody may supply instead; formula before supply, where both are known."""
    plan = build_plan(load_pack(settings.KEQUN_PACK), dt.date.max)
    return tuple(
        Entry(one.name, "number", one.zh, one.en, one.unit, source="derived")
        for one in plan.definitions
        if one.kind == "derived" and one.type.value == "number" and one.output
    )


@cache
def sheet_entries() -> dict[str, SheetEntry]:
    return {
        name: SheetEntry(name, row["zh"], row["en"], row.get("grain", ""), tuple(_entry(key) for key in row["keys"]))
        for name, row in _document("sheets")["sheets"].items()
    }


def said(entry: Entry, choice: str, lang: str) -> str:
    """How a choice is said in a language; the code itself where the pack has no word for it."""
    text = words_of(load_pack(settings.KEQUN_PACK)).of(entry.name, choice)
    return text.zh if lang == "zh" else text.en
