"""A scorecard: weights of evidence put together by a logistic regression, as whole points, the higher the safer.

Every characteristic must keep the direction it has by itself: one whose coefficient turns against it is left out and
named. The regression is fitted on weighted rows, so a balanced sample with its weights gives the population's PD.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Refused, Text
from kequn.modelling.binning import Characteristic, Failed, cut, weight_matrix
from kequn.modelling.spec import Feature, Spec
from kequn.modelling.tapes import Floats

LEAST_RIDGE = 1e-9  # keeps the coefficients of equal columns finite
MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Score = base + points_double / ln 2 * (ln(good : bad) - ln odds_base)."""

    base: float
    odds: float
    double: float

    @property
    def factor(self) -> float:
        return self.double / math.log(2)

    @property
    def offset(self) -> float:
        return self.base - self.factor * math.log(self.odds)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The characteristics with their coefficient on the weight of evidence, and the points of every bin.

    ln(good : bad) = constant + sum of coefficient * woe. `pd = 1 / (1 + exp(intercept + slope * score))`.
    """

    characteristics: tuple[Characteristic, ...]
    coefficients: tuple[float, ...]
    constant: float
    points: tuple[tuple[int, ...], ...]
    points_base: int
    scale: Scale

    def scores(self, columns: Mapping[str, pa.ChunkedArray], rows: int) -> Floats:
        """The score of each row by the whole points of its bins."""
        total = np.full(rows, float(self.points_base))
        for one, points in zip(self.characteristics, self.points, strict=True):
            total += np.array(points, dtype=np.float64)[one.codes(columns[one.name])]
        return total


def candidates(
    spec: Spec, features: Sequence[Feature], columns: Mapping[str, pa.ChunkedArray], event: Floats, weight: Floats,
    limits: Mapping[str, float],
) -> tuple[list[Characteristic], list[Failed]]:  # fmt: skip
    """Every feature cut into bins, the strongest first, and those that cannot be."""
    made: list[Characteristic] = []
    failed: list[Failed] = []
    for one in features:
        if one.part:
            continue
        found = cut(one.name, columns[one.name], event, weight, spec.direction_of(one.name), limits)
        made.append(found) if isinstance(found, Characteristic) else failed.append(found)
    return sorted(made, key=lambda one: (-one.value, one.name)), failed


def fit_scorecard(
    made: Sequence[Characteristic], columns: Mapping[str, pa.ChunkedArray], event: Floats, weight: Floats,
    limits: Mapping[str, float], scale: Scale,
) -> tuple[Scorecard, list[Failed]]:  # fmt: skip
    """The scorecard of the candidates, and those that the others leave nothing to say or turn around."""
    woe = weight_matrix(made, columns)
    kept, failed = _apart(made, woe, weight, limits["correlation_max"])
    while kept:
        fitted = logistic(woe[:, kept], 1 - event, weight, ridge=limits["ridge"])
        against = [at for at, value in enumerate(fitted[1:]) if value <= 0]
        if not against:
            break
        worst = min(against, key=lambda at: fitted[1 + at])
        name = made[kept[worst]].name
        failed.append(Failed(name, Text("与其他指标一起时方向相反", "turns around beside the others")))
        kept.pop(worst)
    if not kept:
        raise Refused(Text("没有可用的评分指标", "no characteristic is left for a scorecard"))
    chosen = tuple(made[at] for at in kept)
    return _scaled(chosen, fitted, scale), failed


def _apart(made: Sequence[Characteristic], woe: Floats, weight: Floats, limit: float) -> tuple[list[int], list[Failed]]:
    """Candidates in order of strength, without those that say the same as a stronger one."""
    kept: list[int] = []
    failed: list[Failed] = []
    share = weight / weight.sum()
    centred = woe - share @ woe
    norm = np.sqrt(share @ centred**2)
    for at, one in enumerate(made):
        of = (share * centred[:, at]) @ centred[:, kept] / np.maximum(norm[at] * norm[kept], 1e-12)
        twin = int(np.abs(of).argmax()) if kept else -1
        if kept and abs(of[twin]) > limit:
            other = made[kept[twin]].name
            failed.append(Failed(one.name, Text(f"与 {other} 几乎相同", f"says the same as {other}")))
        else:
            kept.append(at)
    return kept, failed


def logistic(x: Floats, y: Floats, weight: Floats, *, ridge: float = LEAST_RIDGE) -> Floats:
    """Constant and coefficients of a weighted logistic regression, by Newton's method with a ridge.

    `x` rows by columns, `y` 0 or 1, `weight` rows. Minimises the weighted log loss plus `ridge` times the total weight
    times the sum of squares over two; the constant is free. Source: McCullagh and Nelder, Generalized Linear Models.
    """
    design = np.column_stack([np.ones(len(y)), x])
    total = float(weight.sum())
    penalty = np.full(design.shape[1], ridge * total)
    penalty[0] = 0.0
    beta = np.zeros(design.shape[1])
    rate = float((weight * y).sum()) / total
    beta[0] = math.log(rate / (1 - rate))
    for _ in range(MOST_STEPS):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -35, 35)))
        gradient = design.T @ (weight * (y - p)) - penalty * beta
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-12 * total)
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return np.asarray(beta, dtype=np.float64)


def _scaled(chosen: tuple[Characteristic, ...], fitted: Floats, scale: Scale) -> Scorecard:
    coefficients = tuple(float(value) for value in fitted[1:])
    points = tuple(
        tuple(round(scale.factor * coefficient * one.woe) for one in characteristic.bins)
        for characteristic, coefficient in zip(chosen, coefficients, strict=True)
    )
    base = round(scale.offset + scale.factor * float(fitted[0]))
    return Scorecard(chosen, coefficients, float(fitted[0]), points, base, scale)
