"""A project model as a workbook of plain tables, and back: the template to fill in, and a lender's own sheet by
mapping.

One sheet for each section of the model, the keys of the YAML file in the first row. A value that is itself a list or a
mapping is written as YAML in its cell. Reading says what it did not read: sheets, columns and cells that nobody asked
for.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml
from python_calamine import CalamineError, CalamineWorkbook

from kequn.domain.errors import Finding, Place, Refused, Text
from kequn.financing.key_words import KEY_WORDS, SHEETS
from kequn.financing.models import KEYS

TABLES = ("capital", "revenues", "subsidies", "costs", "maintenance", "loans")
SECTIONS = ("timeline", "limits", "covenants", "working_capital", "tax", "shareholder_loan", "simulation", "scenarios")
SINGLE = "model"  # the sheet of what is neither a table nor a section

NOTES = "说明 Notes"

Rows = list[list[Any]]


def write_sheets(body: Mapping[str, Any]) -> bytes:
    """The body of a YAML model as a workbook."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        bold = workbook.add_format({"bold": True})
        _notes(workbook.add_worksheet(NOTES), bold)
        single = {key: value for key, value in body.items() if key not in (*TABLES, *SECTIONS)}
        _pairs(workbook.add_worksheet(SINGLE), single, bold)
        for name in TABLES:
            _table(workbook.add_worksheet(name), body.get(name) or [], bold)
        for name in SECTIONS:
            _pairs(workbook.add_worksheet(name), body.get(name) or {}, bold)
    return target.getvalue()


def _notes(page: Any, bold: Any) -> None:
    """What every sheet and key means, in both languages; read back as nothing."""
    page.set_column(0, 1, 24)
    page.set_column(2, 3, 60)
    page.write_row(0, 0, ["工作表 Sheet", "键 Key", "中文", "English"], bold)
    lines = [
        (sheet, "", said) for sheet, said in SHEETS.items()
    ] + [(sheet, key, said) for (sheet, key), said in KEY_WORDS.items()]  # fmt: skip
    order = list(SHEETS)
    lines.sort(key=lambda line: order.index(line[0]))
    for row, (sheet, key, said) in enumerate(lines, start=1):
        page.write_row(row, 0, [sheet, key, said.zh, said.en], None if key else bold)


