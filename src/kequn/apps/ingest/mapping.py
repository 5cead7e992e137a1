"""Mapping files: how any loan tape becomes our facts. A closed YAML form; every error names its key.

Two forms: `records` says for each table where its values come from; `kind` and `columns` only say which of our columns
each header of the file is, and in which unit (the form that the page for mapping keeps).
"""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from kequn.apps.ingest.framing import Sheet
from kequn.apps.ingest.layout import SHEET_TABLES, Answer, FieldSpec, Layout, RecordSpec, from_header
from kequn.apps.ingest.tables import Table, tables
from kequn.apps.ingest.units import amount_unit
from kequn.domain.errors import Finding, Place, Refused, Text

FILE_KEYS = {"title", "source", "unit", "currency", "ignored", "outcome_columns", "notes", "records"}
RECORD_KEYS = {"table", "repeat", "only_if", "fields"}
FIELD_KEYS = {
    "column", "value", "prefix", "joined", "separator", "ratio", "missing", "translate", "others", "form", "unit",
    "otherwise", "pattern", "lookup", "hashed", "ordinal", "factor",
}  # fmt: skip


class _Trouble:
    """All that is wrong with one mapping file, collected."""

    def __init__(self, path: Path) -> None:
        self.path, self.findings = path, []

    def add(self, key: str, zh: str, en: str, *, found: object = "", expected: object = "") -> None:
        place = Place(file=self.path.name, column=key)
        self.findings.append(Finding("mapping", Text(zh, en), place, str(found), str(expected)))

    def keys(self, where: str, given: dict[str, Any], allowed: set[str]) -> None:
        for key in given.keys() - allowed:
            self.add(
                f"{where}{key}",
                f"不认识的键 {key}",
                f"unknown key {key}",
                found=key,
                expected=", ".join(sorted(allowed)),
            )


COLUMNS_KEYS = {"title", "source", "kind", "columns", "unit"}
ANSWER_KEYS = {"field", "unit", "ignored"}


