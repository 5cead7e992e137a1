# ruff: noqa: E501 - a table reads better in whole lines
"""Write a case as a file, with plain writers that share nothing with the importer."""

import csv
import gzip
import io
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

from tests.files.templates import Template

ROWS = 6
RATE, NUMBER = {"ratio"}, {"number"}


def header_of(case: Template, column) -> str:
    label = column.zh if case.lang == "zh" else column.en
    brackets = ("（", "）") if case.lang == "zh" else (" (", ")")
    unit = ""
    if column.kind == "money" and case.where == "header":
        unit = case.unit
    elif column.kind == "money" and case.where == "bracket":
        unit = f"单位：{case.unit}"
    elif column.kind == "money" and case.where == "slash":
        return f"{label}/{case.unit}"
    elif column.field == "rate_pa":
        unit = case.rate_unit
    elif column.field == "tenor_months":
        unit = case.number_unit
    return f"{label}{brackets[0]}{unit}{brackets[1]}" if unit else label


def keys(case: Template) -> list[str]:
    zh, en = ["客户编号", "客户名称"], ["Customer ID", "Customer name"]
    if case.sheet == "facilities":
        zh, en = ["客户编号", "授信编号"], ["Customer ID", "Facility ID"]
    return zh if case.lang == "zh" else en


def grid(case: Template) -> tuple[list[list[object]], int, int]:
    """All rows of the file as lists of cells, how many stand above the body, and how many header rows there are."""
    head = [*keys(case), *(header_of(case, one) for one in case.columns)]
    rows: list[list[object]] = []
    if case.layout in {"titles", "merged_title"} or case.where == "title":
        rows.append(["2026年客户情况表" if case.lang == "zh" else "Customers in 2026"])
        if case.where == "title":
            said = f"编制单位：某某银行　金额单位：{case.unit}" if case.lang == "zh" else f"Amounts in {case.unit}"
            rows.append([said])
    heads = 1
    if case.where == "group":
        top: list[object] = ["基本信息", "", *["" for _ in case.columns]]
        money = [at for at, one in enumerate(case.columns) if one.kind == "money"]
        others = [at for at, one in enumerate(case.columns) if one.kind != "money"]
        top[2 + money[0]] = f"财务数据（{case.unit}）"
        if others:
            top[2 + others[0]] = "基本情况"
        rows.append(top)
        heads = 2
    rows.append(list(head))
    if case.where == "unit_row":
        rows.append(
            [
                "",
                "",
                *(
                    case.unit if one.kind == "money" else "人" if one.field == "employees" else ""
                    for one in case.columns
                ),
            ]
        )
        heads = 2
    above = len(rows)
    for number in range(ROWS):
        identity = f"F{number}" if case.sheet == "facilities" else f"客户{number}"
        customer = "K0" if case.sheet == "facilities" else f"K{number}"
        rows.append([customer, identity, *(one.cells[number][0] for one in case.columns)])
        if case.layout == "blanks" and number == 2:
            rows.append([])
        if case.layout == "repeated" and number == 2:
            rows.append(list(head))
    if case.layout == "totals":
        rows += [["合 计", "", *["999999" for _ in case.columns]]]
    if case.layout == "notes":
        rows += [[], ["注：1. 本表由客户经理填报。"], ["2. 数据截至2026年9月末。"]]
    if case.layout == "footer":
        rows += [["制表：王芳", "审核：李强"], ["第 1 页"]]
    if case.layout == "offset":
        rows = [["", *row] for row in rows]
    return rows, above, heads


def write(case: Template, folder: Path) -> Path:
    path = folder / f"{case.sheet}{case.end}"
    {".xlsx": _xlsx, ".ods": _ods, ".csv": _csv, ".csv.gz": _csv}[case.end](case, path)
    return path


def _csv(case: Template, path: Path) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=case.delimiter).writerows(
        ["" if cell is None else cell for cell in row] for row in grid(case)[0]
    )
    raw = text.getvalue().encode(case.encoding)
    path.write_bytes(gzip.compress(raw) if case.end.endswith(".gz") else raw)


def _xlsx(case: Template, path: Path) -> None:
    rows, above, heads = grid(case)
    with xlsxwriter.Workbook(str(path), {"date_1904": case.epoch == "1904"}) as book:
        percent = book.add_format({"num_format": "0.00%"})
        sheet = book.add_worksheet(case.sheet)
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                if cell is None or cell == "":
                    continue
                is_rate = at >= 2 and case.percent_format and number >= above and case.columns[at - 2].kind == "ratio"
                if isinstance(cell, str):
                    sheet.write_string(number, at, cell)
                else:
                    sheet.write_number(number, at, cell, percent if is_rate else None)
        if case.layout == "merged_title":
            sheet.merge_range(0, 0, 0, 1 + len(case.columns), rows[0][0])
        if case.where == "group":
            first, top = above - heads, rows[above - heads]
            starts = [at for at, cell in enumerate(top) if cell]
            for start, end in zip(starts, [*starts[1:], len(top)], strict=True):
                if end - start > 1:
                    sheet.merge_range(first, start, first, end - 1, top[start])
        for number in case.hidden:
            sheet.set_row(above + number, None, None, {"hidden": True})


SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)


MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def _ods(case: Template, path: Path) -> None:
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in grid(case)[0])
    content = (
        f'<?xml version="1.0"?><office:document-content {SPACES}><office:body><office:spreadsheet>'
        f'<table:table table:name="{case.sheet}">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)


def _ods_cell(cell: object) -> str:
    if cell is None or cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
    return (
        f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    )
