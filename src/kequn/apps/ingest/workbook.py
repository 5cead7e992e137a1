"""The import template: a workbook with notes, units and drop-downs. Cells are text or numbers, never live formulas."""

from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from kequn.apps.customers.dictionary import said, sheet_entries
from kequn.apps.ingest.layout import SHEET_ORDER, SHEET_TABLES
from kequn.apps.ingest.tables import Column, tables
from kequn.domain.errors import Language, Text
from kequn.policy.telling import unit_name

ROWS_WITH_CHOICES = 5000
AMOUNT_UNIT = {"zh": "万元", "en": "10k CNY"}
NOTES_NAME = {"zh": "说明", "en": "Notes"}
CHOICES_NAME = {"zh": "选项", "en": "Choices"}
YES_NO = {"zh": ["是", "否"], "en": ["yes", "no"]}
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "constant_memory": True}
NOTES = (
    Text(
        "每张表一行一条；列头可用中文、英文或事实名，次序不限，不用的列可以删去。",
        "One record a row. Headers may be the Chinese label, the English label or the fact's name, in any order;"
        " delete columns you do not use.",
    ),
    Text(
        "金额单位写在列头括号内（元、万元、亿元、10k CNY、million USD 等），不写单位的金额会被拒绝。",
        "The unit of amounts stands in brackets in the header (元, 万元, CNY, 10k CNY, million USD ...);"
        " an amount without a unit is refused.",
    ),
    Text(
        "“金额币种”列说明整行金额的币种；空着时按列头单位的币种。",
        "The column “Currency of amounts” gives the currency of the row; left empty, the unit in the header does.",
    ),
    Text(
        "空格表示未知，不是零；再次导入时空格不会抹去已存的值。",
        "An empty cell means unknown, not zero; importing it again does not wipe out what is stored.",
    ),
    Text(
        "日期写作 2026-03-31；比例写小数或百分数（35%）。",
        "Dates are written 2026-03-31; ratios as fractions or as percentages (35%).",
    ),
    Text(
        "客户以统一社会信用代码匹配，没有时以客户编号匹配。",
        "A customer is matched by its unified social credit code, else by its customer ID.",
    ),
    Text(
        "报表：中国季报的利润表和现金流量表为年初至今累计数，“流量口径”填 cumulative；单季数填 discrete。",
        "Statements: Chinese interim flows run from January; write cumulative."
        " Write discrete for the figures of one quarter.",
    ),
)


def sheet_columns(sheet: str) -> list[Column]:
    """The columns of one sheet of the template; what is known only afterwards and what policy derives stay out."""
    merged: dict[str, Column] = {}
    for table in SHEET_TABLES[sheet]:
        if table == "outcomes":
            continue
        merged.update({name: one for name, one in tables()[table].columns.items() if name not in merged})
    kept = [one for one in merged.values() if not one.entry.outcome and one.entry.source != "derived"]
    return [one for one in kept if one.name != "unit"]


def header_of(column: Column, lang: Language) -> str:
    label = column.zh if lang == "zh" else column.en
    if column.kind == "money":
        return f"{label}（{AMOUNT_UNIT[lang]}）" if lang == "zh" else f"{label} ({AMOUNT_UNIT[lang]})"
    return label


