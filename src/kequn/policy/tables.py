"""Decision tables: rows of tests with an outcome, read by a hit policy in the words of DMN.

`unique` exactly one row can hold; `first` the first that holds; `priority` the holding row whose outcome stands
earliest in the list of outcomes; `collect` all holding rows, added up. A table must answer every input (no gap) or
say what else holds; a unique table must not answer twice (no overlap). Both are checked when the table is read.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kequn.domain.errors import Place, Text
from kequn.domain.facts import CALENDAR_GRAINS, Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.tree import (
    NULL,
    TRUE,
    And,
    Arithmetic,
    ArithmeticSign,
    Comparison,
    Constant,
    Expr,
    FactRef,
    FirstHit,
    Value,
    number,
    text,
)
from kequn.policy.cells import Cell, Sample, read_cell, samples
from kequn.policy.dictionary import Bounds
from kequn.policy.documents import Complaints, label_of

HIT_POLICIES = ("unique", "first", "priority", "collect")
MOST_REGIONS = 200_000
KEYS = {
    "name",
    "zh",
    "en",
    "kind",
    "type",
    "unit",
    "grain",
    "hit",
    "inputs",
    "outputs",
    "rows",
    "otherwise",
    "priority",
    "output",
    "note",
}


@dataclass(frozen=True, slots=True)
class Output:
    """One column of outcomes; it becomes a definition of this name."""

    name: str
    label: Text
    type: FactType
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` counts from 1 as the document lists it."""

    number: int
    cells: tuple[Cell, ...]
    outcomes: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """A checked table. `otherwise` has one value an output, None where nothing holds."""

    name: str
    label: Text
    hit: str
    inputs: tuple[Fact, ...]
    outputs: tuple[Output, ...]
    rows: tuple[Row, ...]
    otherwise: tuple[Value | None, ...]

    @property
    def has_row_number(self) -> bool:
        """Whether the row that holds is found once, as a result of its own, and read by every output."""
        return len(self.outputs) > 1 and self.hit != "collect"

    def row_number(self) -> Expr:
        """The number of the row that holds; 0 where none does and the table says what else holds."""
        refs = tuple(FactRef(fact.name, fact.grain, fact.type) for fact in self.inputs)
        pairs = tuple((_all_of(row.cells, refs), number(float(row.number))) for row in self.rows)
        return FirstHit(pairs, number(0.0))

    def expression(self, output: int) -> Expr:
        """The table as one rule for one of its outputs."""
        if self.has_row_number:
            found = FactRef(self.name, self.inputs[0].grain, FactType.NUMBER)
            rows = tuple(
                (Comparison("=", found, number(float(row.number))), _constant(row.outcomes[output]))
                for row in self.rows
            )
            return FirstHit(rows, _constant(self.otherwise[output]))
        refs = tuple(FactRef(fact.name, fact.grain, fact.type) for fact in self.inputs)
        pairs = tuple((_all_of(row.cells, refs), _constant(row.outcomes[output])) for row in self.rows)
        otherwise = _constant(self.otherwise[output])
        if self.hit != "collect":
            return FirstHit(pairs, otherwise)
        zero = number(0.0)
        parts = [FirstHit((pair,), zero) for pair in pairs]
        rest: tuple[tuple[ArithmeticSign, Expr], ...] = tuple(("+", part) for part in parts[1:])
        return Arithmetic(parts[0], rest)


def _all_of(cells: Sequence[Cell], refs: Sequence[FactRef]) -> Expr:
    tests = tuple(test for cell, ref in zip(cells, refs, strict=True) if (test := cell.condition(ref)) is not None)
    if not tests:
        return TRUE
    return tests[0] if len(tests) == 1 else And(tests)


def _constant(value: Value | None) -> Constant:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return Constant(value, FactType.BOOLEAN)
    if isinstance(value, str):
        return text(value)
    return number(float(value)) if isinstance(value, int | float) else Constant(value, FactType.DATE)


