"""A paper as an Excel workbook: an overview, then a sheet for each table, with figures to calculate with.

Texts are written as texts, so that none of them is ever taken for a formula.
"""

import io
import re
from pathlib import Path
from typing import Any

import xlsxwriter

from kequn.reports.paper import Cell, Charts, Facts, Paper, Points, Table
from kequn.reports.pdf import picture_of

FORMATS = {"amount": "#,##0.00;[Red]-#,##0.00", "percent": "0.00%", "number": "#,##0.00##", "count": "#,##0"}
OVERVIEW = {"zh": "概览", "en": "Overview"}
LONGEST_NAME = 31  # Excel's limit for the name of a sheet
FORMULA_SIGNS = tuple("=+-@＝＋－＠|")
BLANKS = " \t\r\n\x00\u3000\ufeff"
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also after blanks or in full-width signs; for CSV.

    >>> harmless("=1+1"), harmless("-12.5"), harmless("电力")
    ("'=1+1", '-12.5', '电力')
    """
    bare = text.lstrip(BLANKS)
    is_risky = bare.startswith(FORMULA_SIGNS) or text.startswith(("\t", "\r", "\n"))
    return f"'{text}" if is_risky and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_sheets(paper: Paper, frontend: Path) -> bytes:
    """The paper as an .xlsx file."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(
        stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        book.set_properties({"title": paper.title, "comments": paper.foot, "author": "Kequn"})
        looks = _looks(book)
        overview = book.add_worksheet(OVERVIEW[paper.language])
        _overview(overview, paper, looks, frontend)
        names = {OVERVIEW[paper.language].lower()}
        for block in paper.blocks:
            if isinstance(block, Table):
                _table(book.add_worksheet(_name(block.title, names)), block, paper, looks)
    return stream.getvalue()


def _looks(book: Any) -> dict[str, Any]:
    looks = {form: book.add_format({"num_format": pattern, "align": "right"}) for form, pattern in FORMATS.items()}
    looks["title"] = book.add_format({"bold": True, "font_size": 16, "font_color": "#1d5fa8"})
    looks["head"] = book.add_format({"bold": True, "bg_color": "#eef2f7", "bottom": 1, "text_wrap": True})
    looks["head_right"] = book.add_format({"bold": True, "bg_color": "#eef2f7", "bottom": 1, "align": "right"})
    looks["quiet"] = book.add_format({"font_color": "#5b6573"})
    looks["section"] = book.add_format({"bold": True, "font_size": 12, "font_color": "#1d5fa8"})
    looks["strong"] = book.add_format({"bold": True})
    looks["unknown"] = book.add_format({"font_color": "#5b6573", "align": "right"})
    return looks


def _name(title: str, taken: set[str]) -> str:
    """A sheet's name: what Excel forbids is left out, and no two are alike."""
    base = FORBIDDEN.sub(" ", title).strip()[:LONGEST_NAME] or "-"
    name, place = base, 2
    while name.lower() in taken:
        name = f"{base[: LONGEST_NAME - 4]} {place}"
        place += 1
    taken.add(name.lower())
    return name


def _overview(sheet: Any, paper: Paper, looks: dict[str, Any], frontend: Path) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 60)
    sheet.write_string(0, 0, paper.title, looks["title"])
    sheet.write_string(1, 0, paper.subtitle, looks["quiet"])
    row = 3
    for block in paper.blocks:
        match block:
            case Facts():
                row = _section(sheet, row, block.title, looks)
                for label, said in block.pairs:
                    sheet.write_string(row, 0, label, looks["quiet"])
                    sheet.write_string(row, 1, said, looks["strong"])
                    row += 1
                row = _note(sheet, row, block.note, looks)
            case Points():
                row = _section(sheet, row, block.title, looks)
                for said in block.sentences or (block.empty,):
                    sheet.write_string(row, 0, said)
                    row += 1
                row += 1
            case Charts():
                for caption, svg in block.drawings:
                    sheet.write_string(row, 0, caption, looks["strong"])
                    picture = io.BytesIO(picture_of(svg, frontend))
                    options = {"image_data": picture, "x_scale": 0.62, "y_scale": 0.62, "description": caption}
                    sheet.insert_image(row + 1, 0, "chart.png", options)
                    row += 20
    sheet.write_string(row, 0, paper.foot, looks["quiet"])


def _section(sheet: Any, row: int, title: str, looks: dict[str, Any]) -> int:
    if not title:
        return row
    sheet.write_string(row, 0, title, looks["section"])
    return row + 1


def _note(sheet: Any, row: int, note: str, looks: dict[str, Any]) -> int:
    if note:
        sheet.write_string(row, 0, note, looks["quiet"])
        row += 1
    return row + 1


def _table(sheet: Any, block: Table, paper: Paper, looks: dict[str, Any]) -> None:
    sheet.write_string(0, 0, f"{paper.title} · {block.title}", looks["section"])
    for place, column in enumerate(block.columns):
        sheet.write_string(2, place, column.head, looks["head_right" if column.right else "head"])
        sheet.set_column(place, place, 13 + 9 * (column.share - 1))
    sheet.freeze_panes(3, 1)
    for down, row in enumerate(block.rows):
        for place, cell in enumerate(row):
            _cell(sheet, 3 + down, place, cell, looks)
    end = 3 + len(block.rows)
    if not block.rows:
        sheet.write_string(end, 0, block.empty, looks["quiet"])
        end += 1
    sheet.write_string(_note(sheet, end + 1, block.note, looks), 0, paper.foot, looks["quiet"])


def _cell(sheet: Any, row: int, column: int, cell: Cell, looks: dict[str, Any]) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell.value is None:
        sheet.write_string(row, column, cell.shown, looks["unknown"])
    else:
        sheet.write_number(row, column, float(cell.value), looks[cell.form])
