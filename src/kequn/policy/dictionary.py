"""The fact dictionary of a pack: facts for rules, and what else a column must keep (bounds, age, keys of sheets)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from kequn.domain.errors import KequnError, Place, Text
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.monitoring.staleness import AgeLimit
from kequn.policy.documents import Complaints, Document, label_of

Counting = Literal["days_from", "years_from", "days_until"]
_ROW_KEYS = {
    "name",
    "type",
    "zh",
    "en",
    "unit",
    "source",
    "minimum",
    "maximum",
    "choices",
    "flow",
    "combine",
    "dated_by",
    "max_age_days",
    "outcome",
    "status",
    "days_from",
    "years_from",
    "days_until",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest value that can be believed."""

    minimum: float = -math.inf
    maximum: float = math.inf


@dataclass(frozen=True, slots=True)
class Counted:
    """A machine fact counted at the as-of date from another date of the same row."""

    fact: Fact
    how: Counting
    date_column: str


@dataclass(frozen=True, slots=True)
class Column:
    """A key column of a sheet: it identifies or relates rows and is no fact of rules."""

    name: str
    type: FactType
    label: Text
    unit: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    bounds: Bounds = Bounds()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One row shape of the import: its keys, then the facts of its grain that a person supplies."""

    name: str
    label: Text
    file: str
    grain: Grain | None
    keys: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All facts of a pack and the sheets in which they come."""

    vocabulary: Vocabulary
    bounds: Mapping[str, Bounds]
    age_limits: tuple[AgeLimit, ...]
    counted: tuple[Counted, ...]
    sheets: tuple[Sheet, ...]

    def sheet(self, name: str) -> Sheet:
        return next(sheet for sheet in self.sheets if sheet.name == name)

    def columns(self, sheet: Sheet) -> tuple[Column | Fact, ...]:
        """What a person fills in on a sheet: keys first, then facts in the order of the dictionary."""
        if sheet.grain is None:
            return sheet.keys
        facts = (fact for fact in self.vocabulary.of_grain(sheet.grain) if fact.source == "person")
        return (*sheet.keys, *facts)


def count_at(counted: Counted, from_date: date, as_of: date) -> float:
    """Days or years between a date of the row and the as-of date; a year counts 365.25 days.

    >>> fact = Fact("event_age_days", Grain.EVENT, FactType.NUMBER)
    >>> count_at(Counted(fact, "days_from", "event_date"), date(2026, 1, 1), date(2026, 1, 31))
    30.0
    """
    days = (as_of - from_date).days
    if counted.how == "days_until":
        return float(-days)
    return days / 365.25 if counted.how == "years_from" else float(days)


def read_dictionary(facts: Document, sheets: Document, complaints: Complaints) -> Dictionary:
    found: list[Fact] = []
    bounds: dict[str, Bounds] = {}
    limits: list[AgeLimit] = []
    counted: list[Counted] = []
    for grain in Grain:
        for number, row in enumerate(facts.body.get(grain.value, ()), start=1):
            place = Place(facts.heading.file, grain.value, number, str(row.get("name", "")))
            fact = _fact(row, grain, place, complaints)
            if fact is None:
                continue
            found.append(fact)
            bounds[fact.name] = _bounds(row)
            if fact.max_age_days is not None:
                limits.append(AgeLimit(fact.name, str(row.get("dated_by", "")), fact.max_age_days))
            counted.extend(Counted(fact, how, str(row[how])) for how in get_args(Counting) if how in row)
    try:
        vocabulary = Vocabulary(found)
    except KequnError as error:
        complaints.add(Place(facts.heading.file), "label", error.text.zh, error.text.en)
        vocabulary = Vocabulary(())
    shapes = tuple(_sheet(name, row, sheets, complaints) for name, row in sheets.body.get("sheets", {}).items())
    return Dictionary(vocabulary, bounds, tuple(limits), tuple(counted), shapes)


def _fact(row: Mapping[str, Any], grain: Grain, place: Place, complaints: Complaints) -> Fact | None:
    label = label_of(row, place, complaints)
    for key in row.keys() - _ROW_KEYS:
        complaints.add(place, "key", "不认识的键", "unknown key", found=key, allowed=" ".join(sorted(_ROW_KEYS)))
    try:
        kind = FactType(row.get("type", ""))
    except ValueError:
        complaints.add(place, "type", "类型不对", "unknown type", found=row.get("type"), allowed=" ".join(FactType))
        return None
    return Fact(
        name=str(row.get("name", "")),
        grain=grain,
        type=kind,
        zh=label.zh,
        en=label.en,
        unit=str(row.get("unit", "")),
        source=row.get("source", "person"),
        max_age_days=row.get("max_age_days"),
        choices=tuple(row.get("choices", ())),
        flow=bool(row.get("flow", False)),
        combine=row.get("combine", ""),
        outcome=bool(row.get("outcome", False)),
        status=row.get("status", "memory"),
    )


def _bounds(row: Mapping[str, Any]) -> Bounds:
    return Bounds(float(row.get("minimum", -math.inf)), float(row.get("maximum", math.inf)))


def _sheet(name: str, row: Mapping[str, Any], document: Document, complaints: Complaints) -> Sheet:
    place = Place(document.heading.file, name)
    keys = []
    for key in row.get("keys", ()):
        label = label_of(key, place, complaints)
        choices = tuple(str(choice) for choice in key.get("choices", ()))
        keys.append(
            Column(
                key["name"],
                FactType(key["type"]),
                label,
                str(key.get("unit", "")),
                choices,
                bool(key.get("required", False)),
                _bounds(key),
            )
        )
    grain = Grain(row["grain"]) if "grain" in row else None
    return Sheet(name, label_of(row, place, complaints), str(row.get("file", name)), grain, tuple(keys))