def declared_outputs(body: Mapping[str, Any], place: Place, complaints: Complaints) -> tuple[Output, ...]:
    """The outputs a table announces: several under `outputs`, else the table itself."""
    rows = body.get("outputs") or {body.get("name", ""): body}
    found = []
    for name, row in rows.items():
        kind = row.get("type", "text")
        if kind not in tuple(FactType):
            complaints.add(place, "type", "类型不对", "unknown type", found=kind, allowed=" ".join(FactType))
            kind = "text"
        found.append(Output(str(name), label_of(row, place, complaints), FactType(kind), str(row.get("unit", ""))))
    return tuple(found)


def read_table(
    body: Mapping[str, Any],
    place: Place,
    vocabulary: Vocabulary,
    bounds: Mapping[str, Bounds],
    complaints: Complaints,
) -> DecisionTable | None:
    """The table, checked; None, and complaints, where it cannot be read."""
    before = len(complaints.findings)
    for key in body.keys() - KEYS:
        complaints.add(place, "key", "不认识的键", "unknown key", found=key, allowed=" ".join(sorted(KEYS)))
    hit = str(body.get("hit", "unique"))
    if hit not in HIT_POLICIES:
        complaints.add(
            place, "hit", "不认识的命中策略", "unknown hit policy", found=hit, allowed=" ".join(HIT_POLICIES)
        )
    inputs = _inputs(body, place, vocabulary, complaints)
    outputs = declared_outputs(body, place, complaints)
    rows = [
        _row(row, inputs, outputs, Place(place.file, place.sheet, at, place.column), complaints)
        for at, row in enumerate(body.get("rows", ()), 1)
    ]
    if len(complaints.findings) > before or not rows:
        return None
    otherwise = _outcomes(body["otherwise"], outputs) if "otherwise" in body else (None,) * len(outputs)
    table = DecisionTable(
        str(body["name"]),
        label_of(body, place, complaints),
        hit,
        inputs,
        outputs,
        _ordered(tuple(row for row in rows if row is not None), hit, body),
        otherwise,
    )
    if hit == "collect" and any(output.type != FactType.NUMBER for output in outputs):
        complaints.add(place, "hit", "collect 只能汇总数值", "collect adds numbers only")
    if hit == "priority" and (strangers := {row.outcomes[0] for row in table.rows} - set(body.get("priority", ()))):
        complaints.add(
            place, "priority", "结果不在优先次序中", "outcomes without a priority", found=sorted(map(str, strangers))
        )
    check_cover(table, place, bounds, complaints, closed="otherwise" in body or hit == "collect")
    return table


def _inputs(body: Mapping[str, Any], place: Place, vocabulary: Vocabulary, complaints: Complaints) -> tuple[Fact, ...]:
    found = []
    grain = Grain(body.get("grain", "customer"))
    for word in body.get("inputs", ()):
        fact = vocabulary.get(word)
        if fact is None:
            near = vocabulary.suggestion(word)
            complaints.add(
                place,
                "fact",
                "没有这个事实",
                "unknown fact",
                found=word,
                allowed=f"did you mean {near}" if near else "",
            )
        elif fact.grain != grain and not (grain == Grain.CUSTOMER and fact.grain in CALENDAR_GRAINS):
            complaints.add(
                place,
                "grain",
                "事实的粒度不对",
                "the fact belongs to another grain",
                found=f"{word} ({fact.grain})",
                allowed=grain,
            )
        else:
            found.append(fact)
    return tuple(found)


