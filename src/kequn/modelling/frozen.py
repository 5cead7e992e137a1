"""A fitted model as a policy document: decision tables of points, the score, the PD and the grade as formulas.

The document is of the same form as those of a pack and is read by the same code, so that the plain reader and the
set readers evaluate it, and an institution may put it into its pack. The score of a challenger comes from its trees;
its document begins with the score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from kequn.domain.definitions import Definition
from kequn.domain.errors import Text
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.program import Program, program_of
from kequn.engine.columns import ARROW_TYPES
from kequn.engine.frames import ReaderName, answers
from kequn.modelling.binning import Bin, Characteristic
from kequn.modelling.calibration import Calibration
from kequn.modelling.scorecard import Scorecard
from kequn.modelling.spec import Feature
from kequn.modelling.tapes import PAIR, UNKNOWN
from kequn.policy.documents import Complaints, Document, read_document

ROUNDED = 12  # significant digits of what is written; far below what a point or a PD can show
Bounds = Sequence[tuple[str, float | None]]


def scorecard_document(card: Scorecard, features: Sequence[Feature], types: Mapping[str, FactType],
                       head: Mapping[str, Any], *, calibration: Calibration, floor: float, grades: Bounds
                       ) -> dict[str, Any]:  # fmt: skip
    """The body of the document of a scorecard. `grades` list each grade with its upper PD, best first; `types` are
    those of the features.
    """
    named = {one.name: one for one in features}
    used = dict.fromkeys(word for one in card.characteristics for word in (named[one.name].cross or (one.name,)))
    formulas = [_formula_row(named[word], types[word]) for word in used if word in named and named[word].formula]
    tables = [
        points_table(one, points, named[one.name].cross)
        for one, points in zip(card.characteristics, card.points, strict=True)
    ]
    summed = " + ".join(["points_base", *(f'"{table["name"]}"' for table in tables)])
    body = _closing(head, calibration, floor, grades)
    body["constants"]["points_base"] = {
        "value": card.points_base,
        "unit": "points",
        "zh": "基础分",
        "en": "Base points",
    }
    score = {"name": "score", "kind": "score", "unit": "points", "zh": "评分", "en": "Score", "formula": summed}
    body["definitions"] = [*formulas, score, *body["definitions"]]
    body["tables"] = [*tables, *body["tables"]]
    return body


def challenger_document(head: Mapping[str, Any], *, calibration: Calibration, floor: float, grades: Bounds
                        ) -> dict[str, Any]:  # fmt: skip
    """The body of the document of a challenger: it begins with the score that the trees give."""
    return _closing(head, calibration, floor, grades)


def _closing(head: Mapping[str, Any], calibration: Calibration, floor: float, grades: Bounds) -> dict[str, Any]:
    lows = [None, *(upper for _, upper in grades[:-1])]
    rows = [{"when": {"pd": _range(low, high)}, "then": grade}
            for (grade, high), low in zip([*grades[:-1], (grades[-1][0], None)], lows, strict=True)]  # fmt: skip
    return {
        **head,
        "constants": {
            "calibration_intercept": {"value": _short(calibration.intercept), "zh": "校准截距",
                                      "en": "Calibration intercept"},
            "calibration_slope": {"value": _short(calibration.slope), "zh": "每分校准斜率",
                                  "en": "Calibration slope per point"},
            "pd_floor": {"value": floor, "unit": "ratio", "zh": "PD下限", "en": "Least PD"},
        },
        "definitions": [
            {"name": "pd", "kind": "score", "unit": "ratio", "zh": "违约概率", "en": "PD",
             "formula": "greatest(1 / (1 + exp(calibration_intercept + calibration_slope * score)), pd_floor)"},
        ],
        "tables": [
            {"name": "grade", "zh": "等级", "en": "Grade", "kind": "dimension", "type": "text", "hit": "unique",
             "inputs": ["pd"], "rows": rows},
        ],
    }  # fmt: skip


def _formula_row(one: Feature, kind: FactType) -> dict[str, Any]:
    return {"name": one.name, "zh": one.name, "en": one.name, "type": kind.value, "formula": one.formula}


def _short(value: float) -> float:
    return float(f"{value:.{ROUNDED}g}")


def points_table(one: Characteristic, points: Sequence[int], cross: Sequence[str]) -> dict[str, Any]:
    """The decision table of one characteristic: a row a bin, or, crossed, a row for each class of the second text."""
    if cross:
        rows = _crossed_rows(one, points, cross)
    else:
        rows = [{"when": {one.name: _cell(b, one)}, "then": earned} for b, earned in zip(one.bins, points, strict=True)]
    return {
        "name": f"points_{one.name}", "zh": f"{one.name} 得分", "en": f"Points: {one.name}", "kind": "points",
        "type": "number", "unit": "points", "hit": "unique", "inputs": list(cross or (one.name,)), "rows": rows,
    }  # fmt: skip


def _cell(b: Bin, of: Characteristic) -> Any:
    if b.missing:
        return "unknown"
    if of.type == FactType.BOOLEAN:
        return b.low is not None
    if of.type == FactType.NUMBER:
        return _range(b.low, b.high)
    named = sorted(text for one in of.bins if not one.others for text in one.classes)
    return ({"not": named} if named else "-") if b.others else list(b.classes)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "-" if high is None else f"< {high!r}"
    return f">= {low!r}" if high is None else f"[{low!r}..{high!r})"


def _crossed_rows(one: Characteristic, points: Sequence[int], cross: Sequence[str]) -> list[dict[str, Any]]:
    """All pairs, told apart: by the second text, then by the first; what training never saw goes to the rest."""
    first, second = cross
    rest = next(earned for b, earned in zip(one.bins, points, strict=True) if b.others)
    of: dict[str, dict[int, list[str]]] = {}
    for b, earned in zip(one.bins, points, strict=True):
        for text in () if b.others else b.classes:
            left, right = text.split(PAIR)
            of.setdefault(right, {}).setdefault(earned, []).append(left)
    rows: list[dict[str, Any]] = []
    for right in sorted({*of, UNKNOWN}):
        cell: Any = "unknown" if right == UNKNOWN else [right]
        earned_by = {left: earned for earned, lefts in of.get(right, {}).items() for left in lefts}
        known = sorted(left for left in earned_by if left != UNKNOWN)
        for earned, lefts in sorted(of.get(right, {}).items()):
            inside = sorted(left for left in lefts if left != UNKNOWN)
            if inside:
                rows.append({"when": {first: inside, second: cell}, "then": earned})
        rows.append({"when": {first: "unknown", second: cell}, "then": earned_by.get(UNKNOWN, rest)})
        rows.append({"when": {first: {"not": known or [""]}, second: cell}, "then": rest})
    rights = sorted(right for right in of if right != UNKNOWN)
    rows.append({"when": {second: {"not": rights or [""]}}, "then": rest})
    return rows


def write_document(body: Mapping[str, Any], path: Path) -> None:
    path.write_text(yaml.safe_dump(dict(body), allow_unicode=True, sort_keys=False, width=100_000), encoding="utf-8")


def read_model_document(path: Path) -> Document:
    """The document of a model; Refused with every place where it is not sound."""
    complaints = Complaints()
    document = read_document(path, complaints, machine_made=True)
    complaints.settle(path.name)
    return document


@dataclass(frozen=True, slots=True)
class Ready:
    """The definitions of a model made into a program once, ready for every reader."""

    program: Program
    kinds: Mapping[str, FactType]


def ready(definitions: Sequence[Definition]) -> Ready:
    """The program of the definitions. No column of a file stands in for one of them, whatever it is called."""
    own = [Definition(one.name, one.grain, one.type, one.expr, "score") for one in definitions]
    return Ready(program_of(own), {one.name: one.type for one in own})


def evaluated(model: Ready, columns: Mapping[str, pa.ChunkedArray], rows: int, wanted: Sequence[str],
              reader: ReaderName = "duckdb") -> pa.Table:  # fmt: skip
    """The wanted results for each row. `columns` are the inputs in the types of facts; what lacks is unknown."""
    kinds = {name: kind for name in columns for kind in FactType if columns[name].type == ARROW_TYPES[kind]}
    vocabulary = Vocabulary(Fact(name, Grain.CUSTOMER, kind) for name, kind in kinds.items())
    return answers(columns, rows, vocabulary, model.program, {name: model.kinds[name] for name in wanted}, reader)


def head_of(title: Text, source: Text, day: date) -> dict[str, Any]:
    """What every document of a model says about itself. Nobody's committee has taken it on yet: an illustration."""
    said = {name: {"zh": one.zh, "en": one.en} for name, one in (("title", title), ("source", source))}
    return {**said, "in_force": day, "status": "illustration"}
