"""Champion against challenger on the same customers: how far their grades agree, and which ranks the outcome better.

Arrays are of one length, a customer a place. Grades are places on the master scale, the safest 0, and -1 where there is
none; scores are higher for the safer; `event` is 1, 0, or NaN where the outcome is not known.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kequn.modelling.agreement import FEW_EVENTS
from kequn.modelling.discrimination import auc_difference, auc_interval, ks
from kequn.modelling.overriding import share
from kequn.modelling.tapes import Flags, Floats, Whole


@dataclass(frozen=True, slots=True)
class Side:
    """One model's word on every customer."""

    grade: Whole
    score: Floats


def compared(champion: Side, challenger: Side, event: Floats, grades: int, confidence: float) -> dict[str, Any]:
    """Agreement and the matrix of grades of those graded by both, and AUC of both where outcomes are known."""
    both = graded_by_both(champion, challenger)
    first, second = champion.grade[both], challenger.grade[both]
    steps = second - first
    matrix = np.zeros((grades, grades), dtype=np.int64)
    np.add.at(matrix, (first, second), 1)
    rows = int(both.sum())
    return {
        "customers": len(both), "both": rows,
        "only_champion": int(((champion.grade >= 0) & (challenger.grade < 0)).sum()),
        "only_challenger": int(((champion.grade < 0) & (challenger.grade >= 0)).sum()),
        "confidence": confidence,
        "equal": share(int((steps == 0).sum()), rows, confidence),
        "within_one": share(int((np.abs(steps) <= 1).sum()), rows, confidence),
        "safer": share(int((steps < 0).sum()), rows, confidence),
        "worse": share(int((steps > 0).sum()), rows, confidence),
        "mean_notches": float(np.abs(steps).mean()) if rows else None,
        "rank_correlation": rank_correlation(champion.score[both], challenger.score[both]) if rows > 1 else None,
        "matrix": matrix.tolist(),
        "ranking": _ranking(champion.score[both], challenger.score[both], event[both], confidence),
    }  # fmt: skip


def graded_by_both(champion: Side, challenger: Side) -> Flags:
    """Who has a grade of the scale from both models; default is none of these grades."""
    return np.asarray((champion.grade >= 0) & (challenger.grade >= 0), dtype=np.bool_)


def _ranking(champion: Floats, challenger: Floats, event: Floats, confidence: float) -> dict[str, Any]:
    """AUC and KS of both on the rows whose outcome is known, and their difference."""
    known = np.isfinite(event)
    seen = event[known]
    found: dict[str, Any] = {
        "rows": int(known.sum()),
        "events": int(seen.sum()),
        "confidence": confidence,
        "is_few": bool(seen.sum() < FEW_EVENTS),
    }
    if len(np.unique(seen)) < 2:
        return found
    risks = {"champion": -champion[known], "challenger": -challenger[known]}
    for name, risk in risks.items():
        found[name] = {**asdict(auc_interval(seen, risk, confidence=confidence)), "ks": ks(seen, risk)}
    found["difference"] = asdict(auc_difference(seen, *risks.values(), confidence=confidence))
    return found


def rank_correlation(first: Floats, second: Floats) -> float | None:
    """Spearman's correlation of ranks, ties sharing their mean rank; None where one side never varies.

    >>> rank_correlation(np.array([1., 2., 3.]), np.array([10., 30., 20.]))
    0.5
    """
    ranks = np.array([_ranks(first), _ranks(second)])
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    spread = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return round(float((centred[0] * centred[1]).sum()) / spread, 12) if spread else None


def _ranks(values: Floats) -> Floats:
    _, of, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(((last - counts + 1 + last) / 2)[of], dtype=np.float64)
