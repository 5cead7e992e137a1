"""What the documents of a pack define, before it is read: each item has a name, a kind, a type and a text or a table.

A document may hold `constants` (named numbers), `definitions` (formulas), `tables` (decision tables), `segments`,
`signals`, `prices` and one `scorecard`. All of them become items of one shape, so that one planner orders them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from kequn.domain.definitions import Kind
from kequn.domain.errors import Place, Text
from kequn.domain.facts import Fact, FactType, Grain
from kequn.domain.monitoring.levels import Level
from kequn.policy.documents import Complaints, Document, label_of
from kequn.policy.scorecards import scorecard_parts
from kequn.policy.tables import declared_outputs

UnknownMeans = Literal["out", "in", "list"]
ROW = -1  # the column of a table's row number
KINDS: tuple[str, ...] = get_args(Kind)
LISTS: Mapping[str, tuple[str, str]] = {  # list of a document -> kind and type of its items
    "definitions": ("derived", "number"),
    "segments": ("segment", "boolean"),
    "signals": ("signal", "boolean"),
    "prices": ("price", "number"),
}
BODY_KEYS = {
    "synonyms",
    *LISTS,
    "constants",
    "tables",
    "scorecard",
    "profiles",
    "causes",
    "approvals",
    "segment_strategies",
    "discovery",
    "rating",
    "statement_forms",
}
ITEM_KEYS = {
    "name",
    "zh",
    "en",
    "kind",
    "type",
    "unit",
    "grain",
    "rule",
    "formula",
    "output",
    "unknown",
    "level",
    "cause",
    "dimension",
    "note",
    "source",
    "choices",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a pack defines. `rule` is its text; `table` and `column` where it is an output of a decision table."""

    name: str
    kind: Kind
    type: FactType
    grain: Grain
    label: Text
    place: Place
    document: str
    unit: str = ""
    rule: str = ""
    table: Mapping[str, Any] | None = None
    column: int = 0
    constant: float | None = None
    output: bool = True
    unknown_means: UnknownMeans = "out"
    level: Level | None = None
    cause: str = ""
    dimension: str = ""
    note: str = ""
    choices: tuple[str, ...] = ()

    def fact(self) -> Fact:
        """The item as a word of the vocabulary, so that other rules may read it."""
        return Fact(
            self.name,
            self.grain,
            self.type,
            self.label.zh,
            self.label.en,
            self.unit,
            "derived",
            choices=self.choices,
            status="verified",
        )


def items_of(document: Document, complaints: Complaints) -> Iterator[Item]:
    body = document.body
    for key in body.keys() - BODY_KEYS:
        complaints.add(
            Place(document.heading.file),
            "key",
            "不认识的键",
            "unknown key",
            found=key,
            allowed=" ".join(sorted(BODY_KEYS)),
        )
    yield from _constants(document, complaints)
    scorecard = body.get("scorecard")
    written = scorecard_parts(scorecard, Place(document.heading.file, "scorecard"), complaints) if scorecard else {}
    for table in (*body.get("tables", ()), *written.get("tables", ())):
        yield from _table_items(table, document, complaints)
    for listed in LISTS:
        rows = (*body.get(listed, ()), *written.get(listed, ()))
        for number, row in enumerate(rows, start=1):
            place = Place(document.heading.file, listed, number, str(row.get("name", "")))
            yield _text_item(row, listed, document, place, complaints)


def _constants(document: Document, complaints: Complaints) -> Iterator[Item]:
    for name, row in document.body.get("constants", {}).items():
        place = Place(document.heading.file, "constants", None, name)
        value = row.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float):
            complaints.add(place, "value", "应为数值", "a number is needed", found=value)
            value = 0.0
        yield Item(
            name,
            "derived",
            FactType.NUMBER,
            Grain.CUSTOMER,
            label_of(row, place, complaints),
            place,
            document.key,
            str(row.get("unit", "")),
            constant=float(value),
            output=False,
            note=str(row.get("note", "")),
        )


