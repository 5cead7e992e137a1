"""What marks a group out: each feature in it against all rows, the most telling first, with its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kequn.modelling.agreement import jeffreys
from kequn.modelling.discovery.values import OTHERS, Prepared
from kequn.modelling.tapes import Floats, Whole

HALF_WIDTH = 1.96  # standard errors on either side of a mean


def profile(found: Prepared, rows: Whole, labels: Whole, group: int, limits: Mapping[str, float]) -> dict[str, Any]:
    """Rows and share of a group, and its features: medians of numbers, the class most over its share of texts."""
    inside = rows[labels == group]
    weight = found.values.weight
    lines = [_measure(found, at, rows, inside) for at in range(len(found.measures))]
    lines += [line for at in range(len(found.texts)) for line in _classes(found, at, rows, inside, limits)]
    kept = [one for one in lines if one is not None]
    kept.sort(key=lambda one: -abs(one["strength"]))
    share = float(weight[inside].sum()) / max(float(weight[rows].sum()), 1e-12)
    return {"rows": len(inside), "share": share, "features": kept}


def _measure(found: Prepared, at: int, rows: Whole, inside: Whole) -> dict[str, Any] | None:
    """Medians in the units of the fact; the difference of means in robust standard deviations with its interval."""
    scaled, raw = found.values.numbers[:, at], found.raw[:, at]
    mine, every = scaled[inside], scaled[rows]
    mine, every = mine[np.isfinite(mine)], every[np.isfinite(every)]
    if len(mine) < 2 or not len(every):
        return None
    apart = float(mine.mean() - every.mean())
    error = HALF_WIDTH * float(mine.std(ddof=1)) / np.sqrt(len(mine))
    return {
        "name": found.measures[at].feature.name, "kind": "number", "strength": apart, "low": apart - error,
        "high": apart + error, "inside": _median(raw[inside]), "all": _median(raw[rows]),
        "known": len(mine) / max(len(inside), 1),
    }  # fmt: skip


def _median(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None


def _classes(found: Prepared, at: int, rows: Whole, inside: Whole, limits: Mapping[str, float]) -> list[Any]:
    """The class of a text whose share in the group stands farthest above its share in all; shares with intervals."""
    one = found.texts[at]
    codes = found.values.codes[:, at]
    mine, every = codes[inside], codes[rows]
    mine, every = mine[mine >= 0], every[every >= 0]
    if not len(mine) or not len(every):
        return []
    size = len(one.classes)
    shares, whole = np.bincount(mine, minlength=size) / len(mine), np.bincount(every, minlength=size) / len(every)
    place = int((shares - whole).argmax())
    interval = jeffreys(int((mine == place).sum()), len(mine), limits["confidence"])
    spread = float(np.sqrt(max(whole[place] * (1 - whole[place]), 1e-12)))
    return [{
        "name": one.feature.name, "kind": "truth" if one.is_truth else "text",
        "class": "" if one.classes[place] == OTHERS else one.classes[place],
        "strength": float(shares[place] - whole[place]) / spread, "inside": float(shares[place]),
        "low": interval.low, "high": interval.high, "all": float(whole[place]),
        "known": len(mine) / max(len(inside), 1),
    }]  # fmt: skip
