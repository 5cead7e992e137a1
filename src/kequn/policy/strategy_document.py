"""The strategy of one segment as a document of its own, and as a grid of cells: what a page and a workbook show.

A grid has a column for each condition and each term, a row for each line of the table. A cell of conditions names
codes or their words, several with a comma between them, none for any. Read back, a grid says the same document.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from kequn.domain.errors import Language, Place, Refused, Text
from kequn.domain.rules.rendering import shown_number
from kequn.policy.documents import Complaints
from kequn.policy.segment_strategies import SegmentStrategies, Strategy, Term
from kequn.policy.words import Words

BETWEEN = re.compile(r"\s*[,，、;；]\s*")
MOST_ROWS = 60
LARGEST_RATIO = 1
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a condition over a dimension, or a term. `codes` are what may stand in it, with their words."""

    name: str
    label: Text
    codes: Mapping[str, Text]
    term: Term | None

    @property
    def is_condition(self) -> bool:
        return self.term is None


def columns_of(policy: SegmentStrategies, words: Words, labels: Mapping[str, Text]) -> tuple[Column, ...]:
    """The columns of every strategy; `labels` are those of the dimensions."""
    conditions = [Column(name, labels.get(name, Text(name, name)), dict(words.texts.get(name, {})), None)
                  for name in policy.conditions]  # fmt: skip
    terms = [Column(one.name, one.label, {code: words.of(one.words, code) for code in one.choices}, one)
             for one in policy.terms]  # fmt: skip
    return (*conditions, *terms)


def grid_of(strategy: Strategy, columns: Sequence[Column], language: Language) -> list[dict[str, str]]:
    """The cells of a strategy, in words of a language."""
    rows = []
    for row in strategy.rows:
        cells = {}
        for column in columns:
            if column.term is None:
                said = [_word(column, code, language) for code in row.when.get(column.name, ())]
                cells[column.name] = ("、" if language == "zh" else ", ").join(said)
            else:
                value = row.terms.get(column.name)
                cells[column.name] = "" if value is None else said_term(column, value, language)
        rows.append(cells)
    return rows


def said_term(column: Column, value: float, language: Language) -> str:
    """A value as it is typed: choices in words, ratios in percent, the rest as a number."""
    assert column.term is not None  # noqa: S101 - asked of terms only
    if column.term.choices:
        return _word(column, column.term.choices[int(value)], language)
    if column.term.unit == "ratio":
        return f"{shown_number(float(Decimal(repr(value)) * 100))}%"
    return shown_number(value)


def _word(column: Column, code: str, language: Language) -> str:
    said = column.codes.get(code)
    return said.in_language(language) if said is not None else code


def body_of_grid(segment: str, priority: int, grid: Sequence[Cells], columns: Sequence[Column]) -> dict[str, Any]:
    """The document that a grid says; Refused with the row and column of everything that cannot be read.

    Rows in which nothing stands are passed over.
    """
    complaints, rows = Complaints(), []
    filled = [(number, cells) for number, cells in enumerate(grid, start=1) if any(map(str.strip, cells.values()))]
    for number, cells in filled:
        when, terms = {}, {}
        for column in columns:
            said = cells.get(column.name, "").strip()
            place = Place("", "rows", number, column.name)
            if said and column.is_condition:
                when[column.name] = _codes(said, column, place, complaints)
            elif said:
                terms[column.name] = _value(said, column, place, complaints)
        if not terms:
            complaints.add(Place("", "rows", number), "terms", "此行没有任何条款", "this row asks for nothing")
        rows.append({"when": when, "terms": terms} if when else {"terms": terms})
    if not rows or "when" in rows[-1]:
        complaints.add(Place("", "rows"), "rows", "最后一行不得有条件，否则有客户得不到策略",
                       "the last row has no condition, or some customers would have no strategy")  # fmt: skip
    for (number, _cells), row in zip(filled[:-1], rows[:-1], strict=False):
        if "when" not in row:
            complaints.add(Place("", "rows", number), "rows", "此行没有条件，其后各行永远用不到",
                           "this row has no condition, so the rows after it are never read")  # fmt: skip
    if len(rows) > MOST_ROWS:
        complaints.add(Place("", "rows"), "rows", f"最多 {MOST_ROWS} 行", f"at most {MOST_ROWS} rows", found=len(rows))
    if complaints.findings:
        count = len(complaints.findings)
        raise Refused(
            Text(f"策略表有 {count} 处错误", f"the strategy has {count} error(s)"), tuple(complaints.findings)
        )
    return {"segment": segment, "priority": priority, "rows": rows}


def _codes(said: str, column: Column, place: Place, complaints: Complaints) -> list[str]:
    found = []
    for word in filter(None, BETWEEN.split(said)):
        code = _code(word, column)
        if code is None:
            complaints.add(place, "when", "没有这一类", "there is no such class", found=word, allowed=_allowed(column))
        elif code not in found:
            found.append(code)
    return found


def _code(word: str, column: Column) -> str | None:
    """The code of a word in either language, or the code itself."""
    small = word.strip().lower()
    for code, said in column.codes.items():
        if small in (code.lower(), said.zh.lower(), said.en.lower()):
            return code
    return None


def _allowed(column: Column) -> str:
    return " ".join(f"{code}({said.zh})" for code, said in column.codes.items())


def _value(said: str, column: Column, place: Place, complaints: Complaints) -> str | float:
    term = column.term
    assert term is not None  # noqa: S101 - asked of terms only
    if term.choices:
        code = _code(said, column)
        if code is None:
            complaints.add(place, "terms", "不是可选项", "is none of the choices", found=said, allowed=_allowed(column))
        return code or ""
    is_percent = said.endswith(("%", "％"))
    try:
        value = Decimal(said.rstrip("%％").replace(",", "").strip())
    except InvalidOperation:
        complaints.add(
            place, "terms", "不是数字", "is no number", found=said, allowed="2%" if term.unit == "ratio" else "36"
        )
        return 0.0
    if is_percent and term.unit != "ratio":
        complaints.add(place, "terms", "此列不是比率", "this column is no ratio", found=said, allowed=term.unit)
    value = value / 100 if is_percent else value
    most = Decimal(repr(term.most)) if term.most is not None else Decimal(LARGEST_RATIO)
    if term.unit == "ratio" and abs(value) > most:
        complaints.add(place, "terms", f"超过 {most:.0%}，是否漏了百分号",
                       f"above {most:.0%}; is the percent sign missing", found=said, allowed="2% 0.02")  # fmt: skip
    if term.unit != "ratio" and value <= 0:
        complaints.add(place, "terms", "应大于零", "should be above nil", found=said)
    return float(value)