def _table_items(table: Mapping[str, Any], document: Document, complaints: Complaints) -> Iterator[Item]:
    place = Place(document.heading.file, "tables", None, str(table.get("name", "")))
    kind = _kind(table.get("kind", "derived"), place, complaints)
    grain = Grain(table.get("grain", "customer"))
    outputs = declared_outputs(table, place, complaints)
    if len(outputs) > 1 and table.get("hit") != "collect":
        label = label_of(table, place, complaints)
        name = str(table.get("name", ""))
        yield Item(
            name, "derived", FactType.NUMBER, grain, label, place, document.key, table=table, column=ROW, output=False
        )
    for column, output in enumerate(outputs):
        yield Item(
            output.name,
            kind,
            output.type,
            grain,
            output.label,
            place,
            document.key,
            output.unit,
            table=table,
            column=column,
            output=bool(table.get("output", True)) and grain == Grain.CUSTOMER,
            choices=_outcomes(table, output.name) if output.type == FactType.TEXT else (),
        )


def _outcomes(table: Mapping[str, Any], output: str) -> tuple[str, ...]:
    """Every text that a table may answer for one output, in the order of its rows."""
    thens = [*(row.get("then") for row in table.get("rows", ())), table.get("otherwise")]
    found = [then.get(output) if isinstance(then, Mapping) else then for then in thens]
    return tuple(dict.fromkeys(value for value in found if isinstance(value, str)))


def _text_item(row: Mapping[str, Any], listed: str, document: Document, place: Place, complaints: Complaints) -> Item:
    kind, type_ = LISTS[listed]
    for key in row.keys() - ITEM_KEYS:
        complaints.add(place, "key", "不认识的键", "unknown key", found=key, allowed=" ".join(sorted(ITEM_KEYS)))
    rule = str(row.get("rule", row.get("formula", "")))
    if not rule:
        complaints.add(place, "rule", "缺少规则或公式", "rule or formula is missing")
    unknown = row.get("unknown", "out")
    if unknown not in get_args(UnknownMeans):
        complaints.add(
            place, "unknown", "不认识的未知处理", "unknown meaning of unknown", found=unknown, allowed="out in list"
        )
    grain = Grain(row.get("grain", "customer"))
    return Item(
        name=str(row.get("name", "")),
        kind=_kind(row.get("kind", kind), place, complaints),
        type=FactType(row.get("type", type_)),
        grain=grain,
        label=label_of(row, place, complaints),
        place=place,
        document=document.key,
        unit=str(row.get("unit", "")),
        rule=rule,
        output=bool(row.get("output", True)) and grain == Grain.CUSTOMER,
        unknown_means=cast("UnknownMeans", unknown),
        level=_level(row, kind, place, complaints),
        cause=_cause(row, document, place, complaints),
        dimension=str(row.get("dimension", "")),
        note=str(row.get("note", "")),
        choices=tuple(str(choice) for choice in row.get("choices", ())),
    )


def _kind(found: object, place: Place, complaints: Complaints) -> Kind:
    if found not in KINDS:
        complaints.add(place, "kind", "不认识的种类", "unknown kind", found=found, allowed=" ".join(KINDS))
        return "derived"
    return cast("Kind", found)


def _cause(row: Mapping[str, Any], document: Document, place: Place, complaints: Complaints) -> str:
    cause, causes = str(row.get("cause", "")), document.body.get("causes", {})
    if cause not in causes and (cause or causes):
        complaints.add(place, "cause", "不认识的成因", "unknown cause", found=cause, allowed=" ".join(causes))
    return cause


def _level(row: Mapping[str, Any], kind: str, place: Place, complaints: Complaints) -> Level | None:
    if kind != "signal":
        return None
    found = row.get("level")
    if found not in tuple(Level):
        complaints.add(place, "level", "不认识的预警级别", "unknown level", found=found, allowed=" ".join(Level))
        return None
    return Level(found)
