"""What a division of the book is worth: does it tell the outcome on later rows, and how does it compare with others.

Rates are learnt on the rows that groups were found on, each moved a little towards the rate of all, and applied to the
later rows; so nothing is judged by what it was made from.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from kequn.modelling.agreement import jeffreys
from kequn.modelling.discovery.partitions import adjusted_rand
from kequn.modelling.discrimination import auc_interval
from kequn.modelling.tapes import Flags, Floats, Whole

NOBODY = -1  # the place of a row that stands in no part, or cannot be told


def ranking(parts: Whole, event: Floats, weight: Floats, train: Flags, later: Flags, limits: Mapping[str, float]
            ) -> dict[str, float | None] | None:  # fmt: skip
    """AUC on the later rows of the rates that its parts had; None where the later rows do not hold both outcomes."""
    counted = later & np.isfinite(event)
    known = train & np.isfinite(event)
    if len(np.unique(event[counted])) < 2 or not known.any():
        return None
    rates = _rates(parts, event, weight, known, limits["tree_class_smoothing"])
    found = auc_interval(event[counted], rates[parts[counted] + 1], weight[counted], confidence=limits["confidence"])
    return asdict(found)


def _rates(parts: Whole, event: Floats, weight: Floats, rows: Flags, smoothing: float) -> Floats:
    """The rate of each part, the first of those who stand in none; a small part is near the rate of all."""
    places, size = parts[rows] + 1, int(parts.max(initial=NOBODY)) + 2
    scale = rows.sum() / max(float(weight[rows].sum()), 1e-12)
    mass = np.bincount(places, weights=weight[rows] * scale, minlength=size)
    bad = np.bincount(places, weights=weight[rows] * scale * event[rows], minlength=size)
    overall = bad.sum() / mass.sum()
    return np.asarray((bad + smoothing * overall) / (mass + smoothing), dtype=np.float64)


def realised(parts: Whole, names: Mapping[int, str], event: Floats, weight: Floats, train: Flags, later: Flags,
             limits: Mapping[str, float]) -> list[dict[str, Any]]:  # fmt: skip
    """The rate of the outcome in each part, when it was found and on later rows, with Jeffreys' interval."""
    found = []
    for place in sorted(set(parts.tolist())):
        inside = parts == place
        found.append({
            "part": names.get(place, ""),
            "then": _rate(event, weight, inside & train, limits), "later": _rate(event, weight, inside & later, limits),
        })  # fmt: skip
    return found


def _rate(event: Floats, weight: Floats, rows: Flags, limits: Mapping[str, float]) -> dict[str, float | int | None]:
    """Weighted rate with its interval by the effective rows; nothing but the count below the fewest rows."""
    rows = rows & np.isfinite(event)
    count, mass = int(rows.sum()), float(weight[rows].sum())
    if count < limits["discovery_rate_rows_min"] or not mass:
        return {"rows": count, "rate": None, "low": None, "high": None}
    rate = float(weight[rows] @ event[rows]) / mass
    says = mass**2 / float((weight[rows] ** 2).sum())
    interval = jeffreys(round(rate * says), round(says), limits["confidence"])
    return {"rows": count, "rate": rate, "low": interval.low, "high": interval.high}


def against(groups: Whole, parts: Whole) -> dict[str, float]:
    """How alike the groups and an existing division are: the adjusted Rand index over the rows that stand in both."""
    both = (groups >= 0) & (parts >= 0)
    return {"adjusted_rand": adjusted_rand(groups[both], parts[both]), "share": float(both.mean())}


def joined(one: Whole, two: Whole) -> Whole:
    """The division by both: a part for each pair, nowhere where either is."""
    places = (one + 1) * (int(two.max(initial=NOBODY)) + 2) + two + 1
    return np.asarray(np.unique(places, return_inverse=True)[1], dtype=np.int64)
