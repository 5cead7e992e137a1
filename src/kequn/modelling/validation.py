"""The validation pack of a model on a tape: one dictionary with every figure, its population, window and interval.

Ranking and calibration stand apart. Where a sample is small the report says so; where rows are weighted, tests that
need counts use the effective number of rows.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType
from kequn.modelling import panel
from kequn.modelling.agreement import (
    FEW_EVENTS,
    brier,
    calibration_error,
    check_grade,
    hosmer_lemeshow,
    jeffreys,
    spiegelhalter,
)
from kequn.modelling.binning import Bin, Characteristic
from kequn.modelling.calibration import upper_bounds
from kequn.modelling.discrimination import accuracy_ratio, auc_interval, average_precision, cap, ks
from kequn.modelling.fitting import feature_shares
from kequn.modelling.migration import cohort_counts, mobility
from kequn.modelling.models import Model, model_features, scored
from kequn.modelling.overriding import Moved, overriding
from kequn.modelling.stability import counted, herfindahl, psi, psi_by_chance, verdict
from kequn.modelling.tapes import Flags, Floats, Tape, holding, weights


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows, whether by weight, and the columns with an earlier grade, and with the grade after overrides, their
    reason and their authority.
    """

    rows: str = ""
    weighted: bool = True
    grade_before: str = ""
    final_grade: str = ""
    reason: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that are validated on: all of one length."""

    rows: Flags
    event: Floats
    weight: Floats
    score: Floats
    pd: Floats
    grade: Sequence[str | None]

    @property
    def effective(self) -> float:
        """How many equally weighted rows would say as much: (sum w)^2 / sum w^2."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


def validated(model: Model, tape: Tape, asked: Asked) -> dict[str, Any]:
    """The whole report; Refused where the rows hold no event or nothing else."""
    sample, window = _sample(model, tape, asked)
    return {
        "model": {"kind": model.card["kind"], "target": model.spec.target, "event": model.spec.event,
                  "fitted_on": model.card["fitted_on"], "data_sha256": model.card["data"]["sha256"],
                  "trained": model.card["trained"], "calibration": model.card["calibration"],
                  "pack": model.card["pack"], "program": model.card["program"], "failed": model.card["failed"],
                  "leakage": model.card["leakage"]},
        "population": _population(tape, asked, sample, window, model),
        "discrimination": _discrimination(sample, model.confidence),
        "calibration": _calibration(sample, model),
        "stability": _stability(model, tape, sample),
        "concentration": _concentration(sample, model),
        **_history(model, tape, asked, sample),
        "remarks": [asdict(one) for one in (*_remarks(sample), *_trained_on(model, tape, sample))],
    }  # fmt: skip


def _sample(model: Model, tape: Tape, asked: Asked) -> tuple[Sample, str]:
    spec = model.spec
    event = panel.outcome_of(spec, tape)
    weight = weights(spec, tape) if asked.weighted else np.ones(tape.rows)
    kept = np.isfinite(event) & np.isfinite(weight) & (np.nan_to_num(weight) > 0)
    window = asked.rows
    if asked.rows:
        kept &= holding(tape, asked.rows)
    elif spec.train and (outside := kept & ~holding(tape, spec.train)).any():
        kept, window = outside, f"not ({spec.train})"
    if len(np.unique(event[kept])) < 2:
        raise Refused(
            Text(f"所选 {int(kept.sum())} 行没有两类结果", f"the {int(kept.sum())} rows do not hold both classes")
        )
    found = scored(model, tape)
    numbers = [found.column(name).to_numpy(zero_copy_only=False)[kept] for name in ("score", "pd")]
    grades = found.column("grade").filter(pa.array(kept)).to_pylist()
    return Sample(kept, event[kept], weight[kept], numbers[0], numbers[1], grades), window


def _population(tape: Tape, asked: Asked, sample: Sample, window: str, model: Model) -> dict[str, Any]:
    spec = model.spec
    spans: dict[str, Any] = {}
    for name in (spec.decision_date, spec.period):
        if name and name in tape.table.column_names:
            values = [v for v in tape.column(name).filter(pa.array(sample.rows)).to_pylist() if v is not None]
            spans[name] = [str(min(values)), str(max(values))] if values else []
    return {"file": tape.file, "sha256": tape.digest, "rows_of_file": tape.rows, "window": window, "spans": spans,
            "rows": len(sample.event), "events": int(sample.event.sum()), "effective_rows": round(sample.effective, 1),
            "weighted_by": spec.weight if asked.weighted else "",
            "event_rate": float(np.average(sample.event, weights=sample.weight))}  # fmt: skip