def _cell(value: object) -> object:
    """A value for a cell; lists, mappings, dates and truths as YAML text."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).strip().removesuffix("\n...")
    )


def _pairs(page: Any, values: Mapping[str, Any], bold: Any) -> None:
    page.set_column(0, 1, 30)
    page.write_row(0, 0, ["key", "value"], bold)
    for row, (key, value) in enumerate(values.items(), start=1):
        page.write_string(row, 0, str(key))
        _put(page, row, 1, value)


def _table(page: Any, rows: list[Mapping[str, Any]], bold: Any) -> None:
    names = list(dict.fromkeys(key for row in rows for key in row))
    page.set_column(0, max(1, len(names)), 20)
    page.write_row(0, 0, names, bold)
    for number, row in enumerate(rows, start=1):
        for column, name in enumerate(names):
            if name in row:
                _put(page, number, column, row[name])


def _put(page: Any, row: int, column: int, value: object) -> None:
    shown = _cell(value)
    if isinstance(shown, str):
        page.write_string(row, column, shown)
    else:
        page.write_number(row, column, shown)


@dataclass(frozen=True, slots=True)
class ReadSheets:
    """What was read, as the body of a YAML model, and what was not, place by place."""

    body: dict[str, Any]
    unread: tuple[Place, ...]


def read_sheets(path: Path, mapping: Mapping[str, Any] | None = None) -> ReadSheets:
    """The model in a workbook: of our template, or of any sheet that a mapping explains.

    A mapping names for a table its `sheet`, `header_row` (from 1), `columns` {key: heading} and `factors` {key:
    number}; under `cells` single values as {key.path: {sheet, row, column, factor}}, rows and columns from 1.
    """
    book = _opened(path)
    pages = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    return _Template(path.name, pages).read() if mapping is None else _Mapped(path.name, pages, mapping).read()


def _opened(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as error:
        raise Refused(
            Text(f"{path.name} 不能作为工作簿读取：{error}", f"{path.name} is no workbook: {error}")
        ) from error


def _value(cell: object) -> Any:
    """The value of a cell: a text that is a list or a mapping in YAML, an ISO date, a plain number, `true`, `false` or
    `null` becomes that; any other text stays what it is.
    """
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text in _WORDS:
        return _WORDS[text]
    try:
        if text[:1] in ("[", "{"):
            return yaml.load(text, Loader=_Plain)  # noqa: S506 - a SafeLoader
        if _DATE.match(text):
            return date.fromisoformat(text)
        if _WHOLE.match(text):
            return int(text)
        return float(text) if _NUMBER.match(text) else cell
    except (yaml.YAMLError, ValueError, RecursionError):  # looks like one of these and is none: 2026-13-45
        return cell


_WORDS = {"true": True, "false": False, "null": None}
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
_WHOLE = re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$")
_NUMBER = re.compile(r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$")


class _Plain(yaml.SafeLoader):
    """YAML without its guesses: `NO` is no truth and `1:30` no number within a list either."""


_Plain.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("bool", re.compile(r"^(?:true|false)$"), "tf"),
    ("null", re.compile(r"^null$"), "n"),
    ("timestamp", _DATE, "0123456789"),
    ("int", _WHOLE, "-+0123456789"),
    ("float", _NUMBER, "-+0123456789"),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _form, list(_first))


class _Template:
    """Our own sheets by their names."""

    def __init__(self, file: str, pages: Mapping[str, Rows]) -> None:
        self.file, self.pages, self.unread = file, pages, list[Place]()

    def read(self) -> ReadSheets:
        body: dict[str, Any] = {}
        for name, rows in self.pages.items():
            if name in TABLES:
                body[name] = self._table(name, rows)
            elif name in SECTIONS:
                body[name] = self._pairs(name, rows)
            elif name == SINGLE:
                body |= self._pairs(name, rows, KEYS)
            elif name != NOTES:
                self.unread.append(Place(self.file, name))
        return ReadSheets({key: value for key, value in body.items() if value not in ({}, [])}, tuple(self.unread))

    def _pairs(self, name: str, rows: Rows, known: frozenset[str] | None = None) -> dict[str, Any]:
        found = {}
        for number, row in enumerate(rows[1:], start=2):
            key, value = str(row[0]), row[1] if len(row) > 1 else ""
            if not key or value == "" or (known is not None and key not in known):
                if key or value != "":
                    self.unread.append(Place(self.file, name, number))
                continue
            found[key] = _value(value)
            self.unread += [
                Place(self.file, name, number, str(column)) for column, cell in enumerate(row[2:], 3) if cell != ""
            ]
        return found

    def _table(self, name: str, rows: Rows) -> list[dict[str, Any]]:
        heads = [str(cell) for cell in rows[0]] if rows else []
        found = []
        for number, row in enumerate(rows[1:], start=2):
            values = {head: _value(cell) for head, cell in zip(heads, row, strict=False) if head and cell != ""}
            self.unread += [
                Place(self.file, name, number, str(column))
                for column, (head, cell) in enumerate(zip(heads, row, strict=False), 1) if not head and cell != ""
            ]  # fmt: skip
            if values:
                found.append(values)
        return found


class _Mapped:
    """Somebody else's sheets, by a mapping."""

    def __init__(self, file: str, pages: Mapping[str, Rows], mapping: Mapping[str, Any]) -> None:
        self.file, self.pages, self.mapping = file, pages, mapping
        self.seen: set[tuple[str, int, int]] = set()
        self.findings: list[Finding] = []

    def read(self) -> ReadSheets:
        body: dict[str, Any] = {}
        for name, said in self.mapping.items():
            given = self._keys(said, str(name))
            if name == "cells":
                self._cells(body, given)
            elif name in TABLES:
                body[name] = self._table(name, given)
            elif name == "fixed":
                body |= given
            else:
                known = ", ".join((*TABLES, "cells", "fixed"))
                self._bad(
                    Place(column=str(name)),
                    f"映射中没有 {name}；可选 {known}",
                    f"no {name} in a mapping; there is {known}",
                )
        if self.findings:
            raise Refused(
                Text(f"映射与 {self.file} 不符", f"the mapping does not fit {self.file}"), tuple(self.findings)
            )
        return ReadSheets(body, self._unread())

    def _bad(self, place: Place, zh: str, en: str) -> None:
        self.findings.append(Finding("sheet.mapping", Text(zh, en), place))

    def _keys(self, value: object, path: str) -> Mapping[str, Any]:
        """A mapping of keys where one is wanted; nothing, and a finding, where there is something else."""
        if isinstance(value, Mapping):
            return {str(key): one for key, one in value.items()}
        if value is not None:
            self._bad(
                Place(column=path), f"应为键值结构，发现 {value!r}", f"expected a mapping of keys, found {value!r}"
            )
        return {}

    def _whole(self, given: Mapping[str, Any], key: str, path: str, default: int | None = None) -> int | None:
        """A row or column counted from 1; None, and a finding, where it is none."""
        value = given.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        self._bad(
            Place(column=f"{path}.{key}"), f"应为从 1 起的整数，发现 {value!r}",
            f"expected a whole number from 1, found {value!r}",
        )  # fmt: skip
        return None

    def _factor(self, value: object, path: str) -> float | None:
        """A number to multiply by; None where none is given."""
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self._bad(Place(column=path), f"应为数值，发现 {value!r}", f"expected a number, found {value!r}")
        return None

    def _page(self, name: object) -> Rows | None:
        if name not in self.pages:
            there = ", ".join(self.pages)
            self._bad(
                Place(self.file, str(name)), f"没有工作表；现有 {there}", f"there is no such sheet; there is {there}"
            )
            return None
        return self.pages[str(name)]

    def _table(self, section: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        page, sheet = self._page(given.get("sheet")), str(given.get("sheet"))
        if page is None:
            return []
        head = (self._whole(given, "header_row", section, 1) or 1) - 1
        heads = [str(cell).strip() for cell in page[head]] if head < len(page) else []
        columns = {}
        for key, heading in self._keys(given.get("columns"), f"{section}.columns").items():
            if str(heading) in heads:
                columns[str(key)] = heads.index(str(heading))
                self.seen.add((sheet, head, columns[str(key)]))
            else:
                there = ", ".join(filter(None, heads))
                self._bad(Place(self.file, sheet, head + 1, str(heading)), f"{section}.{key}：没有这一列；现有 {there}",
                          f"{section}.{key}: there is no such column; there is {there}")  # fmt: skip
        factors = self._keys(given.get("factors"), f"{section}.factors")
        scales = {key: self._factor(value, f"{section}.factors.{key}") for key, value in factors.items()}
        return self._records(page, sheet, head, columns, scales)

    def _records(
        self, page: Rows, sheet: str, head: int, columns: Mapping[str, int], factors: Mapping[str, float | None]
    ) -> list[dict[str, Any]]:
        found = []
        for number, row in enumerate(page[head + 1 :], start=head + 1):
            record = {}
            for key, column in columns.items():
                if column < len(row) and row[column] != "":
                    self.seen.add((sheet, number, column))
                    record[key] = self._scaled(row[column], factors.get(key), Place(self.file, sheet, number + 1, key))
            if "name" in record:
                found.append(record)
            elif record:  # a sum or a remark below the table: read as nothing, and said
                self.seen -= {(sheet, number, column) for column in columns.values()}
        return found

    def _scaled(self, cell: object, factor: float | None, place: Place) -> Any:
        value = _value(cell)
        if factor is None:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._bad(place, f"应为数值，发现 {cell!r}", f"expected a number, found {cell!r}")
            return 0.0
        return value * factor

    def _cells(self, body: dict[str, Any], given: Mapping[str, Any]) -> None:
        for path, said in given.items():
            where = self._keys(said, f"cells.{path}")
            page = self._page(where.get("sheet"))
            at = [self._whole(where, name, f"cells.{path}") for name in ("row", "column")]
            if page is None or None in at:
                continue
            row, column = (number - 1 for number in at if number is not None)
            place = Place(self.file, str(where["sheet"]), row + 1, str(column + 1))
            if row >= len(page) or column >= len(page[row]) or page[row][column] == "":
                self._bad(place, f"{path}：单元格为空", f"{path}: the cell is empty")
                continue
            self.seen.add((str(where["sheet"]), row, column))
            *sections, key = str(path).split(".")
            target = body
            for section in sections:
                within = target.setdefault(section, {})
                if not isinstance(within, dict):
                    self._bad(place, f"{path}：{section} 已是单个值", f"{path}: {section} holds a single value already")
                    within = {}
                target = within
            target[key] = self._scaled(page[row][column], self._factor(where.get("factor"), f"cells.{path}"), place)

    def _unread(self) -> tuple[Place, ...]:
        return tuple(
            Place(self.file, sheet, number + 1, str(column + 1))
            for sheet, rows in self.pages.items()
            for number, row in enumerate(rows)
            for column, cell in enumerate(row)
            if cell != "" and (sheet, number, column) not in self.seen
        )
