"""From a spec and a tape to a fitted model: check for leakage, take the training rows, fit, calibrate, keep a card."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling import panel
from kequn.modelling.binning import Characteristic, Failed
from kequn.modelling.calibration import (
    Calibration,
    central_tendency,
    prior_shift,
    shift_to,
)
from kequn.modelling.challenger import Challenger, fit_trees, inputs_of
from kequn.modelling.discrimination import auc_interval, ks
from kequn.modelling.leakage import leaks, refuse_unless_allowed
from kequn.modelling.scorecard import Scorecard, candidates, fit_scorecard
from kequn.modelling.settings import Settings
from kequn.modelling.spec import Feature, Spec
from kequn.modelling.stability import counted
from kequn.modelling.tapes import (
    Flags,
    Floats,
    Tape,
    feature_columns,
    features_of,
    holding,
    periods,
    sources_of,
    weights,
)

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Cases:
    """A tape seen through a spec: outcome, weight and features of every row, and which rows are trained on."""

    spec: Spec
    tape: Tape
    features: tuple[Feature, ...]
    columns: Mapping[str, pa.ChunkedArray]
    event: Floats
    weight: Floats
    train: Flags

    def types(self) -> dict[str, FactType]:
        return {name: kind for name, column in self.columns.items() if (kind := kind_of(column.type)) is not None}


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, its calibration, and the card that says how it came about."""

    spec: Spec
    features: tuple[Feature, ...]
    types: Mapping[str, FactType]
    model: Scorecard | Challenger
    calibration: Calibration
    card: dict[str, Any]


def cases_of(spec: Spec, tape: Tape) -> Cases:
    """The cases of a tape. Rows without outcome or weight are never trained on."""
    features = features_of(spec, tape)
    columns = panel.features_over_time(spec, tape, feature_columns(features, tape))
    changes = (name for name in columns if spec.kind == "warning" and name.startswith(panel.CHANGE))
    features = (*features, *(Feature(name) for name in changes))
    event = panel.outcome_of(spec, tape)
    weight = weights(spec, tape)
    train = holding(tape, spec.train) & np.isfinite(event) & np.isfinite(weight) & (np.nan_to_num(weight) > 0)
    return Cases(spec, tape, features, columns, event, weight, train)


def fit(spec: Spec, tape: Tape, settings: Settings, day: date, program: str) -> Fitted:
    """The model of a spec. Refused for leakage without a reason, and for too few events."""
    cases = cases_of(spec, tape)
    leakage = checked_for_leakage(cases, settings)
    fitted = fit_cases(cases, settings)
    head = {
        "format": 1, "kind": spec.kind, "fitted_on": day.isoformat(), "program": program,
        "pack": {"id": settings.pack, "version": settings.version, "digest": settings.digest},
        "data": {"file": tape.file, "sha256": tape.digest, "rows": tape.rows},
        "leakage": {name: {"found": said, "allowed_because": _reason(name, cases)} for name, said in leakage.items()},
        "limits": dict(settings.limits),
    }  # fmt: skip
    return replace(fitted, card={**head, **fitted.card})


