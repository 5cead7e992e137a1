"""From a score to a PD that can be believed: central tendency, prior correction, yearly recalibration, few defaults.

Nothing here changes the order of two debtors: a calibration is a rising curve, PD = 1 / (1 + exp(intercept + slope *
score)) with slope > 0. So ranking and calibration are found, shown and judged apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kequn.modelling.distributions import beta_quantile
from kequn.modelling.scorecard import logistic
from kequn.modelling.tapes import Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """Intercept and slope of a rising logistic curve over the score (higher is safer)."""

    intercept: float
    slope: float

    def pds(self, scores: Floats, floor: float = 0.0) -> Floats:
        found = 1 / (1 + np.exp(np.clip(self.intercept + self.slope * scores, -700, 700)))
        return np.asarray(np.maximum(found, floor), dtype=np.float64)

    def shifted(self, by: float) -> "Calibration":
        """The log odds of default moved up by so much."""
        return Calibration(self.intercept - by, self.slope)


def fitted_calibration(scores: Floats, event: Floats, weight: Floats) -> Calibration:
    """The curve of largest likelihood over weighted rows; a slope that would fall is refused by ValueError."""
    middle, spread = float(np.average(scores, weights=weight)), float(scores.std()) or 1.0
    constant, slope = logistic(((scores - middle) / spread)[:, None], 1 - event, weight)
    if slope <= 0:
        raise ValueError("the score does not rank these rows: a safer score has no lower default rate")
    return Calibration(float(constant - slope * middle / spread), float(slope / spread))


def shift_to(calibration: Calibration, scores: Floats, weight: Floats, rate: float) -> Calibration:
    """The same curve moved so that the mean PD of these rows is the central tendency, found by halving."""
    low, high = -20.0, 20.0
    for _ in range(200):
        middle = (low + high) / 2
        if float(np.average(calibration.shifted(middle).pds(scores), weights=weight)) < rate:
            low = middle
        else:
            high = middle
    return calibration.shifted((low + high) / 2)


def prior_shift(*, sample_rate: float, population_rate: float) -> float:
    """What a balanced sample wants added to the log odds of default: ln odds of the population less ln odds of it.

    The same as pd' = pd / (pd + (1 - pd) * [s / (1 - s)] / [p / (1 - p)]). Source: King and Zeng, Political Analysis 9
    (2001); Saerens, Latinne and Decaestecker, Neural Computation 14 (2002).

    >>> round(prior_shift(sample_rate=0.5, population_rate=0.02), 6)
    -3.89182
    """
    return math.log(population_rate / (1 - population_rate)) - math.log(sample_rate / (1 - sample_rate))


def central_tendency(event: Floats, weight: Floats, cohorts: Floats | None = None) -> float:
    """The long-run default rate: the plain mean of the cohorts' rates, so that a large year does not rule.

    Without cohorts, the rate of all rows. `cohorts` are years; rows of an unknown year are left out.
    """
    if cohorts is None:
        return float(np.average(event, weights=weight))
    years = np.floor(cohorts)
    rates = [
        float(np.average(event[years == year], weights=weight[years == year]))
        for year in np.unique(years[np.isfinite(years)])
    ]
    return float(np.mean(rates))


def upper_bounds(rows: Sequence[int], events: Sequence[int], confidence: float) -> list[float]:
    """Prudent PDs for grades with few or no defaults, best grade first: the most prudent estimation.

    For each grade, the largest rate at which so few events among it and all worse grades still have a chance of 1 -
    confidence: the upper Clopper-Pearson bound of the pooled grades. Defaults are taken as independent, which is the
    less prudent case. Source: Pluto and Tasche, Estimating probabilities of default for low default portfolios
    (2005), section 2.

    >>> [round(one, 4) for one in upper_bounds([100, 400, 300], [0, 0, 0], 0.90)]
    [0.0029, 0.0033, 0.0076]
    """
    found = []
    for at in range(len(rows)):
        n, d = sum(rows[at:]), sum(events[at:])
        found.append(1.0 if d >= n else beta_quantile(confidence, d + 1, n - d))
    return found
