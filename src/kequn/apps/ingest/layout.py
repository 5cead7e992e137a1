"""How the columns of one sheet become records: from its headers, or from a mapping file.

A layout says for each record of a row which table it goes to and where each value comes from. A column that is
neither used nor declared as ignored refuses the file: nothing is dropped in silence.
"""

import difflib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Literal

from kequn.apps.customers.dictionary import sheet_entries
from kequn.apps.ingest.cells import is_empty, written
from kequn.apps.ingest.framing import Sheet
from kequn.apps.ingest.tables import Column, Table, tables
from kequn.apps.ingest.units import UNIT_CHOICES, AmountUnit, own_units, rate_unit, split_header, unit_of
from kequn.domain.errors import Finding, Place, Text

Repeat = Literal["refuse", "first", "latest"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """Where one value of a record comes from, and how its cell is to be read."""

    target: str
    column: str = ""
    value: object = None  # a constant instead of a column
    prefix: str = ""
    joined: tuple[str, ...] = ()
    separator: str = " "
    ratio: tuple[str, str] | None = None
    missing: frozenset[str] = frozenset()  # cells that mean: not known
    translate: tuple[tuple[str, str], ...] = ()
    others: str | None = None  # what an untranslated cell becomes; without it, it is refused
    otherwise: str = ""  # a column that is read where the first is empty
    pattern: str = ""  # a regular expression; its first filled group is the value, no match is unknown
    lookup: str = ""  # `country`: an English country name becomes its code
    hashed: bool = False  # a short digest of the text instead of the text, for identifiers that are long names
    ordinal: bool = False  # a repeated value in the file gets #2, #3 ...
    form: str = ""  # the form of dates, such as %m/%d/%Y
    factor: Decimal | None = Decimal(1)  # None: each cell carries its own unit
    currency: str = ""  # that the stated unit names
    is_open: bool = False  # a cell may state its own unit
    unit_of_row: bool = False  # the unit stands in the row's own unit column

    def columns(self) -> tuple[str, ...]:
        named = (self.column, self.otherwise, *self.joined, *(self.ratio or ()))
        return tuple(one for one in named if one)


@dataclass(frozen=True, slots=True)
class RecordSpec:
    table: Table
    fields: tuple[FieldSpec, ...]
    only_if: str = ""  # a column that must hold something, else the row gives no such record
    equals: tuple[str, frozenset[str]] | None = None
    repeat: Repeat = "refuse"
    currency: str = ""  # of its amounts, where no column says it

    def field(self, target: str) -> FieldSpec | None:
        return next((one for one in self.fields if one.target == target), None)


@dataclass(frozen=True, slots=True)
class Layout:
    source: str
    records: tuple[RecordSpec, ...]
    order: int = 0  # sheets of customers are taken before the sheets that point at them
    ignored: frozenset[str] = frozenset()
    notes: tuple[Text, ...] = field(default=())


REASON_HEADERS = frozenset({"拒绝原因 Why refused", "原行号 Row"})  # columns that our own result workbook adds
SHEET_ORDER = (
    "customers",
    "groups",
    "contacts",
    "statements",
    "ratings",
    "events",
    "projects",
    "facilities",
    "project_actuals",
    "account_months",
)
SHEET_TABLES: dict[str, tuple[str, ...]] = {
    "customers": ("customers",),
    "groups": ("ownership", "guarantees"),
    "contacts": ("contacts",),
    "statements": ("statements",),
    "ratings": ("ratings",),
    "events": ("events",),
    "projects": ("projects", "parties"),
    "facilities": ("facilities", "outcomes"),
    "project_actuals": ("project_actuals",),
    "account_months": ("account_months",),
}
TELLING = (
    *((f"actual_{one}", "project_actuals") for one in ("cfads", "revenue", "operating_costs")),
    ("period_end", "statements"),
    ("account_id", "account_months"),
    ("facility_id", "facilities"),
    ("project_id", "projects"),
    ("rating_date", "ratings"),
    ("event_date", "events"),
    ("contact_name", "contacts"),
    ("parent_id", "groups"),
    ("name", "customers"),
)


def sheet_kind(name: str, header: tuple[str, ...]) -> str | None:
    """Which sheet of the workbook this is: by its name, else by the column that only such a sheet has."""
    plain = name.strip().casefold()
    for kind, shape in sheet_entries().items():
        if plain in {kind, shape.zh.casefold(), shape.en.casefold()}:
            return kind
    words = {split_header(one)[0].casefold() for one in header}
    for telling, kind in TELLING:
        column = next(
            (tables()[one].columns[telling] for one in SHEET_TABLES[kind] if telling in tables()[one].columns), None
        )
        if column and words & {column.name.casefold(), column.zh.casefold(), column.en.casefold()}:
            return kind
    return None


def _find(columns: dict[str, Column], label: str) -> Column | None:
    plain = _plain(label)
    for one in columns.values():
        if plain in {_plain(one.name), _plain(one.zh), _plain(one.en)}:
            return one
    return None


def _plain(word: str) -> str:
    """A word without regard to case and to the width of its signs."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


@cache
def sheet_columns_of(kind: str) -> dict[str, Column]:
    """Every column that a sheet of this kind may have, by its name."""
    merged: dict[str, Column] = {}
    for name in SHEET_TABLES[kind]:
        merged.update({key: one for key, one in tables()[name].columns.items() if key not in merged})
    return merged


@cache
def _words() -> frozenset[str]:
    every = (one for kind in SHEET_TABLES for one in sheet_columns_of(kind).values())
    return frozenset(_plain(word) for one in every for word in (one.name, one.zh, one.en))


def is_known(text: str) -> bool:
    """Whether a header text is a name or a label of the dictionary, with or without a unit behind it."""
    return _plain(text) in _words() or _plain(split_header(text)[0]) in _words()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one column of a file: which field it is, in which unit, or that it is left out."""

    target: str = ""
    unit: str = ""


Answers = Mapping[str, Answer]


class _Reading:
    """The columns of one sheet on their way to fields; every question that only a person can answer is collected."""

    def __init__(self, kind: str, sheet: Sheet, unit: str, ignored: frozenset[str], answers: Answers) -> None:
        self.sheet, self.unit, self.ignored, self.answers = sheet, unit, ignored, answers
        self.known = sheet_columns_of(kind)
        self.place = Place(sheet.file, sheet.name, sheet.header_row)
        self.findings: list[Finding] = []
        self.fields: dict[str, FieldSpec] = {}
        self.currencies: set[str] = set()
        targets = {found.name for text in sheet.header if (found := self._column(text)[0])}
        self.has_unit_column, self.has_currency = "unit" in targets, "currency" in targets

    def _column(self, text: str) -> tuple[Column | None, str]:
        """The column that a header means, and the unit stated for it."""
        if text in self.ignored:
            return None, ""
        answer = self.answers.get(text)
        if answer is not None:
            return self.known.get(answer.target), answer.unit or split_header(text)[1]
        whole = _find(self.known, text)
        if whole is not None:
            return whole, ""
        label, stated = split_header(text)
        return _find(self.known, label), stated

    def take(self) -> None:
        for at, text in enumerate(self.sheet.header):
            if not text or text in self.ignored or text in REASON_HEADERS:
                continue
            if text in self.answers and not self.answers[text].target:
                continue
            column, stated = self._column(text)
            if column is None:
                self.findings.append(_unknown_column(text, self.place, self.known))
            elif column.name in self.fields:
                self.ask(text, "column_twice", "这一列出现了两次", "this column stands twice")
            else:
                self._field(column, text, stated, at)
        if len(self.currencies) > 1 and not self.has_currency:
            zh, en = "列头中有多种币种", "the headers name several currencies"
            self.ask("", "currencies", zh, en, expected="one currency")

    def ask(self, column: str, code: str, zh: str, en: str, *, found: str = "", expected: str = "") -> None:
        self.findings.append(_at(self.place, column, code, zh, en, found=found, expected=expected))

    def _field(self, column: Column, text: str, stated: str, at: int) -> None:
        if column.kind == "money":
            self._money(column, text, stated, at)
            return
        factor = Decimal(1)
        if column.kind in {"number", "share"} and stated:
            own, plain = own_units(column.entry.unit), stated.casefold()
            rate = rate_unit(stated) if column.entry.unit == "ratio" or column.kind == "share" else None
            found = rate or own.get(plain)
            if found is None and not (unit_of(stated) and not column.entry.unit):
                unit = column.entry.unit or "-"
                self.ask(
                    text, "unit_unknown", f"“{text}”的单位应为 {unit}", f"the unit of “{text}” should be {unit}",
                    found=stated, expected=unit,
                )  # fmt: skip
                return
            factor = found or factor
        self.fields[column.name] = FieldSpec(column.name, text, factor=factor, is_open=not stated)

    def _money(self, column: Column, text: str, stated: str, at: int) -> None:
        """The unit of an amount: as the header says it, else its own column, the lines above, its cells, the person."""
        unit: AmountUnit | None = None
        is_open = False
        if stated:
            unit = unit_of(stated)
            if unit is None:
                zh, en = f"不认识的金额单位“{stated}”", f"unknown unit of amounts “{stated}”"
                self.ask(text, "unit_unstated", zh, en, found=stated, expected=" / ".join(UNIT_CHOICES))
                return
            if self._differs_from_above(text, unit):
                zh = f"“{text}”：表上方写的单位与映射所说的“{stated}”不同"
                en = f"“{text}”: the lines above the table state another unit than the mapping's “{stated}”"
                self.ask(text, "unit_unknown", zh, en, found=stated, expected=" / ".join(UNIT_CHOICES))
                return
        elif self.has_unit_column:
            self.fields[column.name] = FieldSpec(column.name, text, unit_of_row=True)
            return
        elif len(self.sheet.units) == 1:
            unit = self.sheet.units[0]
        elif self.unit and not self.sheet.units:
            unit, is_open = unit_of(self.unit), True
        elif (found := self._of_cells(at)) is not None and not self.sheet.units:
            currency = next(iter(found - {""}), "") or "CNY"
            self.currencies.add(currency)
            self.fields[column.name] = FieldSpec(column.name, text, factor=None, currency=currency, is_open=True)
            return
        if unit is None:
            zh, en = f"“{text}”没有写明金额单位", f"“{text}” does not state the unit of its amounts"
            if self.sheet.units:
                zh, en = f"“{text}”：标题中写了两种金额单位", f"“{text}”: the lines above the table state two units"
            self.ask(text, "unit_unstated", zh, en, found=stated, expected=" / ".join(UNIT_CHOICES))
            return
        currency = unit.currency or "CNY"
        self.currencies.add(currency)
        self.fields[column.name] = FieldSpec(column.name, text, factor=unit.factor, currency=currency, is_open=is_open)

    def _differs_from_above(self, text: str, unit: AmountUnit) -> bool:
        """Whether a unit that a person once said of this header is not the one that this file states above it."""
        if text not in self.answers or not self.answers[text].unit:
            return False
        above = {(one.factor, one.currency or "CNY") for one in self.sheet.units}
        return bool(above) and above != {(unit.factor, unit.currency or "CNY")}

    def _of_cells(self, at: int) -> set[str] | None:
        """The currencies that the cells of a column name beside their own units; None where no cell states a unit."""
        found: set[str] = set()
        for _, cells in self.sheet.rows:
            cell = cells[at] if at < len(cells) else None
            if isinstance(cell, str) and not is_empty(cell) and (read := written(cell)) and read.tail:
                unit = unit_of(read.tail)
                if unit is not None:
                    found.add(unit.currency)
        return found or None


def from_header(
    kind: str,
    sheet: Sheet,
    *,
    source: str,
    unit: str = "",
    ignored: frozenset[str] = frozenset(),
    answers: Answers | None = None,
) -> tuple[Layout | None, list[Finding]]:
    """The layout of a sheet whose headers are names or labels of the dictionary, or were mapped by a person."""
    reading = _Reading(kind, sheet, unit, ignored, answers or {})
    reading.take()
    findings = reading.findings + _missing_columns(kind, reading.fields, reading.known, reading.place)
    if findings:
        return None, findings
    currency = next(iter(reading.currencies), "")
    left_out = ignored | {text for text, one in (answers or {}).items() if not one.target}
    return Layout(source, _records(kind, reading.fields, currency), SHEET_ORDER.index(kind), left_out), []


def _at(place: Place, column: str, code: str, zh: str, en: str, *, found: str = "", expected: str = "") -> Finding:
    return Finding(code, Text(zh, en), Place(place.file, place.sheet, place.row, column), found or column, expected)


def _unknown_column(text: str, place: Place, known: dict[str, Column]) -> Finding:
    words = [word for one in known.values() for word in (one.name, one.zh, one.en)]
    near = difflib.get_close_matches(split_header(text)[0], words, n=1, cutoff=0.6)
    zh = f"不认识的列“{text}”" + (f"，是否为“{near[0]}”？" if near else "；请指明它是什么，或略去")
    en = f"unknown column “{text}”" + (f"; did you mean “{near[0]}”?" if near else "; say what it is, or leave it out")
    return _at(place, text, "unknown_column", zh, en, expected=near[0] if near else "a name or label of the dictionary")


def _missing_columns(kind: str, fields: dict[str, FieldSpec], known: dict[str, Column], place: Place) -> list[Finding]:
    findings = []
    for column in known.values():
        if not column.required or column.name in fields or column.name in {"name", "customer_id"}:
            continue
        zh, en = f"缺少列“{column.zh}”", f"the column “{column.en}” is missing"
        findings.append(_at(place, column.name, "column_missing", zh, en, found="-", expected=column.name))
    if "customer_id" in known and not {"customer_id", "uscc"} & fields.keys() and kind != "projects":
        zh, en = "缺少客户编号或统一社会信用代码", "neither customer ID nor unified social credit code"
        findings.append(_at(place, "customer_id", "column_missing", zh, en, found="-", expected="customer_id / uscc"))
    return findings


def _records(kind: str, fields: dict[str, FieldSpec], currency: str) -> tuple[RecordSpec, ...]:
    made = []
    for name in SHEET_TABLES[kind]:
        table = tables()[name]
        mine = tuple(one for target, one in fields.items() if target in table.columns)
        if name == "guarantees":
            made.append(
                RecordSpec(table, mine, equals=(fields["relation"].column, frozenset({"guarantee"})), currency=currency)
            )
        elif name == "ownership":
            relations = frozenset({"ownership", "control", "family"})
            made.append(RecordSpec(table, mine, equals=(fields["relation"].column, relations), currency=currency))
        elif name == "parties":
            if "customer_id" in fields:
                made.append(RecordSpec(table, mine, only_if=fields["customer_id"].column))
        elif name == "outcomes":
            if any(one.target not in {"facility_id", "currency"} for one in mine):
                made.append(RecordSpec(table, mine, currency=currency))
        else:
            repeat: Repeat = "first" if name == "projects" else "refuse"
            made.append(RecordSpec(table, mine, repeat=repeat, currency=currency))
    return tuple(made)
