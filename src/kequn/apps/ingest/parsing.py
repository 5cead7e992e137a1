"""One row to the values of its records, with every reason why it cannot be taken. One bad row stops no other."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kequn.apps.ingest import cells
from kequn.apps.ingest.cells import Bad
from kequn.apps.ingest.framing import Sheet
from kequn.apps.ingest.layout import FieldSpec, Layout, RecordSpec
from kequn.apps.ingest.standard_codes import country_names
from kequn.apps.ingest.tables import Column
from kequn.apps.ingest.units import UNIT_CHOICES, amount_unit, own_units
from kequn.domain.errors import Finding, Place, Text

Row = Sequence[object]
NUMERIC = frozenset({"money", "number", "whole", "share"})
DATED = frozenset({"date", "month", "period"})
Values = dict[str, object]


@dataclass(slots=True)
class ParsedRow:
    """The records of one row, not yet tied to what is stored."""

    place: Place
    records: list[tuple[RecordSpec, Values]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    layout: Layout | None = None
    cells: Row = ()  # as they stood in the file
    warnings: list[Finding] = field(default_factory=list)  # taken, but hard to believe


@dataclass(frozen=True, slots=True)
class _Getter:
    target: str
    column: str
    read: Callable[[Row], object]


class RowParser:
    """Compiled for one sheet: its layout, its header and its place."""

    def __init__(self, layout: Layout, sheet: Sheet, *, take_hidden: bool = False) -> None:
        self.layout, self.file, self.sheet, self.looks = layout, sheet.file, sheet.name, sheet
        self.width = len(sheet.header)
        self.hidden = frozenset() if take_hidden else sheet.hidden_rows
        self.index = {name: number for number, name in reversed(list(enumerate(sheet.header)))}
        self.numeric = {
            self.index[column]
            for spec in layout.records
            for one in spec.fields
            for column in one.columns()
            if (found := spec.table.columns.get(one.target)) is not None and found.kind in NUMERIC
        }
        self.records = [(spec, self._compiled(spec)) for spec in layout.records]

    def parse(self, number: int, row: Row) -> ParsedRow:
        parsed = ParsedRow(Place(self.file, self.sheet, number), layout=self.layout, cells=row)
        if len(row) != self.width and self.looks.strict and (len(row) < self.width or any(row[self.width :])):
            text = Text(f"有{len(row)}格，列头有{self.width}格", f"{len(row)} cells under a header of {self.width}")
            parsed.findings.append(Finding("cells", text, parsed.place, str(len(row)), str(self.width)))
            return parsed
        if number in self.hidden:
            zh, en = "这一行在文件中是隐藏的", "this row is hidden in the file"
            wanted = "取消隐藏，或选择“隐藏行也读取”"
            parsed.findings.append(
                Finding(
                    "hidden_row",
                    Text(f"{zh}，请{wanted}", f"{en}: unhide it, or choose to take hidden rows"),
                    parsed.place,
                )
            )
            return parsed
        for at in self.looks.merged.get(number, ()):
            if at in self.numeric:
                self._shared(parsed, at, row)
        for spec, getters in self.records:
            if self._applies(spec, row):
                self._record(spec, getters, row, parsed)
        if not parsed.records and not parsed.findings:
            text = Text("本行没有可存的内容", "nothing in this row can be stored")
            parsed.findings.append(Finding("nothing", text, parsed.place))
        return parsed

    def _shared(self, parsed: ParsedRow, at: int, row: Row) -> None:
        """A number merged over several rows may be their sum, or the number of each: it is not taken."""
        text = Text(
            "数字的单元格跨多行合并，不知属于哪一行", "a number merged over several rows: it is not known whose it is"
        )
        place = Place(self.file, self.sheet, parsed.place.row, self.looks.header[at])
        parsed.findings.append(Finding("merged", text, place, str(row[at])))

    def _cell(self, row: Row, column: str) -> object:
        index = self.index[column]
        return row[index] if index < len(row) else None

    def _applies(self, spec: RecordSpec, row: Row) -> bool:
        if spec.only_if and cells.is_empty(self._cell(row, spec.only_if)):
            return False
        if spec.equals is None:
            return True
        cell = self._cell(row, spec.equals[0])
        # a relation that is in neither list is read, and refused, by the first of the records
        known = {"ownership", "control", "family", "guarantee"}
        word = str(cell or "").strip().lower()
        return word in spec.equals[1] or (word not in known and "ownership" in spec.equals[1])

    def _record(self, spec: RecordSpec, getters: list[_Getter], row: Row, parsed: ParsedRow) -> None:
        values: Values = {}
        for getter in getters:
            value = getter.read(row)
            if isinstance(value, Bad):
                place = Place(self.file, self.sheet, parsed.place.row, getter.column)
                parsed.findings.append(Finding(value.code, value.text, place, value.found, value.expected))
            elif value is not None:
                values[getter.target] = value
        for column in spec.table.columns.values():
            wanted = column.required and column.name not in values and spec.field(column.name) is not None
            if wanted and not any(one.place.column == self._named(spec, column.name) for one in parsed.findings):
                self._missing(spec, column, parsed)
        if spec.table.has_money and spec.currency not in {"", "CNY", values.get("currency", spec.currency)}:
            self._two_currencies(spec, values, parsed)
        if spec.table.has_money and "currency" not in values:
            values["currency"] = spec.currency or self._currency_of_unit(spec, row)
        parsed.records.append((spec, values))

    def _two_currencies(self, spec: RecordSpec, values: Values, parsed: ParsedRow) -> None:
        place = Place(self.file, self.sheet, parsed.place.row, self._named(spec, "currency"))
        said = str(values["currency"])
        text = Text(
            f"本行币种 {said} 与列头的 {spec.currency} 不符", f"the row says {said}, the header {spec.currency}"
        )
        parsed.findings.append(Finding("unit_conflict", text, place, said, spec.currency))

    def _currency_of_unit(self, spec: RecordSpec, row: Row) -> str:
        stated = spec.field("unit")
        found = amount_unit(str(self._cell(row, stated.column) or "")) if stated else None
        return found[1] if found else "CNY"

    def _named(self, spec: RecordSpec, target: str) -> str:
        found = spec.field(target)
        return (found.columns() or (target,))[0] if found else target

    def _missing(self, spec: RecordSpec, column: Column, parsed: ParsedRow) -> None:
        place = Place(self.file, self.sheet, parsed.place.row, self._named(spec, column.name))
        text = Text(f"必填项“{column.zh}”为空", f"“{column.en}” is required and empty")
        if not any(one.place == place and one.code == "required" for one in parsed.findings):
            parsed.findings.append(Finding("required", text, place, "", column.en))

    def _compiled(self, spec: RecordSpec) -> list[_Getter]:
        made = []
        for one in spec.fields:
            if one.target == "unit":
                continue
            shown = (one.columns() or (one.target,))[0]
            made.append(_Getter(one.target, shown, self._getter(spec, one)))
        return made

    def _getter(self, spec: RecordSpec, one: FieldSpec) -> Callable[[Row], object]:
        column = spec.table.columns.get(one.target)
        if one.target.startswith("details."):
            index = self.index[one.column]
            return lambda row: None if cells.is_empty(row[index]) else str(row[index])[:200]
        if column is None:
            raise KeyError(one.target)
        if one.unit_of_row:
            return self._by_row_unit(spec, one, column)
        read = (
            cells.date_in(one.form)
            if one.form and column.kind in DATED
            else column.reader(self._stated(spec, one, column))
        )
        if column.kind in DATED and self.looks.epoch:
            read = _of_serial(read, self.looks.epoch)
        if one.value is not None and not one.columns():
            constant = read(one.value)
            return lambda _row: constant
        if one.ratio is not None:
            return self._of_ratio(one.ratio, read)
        take = self._take(one)
        return lambda row: read(take(row))

    def _stated(self, spec: RecordSpec, one: FieldSpec, column: Column) -> cells.Stated:
        """What is said of the numbers of a column; where a column of the rows names the currency, no header does."""
        by_row = spec.field("currency") is not None
        unit = column.entry.unit
        return cells.Stated(
            one.factor, "" if by_row else one.currency, unit, own_units(unit), one.is_open, self.looks.unclear
        )

    def _take(self, one: FieldSpec) -> Callable[[Row], object]:
        """The cell, after the mapping's own words: what means unknown, what becomes what, what stands before."""
        if one.joined:
            indexes = [self.index[name] for name in one.joined]
            glue = one.separator
            return lambda row: glue.join(str(row[at]) for at in indexes if not cells.is_empty(row[at])) or None
        index = self.index[one.column]
        if not (one.missing or one.otherwise or _steps(one)):
            return lambda row: row[index] if index < len(row) else None
        steps = _steps(one)
        missing, other = one.missing, self.index[one.otherwise] if one.otherwise else None

        def take(row: Row) -> object:
            cell = row[index] if index < len(row) else None
            if other is not None and (cells.is_empty(cell) or str(cell).strip() in missing):
                cell = row[other]
            if cells.is_empty(cell) or str(cell).strip() in missing:
                return None
            for step in steps:
                cell = step(str(cell).strip())
                if cell is None or cell == "":
                    return None
            return cell

        return take

    def _of_ratio(self, ratio: tuple[str, str], read: cells.Reader) -> Callable[[Row], object]:
        above, below = (self.index[name] for name in ratio)

        def divide(row: Row) -> object:
            one, other = cells.decimal_of(row[above]), cells.decimal_of(row[below])
            return None if one is None or not other else read(float(one / other))

        return divide

    def _by_row_unit(self, spec: RecordSpec, one: FieldSpec, column: Column) -> Callable[[Row], object]:
        index, unit_at = self.index[one.column], self.index[next(f.column for f in spec.fields if f.target == "unit")]
        readers: dict[str, tuple[cells.Reader, str]] = {}

        def read(row: Row) -> object:
            cell = row[index] if index < len(row) else None
            if cells.is_empty(cell):
                return None
            unit = str(row[unit_at] if unit_at < len(row) and row[unit_at] is not None else "").strip()
            if unit not in readers:
                found = amount_unit(unit)
                if found is None:
                    return cells.bad(
                        "unit_unstated", unit, "金额单位", "the unit of the amount", " / ".join(UNIT_CHOICES)
                    )
                readers[unit] = (column.reader(cells.Stated(found[0], found[1])), found[1])
            return readers[unit][0](cell)

        return read


