"""One cell of a decision table: a test of one input, in the words of DMN's unary tests.

`-` anything; `< 5`, `<= 5`, `> 5`, `>= 5`; `[1..5)` with square brackets for ends that belong and round ones for
ends that do not; `5` or `energy` equal; `energy, transport` any of these; `not(energy)` none of these; a list, or a
list under `not`, for texts that hold commas or are words of this notation; `unknown` where nothing is known (unless
the fact itself has a value of that name). A test of an unknown value is unknown, but for `-` and `unknown`.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kequn.domain.facts import Fact, FactType
from kequn.domain.rules.tree import And, Comparison, Expr, FactRef, IsNull, Not, OneOf, number, text

Sign = Literal["<", "<=", ">", ">="]
Sample = float | str | bool | None

_RANGE = re.compile(r"([\[(])\s*(-?[\d.eE+-]+?)\s*\.\.\s*(-?[\d.eE+-]+?)\s*([\])])")
_COMPARED = re.compile(r"(<=|>=|<|>)\s*(-?[\d.eE+-]+)")
_NEGATED = re.compile(r"not\((.*)\)")


@dataclass(frozen=True, slots=True)
class Cell:
    """A test: `anything`, `unknown`, bounds for numbers, or a list of values."""

    anything: bool = False
    unknown: bool = False
    bounds: tuple[tuple[Sign, float], ...] = ()
    values: tuple[float | str | bool, ...] = ()
    negated: bool = False

    def holds(self, value: Sample) -> bool:
        """Whether a sample value passes; None stands for unknown."""
        if self.anything:
            return True
        if value is None or self.unknown:
            return value is None and self.unknown
        if self.bounds:
            return all(_compare(sign, value, limit) for sign, limit in self.bounds)
        return (value in self.values) != self.negated

    def condition(self, ref: FactRef) -> Expr | None:
        """The test as a rule over a fact; None where anything passes."""
        if self.anything:
            return None
        if self.unknown:
            return IsNull(ref)
        if self.bounds:
            tests = tuple(Comparison(sign, ref, number(limit)) for sign, limit in self.bounds)
            return tests[0] if len(tests) == 1 else And(tests)
        if ref.type == FactType.BOOLEAN:
            return ref if self.values[0] is True else Not(ref)
        among = tuple(text(v) if isinstance(v, str) else number(float(v)) for v in self.values)
        if len(among) == 1:
            return Comparison("<>" if self.negated else "=", ref, among[0])
        return OneOf(ref, among, self.negated)


def _compare(sign: Sign, value: object, limit: float) -> bool:
    if not isinstance(value, float | int):
        return False
    return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[sign]


def read_cell(written: object, fact: Fact) -> Cell | str:
    """The cell, or what would have been allowed there."""
    if isinstance(written, list | Mapping):
        return _list_cell(written, fact)
    if written is None or written == "-":
        return Cell(anything=True)
    if written == "unknown" and written not in fact.choices:
        return Cell(unknown=True)
    if fact.type == FactType.BOOLEAN:
        return Cell(values=(written,)) if isinstance(written, bool) else "true, false, unknown, -"
    if fact.type == FactType.NUMBER:
        return _number_cell(str(written).strip()) or "< 5, >= 5, [1..5), a number, unknown, -"
    if fact.type == FactType.TEXT:
        return _text_cell(str(written).strip(), fact)
    return "number, text and boolean inputs"


def _number_cell(written: str) -> Cell | None:
    found = _RANGE.fullmatch(written)
    try:
        if found is not None:
            low: Sign = ">=" if found.group(1) == "[" else ">"
            high: Sign = "<=" if found.group(4) == "]" else "<"
            ends = (float(found.group(2)), float(found.group(3)))
            return Cell(bounds=((low, ends[0]), (high, ends[1]))) if ends[0] <= ends[1] else None
        compared = _COMPARED.fullmatch(written)
        if compared is not None:
            return Cell(bounds=((compared.group(1), float(compared.group(2))),))  # type: ignore[arg-type]  # one of the four signs
        return Cell(values=(float(written),))
    except ValueError:
        return None


def _text_cell(written: str, fact: Fact) -> Cell | str:
    negated = _NEGATED.fullmatch(written)
    inside = negated.group(1) if negated is not None else written
    values = tuple(part.strip() for part in inside.split(","))
    strangers = [value for value in values if fact.choices and value not in fact.choices]
    if not all(values) or strangers:
        return " ".join(fact.choices) or "texts separated by commas"
    return Cell(values=values, negated=negated is not None)


def _list_cell(written: object, fact: Fact) -> Cell | str:
    negated = isinstance(written, Mapping)
    values = written.get("not") if isinstance(written, Mapping) and set(written) == {"not"} else written
    texts = isinstance(values, list) and bool(values) and all(isinstance(value, str) for value in values)
    if fact.type != FactType.TEXT or not isinstance(values, list) or not texts:
        return "a list of texts, or {not: a list of texts}, for a text"
    strangers = [value for value in values if fact.choices and value not in fact.choices]
    return " ".join(fact.choices) if strangers else Cell(values=tuple(values), negated=negated)


def samples(cells: Sequence[Cell], fact: Fact, low: float, high: float) -> tuple[Sample, ...]:
    """One value of every region that the cells of a column can tell apart."""
    unknown: tuple[Sample, ...] = (None,) if any(cell.unknown for cell in cells) else ()
    if fact.type == FactType.BOOLEAN:
        return (True, False, *unknown)
    if fact.type == FactType.TEXT:
        named = {str(value) for cell in cells for value in cell.values}
        values = fact.choices or (*sorted(named), "\N{HORIZONTAL ELLIPSIS}")
        return (*values, *unknown)
    marks = sorted(
        {limit for cell in cells for _, limit in cell.bounds}
        | {float(value) for cell in cells for value in cell.values}
    )
    if not marks:
        return (0.0 if low <= 0.0 <= high else low, *unknown)
    between = [(a + b) / 2 for a, b in itertools.pairwise(marks)]
    points = sorted([marks[0] - 1.0, *marks, *between, marks[-1] + 1.0])
    return (*(point for point in points if low <= point <= high), *unknown)