def checked_for_leakage(cases: Cases, settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """What the spec allows with its reasons; `Leaking` for what it does not."""
    spec, tape = cases.spec, cases.tape
    if spec.features:
        fields = sources_of(spec.features, tape)
    else:
        fields = tuple(name for name in tape.table.column_names if name not in spec.reserved)
    made = {one.name: cases.columns[one.name] for one in cases.features if one.formula or one.cross}
    event = panel.outcome_of(spec, tape)
    found = leaks(tape, [*fields, *made], event, settings.leak_limits, decision_date=spec.decision_date, computed=made)
    return refuse_unless_allowed(found, _sources(cases), spec.allow_leakage, tape.file)


def _sources(cases: Cases) -> dict[str, tuple[str, ...]]:
    return {one.name: sources_of((one, *(other for other in cases.features if other.name in one.cross)), cases.tape)
            for one in cases.features if one.formula or one.cross}  # fmt: skip


def _reason(name: str, cases: Cases) -> str:
    allowed = cases.spec.allow_leakage
    if name in allowed:
        return allowed[name]
    return "; ".join(allowed[source] for source in _sources(cases).get(name, ()) if source in allowed)


def fit_cases(cases: Cases, settings: Settings) -> Fitted:
    """Fit on the training rows, without a leakage check: what a fold of a cross-validation needs."""
    rows, limits = cases.train, settings.limits
    event, weight = cases.event[rows], cases.weight[rows]
    if min(event.sum(), (1 - event).sum()) < limits["events_min"]:
        count, least = int(event.sum()), int(limits["events_min"])
        raise Refused(Text(f"训练行中只有 {count} 个事件，至少需要 {least} 个",
                           f"only {count} events among the training rows; at least {least} are needed"))  # fmt: skip
    failed: list[Failed] = []
    model: Scorecard | Challenger
    if cases.spec.kind == "scorecard":
        kept = pa.array(rows)
        columns = {name: column.filter(kept) for name, column in cases.columns.items()}
        made, failed = candidates(cases.spec, cases.features, columns, event, weight, limits)
        model, more = fit_scorecard(made, columns, event, weight, limits, settings.scale)
        failed = [*failed, *more]
        scores = model.scores(columns, len(event))
    else:
        inputs = inputs_of(cases.spec, cases.features, cases.columns, cases.event, cases.weight, rows, limits)
        model = fit_trees(inputs, cases.columns, cases.event, cases.weight, rows, limits)
        scores = model.scores(cases.columns, cases.tape.rows, settings.scale)[rows]
    calibration, how = calibrated(cases, scores, settings)
    card = _card(cases, settings, model, failed, scores, calibration, how)
    return Fitted(cases.spec, cases.features, cases.types(), model, calibration, card)


def calibrated(cases: Cases, scores: Floats, settings: Settings) -> tuple[Calibration, dict[str, Any]]:
    """The PD of a score: the odds of the fit, moved to the central tendency the spec asks for."""
    scale, spec = settings.scale, cases.spec
    event, weight = cases.event[cases.train], cases.weight[cases.train]
    fitted = Calibration(-scale.offset / scale.factor, 1 / scale.factor)
    sample = float(np.average(event, weights=weight))
    if spec.population_rate is not None:
        shift = prior_shift(sample_rate=sample, population_rate=spec.population_rate)
        return fitted.shifted(shift), {"method": "prior_correction", "sample_rate": sample,
                                       "central_tendency": spec.population_rate, "shift": shift}  # fmt: skip
    cohorts = periods(cases.tape.column(spec.calibrate_by))[cases.train] if spec.calibrate_by else None
    rate = central_tendency(event, weight, cohorts)
    moved = shift_to(fitted, scores, weight, rate)
    return moved, {"method": "central_tendency" if spec.calibrate_by else "rate_of_training", "sample_rate": sample,
                   "central_tendency": rate, "shift": fitted.intercept - moved.intercept}  # fmt: skip


def _card(
    cases: Cases, settings: Settings, model: Scorecard | Challenger, failed: Sequence[Failed], scores: Floats,
    calibration: Calibration, how: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    event, weight = cases.event[cases.train], cases.weight[cases.train]
    inside = auc_interval(event, -scores, weight, confidence=settings.limits["confidence"])
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, TENTHS + 1)[1:-1]))
    shares = counted(np.searchsorted(edges, scores, side="right").tolist(), range(len(edges) + 1), weight)
    found: dict[str, Any] = {
        "trained": {
            "rows": len(event), "events": int(event.sum()), "weighted_rate": float(np.average(event, weights=weight)),
            "auc": asdict(inside), "ks": ks(event, -scores, weight),
        },
        "calibration": {"intercept": calibration.intercept, "slope": calibration.slope,
                        "pd_floor": settings.limits["pd_floor"], **how},
        "grades": [[grade, upper] for grade, upper in settings.grades],
        "scale": asdict(settings.scale),
        "failed": {one.name: {"zh": one.why.zh, "en": one.why.en} for one in failed},
        "score_bins": {"edges": edges.tolist(), "shares": [one / sum(shares) for one in shares]},
    }  # fmt: skip
    if isinstance(model, Scorecard):
        lines = zip(model.characteristics, model.coefficients, model.points, strict=True)
        found["characteristics"] = [_characteristic(*one) for one in lines]
        found["points_base"] = model.points_base
    else:
        classes = {name: list(of) for name, of in model.inputs.classes.items()}
        found["inputs_of_trees"] = {"names": list(model.inputs.names), "directions": list(model.inputs.directions),
                                    "classes": classes}  # fmt: skip
        found["gains"] = _gains(model)
        found["feature_bins"] = _feature_bins(cases, model)
    return found


def _characteristic(one: Characteristic, coefficient: float, points: Sequence[int]) -> dict[str, Any]:
    bins = [{"low": b.low, "high": b.high, "classes": list(b.classes), "missing": b.missing, "others": b.others,
             "rows": b.rows, "events": b.events, "woe": b.woe, "seen": b.seen, "points": earned}
            for b, earned in zip(one.bins, points, strict=True)]  # fmt: skip
    return {"name": one.name, "type": one.type.value, "information_value": one.value, "coefficient": coefficient,
            "bins": bins}  # fmt: skip


def _gains(model: Challenger) -> dict[str, float]:
    gains = model.booster().feature_importance("gain")
    total = float(gains.sum()) or 1.0
    pairs = zip(model.inputs.names, (gains / total).tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def _feature_bins(cases: Cases, model: Challenger) -> dict[str, Any]:
    """Tenths of each number and the classes of each text in training, for the stability of what the trees read."""
    kept = {name: cases.columns[name].filter(pa.array(cases.train)) for name in model.inputs.names}
    matrix = model.inputs.matrix(kept)
    found = {}
    for at, name in enumerate(model.inputs.names):
        values = matrix[:, at]
        known = values[np.isfinite(values)]
        if name in model.inputs.classes:
            edges = np.arange(len(model.inputs.classes[name]) - 1) + 0.5
        else:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, TENTHS + 1)[1:-1])) if len(known) else np.array([])
        shares = feature_shares(values, edges.tolist(), cases.weight[cases.train])
        found[name] = {"edges": edges.tolist(), "shares": shares}
    return found


def feature_shares(values: Floats, edges: Sequence[float], weight: Floats) -> list[float]:
    """The share of the rows in each range, and last of those that are unknown."""
    places = np.searchsorted(np.array(edges), values, side="right")
    codes = np.where(np.isfinite(values), places, len(edges) + 1)
    mass = np.bincount(codes, weights=weight, minlength=len(edges) + 2)
    return [float(one) for one in mass / mass.sum()]
