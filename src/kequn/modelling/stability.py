"""Whether a population is still the one a model was fitted on: PSI of the score, the same index a characteristic."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from kequn.modelling.distributions import chi_squared_above
from kequn.modelling.tapes import Floats

LEAST_SHARE = 1e-4  # stands for an empty class, as is customary, so that the index stays finite


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Population stability index: sum (a - e) ln(a / e) over classes; the arguments are shares or counts.

    Symmetric, 0 for equal shares. Source: Siddiqi, Credit Risk Scorecards (2006); the sum of both Kullback-Leibler
    divergences. An empty class counts as 0.0001.

    >>> round(psi([0.5, 0.5], [0.6, 0.4]), 5)
    0.04055
    """
    e, a = (_shares(one) for one in (expected, actual))
    return float(((a - e) * np.log(a / e)).sum())


def _shares(values: Sequence[float]) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    return np.maximum(found / found.sum(), LEAST_SHARE) if found.sum() > 0 else np.full(len(found), LEAST_SHARE)


def psi_by_chance(classes: int, expected_rows: float, actual_rows: float) -> float:
    """The PSI that 95 % of pairs of samples of one population stay below: chi2(0.95; B-1) (1/n + 1/m).

    A limit of 0.10 means nothing for fifty rows. Source: Yurdakul, Statistical properties of PSI (2018).
    """
    if min(expected_rows, actual_rows) <= 0 or classes < 2:
        return math.inf
    low, high = 0.0, 10.0 * classes + 100
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if chi_squared_above(middle, classes - 1) > 0.05 else (low, middle)
    return low * (1 / expected_rows + 1 / actual_rows)


def herfindahl(shares: Sequence[float]) -> tuple[float, float]:
    """Concentration of grades: the index, and the same between 0 (spread evenly) and 1 (one grade only).

    >>> herfindahl([0.5, 0.5])
    (0.5, 0.0)
    """
    found = np.asarray(shares, dtype=np.float64)
    index = float(((found / found.sum()) ** 2).sum()) if found.sum() else math.nan
    least = 1 / len(found)
    return index, (index - least) / (1 - least) if len(found) > 1 else 1.0


def counted(values: Sequence[object], classes: Sequence[object], weight: Floats) -> list[float]:
    """Weight of the rows in each class; rows of no class are left out."""
    totals: dict[object, float] = dict.fromkeys(classes, 0.0)
    for value, part in zip(values, weight.tolist(), strict=True):
        if value in totals:
            totals[value] += part
    return [totals[one] for one in classes]


def verdict(value: float, limits: Mapping[str, float]) -> str:
    """`stable`, `watch` or `act` by the limits of policy."""
    return "act" if value >= limits["act"] else "watch" if value >= limits["watch"] else "stable"