def write_template(path: Path, lang: Language) -> None:
    """The import workbook: notes first, then one sheet for each kind of record."""
    with xlsxwriter.Workbook(str(path), OPTIONS) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EEF7", "border": 1, "text_wrap": True, "valign": "top"})
        must = book.add_format({"bold": True, "bg_color": "#FCE8C8", "border": 1, "text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        long = _long_lists()
        _notes(book, lang, head)
        for name in SHEET_ORDER:
            shape = sheet_entries()[name]
            sheet = book.add_worksheet(shape.zh if lang == "zh" else shape.en)
            sheet.freeze_panes(1, 0)
            for at, column in enumerate(sheet_columns(name)):
                label = header_of(column, lang)
                is_date = column.kind in {"date", "month"}
                sheet.set_column(at, at, max(12, min(30, len(label) + 4)), day if is_date else None)
                sheet.write_string(0, at, label, must if column.required else head)
                sheet.write_comment(0, at, _note(column, lang))
                _drop_down(sheet, at, column, lang, long)
        _choices(book, lang, long)


def _notes(book: xlsxwriter.Workbook, lang: Language, head: Any) -> None:
    sheet = book.add_worksheet(NOTES_NAME[lang])
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 4, 32)
    for row, note in enumerate(NOTES):
        sheet.write_string(row, 0, note.zh if lang == "zh" else note.en)
    row = len(NOTES) + 1
    titles = ("表", "列", "事实名", "单位", "可填") if lang == "zh" else ("Sheet", "Column", "Fact", "Unit", "Choices")
    for at, title in enumerate(titles):
        sheet.write_string(row, at, title, head)
    for name in SHEET_ORDER:
        shape = sheet_entries()[name]
        for column in sheet_columns(name):
            row += 1
            cells = (
                shape.zh if lang == "zh" else shape.en, column.zh if lang == "zh" else column.en, column.name,
                _unit(column, lang), ", ".join(_said(column, lang)),
            )  # fmt: skip
            for at, cell in enumerate(cells):
                sheet.write_string(row, at, cell)


def _long_lists() -> dict[str, int]:
    """The columns whose choices are too long for a list in the cell, and where they stand on the choices sheet."""
    every = [one for name in SHEET_ORDER for one in sheet_columns(name)]
    long = [one.name for one in every if max(len(",".join(_said(one, lang))) for lang in ("zh", "en")) > 255]
    return {name: at for at, name in enumerate(dict.fromkeys(long))}


def _choices(book: xlsxwriter.Workbook, lang: Language, long: dict[str, int]) -> None:
    sheet = book.add_worksheet(CHOICES_NAME[lang])
    every = {one.name: one for name in SHEET_ORDER for one in sheet_columns(name)}
    lists = [_said(every[name], lang) for name in long]
    for row in range(max((len(one) for one in lists), default=0)):
        for at, choices in enumerate(lists):
            if row < len(choices):
                sheet.write_string(row, at, choices[row])


def _said(column: Column, lang: Language) -> list[str]:
    """The choices of a column in the words of a language, as the screens say them."""
    return [said(column.entry, one, lang) for one in column.entry.choices]


def _unit(column: Column, lang: Language) -> str:
    """The unit that the template itself states: amounts stand in the unit of its header."""
    return AMOUNT_UNIT[lang] if column.kind == "money" else unit_name(column.entry.unit, lang)


def _note(column: Column, lang: Language) -> str:
    entry = column.entry
    parts = [column.name, column.en if lang == "zh" else column.zh]
    if entry.unit:
        parts.append(("单位 " if lang == "zh" else "Unit ") + _unit(column, lang))
    if entry.choices:
        parts.append(("可填 " if lang == "zh" else "One of ") + ", ".join(_said(column, lang)))
    if column.required:
        parts.append("必填" if lang == "zh" else "Required")
    return "\n".join(parts)


def _drop_down(sheet: Any, at: int, column: Column, lang: Language, long: dict[str, int]) -> None:
    choices = _said(column, lang) or (YES_NO[lang] if column.kind == "truth" else [])
    if choices and column.name not in long:
        sheet.data_validation(1, at, ROWS_WITH_CHOICES, at, {"validate": "list", "source": choices})
    elif choices:  # a list of more than 255 characters must stand in cells
        first, last = (
            xl_rowcol_to_cell(row, long[column.name], row_abs=True, col_abs=True) for row in (0, len(choices) - 1)
        )
        source = f"='{CHOICES_NAME[lang]}'!{first}:{last}"
        sheet.data_validation(1, at, ROWS_WITH_CHOICES, at, {"validate": "list", "source": source})
