"""A strategy as a workbook, out and in: one sheet, a column for each condition and term, the choices beside it."""

import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from kequn.apps.ingest.cells import Percent
from kequn.apps.ingest.reading import RawSheet, sheets_of
from kequn.domain.errors import Language, Refused, Text
from kequn.domain.rules.rendering import shown_number
from kequn.policy.segment_strategies import Strategy
from kequn.policy.strategy_document import MOST_ROWS, Column, grid_of
from kequn.reports.sheets import harmless

FIRST = 2  # the row of the heads; above it stands how to fill the sheet
HINT = Text(
    "自上而下，第一条符合的生效；条件留空表示不限，可写多个并用逗号分隔；最后一行不得有条件。",
    "Read from above, the first row that fits holds. An empty condition is any; several go with commas; the last "
    "row has no condition.",
)
WIDTH = 20


def write_workbook(strategy: Strategy | None, columns: Sequence[Column], label: Text, language: Language) -> bytes:
    """The workbook of a strategy; an empty table where there is none yet."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(Text("策略", "strategy").in_language(language))
        head = book.add_format({"bold": True, "bg_color": "#eef2f7", "bottom": 1, "text_wrap": True})
        sheet.write_string(0, 0, harmless(label.in_language(language)), book.add_format({"bold": True}))
        sheet.write_string(1, 0, HINT.in_language(language))
        for at, column in enumerate(columns):
            sheet.write_string(FIRST, at, harmless(column.label.in_language(language)), head)
            sheet.set_column(at, at, WIDTH)
            if column.term is not None and column.term.choices:
                words = [said.in_language(language) for said in column.codes.values()]
                sheet.data_validation(FIRST + 1, at, FIRST + MOST_ROWS, at, {"validate": "list", "source": words})
        if strategy is not None:
            _rows(book, sheet, strategy, columns, language)
        sheet.freeze_panes(FIRST + 1, 0)
    return buffer.getvalue()


def _rows(book: Any, sheet: Any, strategy: Strategy, columns: Sequence[Column], language: Language) -> None:
    """Numbers as numbers, ratios shown in percent, the rest as words."""
    percent = book.add_format({"num_format": "0.00%"})
    for down, (row, cells) in enumerate(zip(strategy.rows, grid_of(strategy, columns, language), strict=True)):
        for at, column in enumerate(columns):
            value = row.terms.get(column.name) if column.term is not None and not column.term.choices else None
            if value is None:
                sheet.write_string(FIRST + 1 + down, at, harmless(cells[column.name]))
            elif column.term is not None and column.term.unit == "ratio":
                sheet.write_number(FIRST + 1 + down, at, value, percent)
            else:
                sheet.write_number(FIRST + 1 + down, at, value)


def read_workbook(name: str, content: bytes, columns: Sequence[Column]) -> list[dict[str, str]]:
    """The cells of an uploaded workbook; Refused where a head is missing or not known. The file is guarded first."""
    with tempfile.TemporaryDirectory(prefix="kequn-strategy-") as folder:
        path = Path(folder) / (Path(name).name or "strategy.xlsx")
        path.write_bytes(content)
        with sheets_of(path) as sheets:
            first = next(iter(sheets), None)
    if first is None:
        raise Refused(Text("工作簿没有工作表", "the workbook has no sheet"))
    return _cells(first, columns)


def _cells(sheet: RawSheet, columns: Sequence[Column]) -> list[dict[str, str]]:
    heads = _heads(columns)
    has_heads = (any(_text(one).lower() in heads for one in row) for _number, row in sheet.rows)
    begin = next((at for at, has in enumerate(has_heads) if has), None)
    if begin is None:
        names = "、".join(one.label.zh for one in columns)
        raise Refused(Text(f"找不到表头；应有：{names}", f"there is no row of heads; expected {names}"))
    found: list[str] = []
    for cell in sheet.rows[begin][1]:
        word = _text(cell)
        if word and word.lower() not in heads:
            raise Refused(Text(f"不认识的列：{word}", f"unknown column: {word}"))
        name = heads.get(word.lower(), "")
        if name and name in found:
            raise Refused(Text(f"列“{word}”重复", f"the column “{word}” stands twice"))
        found.append(name)
    return [
        {name: _text(cell) for name, cell in zip(found, row, strict=False) if name}
        for _number, row in sheet.rows[begin + 1 :]
    ]


def _heads(columns: Sequence[Column]) -> Mapping[str, str]:
    return {
        said.lower(): one.name for one in columns for said in (one.name, one.label.zh, one.label.en)
    }  # fmt: skip


def _text(cell: Any) -> str:
    """A cell as one would type it: percentages keep their sign, whole numbers have no point."""
    if cell is None:
        return ""
    if isinstance(cell, Percent):
        return f"{cell}"
    if isinstance(cell, float):
        return shown_number(cell)
    return str(cell).strip()
