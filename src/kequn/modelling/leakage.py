"""Fields that know the outcome: dated after the decision, too good alone, or of another shape in each class.

Each test is simple enough to be read aloud. A field that is found may be used only where the spec gives a reason for
it, and the reason is kept in the card of the model.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Finding, Place, Refused, Text
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.discrimination import auc
from kequn.modelling.tapes import Flags, Floats, Tape, Whole, class_numbers, numbers

Why = Literal["dated_after", "single_auc", "shape"]
FOLDS = 5
FEW = 50  # known values of a class below which its shape says nothing
WORDS: Mapping[Why, Text] = {
    "dated_after": Text("日期晚于决策日", "dated after the decision"),
    "single_auc": Text("单独就能区分结果", "tells the outcome by itself"),
    "shape": Text("两类的数值形态不同", "is of another shape in each class"),
}
SHAPES: Mapping[str, tuple[str, Callable[[Floats], Flags]]] = {
    "known": ("已填写", np.isfinite),
    "zero": ("为零", lambda v: v == 0),
    "whole": ("为整数", lambda v: v == np.floor(v)),
    "multiple_of_12": ("为12的整数倍", lambda v: (v % 12 == 0) & (v != 0)),
    "multiple_of_100": ("为100的整数倍", lambda v: (v % 100 == 0) & (v != 0)),
    "multiple_of_1000": ("为1000的整数倍", lambda v: (v % 1000 == 0) & (v != 0)),
}


@dataclass(frozen=True, slots=True)
class Leak:
    """One reason against one field: what was measured, and the limit of policy it passes."""

    field: str
    why: Why
    value: float
    limit: float
    detail: Text

    def said(self) -> dict[str, Any]:
        return {"why": self.why, "value": round(self.value, 4), "limit": self.limit,
                "zh": self.sentence.zh, "en": self.sentence.en}  # fmt: skip

    @property
    def sentence(self) -> Text:
        word = WORDS[self.why]
        return Text(f"{word.zh}（{self.detail.zh}）", f"{word.en} ({self.detail.en})")


def leaks(
    tape: Tape,
    fields: Sequence[str],
    event: Floats,
    limits: Mapping[str, float],
    *,
    decision_date: str = "",
    computed: Mapping[str, pa.ChunkedArray] | None = None,
) -> list[Leak]:
    """Every reason against the fields, in their order; `computed` are features that are no columns of the file.

    `event` is 1, 0 or NaN a row, of the whole file: what is only filled in afterwards shows on every row. `limits`
    are those of policy: auc, shape and dated.
    """
    decided = _days(tape.column(decision_date)) if decision_date else None
    found: list[Leak] = []
    for name in fields:
        column = (computed or {}).get(name)
        column = tape.column(name) if column is None else column
        kind = kind_of(column.type)
        if kind == FactType.DATE:
            found += _dated_after(name, column, decided, limits["dated"])
            column = _as_numbers(column)
        if kind is None or pa.types.is_null(column.type):
            continue
        found += _too_good(name, column, event, limits["auc"])
        found += _shapes(name, column, event, limits["shape"])
    return found


def refuse_unless_allowed(found: Sequence[Leak], sources: Mapping[str, Sequence[str]], allowed: Mapping[str, str],
                          file: str) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    """The leaks that the spec allows, by field; `Leaking` where one has no reason.

    `sources` says which columns a feature is made from: a formula is allowed by the reason given for its column.
    """
    by_field: dict[str, list[Leak]] = {}
    for leak in found:
        by_field.setdefault(leak.field, []).append(leak)
    said = {name: [one.said() for one in those] for name, those in by_field.items()}
    open_ones = {name: those for name, those in by_field.items() if not {name, *sources.get(name, ())} & allowed.keys()}
    if open_ones:
        raise Leaking({name: said[name] for name in open_ones}, [one for those in open_ones.values() for one in those],
                      file)  # fmt: skip
    return said


class Leaking(Refused):
    """Fields that know the outcome, and no reason given for them. `leakage` is what a program reads."""

    def __init__(self, leakage: dict[str, list[dict[str, Any]]], found: Sequence[Leak], file: str) -> None:
        names = ", ".join(leakage)
        super().__init__(
            Text(f"字段知晓结果，未拟合：{names}。可排除，或在 allow_leakage 中写明理由",
                 f"these fields know the outcome, nothing was fitted: {names}. Exclude them, or give a reason under "
                 "allow_leakage"),
            tuple(Finding("leakage", Text(f"{one.field} {one.sentence.zh}", f"{one.field} {one.sentence.en}"),
                          Place(file, column=one.field)) for one in found),
        )  # fmt: skip
        self.leakage = leakage


def _dated_after(name: str, column: pa.ChunkedArray, decided: Floats | None, limit: float) -> list[Leak]:
    if decided is None:
        return []
    days = _days(column)
    both = np.isfinite(days) & np.isfinite(decided)
    later = float((days[both] > decided[both]).mean()) if both.any() else 0.0
    if later <= limit:
        return []
    return [Leak(name, "dated_after", later, limit, Text(f"{later:.0%} 晚于决策日", f"{later:.0%} after it"))]


def _too_good(name: str, column: pa.ChunkedArray, event: Floats, limit: float) -> list[Leak]:
    value = single_auc(column, event)
    if not value > limit:
        return []
    return [Leak(name, "single_auc", value, limit, Text(f"单字段AUC {value:.3f}", f"AUC alone {value:.3f}"))]


def single_auc(column: pa.ChunkedArray, event: Floats) -> float:
    """How well a field alone ranks, whichever way it runs; unknown is a value of its own.

    Classes of a text are ranked by the event rate seen in the other folds, so that a key that is different on
    every row ranks nothing.
    """
    known = np.isfinite(event)
    rows = np.flatnonzero(known)
    if kind_of(column.type) == FactType.TEXT:
        risk = _rate_elsewhere(class_numbers(column)[rows], event[rows])
    else:
        values = numbers(column)[rows]
        risk = np.where(np.isfinite(values), values, np.nan)
        missing = ~np.isfinite(risk)
        rates = [float(event[rows][part].mean()) if part.any() else 0.5 for part in (missing, ~missing)]
        upward = auc(event[rows][~missing], risk[~missing]) >= 0.5 if _both(event[rows][~missing]) else True
        edge = math.inf if (rates[0] > rates[1]) == upward else -math.inf
        risk[missing] = np.nan_to_num(edge, posinf=1.7e308, neginf=-1.7e308)
    value = auc(event[rows], risk)
    return max(value, 1 - value)


def _both(event: Floats) -> bool:
    return bool((event == 1).any() and (event == 0).any())


def _rate_elsewhere(number: Whole, event: Floats) -> Floats:
    classes = int(number.max(initial=0)) + 1
    fold = np.arange(len(event)) % FOLDS
    base = float(event.mean())
    risk = np.zeros(len(event))
    for one in range(FOLDS):
        inside = fold == one
        bad = np.bincount(number[~inside], weights=event[~inside], minlength=classes)
        rows = np.bincount(number[~inside], minlength=classes)
        risk[inside] = ((bad + base) / (rows + 1))[number[inside]]
    return risk


def _shapes(name: str, column: pa.ChunkedArray, event: Floats, limit: float) -> list[Leak]:
    """The largest difference between the classes in how values are written: filled in, zero, whole, round."""
    if kind_of(column.type) == FactType.TEXT:
        values = np.where(column.is_valid().to_numpy(), 1.0, np.nan)
        kinds = {"known": SHAPES["known"]}
    else:
        values, kinds = numbers(column), dict(SHAPES)
    best: tuple[float, str, float, float] | None = None
    for shape, (_, holds) in kinds.items():
        kept = np.isfinite(event) if shape == "known" else np.isfinite(event) & np.isfinite(values)
        bad, good = kept & (event == 1), kept & (event == 0)
        if min(bad.sum(), good.sum()) < FEW or (shape != "known" and len(np.unique(values[kept])) < 10):
            continue
        shares = float(holds(values[bad]).mean()), float(holds(values[good]).mean())
        gap = abs(shares[0] - shares[1])
        if best is None or gap > best[0]:
            best = (gap, shape, *shares)
    if best is None or best[0] <= limit:
        return []
    gap, shape, bad_share, good_share = best
    word = SHAPES[shape][0]
    said = Text(
        f"{word}：事件 {bad_share:.0%}，其余 {good_share:.0%}",
        f"{shape.replace('_', ' ')}: {bad_share:.0%} of events, {good_share:.0%} of the others",
    )
    return [Leak(name, "shape", gap, limit, said)]


def _days(column: pa.ChunkedArray) -> Floats:
    if kind_of(column.type) != FactType.DATE:
        name = str(column.type)
        raise Refused(Text(f"决策日列的类型是 {name}，应为日期", f"the decision date is of type {name}, not a date"))
    return numbers(_as_numbers(column))


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.date32()).cast(pa.int32()).cast(pa.float64())
