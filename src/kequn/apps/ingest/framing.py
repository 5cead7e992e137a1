"""Where the table stands in a sheet: title lines above, one or two header rows, the body, notes and totals around it.

Nothing is dropped in silence: every line that is not read as data is told. What cannot be told apart stays in the body
and is refused there, row by row.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kequn.apps.ingest.reading import Cells, RawSheet, Rows
from kequn.apps.ingest.units import OWN_UNITS, AmountUnit, rate_unit, split_header, stated_units, unit_of
from kequn.domain.errors import Text

LOOKED_AT = 30  # rows in which a header is sought
TOTALS = re.compile(
    r"(合计|总计|小计|合计数|总合计|本页小计|本页合计|grand total|total|subtotal|sum)[:：]?$", re.IGNORECASE
)
NOTE = re.compile(
    r"(注|备注|附注|说明|资料来源|数据来源|来源|制表|填表|填报|审核|复核|编制|单位负责人|法定代表人签字|打印|导出|第\s*\d+\s*页"
    r"|notes?\b|remarks?\b|source|prepared|printed|page\b|\*|※|\(注|\(\d\)注)",
    re.IGNORECASE,
)
NEUTRAL = frozenset(  # headings over several columns that add nothing to the names below them
    {
        "基本信息", "基本情况", "基础信息", "客户信息", "客户基本信息",
        "企业信息", "企业基本信息", "财务数据", "主要财务数据", "财务指标",
        "主要财务指标", "财务信息", "财务情况", "财务报表", "资产负债表",
        "利润表", "现金流量表", "资产负债", "损益", "现金流量", "授信情况",
        "授信信息", "授信", "担保信息", "项目信息", "项目情况", "联系方式",
        "逾期情况", "基本资料", "规模", "金额", "期限", "期间", "经营情况",
        "账户流水", "评级信息", "资产", "负债", "权益",
    }
) | {
    "basic data", "basic information", "general", "company", "customer", "financials", "key figures", "balance sheet",
    "income statement", "cash flow", "cash flow statement", "facility", "facilities", "project", "amounts", "terms",
    "period", "assets", "liabilities",
}  # fmt: skip


@dataclass(slots=True)
class Sheet:
    """One table, ready to be read: its header, its body, and what was found around it."""

    file: str
    name: str
    header: tuple[str, ...]
    rows: Rows
    header_row: int = 1
    units: tuple[AmountUnit, ...] = ()  # of all amounts, as lines above the table state them; two where they disagree
    notes: list[Text] = field(default_factory=list)
    merged: dict[int, frozenset[int]] = field(default_factory=dict)  # row -> columns filled from a merged cell above
    hidden_rows: frozenset[int] = frozenset()
    epoch: str = ""
    unclear: bool = False
    strict: bool = False


def letter(index: int) -> str:
    """The name a spreadsheet gives a column, counted from 0."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def _text(cell: object) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _filled(cells: Sequence[object]) -> list[int]:
    return [at for at, cell in enumerate(cells) if _text(cell)]


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def frame(raw: RawSheet, known: Callable[[str], bool]) -> Sheet:
    """Find the table. `known` says whether a header text is one that we, or the mapping, can read."""
    if raw.header is not None:
        return Sheet(raw.file, raw.name, raw.header, raw.rows, strict=raw.strict)
    rows = _with_merges(raw, fill_rows=LOOKED_AT + 2)
    at, height = _header_at(rows, known)
    if at is None:
        return Sheet(raw.file, raw.name, (), [])
    header = _header(rows, at, height, raw)
    body = raw.rows[at + height :]
    width = max([len(header), *(1 + max(_filled(cells), default=-1) for _, cells in body)], default=len(header))
    header = _named_columns(header, width, body, raw.left)
    sheet = Sheet(raw.file, raw.name, header, body, rows[at + height - 1][0])
    sheet.epoch, sheet.unclear, sheet.strict = raw.epoch, raw.unclear, raw.strict
    above = [_text(cell) for _, cells in raw.rows[:at] for cell in cells if _text(cell)]
    sheet.units = tuple(stated_units(above))
    sheet.hidden_rows = raw.hidden_rows & {number for number, _ in body}
    _fill_merged_body(sheet, raw)
    _set_aside(sheet, raw)
    _tell_looks(sheet, raw)
    return sheet


# --- header -------------------------------------------------------------------------------------------------