def _of_serial(read: cells.Reader, epoch: str) -> cells.Reader:
    return lambda cell: read(cells.day_of_serial(cell, epoch))


Step = Callable[[str], str | None]


def _steps(one: FieldSpec) -> list[Step]:
    """What the mapping does to a filled cell, in this order: pattern, translation, look-up, digest, prefix, ordinal."""
    steps: list[Step] = []
    if one.pattern:
        steps.append(_by_pattern(re.compile(one.pattern)))
    if one.translate:
        table, others = {key.casefold(): value for key, value in one.translate}, one.others
        steps.append(lambda text: table.get(text.casefold(), text if others is None else others))
    if one.lookup == "country":
        steps.append(_country_code)
    if one.hashed:
        steps.append(lambda text: hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:12])
    if one.prefix:
        steps.append(lambda text: one.prefix + text)
    if one.ordinal:
        steps.append(_numbered())
    return steps


def _by_pattern(pattern: re.Pattern[str]) -> Step:
    def read(text: str) -> str | None:
        found = pattern.search(text)
        return next((group for group in found.groups() if group), None) if found else None

    return read


def _numbered() -> Step:
    seen: dict[str, int] = {}

    def number(text: str) -> str:
        seen[text] = seen.get(text, 0) + 1
        return text if seen[text] == 1 else f"{text}#{seen[text]}"

    return number


def _country_code(text: str) -> str | None:
    """The code of a country's name as the pack writes it; a code stays a code; any other word is unknown."""
    return text if re.fullmatch("[A-Z]{2}", text) else country_names().get(text.casefold())