def load(path: Path) -> dict[str, Any]:
    """The document of a mapping file, not yet held against any file of data."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        why = getattr(error, "problem", None) or getattr(error, "strerror", None) or "UTF-8"
        where = f", line {error.problem_mark.line + 1}" if getattr(error, "problem_mark", None) else ""  # type: ignore[union-attr]
        text = Text(
            f"映射文件 {path.name} 无法读取：{why}{where}", f"the mapping {path.name} cannot be read: {why}{where}"
        )
        raise Refused(text) from error
    if (
        isinstance(document, dict)
        and isinstance(document.get("columns"), dict)
        and document.get("kind") in SHEET_TABLES
    ):
        return document
    if not isinstance(document, dict) or not isinstance(document.get("records"), list) or not document.get("source"):
        zh, en = "需要 source 和 records，或 kind 和 columns", "expected source and records, or kind and columns"
        raise Refused(Text(f"{path.name}：{zh}", f"{path.name}: {en}"))
    return document


def headers_of(document: dict[str, Any]) -> frozenset[str]:
    """Every header that the mapping speaks of; by them the header row of a file is found."""
    if "columns" in document:
        return frozenset(str(one) for one in document["columns"])
    found = {str(one) for one in document.get("ignored", ())}
    for record in document["records"]:
        for spec in (record.get("fields") or {}).values() if isinstance(record, dict) else ():
            given = spec if isinstance(spec, dict) else {"column": spec}
            for key in ("column", "otherwise", "joined", "ratio"):
                value = given.get(key)
                found |= {str(one) for one in value} if isinstance(value, list) else {str(value)} if value else set()
    return frozenset(found)


def layout_of(document: dict[str, Any], name: str, sheet: Sheet) -> tuple[Layout | None, list[Finding]]:
    """The layout that a mapping gives to a sheet; what only a person can answer comes back as findings."""
    if "columns" in document:
        return _by_columns(document, name, sheet)
    header = tuple(one for one in sheet.header if one)
    trouble = _Trouble(Path(name))
    trouble.keys("", document, FILE_KEYS)
    records = tuple(
        made
        for number, row in enumerate(document["records"], 1)
        if (made := _record(trouble, f"records[{number}].", row, document)) is not None
    )
    ignored = frozenset(str(one) for one in document.get("ignored", ()))
    _account_for_columns(trouble, header, records, ignored)
    _refuse(trouble)
    notes = tuple(Text(one["zh"], one["en"]) for one in document.get("notes", ()))
    return Layout(str(document["source"]), records, 0, ignored, notes), []


def _by_columns(document: dict[str, Any], name: str, sheet: Sheet) -> tuple[Layout | None, list[Finding]]:
    trouble = _Trouble(Path(name))
    trouble.keys("", document, COLUMNS_KEYS)
    answers: dict[str, Answer] = {}
    for header, given in document["columns"].items():
        answer = given if isinstance(given, dict) else {"field": given}
        trouble.keys(f"columns.{header}.", answer, ANSWER_KEYS)
        answers[str(header)] = Answer(
            "" if answer.get("ignored") else str(answer.get("field", "")), str(answer.get("unit", ""))
        )
    _refuse(trouble)
    source, unit = str(document.get("source", "") or "book"), str(document.get("unit", ""))
    return from_header(document["kind"], sheet, source=source, unit=unit, answers=answers)


def _refuse(trouble: _Trouble) -> None:
    if trouble.findings:
        name, count = trouble.path.name, len(trouble.findings)
        text = Text(f"映射 {name} 有{count}处错误", f"{count} errors in the mapping {name}")
        raise Refused(text, tuple(trouble.findings))


def _record(trouble: _Trouble, where: str, row: dict[str, Any], document: dict[str, Any]) -> RecordSpec | None:
    trouble.keys(where, row, RECORD_KEYS)
    table = tables().get(row.get("table", ""))
    if table is None:
        trouble.add(
            f"{where}table", "没有这个表", "no such table", found=row.get("table"), expected=", ".join(tables())
        )
        return None
    currency, fields = str(document.get("currency", "")), []
    for target, given in (row.get("fields") or {}).items():
        spec = given if isinstance(given, dict) else {"column": given}
        trouble.keys(f"{where}{target}.", spec, FIELD_KEYS)
        made = _field(trouble, f"{where}{target}", table, target, spec=spec, default_unit=str(document.get("unit", "")))
        if made is not None:
            fields.append(made[0])
            currency = currency or made[1]
    return RecordSpec(table, tuple(fields), str(row.get("only_if", "")), None, row.get("repeat", "refuse"), currency)


def _field(
    trouble: _Trouble, where: str, table: Table, target: str, *, spec: dict[str, Any], default_unit: str
) -> tuple[FieldSpec, str] | None:
    is_detail = table.name == "outcomes" and target.startswith("details.")
    column = table.columns.get(target)
    if column is None and not is_detail:
        trouble.add(
            where,
            f"表 {table.name} 没有列 {target}",
            f"table {table.name} has no column {target}",
            found=target,
            expected=", ".join(table.columns),
        )
        return None
    unit = amount_unit(str(spec.get("unit", default_unit))) if column and column.kind == "money" else None
    if column and column.kind == "money" and unit is None:
        trouble.add(
            where,
            "金额没有写明单位",
            "the unit of the amount is not stated",
            found=spec.get("unit", ""),
            expected="unit: USD",
        )
        return None
    try:
        re.compile(str(spec.get("pattern", "")))
    except re.error as error:
        trouble.add(where, f"正则式有误：{error}", f"bad pattern: {error}", found=spec.get("pattern"))
        return None
    ratio = spec.get("ratio")
    made = FieldSpec(
        target=target,
        column=str(spec.get("column", "")),
        value=spec["value"].isoformat() if isinstance(spec.get("value"), dt.date) else spec.get("value"),
        prefix=str(spec.get("prefix", "")),
        joined=tuple(str(one) for one in spec.get("joined", ())),
        separator=str(spec.get("separator", " ")),
        ratio=(str(ratio[0]), str(ratio[1])) if ratio else None,
        missing=frozenset(str(one) for one in spec.get("missing", ())),
        translate=tuple((str(key), str(value)) for key, value in (spec.get("translate") or {}).items()),
        others=None if spec.get("others") is None else str(spec["others"]),
        form=str(spec.get("form", "")),
        otherwise=str(spec.get("otherwise", "")),
        pattern=str(spec.get("pattern", "")),
        lookup=str(spec.get("lookup", "")),
        hashed=bool(spec.get("hashed", False)),
        ordinal=bool(spec.get("ordinal", False)),
        factor=unit[0] if unit else Decimal(str(spec.get("factor", 1))),
        currency=unit[1] if unit else "",
    )
    if not made.columns() and made.value is None:
        trouble.add(
            where, "既没有列也没有固定值", "neither a column nor a value", expected="column / value / joined / ratio"
        )
        return None
    return made, unit[1] if unit else ""


def _account_for_columns(
    trouble: _Trouble, header: tuple[str, ...], records: tuple[RecordSpec, ...], ignored: frozenset[str]
) -> None:
    used = {column for record in records for one in record.fields for column in one.columns()}
    used |= {record.only_if for record in records if record.only_if}
    for column in sorted(used - set(header)):
        trouble.add(column, "文件中没有这一列", "the file has no such column", found="-", expected=column)
    for column in sorted({one for one in header if header.count(one) > 1 and one in used}):
        trouble.add(column, "这一列在文件中出现了两次", "the file has this column twice", found=column)
    for column in sorted(set(header) - used - ignored):
        trouble.add(
            column,
            "这一列既未使用也未声明略去",
            "this column is neither used nor ignored",
            found=column,
            expected="ignored: [...]",
        )