def _with_merges(raw: RawSheet, *, fill_rows: int) -> Rows:
    """The first rows with every cell of a merged range showing what the range says."""
    rows = [(number, list(cells)) for number, cells in raw.rows[:fill_rows]]
    by_number = dict(rows)
    for top, left, bottom, right in raw.merges:
        if top not in by_number or left < 0:
            continue
        source = by_number[top]
        value = source[left] if left < len(source) else ""
        for number in range(top, min(bottom, top + LOOKED_AT) + 1):
            cells = by_number.get(number)
            for column in range(left, min(right + 1, len(cells))) if cells else ():
                if not _text(cells[column]):  # type: ignore[index]
                    cells[column] = value  # type: ignore[index]
    return rows


def _header_at(rows: Rows, known: Callable[[str], bool]) -> tuple[int | None, int]:
    """Where the header stands and how many rows it has: where most is recognised, else the first full row of words."""
    best, found, height = 0, None, 1
    for at, (_, cells) in enumerate(rows[:LOOKED_AT]):
        single = sum(known(_text(cell)) for cell in cells if _text(cell))
        if single > best:
            best, found, height = single, at, 1
        if at + 1 < len(rows) and rows[at + 1][0] == rows[at][0] + 1 and not any(map(_is_number, rows[at + 1][1])):
            joined = _joined(cells, rows[at + 1][1])
            below = sum(known(_text(cell)) for cell in rows[at + 1][1] if _text(cell))
            double = sum(known(one) for one in joined if one)
            is_unit_row = _is_unit_row(rows[at + 1][1])
            if (double > best and (below or is_unit_row)) or (is_unit_row and double >= best and found == at):
                best, found, height = double, at, 2
    wide = max((len(_filled(cells)) for _, cells in rows), default=0)
    if found is not None and not (best == 1 and len(_filled(rows[found][1])) == 1 and wide > 2):
        return found, height
    for at, (_, cells) in enumerate(rows[:LOOKED_AT]):
        distinct = {_text(cell) for cell in cells if _text(cell)}
        if len(distinct) >= max(2, (wide + 1) // 2) and not any(map(_is_number, cells)):
            return at, 1
    return (0, 1) if rows else (None, 1)


def _is_unit(text: str) -> bool:
    plain = unicodedata.normalize("NFKC", text).strip("() ")
    return bool(unit_of(plain) or rate_unit(plain))


def _is_unit_row(cells: Sequence[object]) -> bool:
    """A row that only says units: nothing under the first header, and no word that is not one."""
    words = [_text(cell) for cell in cells if _text(cell)]
    own = {word for units in OWN_UNITS.values() for word in units}
    is_first_blank = bool(cells) and not _text(cells[0])
    return is_first_blank and bool(words) and all(_is_unit(one) or one.strip("()（）") in own for one in words)


def _joined(top: Sequence[object], below: Sequence[object]) -> list[str]:
    """Two header rows as one: the name below, with the unit that stands above it; a heading that says more stays."""
    width = max(len(top), len(below))
    upper = [_text(top[at]) if at < len(top) else "" for at in range(width)]
    lower = [_text(below[at]) if at < len(below) else "" for at in range(width)]
    for at in range(1, width):  # a heading goes on to the right until the next one
        if not upper[at] and lower[at]:
            upper[at] = upper[at - 1]
    if _is_unit_row(below):
        return [
            f"{split_header(one)[0]}（{other.strip('()（） ')}）" if other else one
            for one, other in zip(upper, lower, strict=True)
        ]
    return [_joined_cell(one, other) for one, other in zip(upper, lower, strict=True)]


def _joined_cell(above: str, below: str) -> str:
    if not below or above == below:
        return above
    if not above:
        return below
    heading, unit = split_header(above)
    label, own = split_header(below)
    if _is_unit(unit) and not own:
        below = f"{label}（{unit}）"
    elif unit and not _is_unit(unit):
        heading = above
    return below if heading.casefold() in NEUTRAL else f"{heading} / {below}"


def _header(rows: Rows, at: int, height: int, raw: RawSheet) -> tuple[str, ...]:
    cells = rows[at][1] if height == 1 else _joined(rows[at][1], rows[at + 1][1])
    texts = [_text(cell) for cell in cells]
    if height == 1:  # a title merged over several columns must not become several headers
        row = rows[at][0]
        for top, left, bottom, right in raw.merges:
            if top <= row <= bottom and right > left >= 0:
                texts[left + 1 : right + 1] = [""] * len(texts[left + 1 : right + 1])
    return tuple(texts)


def _named_columns(header: tuple[str, ...], width: int, body: Rows, left: int) -> tuple[str, ...]:
    """A column with data and no header gets a name, so that it is asked about and not dropped."""
    texts = list(header) + [""] * (width - len(header))
    blank = [at for at, text in enumerate(texts) if not text]
    used = {at for _, cells in body for at in blank if at < len(cells) and _text(cells[at])} if blank else set()
    for at in used:
        texts[at] = f"[{letter(at + left)}]"
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


# --- body ---------------------------------------------------------------------------------------------------


def _fill_merged_body(sheet: Sheet, raw: RawSheet) -> None:
    """A cell merged over several rows counts for each of them; the parser says in which columns that may be."""
    if not raw.merges or not sheet.rows:
        return
    by_number = dict(sheet.rows)
    first = sheet.rows[0][0]
    for top, left, bottom, right in raw.merges:
        if bottom <= top or top < first or left < 0 or left != right:
            continue
        source = by_number.get(top)
        if source is None or left >= len(source) or not _text(source[left]):
            continue
        for number in range(top, bottom + 1):
            cells = by_number.get(number)
            if cells is None:
                continue
            cells.extend([""] * (left + 1 - len(cells)))
            cells[left] = source[left]
            sheet.merged[number] = sheet.merged.get(number, frozenset()) | {left}


def _set_aside(sheet: Sheet, raw: RawSheet) -> None:
    """Totals, repeated headers and the notes below the table are told and not read."""
    across = {top for top, left, bottom, right in raw.merges if top == bottom and right - left >= 2}
    words = tuple(one for one in sheet.header if one)
    kept: Rows = []
    totals, repeats = [], []
    for number, cells in sheet.rows:
        filled = _filled(cells)
        if filled and TOTALS.match(unicodedata.normalize("NFKC", _text(cells[filled[0]])).replace(" ", "")):
            totals.append(number)
        elif tuple(_text(cells[at]) for at in filled) == words:
            repeats.append(number)
        else:
            kept.append((number, cells))
    notes = _notes(kept, len(words), across)
    del kept[len(kept) - len(notes) :]
    sheet.rows = kept
    _tell(sheet, totals, "合计行", "totals")
    _tell(sheet, repeats, "重复的列头", "the header again")
    if notes:
        numbers = [number for number, _ in notes]
        said = " / ".join(_text(cells[_filled(cells)[0]])[:60] for _, cells in notes[:3])
        _tell(sheet, numbers, f"表下注释（{said}）", f"notes below the table ({said})")


def _notes(kept: Rows, width: int, across: set[int]) -> Rows:
    """The lines of words below the table: from the first that says so, or that follows a gap, to the end."""
    start = len(kept)
    first = start
    while start and _is_words(kept[start - 1][1], width):
        start -= 1
        number, cells = kept[start]
        after_gap = start > 0 and kept[start - 1][0] < number - 1
        says_so = NOTE.match(unicodedata.normalize("NFKC", _text(cells[_filled(cells)[0]])))
        if says_so or (width >= 3 and (after_gap or number in across)):
            first = start
    return kept[first:]


def _is_words(cells: Cells, width: int) -> bool:
    """Whether a row may be a line of words and no record: one cell of text, or a few that all begin as notes do."""
    filled = [cells[at] for at in _filled(cells)]
    if not filled or not all(isinstance(one, str) for one in filled):
        return False
    if len(filled) == 1:
        return True
    noted = sum(bool(NOTE.match(unicodedata.normalize("NFKC", _text(one)))) for one in filled)
    return len(filled) < width and noted == len(filled)


def _rows_text(numbers: list[int]) -> str:
    shown = ", ".join(str(one) for one in numbers[:8])
    return shown + (" …" if len(numbers) > 8 else "")


def _tell(sheet: Sheet, numbers: list[int], zh: str, en: str) -> None:
    if numbers:
        rows = _rows_text(numbers)
        sheet.notes.append(
            Text(
                f"{sheet.name}：第{rows}行是{zh}，没有作为数据读取", f"{sheet.name}: row {rows}: {en}; not read as data"
            )
        )


def _tell_looks(sheet: Sheet, raw: RawSheet) -> None:
    hidden = [letter(at + raw.left) for at in raw.hidden_columns if at < len(sheet.header) and sheet.header[at]]
    if hidden:
        named = ", ".join(hidden[:12])
        sheet.notes.append(
            Text(
                f"{sheet.name}：隐藏的列 {named} 也已读取",
                f"{sheet.name}: the hidden columns {named} were read as well",
            )
        )
    if raw.unclear and raw.file.lower().endswith(".xls"):
        zh, en = "看不出 .xls 中有无隐藏行", "whether rows are hidden cannot be seen in an .xls file"
        sheet.notes.append(Text(f"{sheet.name}：{zh}", f"{sheet.name}: {en}"))