def _row(
    row: Mapping[str, Any], inputs: Sequence[Fact], outputs: Sequence[Output], where: Place, complaints: Complaints
) -> Row | None:
    when: Mapping[str, Any] = row.get("when") or {}
    names = {fact.name for fact in inputs}
    for name in when.keys() - names:
        complaints.add(
            where, "input", "不是本表的输入", "not an input of this table", found=name, allowed=" ".join(sorted(names))
        )
    cells = []
    for fact in inputs:
        cell = read_cell(when.get(fact.name, "-"), fact)
        if isinstance(cell, str):
            complaints.add(
                where,
                "cell",
                f"{fact.name} 的条件不对",
                f"bad test of {fact.name}",
                found=when.get(fact.name),
                allowed=cell,
            )
        else:
            cells.append(cell)
    outcomes = _outcomes(row.get("then"), outputs)
    for output, value in zip(outputs, outcomes, strict=True):
        if value is not None and not _fits(value, output.type):
            complaints.add(
                where,
                "outcome",
                f"{output.name} 的结果类型不对",
                f"the outcome does not fit {output.name}",
                found=value,
                allowed=output.type,
            )
    return Row(where.row or 0, tuple(cells), outcomes) if len(cells) == len(inputs) else None


def _outcomes(then: Any, outputs: Sequence[Output]) -> tuple[Value | None, ...]:
    if isinstance(then, Mapping):
        return tuple(then.get(output.name) for output in outputs)
    return (then,) * len(outputs) if len(outputs) == 1 else (None,) * len(outputs)


def _fits(value: Value, kind: FactType) -> bool:
    if isinstance(value, bool):
        return kind == FactType.BOOLEAN
    if isinstance(value, str):
        return kind == FactType.TEXT
    return kind == FactType.NUMBER if isinstance(value, int | float) else kind == FactType.DATE


def _ordered(rows: tuple[Row, ...], hit: str, body: Mapping[str, Any]) -> tuple[Row, ...]:
    """Rows in the order of reading: tests for unknown first, and for priority by rank of the outcome."""
    if hit == "priority":
        rank = {value: place for place, value in enumerate(body.get("priority", ()))}
        return tuple(sorted(rows, key=lambda row: rank.get(row.outcomes[0], len(rank))))
    if hit == "unique":
        return tuple(sorted(rows, key=lambda row: not any(cell.unknown for cell in row.cells)))
    return rows


def check_cover(
    table: DecisionTable, place: Place, bounds: Mapping[str, Bounds], complaints: Complaints, *, closed: bool
) -> None:
    """Complain of inputs that no row answers and, in a unique table, of inputs that two rows answer."""
    regions: list[tuple[Sample, ...]] = []
    for at, fact in enumerate(table.inputs):
        limit = bounds.get(fact.name, Bounds())
        regions.append(samples([row.cells[at] for row in table.rows], fact, limit.minimum, limit.maximum))
    if math.prod(len(region) for region in regions) > MOST_REGIONS:
        complaints.add(
            place, "size", "决策表太大，无法检查", "the table is too large to check", allowed=f"{MOST_REGIONS} regions"
        )
        return
    gaps, overlaps = _first_faults(table, regions, lambda hits: hits == 0 and not closed)
    if gaps:
        complaints.add(place, "gap", "决策表有缺口", "the table has a gap", found=gaps)
    if overlaps and table.hit == "unique":
        complaints.add(place, "overlap", "决策表有重叠", "rows of the table overlap", found=overlaps)


def _first_faults(
    table: DecisionTable, regions: Sequence[Sequence[Sample]], is_gap: Callable[[int], bool]
) -> tuple[str, str]:
    gap = overlap = ""
    for point in itertools.product(*regions):
        hits = [
            at for at, row in enumerate(table.rows, 1) if all(c.holds(v) for c, v in zip(row.cells, point, strict=True))
        ]
        if (gap or not is_gap(len(hits))) and (overlap or len(hits) < 2):
            continue
        shown = ", ".join(f"{fact.name} = {value}" for fact, value in zip(table.inputs, point, strict=True))
        if is_gap(len(hits)):
            gap = gap or shown
        else:
            overlap = overlap or f"{shown} (rows {hits[0]}, {hits[1]})"
    return gap, overlap
