"""A sheet of rows over time: one formula a row, the same in every column, so that a reader checks one cell of each row.

Column A holds the label, B the name of the row, C a column of opening values, D onwards the periods. In a formula
`{name}` is the cell of that row in the same column, `{name<}` the one before (the opening value in the first period),
`{name>}` the one after, `{name>2}` two after, `{name:}` the whole row, `{name:k}` this and the next k - 1 columns; a
name of another sheet is written `Sheet!name`.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from xlsxwriter.utility import xl_col_to_name

_FIRST = 3  # column D
_REFERENCE = re.compile(r"\{([A-Za-z_]+!)?([^{}<>:]+)(?:([<>:])(\d+)?)?\}")


@dataclass(slots=True)
class Row:
    """A row as it will be written: numbers or a formula, with its opening value."""

    label: str
    values: list[float] | None = None
    formula: str = ""
    opening: float | str | None = None


@dataclass(slots=True)
class Sheet:
    """Rows by name, in order."""

    title: str
    periods: int
    rows: dict[str, Row] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def _add(self, name: str, row: Row) -> None:
        self.rows[name] = row
        self.places[name] = len(self.rows) + 1

    def numbers(self, name: str, label: str, values: list[float], opening: float | None = None) -> None:
        """A row of inputs."""
        self._add(name, Row(label, values=values, opening=opening))

    def formula(self, name: str, label: str, formula: str, opening: float | str | None = None) -> None:
        """A row of one formula."""
        self._add(name, Row(label, formula=formula, opening=opening))

    def heading(self, label: str) -> None:
        """A row that is only a heading."""
        self._add(f"#{len(self.rows)}", Row(label))

    def place(self, name: str) -> int:
        """The number of a row as the sheet counts, from 1."""
        return self.places[name]

    def whole(self, name: str) -> str:
        """The range of all periods of a row."""
        row = self.place(name)
        first, last = xl_col_to_name(_FIRST), xl_col_to_name(_FIRST + self.periods - 1)
        return f"${first}${row}:${last}${row}"


class Book:
    """The sheets over time and the named inputs; resolves references and writes the workbook."""

    def __init__(self) -> None:
        self.sheets: dict[str, Sheet] = {}
        self.inputs: dict[str, tuple[str, float | str]] = {}
        self.series: dict[str, tuple[str, list[float]]] = {}

    def sheet(self, title: str, periods: int) -> Sheet:
        self.sheets[title] = Sheet(title, periods)
        return self.sheets[title]

    def value(self, name: str, label: str, value: float | str) -> str:
        """A named input; its reference."""
        self.inputs[name] = (label, value)
        return f"Inputs!$B${len(self.inputs) + 1}"

    def place_of(self, name: str) -> str:
        """The reference of an input that is already there."""
        return f"Inputs!$B${list(self.inputs).index(name) + 2}"

    def listed(self, name: str, label: str, values: list[float]) -> str:
        """A series of inputs that is not by period (by year, by season); its range."""
        self.series[name] = (label, values)
        row = len(self.series) + 1
        return f"Series!$B${row}:${xl_col_to_name(len(values))}${row}"

    def resolved(self, sheet: Sheet, formula: str, column: int) -> str:
        """A formula with its references as cells of one column."""

        def cell(found: re.Match[str]) -> str:
            other, name, sign, count = found.groups()
            at = self.sheets[other[:-1]] if other else sheet
            before = f"{at.title}!" if other else ""
            row = at.place(name)
            steps = int(count) if count else 1
            if sign == ":" and not count:
                return before + at.whole(name)
            if sign == ":":
                return f"{before}{xl_col_to_name(column)}${row}:{xl_col_to_name(column + steps - 1)}${row}"
            shift = {"<": -steps, ">": steps}.get(sign or "", 0)
            return f"{before}{xl_col_to_name(column + shift)}${row}"

        return _REFERENCE.sub(cell, formula)

    def write(self, workbook: Any) -> None:
        """Inputs first, then every sheet over time."""
        bold = workbook.add_format({"bold": True})
        blue = workbook.add_format({"font_color": "#1F4E9E", "num_format": "#,##0.00####"})
        plain = workbook.add_format({"num_format": "#,##0.00"})
        self._write_inputs(workbook, bold, blue)
        for sheet in self.sheets.values():
            page = workbook.add_worksheet(sheet.title)
            page.freeze_panes(1, _FIRST)
            page.set_column(0, 0, 42)
            page.set_column(1, 1, 24)
            page.write_row(0, 0, ["", "", "opening", *range(1, sheet.periods + 1)], bold)
            for number, (name, row) in enumerate(sheet.rows.items(), start=1):
                self._write_row(page, sheet, number, name, row, (bold, blue, plain))

    def _write_row(
        self, page: Any, sheet: Sheet, number: int, name: str, row: Row, formats: tuple[Any, Any, Any]
    ) -> None:
        bold, blue, plain = formats
        if name.startswith("#"):
            page.write_string(number, 0, row.label, bold)
            return
        page.write_string(number, 0, row.label)
        page.write_string(number, 1, name)
        if isinstance(row.opening, str):
            page.write_formula(number, 2, "=" + self.resolved(sheet, row.opening, 2), plain)
        elif row.opening is not None:
            page.write_number(number, 2, row.opening, blue)
        for period in range(sheet.periods):
            if row.values is not None:
                page.write_number(number, _FIRST + period, row.values[period], blue)
            else:
                page.write_formula(
                    number, _FIRST + period, "=" + self.resolved(sheet, row.formula, _FIRST + period), plain
                )

    def _write_inputs(self, workbook: Any, bold: Any, blue: Any) -> None:
        page = workbook.add_worksheet("Inputs")
        page.set_column(0, 0, 48)
        page.set_column(1, 2, 20)
        page.write_row(0, 0, ["Input 输入", "Value 值", "Name 名称"], bold)
        for number, (name, (label, value)) in enumerate(self.inputs.items(), start=1):
            page.write_string(number, 0, label)
            page.write(number, 1, value, blue)
            page.write_string(number, 2, name)
        page = workbook.add_worksheet("Series")
        page.set_column(0, 0, 48)
        page.write_row(0, 0, ["Series 数列", "1, 2, 3 …"], bold)
        for number, (label, values) in enumerate(self.series.values(), start=1):
            page.write_string(number, 0, label)
            page.write_row(number, 1, values, blue)