def _discrimination(sample: Sample, confidence: float) -> dict[str, Any]:
    event, risk, weight = sample.event, -sample.score, sample.weight
    interval = auc_interval(event, risk, weight, confidence=confidence)
    return {
        "auc": asdict(interval), "confidence": confidence, "accuracy_ratio": accuracy_ratio(event, risk, weight),
        "ks": ks(event, risk, weight), "pr_auc": average_precision(event, risk, weight),
        "pr_auc_by_chance": float(np.average(event, weights=weight)), "cap": cap(event, risk, weight),
    }  # fmt: skip


def _calibration(sample: Sample, model: Model) -> dict[str, Any]:
    event, pd, weight = sample.event, sample.pd, sample.weight
    z, p = spiegelhalter(event, pd, weight)
    by_grade = _by_grade(sample, model)
    tested = [(one["rows"], one["events"], one["stated"]) for one in by_grade if one["rows"]]
    statistic, degrees, p_value = hosmer_lemeshow(*map(list, zip(*tested, strict=True))) if tested else (0.0, 0, 1.0)
    bounds = upper_bounds([one["rows"] for one in by_grade], [one["events"] for one in by_grade],
                          float(model.card["limits"]["low_default_confidence"]))  # fmt: skip
    for one, bound in zip(by_grade, bounds, strict=True):
        one["low_default_bound"] = bound
    rows = round(sample.effective)
    return {
        "observed": float(np.average(event, weights=weight)), "stated": float(np.average(pd, weights=weight)),
        "observed_interval": asdict(jeffreys(round(float(np.average(event, weights=weight)) * rows), rows,
                                             model.confidence)),
        "brier": asdict(brier(event, pd, weight)), "calibration_error": calibration_error(event, pd, weight),
        "by_grade": by_grade,
        "hosmer_lemeshow": {"statistic": statistic, "degrees": degrees, "p_value": p_value},
        "spiegelhalter": {"z": z, "p_value": p},
    }  # fmt: skip


def _by_grade(sample: Sample, model: Model) -> list[dict[str, Any]]:
    """Each grade against what happened. Weighted rows count as the whole number nearest to their effective size."""
    found = []
    factor = sample.effective / float(sample.weight.sum())
    grades = np.array([grade or "" for grade in sample.grade], dtype=object)
    for grade, _ in model.card["grades"]:
        inside = grades == grade
        mass = float(sample.weight[inside].sum())
        rows = round(mass * factor)
        rate = float(np.average(sample.event[inside], weights=sample.weight[inside])) if mass else 0.0
        stated = float(np.average(sample.pd[inside], weights=sample.weight[inside])) if mass else 0.0
        one = asdict(check_grade(grade, rows, round(rate * rows), stated, model.confidence, model.grade_rows_min))
        one["share"] = mass / float(sample.weight.sum())
        one["observed"] = rate if mass else None
        found.append(one)
    return found


def _stability(model: Model, tape: Tape, sample: Sample) -> dict[str, Any]:
    limits = {name: float(model.card["limits"][f"psi_{name}"]) for name in ("watch", "act")}
    bins, trained = model.card["score_bins"], float(model.card["trained"]["rows"])
    codes = np.searchsorted(np.array(bins["edges"]), sample.score, side="right").tolist()
    actual = counted(codes, range(len(bins["shares"])), sample.weight)
    return {
        "limits": limits,
        "score": _index(bins["shares"], actual, trained, sample.effective, limits),
        "characteristics": _characteristic_indices(model, tape, sample, trained, limits),
    }  # fmt: skip


def _index(expected: Sequence[float], actual: Sequence[float], trained: float, rows: float, limits: dict[str, float]
           ) -> dict[str, Any]:  # fmt: skip
    value = psi(expected, actual)
    return {"psi": value, "by_chance": psi_by_chance(len(expected), trained, rows), "verdict": verdict(value, limits),
            "expected": list(expected), "actual": [one / sum(actual) for one in actual]}  # fmt: skip


