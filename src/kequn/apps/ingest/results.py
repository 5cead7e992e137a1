"""The result of an import as a workbook: refused rows as they stood, with the reason beside each, ready to be mended.

The sheets of refused rows carry the names and headers of the file they came from, so that they can be brought in again;
the sheets that only tell are left out by the importer. Cells are text or numbers, never live formulas.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from kequn.apps.ingest.models import ImportBatch, RowResult
from kequn.apps.ingest.selectors import refused_rows, rows_of
from kequn.apps.ingest.units import CHINESE_SCALES
from kequn.apps.ingest.workbook import OPTIONS

SUMMARY, ROWS = "import summary 导入摘要", "import rows 逐行结果"
REASON, NUMBER = "拒绝原因 Why refused", "原行号 Row"
RESULT_HEADER = (
    "batch", "file", "sheet", "row", "outcome", "subject", "code", "column", "found", "expected", "为什么", "why",
)  # fmt: skip
SUMMARY_KEYS = ("id", "name", "state", "rows_read", "rows_stored", "rows_refused", "actor", "made_at", "mapping")
NAME_LENGTH = 31
# What was unclear in the file would look clear here: such a number stays refused until somebody says what it is.
UNCLEAR, UNCLEAR_DAYS = frozenset({"percent_unclear", "merged"}), frozenset({"date", "month"})
FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))


def write_results(path: Path, batch_ids: Iterable[int], lang: str = "zh") -> None:
    """What became of every row; refused rows first, each sheet as it was, then all rows and the summary."""
    ids = list(batch_ids)
    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "top"})
        why = book.add_format({"bold": True, "bg_color": "#FBE3E1", "border": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        taken = {SUMMARY.casefold(), ROWS.casefold()}
        batches = list(ImportBatch.objects.filter(id__in=ids).order_by("id"))
        for batch in batches:
            _refused(book, batch, lang, {"head": head, "why": why, "day": day}, taken)
        _all_rows(book, ids)
        _summary(book, batches)


def _refused(book: Any, batch: ImportBatch, lang: str, formats: dict[str, Any], taken: set[str]) -> None:
    """One sheet for each sheet that has refused rows: original header and cells, and the reasons in the last column."""
    headers = {(one["file"], one["sheet"]): one for one in batch.sheets}
    sheet: Any = None
    current, line, width = ("", ""), 0, 0
    for row in _by_sheet(batch):
        if sheet is None or (row.file, row.sheet) != current:
            current = (row.file, row.sheet)
            shape = headers.get(current, {"header": [], "units": []})
            header, width = shape["header"], len(shape["header"])
            sheet = book.add_worksheet(_sheet_name(row.sheet or row.file, taken))
            line = _title(sheet, shape)
            for at, text in enumerate((*header, NUMBER, REASON)):
                sheet.write_string(line, at, text, formats["why" if at >= width else "head"])
            sheet.set_column(width + 1, width + 1, 70)
        line += 1
        for at, cell in enumerate((row.cells or [])[:width]):
            codes = {one["code"] for one in row.findings if one["column"] == header[at]}
            put(sheet, line, at, _as_clear_as_before(cell, codes), formats["day"])
        sheet.write_number(line, width, row.row)
        reasons = "; ".join(f"{one['column']}: {one[lang]}" if one["column"] else one[lang] for one in row.findings)
        sheet.write_string(line, width + 1, reasons[:32_000])


def _as_clear_as_before(cell: object, codes: set[str]) -> object:
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return f"{cell} ?" if is_number and codes & (UNCLEAR | UNCLEAR_DAYS) else cell


def _by_sheet(batch: ImportBatch) -> Iterator[RowResult]:
    return refused_rows(batch_id=batch.pk).order_by("file", "sheet", "id").iterator(chunk_size=5000)


def _title(sheet: Any, shape: dict[str, Any]) -> int:
    """The unit that stood above the table stands above it again; the line of the header."""
    if len(shape["units"]) != 1:
        return 0
    factor = Decimal(shape["units"][0])
    scale = next((word for word, value in CHINESE_SCALES.items() if value == factor), "")
    currency = shape.get("currency", "") or "CNY"
    sheet.write_string(0, 0, f"单位：{scale}元" + (f" 币种：{currency}" if currency != "CNY" else ""))
    return 1


def _sheet_name(wanted: str, taken: set[str]) -> str:
    """A name that a workbook allows, and no other sheet has."""
    plain = (wanted.translate(FORBIDDEN).strip("'") or "sheet")[:NAME_LENGTH]
    name, number = plain, 2
    while name.casefold() in taken:
        end = f" ({number})"
        name, number = plain[: NAME_LENGTH - len(end)] + end, number + 1
    taken.add(name.casefold())
    return name


def _all_rows(book: Any, ids: list[int]) -> None:
    """What became of every row; a refused row stands once for each of its reasons."""
    sheet = book.add_worksheet(ROWS)
    sheet.freeze_panes(1, 0)
    for at, title in enumerate(RESULT_HEADER):
        sheet.write_string(0, at, title)
    line = 0
    for batch_id in ids:
        for one in rows_of(batch_id=batch_id).iterator(chunk_size=5000):
            for finding in [*one.findings, *(one.warnings or ())] or [{}]:
                line += 1
                cells = (
                    batch_id, one.file, one.sheet, one.row, one.outcome, one.subject, finding.get("code", ""),
                    finding.get("column", ""), finding.get("found", ""), finding.get("expected", ""),
                    finding.get("zh", ""), finding.get("en", ""),
                )  # fmt: skip
                for at, cell in enumerate(cells):
                    put(sheet, line, at, cell, None)


def _summary(book: Any, batches: list[ImportBatch]) -> None:
    summary = book.add_worksheet(SUMMARY)
    for at, key in enumerate(SUMMARY_KEYS):
        summary.write_string(0, at, key)
    for row, batch in enumerate(batches, 1):
        for at, key in enumerate(SUMMARY_KEYS):
            put(summary, row, at, getattr(batch, key), None)
    line = len(batches) + 2
    for batch in batches:
        for one in [*batch.findings, *batch.notes]:
            summary.write_string(line, 0, f"{one['zh']} / {one['en']}"[:32_000])
            line += 1


def put(sheet: Any, row: int, at: int, value: object, day: Any) -> None:
    """A cell as it was: numbers stay numbers, days stay days, every text is written as text and never runs."""
    if isinstance(value, bool):
        sheet.write_boolean(row, at, value)
    elif isinstance(value, int | float) and abs(value) < 10**15:
        sheet.write_number(row, at, value)
    elif isinstance(value, dict) and "d" in value:
        sheet.write_datetime(row, at, dt.datetime.fromisoformat(value["d"]), day)
    elif value is not None and value != "":
        sheet.write_string(row, at, str(value)[:32_000])
