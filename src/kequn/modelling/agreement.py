"""How well stated probabilities agree with what happened: Brier and its parts, calibration error, tests by grade."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from kequn.modelling.discrimination import Interval
from kequn.modelling.distributions import beta_quantile, binomial_at_least, chi_squared_above
from kequn.modelling.tapes import Floats

FEW_EVENTS = 100  # below this a figure is shown with the remark that it moves much by chance


@dataclass(frozen=True, slots=True)
class Brier:
    """score = reliability - resolution + uncertainty, over groups of stated PD; `within` is what grouping leaves."""

    score: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


@dataclass(frozen=True, slots=True)
class GradeCheck:
    """One grade: stated PD against events. `p_value` is the chance of so many events or more if the PD held."""

    grade: str
    rows: int
    events: int
    stated: float
    observed: float
    jeffreys: Interval
    p_value: float
    p_correlated: float
    verdict: str  # agrees, understated, overstated, too few


def brier(event: Floats, pd: Floats, weight: Floats | None = None, groups: int = 10) -> Brier:
    """Mean squared error of the PD with Murphy's parts over equally filled groups of PD.

    Source: Brier, Monthly Weather Review 78 (1950); Murphy, Journal of Applied Meteorology 12 (1973); Stephenson
    et al. 2008 for the part within groups. `score` equals scikit-learn's `brier_score_loss`.
    """
    weighed = np.ones_like(event) if weight is None else weight
    share = weighed / weighed.sum()
    score = float((share * (event - pd) ** 2).sum())
    base = float((share * event).sum())
    reliability = resolution = 0.0
    for rows in grouped(pd, weighed, groups):
        part = float(share[rows].sum())
        seen = float((share[rows] * event[rows]).sum()) / part
        said = float((share[rows] * pd[rows]).sum()) / part
        reliability += part * (said - seen) ** 2
        resolution += part * (seen - base) ** 2
    uncertainty = base * (1 - base)
    return Brier(score, reliability, resolution, uncertainty, score - (reliability - resolution + uncertainty))


def calibration_error(event: Floats, pd: Floats, weight: Floats | None = None, groups: int = 10) -> float:
    """Mean distance between stated and observed rate over equally filled groups of PD (expected calibration error)."""
    weighed = np.ones_like(event) if weight is None else weight
    total = float(weighed.sum())
    return sum(
        abs(float((weighed[rows] * (pd[rows] - event[rows])).sum())) / total for rows in grouped(pd, weighed, groups)
    )


def grouped(pd: Floats, weight: Floats, groups: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Rows by PD in groups of about equal weight; equal PDs stay together."""
    values, of = np.unique(pd, return_inverse=True)
    mass = np.bincount(of, weights=weight, minlength=len(values))
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    number = np.minimum((middle * groups).astype(int), groups - 1)[of]
    return [rows for group in range(groups) if len(rows := np.flatnonzero(number == group))]


def jeffreys(events: int, rows: int, confidence: float) -> Interval:
    """The Jeffreys interval of a default rate: quantiles of Beta(events + 1/2, rows - events + 1/2).

    Source: Brown, Cai and DasGupta, Statistical Science 16 (2001); asked for by the ECB's instructions for reporting
    the validation results of internal models (2019, section on PD; from memory). Ends are 0 and 1 where no or all rows
    are events.
    """
    if rows == 0:
        return Interval(math.nan, 0.0, 1.0)
    tail = (1 - confidence) / 2
    a, b = events + 0.5, rows - events + 0.5
    low = 0.0 if events == 0 else beta_quantile(tail, a, b)
    high = 1.0 if events == rows else beta_quantile(1 - tail, a, b)
    return Interval(events / rows, low, high)


def correlated_p_value(events: int, rows: int, pd: float, correlation: float) -> float:
    """The chance of so many events or more where defaults move together through one factor (Vasicek), by quadrature.

    A binomial test holds defaults independent and is too strict in a downturn. Source: Vasicek 1987; Basel
    Committee working paper 14 (2005), part III. `correlation` is that of assets.
    """
    if not 0 < pd < 1 or rows == 0:
        return binomial_at_least(events, rows, pd)
    normal = NormalDist()
    threshold = normal.inv_cdf(pd)
    nodes, mass = np.polynomial.hermite_e.hermegauss(64)
    total = 0.0
    for node, part in zip(nodes.tolist(), (mass / mass.sum()).tolist(), strict=True):
        moved = (threshold + math.sqrt(correlation) * node) / math.sqrt(1 - correlation)
        total += part * binomial_at_least(events, rows, normal.cdf(moved))
    return min(1.0, total)


def check_grade(grade: str, rows: int, events: int, stated: float, confidence: float, rows_min: float) -> GradeCheck:
    """Whether the stated PD of a grade lies in the Jeffreys interval of what happened; `rows_min` of policy."""
    interval = jeffreys(events, rows, confidence)
    low, high = interval.low or 0.0, 1.0 if interval.high is None else interval.high
    verdict = "understated" if stated < low else "overstated" if stated > high else "agrees"
    if rows < rows_min:
        verdict = "too few"
    return GradeCheck(
        grade, rows, events, stated, events / rows if rows else math.nan, interval,
        binomial_at_least(events, rows, stated), correlated_p_value(events, rows, stated, basel_correlation(stated)),
        verdict,
    )  # fmt: skip


def basel_correlation(pd: float) -> float:
    """Asset correlation of corporates: 0.12 w + 0.24 (1 - w), w = (1 - exp(-50 PD)) / (1 - exp(-50)).

    Source: Basel framework CRE31.5 (from memory).
    """
    part = (1 - math.exp(-50 * pd)) / (1 - math.exp(-50))
    return 0.12 * part + 0.24 * (1 - part)


def hosmer_lemeshow(rows: Sequence[int], events: Sequence[int], stated: Sequence[float]) -> tuple[float, int, float]:
    """Statistic, degrees of freedom and p-value of sum (d - n p)^2 / (n p (1 - p)) over grades.

    Degrees are the number of grades with rows: the PDs come from outside the data that are tested. Source: Hosmer and
    Lemeshow, Communications in Statistics A9 (1980); Basel working paper 14, part III.

    >>> statistic, degrees, p = hosmer_lemeshow([100, 100], [2, 9], [0.02, 0.05])
    >>> round(statistic, 4), degrees
    (3.3684, 2)
    """
    used = [(n, d, p) for n, d, p in zip(rows, events, stated, strict=True) if n > 0 and 0 < p < 1]
    statistic = sum((d - n * p) ** 2 / (n * p * (1 - p)) for n, d, p in used)
    return statistic, len(used), chi_squared_above(statistic, len(used)) if used else math.nan


def spiegelhalter(event: Floats, pd: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """Spiegelhalter's z of calibration and its two-sided p-value; weights count up to their effective size.

    Source: Spiegelhalter, Statistics in Medicine 5 (1986); Kish's effective size.
    """
    weighed = np.ones_like(event) if weight is None else weight * weight.sum() / (weight**2).sum()
    spread = float((weighed * ((1 - 2 * pd) ** 2) * pd * (1 - pd)).sum())
    if spread <= 0:
        return math.nan, math.nan
    z = float((weighed * (event - pd) * (1 - 2 * pd)).sum()) / math.sqrt(spread)
    return z, 2 * (1 - NormalDist().cdf(abs(z)))
