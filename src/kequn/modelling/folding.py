"""Fit and test in folds: rows of one debtor and rows that are equal stand on one side, each row is tested once."""

from dataclasses import replace
from typing import Any

import numpy as np

from kequn.domain.errors import Refused, Text
from kequn.modelling.agreement import brier
from kequn.modelling.discrimination import auc, average_precision, ks
from kequn.modelling.fitting import Cases, Fitted, cases_of, checked_for_leakage, fit_cases
from kequn.modelling.scorecard import Scorecard
from kequn.modelling.settings import Settings
from kequn.modelling.spec import Spec
from kequn.modelling.tapes import Floats, Tape, Whole, groups_of

SEED = 20260101


def folded(spec: Spec, tape: Tape, settings: Settings, count: int) -> dict[str, Any]:
    """AUC, KS, Brier score and average precision by fold, their mean and standard deviation.

    A random split says nothing about the next year; where rows are dated, validate on later ones instead.
    """
    cases = cases_of(spec, tape)
    checked_for_leakage(cases, settings)
    group = groups_of(tape, spec.group, cases.columns)
    fold = fold_of(group, np.nan_to_num(cases.event), count)
    found: list[dict[str, float]] = []
    failed: dict[str, int] = {}
    for one in range(count):
        inside = cases.train & (fold != one)
        outside = cases.train & (fold == one)
        if len(np.unique(cases.event[outside])) < 2:
            raise Refused(Text(f"第 {one + 1} 折没有两类", f"fold {one + 1} does not hold both classes"))
        fitted = fit_cases(replace(cases, train=inside), settings)
        scores = scores_of(fitted, cases, settings)[outside]
        event, weight = cases.event[outside], cases.weight[outside]
        pds = fitted.calibration.pds(scores)
        found.append({
            "auc": auc(event, -scores, weight), "ks": ks(event, -scores, weight),
            "brier": brier(event, pds, weight).score, "pr_auc": average_precision(event, -scores, weight),
        })  # fmt: skip
        for name in fitted.card["failed"]:
            failed[name] = failed.get(name, 0) + 1
    figures = {name: _spread([one[name] for one in found]) for name in found[0]}
    sizes = {
        "rows": int(cases.train.sum()),
        "events": int(cases.event[cases.train].sum()),
        "groups": len(np.unique(group[cases.train])),
    }
    return {"kind": spec.kind, "folds": count, **sizes, "failed_in_folds": failed, **figures}


def scores_of(fitted: Fitted, cases: Cases, settings: Settings) -> Floats:
    """The score of every row of the cases by a model fitted on some of them."""
    if isinstance(fitted.model, Scorecard):
        return fitted.model.scores(cases.columns, cases.tape.rows)
    return fitted.model.scores(cases.columns, cases.tape.rows, settings.scale)


def fold_of(group: Whole, event: Floats, count: int) -> Whole:
    """The fold of each row: groups shuffled once, those with an event spread as evenly as those without."""
    groups, place = np.unique(group, return_inverse=True)
    bad = np.zeros(len(groups), dtype=bool)
    np.logical_or.at(bad, place, event == 1)
    order = np.random.default_rng(SEED).permutation(len(groups))
    fold = np.empty(len(groups), dtype=np.int64)
    for wanted in (True, False):
        those = order[bad[order] == wanted]
        fold[those] = np.arange(len(those)) % count
    return np.asarray(fold[place], dtype=np.int64)


def _spread(values: list[float]) -> dict[str, Any]:
    return {"mean": float(np.mean(values)), "deviation": float(np.std(values, ddof=1)), "by_fold": values}