def _characteristic_indices(model: Model, tape: Tape, sample: Sample, trained: float, limits: dict[str, float]
                            ) -> dict[str, Any]:  # fmt: skip
    """The stability index of what the model reads, and for a scorecard whether each bin still ranks as it did."""
    kept = pa.array(sample.rows)
    columns = {name: column.filter(kept) for name, column in model_features(model, tape).items()}
    found: dict[str, Any] = {}
    for row in model.card.get("characteristics", ()):
        one = characteristic_of(row)
        codes = one.codes(columns[one.name])
        actual = np.bincount(codes, weights=sample.weight, minlength=len(one.bins)).tolist()
        events = np.bincount(codes, weights=sample.weight * sample.event, minlength=len(one.bins))
        index = _index([b.rows / sum(b.rows for b in one.bins) for b in one.bins], actual, trained, sample.effective,
                       limits)  # fmt: skip
        rates = [float(e / a) if a else None for e, a in zip(events, actual, strict=True)]
        found[one.name] = {**index, "rates": rates, "rates_in_training": [b.rate for b in one.bins]}
    if model.challenger is None:
        return found
    matrix = model.challenger.inputs.matrix(columns)
    for at, name in enumerate(model.challenger.inputs.names):
        bins = model.card["feature_bins"][name]
        actual = feature_shares(matrix[:, at], bins["edges"], sample.weight)
        found[name] = _index(bins["shares"], actual, trained, sample.effective, limits)
    return found


def characteristic_of(row: dict[str, Any]) -> Characteristic:
    """A characteristic as the card keeps it."""
    bins = tuple(Bin(b["low"], b["high"], tuple(b["classes"]), b["missing"], b["others"], b["rows"], b["events"],
                     b["woe"], b["seen"]) for b in row["bins"])  # fmt: skip
    return Characteristic(row["name"], FactType(row["type"]), bins, row["information_value"])


def _concentration(sample: Sample, model: Model) -> dict[str, Any]:
    grades = [grade for grade, _ in model.card["grades"]]
    masses = counted(sample.grade, grades, sample.weight)
    index, adjusted = herfindahl(masses)
    largest = max(zip(masses, grades, strict=True))
    return {"herfindahl": index, "adjusted": adjusted, "largest_grade": largest[1],
            "largest_share": largest[0] / sum(masses), "grades_used": sum(one > 0 for one in masses)}  # fmt: skip


def _history(model: Model, tape: Tape, asked: Asked, sample: Sample) -> dict[str, Any]:
    """Migration from an earlier grade, and overrides, where the file has their columns."""
    grades = [grade for grade, _ in model.card["grades"]]
    found: dict[str, Any] = {}
    if asked.grade_before:
        before = tape.column(asked.grade_before).filter(pa.array(sample.rows)).to_pylist()
        pairs = [(str(a), str(b or "")) for a, b in zip(before, sample.grade, strict=True) if a is not None]
        counts = cohort_counts(pairs, grades)
        earlier = counted([None if one is None else str(one) for one in before], grades, sample.weight)
        now = counted(sample.grade, grades, sample.weight)
        found["migration"] = {"grades": grades, "counts": [list(row) for row in counts.counts],
                              "withdrawn": list(counts.withdrawn), "moves": mobility(counts),
                              "grade_psi": psi(earlier, now)}  # fmt: skip
    if asked.final_grade:
        found["overrides"] = _overrides(tape, asked, sample, grades, model.confidence)
    return found


def _overrides(tape: Tape, asked: Asked, sample: Sample, grades: Sequence[str], confidence: float) -> dict[str, Any]:
    """What people did to the grades of the model, row by row whatever the weight; a row with either grade missing is
    left out.
    """
    place = {grade: at for at, grade in enumerate(grades)}
    kept = pa.array(sample.rows)
    final, reasons, authorities = (
        tape.column(name).filter(kept).to_pylist() if name else [None] * len(sample.event)
        for name in (asked.final_grade, asked.reason, asked.authority)
    )
    rows = [
        Moved(place[str(before)] - place[str(after)], str(reason or ""), str(authority or ""), event == 1)
        for before, after, reason, authority, event in zip(
            sample.grade, final, reasons, authorities, sample.event.tolist(), strict=True
        )
        if before in place and str(after) in place
    ]
    return overriding(rows, confidence)


def _trained_on(model: Model, tape: Tape, sample: Sample) -> list[Text]:
    """That figures are flattering, where the model was fitted on some of these very rows."""
    if tape.digest != model.card["data"]["sha256"]:
        return []
    count = int((holding(tape, model.spec.train) & sample.rows).sum())
    if not count:
        return []
    return [Text(f"其中 {count} 行曾用于训练，指标偏好", f"{count} of these rows were trained on: the figures flatter")]


def _remarks(sample: Sample) -> list[Text]:
    found = []
    events = int(sample.event.sum())
    if events < FEW_EVENTS:
        found.append(Text(f"只有 {events} 个事件，所有指标受偶然性影响较大",
                          f"only {events} events: every figure moves much by chance"))  # fmt: skip
    unknown = int(np.isnan(sample.score).sum())
    if unknown:
        found.append(Text(f"{unknown} 行没有评分", f"{unknown} rows have no score"))
    return found
