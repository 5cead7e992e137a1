"""Workbooks to lines. Beside the values: merged cells, hidden rows and columns, percent formats, the epoch of dates.

The reader of values does not tell formats; they are taken from the sheets' own XML, scanned and never parsed as a tree.
What cannot be told (xls; percentages of ods) is said to be unclear, so that nobody has to guess.
"""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # noqa: ICN001 - its name is its name

from kequn.apps.ingest.guards import SHEETS, Trouble, guard_cells

CHUNK = 4 << 20
DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
ROW, CELL, COL = re.compile(rb"<row\b([^>]*)>"), re.compile(rb"<c\b([^>]*)>"), re.compile(rb"<col\b([^>]*)>")
AT = re.compile(rb"""\br=["']([A-Z]{1,3})?(\d{1,7})["']""")  # XML takes either quote
STYLE = re.compile(rb"""\bs=["'](\d+)["']""")
HIDDEN = re.compile(rb"""\bhidden=["'](?:1|true)["']""")
BETWEEN = re.compile(rb"""\b(min|max)=["'](\d{1,5})["']""")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TO_PART = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
PERCENT_FORMATS = {9, 10}
QUOTED = re.compile(r'"[^"]*"|\\.')


@dataclass(slots=True)
class Looks:
    """What the XML of one sheet says beside its values. Rows and columns count from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    percent: set[tuple[int, int]] = field(default_factory=set)
    unclear: bool = False  # whether a number is a percentage cannot be told
    cells: int = 0


def read(path: Path, _encoding: str) -> Iterator[Any]:
    import python_calamine

    looks, epoch = _looks(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        metadata = {one.name: one for one in book.sheets_metadata}
    except python_calamine.PasswordError as error:
        raise Trouble("encrypted", "工作簿有密码保护", "the workbook is protected by a password") from error
    except python_calamine.CalamineError as error:
        raise Trouble("not_a_workbook", "不是可读的工作簿", "this is not a readable workbook") from error
    if len(book.sheet_names) > SHEETS:
        raise Trouble("too_many_sheets", "工作表过多", "too many sheets", str(len(book.sheet_names)), f"<= {SHEETS}")
    cells = 0
    for name in book.sheet_names:
        if metadata[name].typ != python_calamine.SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_name(name)
        except (python_calamine.CalamineError, ValueError) as error:
            raise Trouble("sheet_unreadable", "工作表无法读取", "the sheet cannot be read", sheet=name) from error
        look = looks.get(name, Looks(unclear=path.suffix.lower() == ".xls"))
        visible = metadata[name].visible == python_calamine.SheetVisibleEnum.Visible
        cells += sheet.height * sheet.width
        guard_cells(cells)
        yield from _sheet(sheet, look, epoch, visible=visible)


def _sheet(sheet: Any, look: Looks, epoch: str, *, visible: bool) -> Iterator[Any]:
    top, left = sheet.start or (0, 0)
    yield {
        "sheet": sheet.name,
        "merges": [[r0 + 1, c0 - left, r1 + 1, c1 - left] for (r0, c0), (r1, c1) in sheet.merged_cell_ranges or ()],
        "hidden_rows": sorted(one + 1 for one in look.hidden_rows),
        "hidden_columns": sorted(one - left for one in look.hidden_columns if one >= left),
        "unclear": look.unclear,
        "epoch": epoch,
        "visible": visible,
        "left": left,
    }
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), start=top):
        if any(cell != "" for cell in row):
            cells = [plain(cell) for cell in row]
            if look.percent:
                for at, cell in enumerate(cells):
                    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
                    if is_number and (number, at + left) in look.percent:
                        cells[at] = {"p": cell}
            yield [number + 1, cells]


def plain(cell: object) -> object:
    if isinstance(cell, dt.datetime):
        return {"d": cell.date().isoformat()}
    if isinstance(cell, dt.date):
        return {"d": cell.isoformat()}
    if isinstance(cell, dt.time | dt.timedelta):
        return str(cell)
    return cell


# --- what the XML says --------------------------------------------------------------------------------------


def _looks(path: Path) -> tuple[dict[str, Looks], str]:
    """The looks of each sheet by its name, and the epoch of its dates; empty where it cannot be told."""
    kind = path.suffix.lower()
    if kind == ".xls":
        return {}, ""
    try:
        with zipfile.ZipFile(path) as archive:
            if kind == ".ods":
                return _ods_looks(archive), ""
            parts, epoch = _sheet_parts(archive)
            percents = _percent_styles(archive)
            return {name: _scan(archive, part, percents) for name, part in parts.items()}, epoch
    except (KeyError, zipfile.BadZipFile, ElementTree.ParseError, OSError, ValueError, NotImplementedError) as error:
        raise Trouble("not_a_workbook", "工作簿已损坏", "the workbook is damaged") from error
    except Exception as error:  # zlib.error and whatever else a bent archive raises
        if isinstance(error, Trouble | MemoryError):
            raise
        raise Trouble("not_a_workbook", "工作簿已损坏", "the workbook is damaged") from error


def _tree(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    content = archive.read(name)
    if DOCTYPE.search(content):
        raise Trouble("xml_entities", "工作簿中有文档类型声明", "the workbook declares entities", name)
    return ElementTree.fromstring(content)  # noqa: S314 - no DTD, size guarded by the directory, own process


def _sheet_parts(archive: zipfile.ZipFile) -> tuple[dict[str, str], str]:
    book, names = _tree(archive, "xl/workbook.xml"), set(archive.namelist())
    related = _tree(archive, "xl/_rels/workbook.xml.rels")
    targets = {one.get("Id", ""): one.get("Target", "") for one in related}
    properties = book.find(f"{MAIN}workbookPr")
    is_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
    parts = {}
    for one in book.iter(f"{MAIN}sheet"):
        target = targets.get(one.get(TO_PART, ""), "").lstrip("/")
        part = target if target.startswith("xl/") else f"xl/{target}"
        if part in names:
            parts[one.get("name", "")] = part
    return parts, "1904" if is_1904 else "1900"


def _percent_styles(archive: zipfile.ZipFile) -> set[bytes]:
    if "xl/styles.xml" not in archive.namelist():
        return set()
    styles = _tree(archive, "xl/styles.xml")
    formats = set(PERCENT_FORMATS)
    for one in styles.iter(f"{MAIN}numFmt"):
        if "%" in QUOTED.sub("", one.get("formatCode", "")):
            formats.add(int(one.get("numFmtId", "0")))
    cell_formats = styles.find(f"{MAIN}cellXfs")
    found = enumerate(cell_formats) if cell_formats is not None else ()
    return {str(number).encode() for number, one in found if int(one.get("numFmtId", "0")) in formats}


def _scan(archive: zipfile.ZipFile, part: str, percents: set[bytes]) -> Looks:
    look, carry = Looks(), b""
    with archive.open(part) as stream:
        while block := stream.read(CHUNK):
            text = carry + block
            if not carry and DOCTYPE.search(text[:4096]):
                raise Trouble("xml_entities", "工作簿中有文档类型声明", "the workbook declares entities", part)
            cut = max(text.rfind(b"<"), 0)
            _take(text[:cut], look, percents)
            carry = text[cut:]
            if len(carry) > CHUNK:
                raise Trouble("not_a_workbook", "工作簿已损坏", "the workbook is damaged", part)
    _take(carry, look, percents)
    return look


def _take(text: bytes, look: Looks, percents: set[bytes]) -> None:
    look.cells += text.count(b"<c ")
    guard_cells(look.cells)
    if b"<x:row" in text:
        look.unclear = True
    if b"hidden=" in text:
        for one in ROW.finditer(text):
            if HIDDEN.search(one[1]) and (at := AT.search(one[1])):
                look.hidden_rows.add(int(at[2]) - 1)
        for one in COL.finditer(text):
            if HIDDEN.search(one[1]):
                ends = {key: int(value) for key, value in BETWEEN.findall(one[1])}
                look.hidden_columns |= set(range(ends.get(b"min", 1) - 1, min(ends.get(b"max", 0), 16_384)))
    if not percents:
        return
    for one in CELL.finditer(text):
        style = STYLE.search(one[1])
        if style is None or style[1] not in percents:
            continue
        at = AT.search(one[1])
        if at is None or at[1] is None:
            look.unclear = True
        else:
            look.percent.add((int(at[2]) - 1, _column(at[1])))


def _column(letters: bytes) -> int:
    number = 0
    for one in letters:
        number = number * 26 + one - 64
    return number - 1


# --- ods ----------------------------------------------------------------------------------------------------

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def _ods_looks(archive: zipfile.ZipFile) -> dict[str, Looks]:
    """Hidden rows of each table, and whether it holds percentages, which come as plain numbers."""
    with archive.open("content.xml") as stream:
        if DOCTYPE.search(stream.read(4096)):
            raise Trouble("xml_entities", "工作簿中有文档类型声明", "the workbook declares entities")
    looks: dict[str, Looks] = {}
    look, row = Looks(), 0
    with archive.open("content.xml") as stream:
        for event, one in ElementTree.iterparse(stream, ("start", "end")):  # noqa: S314 - no DTD, guarded, own process
            if event == "start" and one.tag == f"{TABLE}table":
                look, row = looks.setdefault(one.get(f"{TABLE}name", ""), Looks()), 0
            elif event == "start" and one.tag == f"{TABLE}table-cell":
                look.unclear |= one.get(f"{OFFICE}value-type") == "percentage"
            elif event == "end" and one.tag == f"{TABLE}table-row":
                repeated = min(int(one.get(f"{TABLE}number-rows-repeated", "1")), 1_048_576)
                if one.get(f"{TABLE}visibility", "visible") != "visible":
                    look.hidden_rows |= set(range(row, row + repeated))
                row += repeated
                one.clear()
    return looks
