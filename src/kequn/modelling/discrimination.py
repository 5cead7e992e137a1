"""How well a model ranks: AUC with its interval, KS, the CAP curve, average precision. Nothing of calibration here.

Shapes: `event` is 0 or 1 a row, `risk` any number that is larger for the riskier row, `weight` how many rows of the
population one row stands for. Unknown rows are left out before.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from kequn.modelling.tapes import Floats


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure between two bounds; None where it cannot be said."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Rows from the riskiest on, ties taken together: what has been counted of events and of others at each step."""

    events: Floats
    others: Floats

    @property
    def hit_rate(self) -> Floats:
        return np.asarray(self.events / self.events[-1], dtype=np.float64)

    @property
    def false_rate(self) -> Floats:
        return np.asarray(self.others / self.others[-1], dtype=np.float64)

    @property
    def share(self) -> Floats:
        total = self.events + self.others
        return np.asarray(total / total[-1], dtype=np.float64)


def curve_of(event: Floats, risk: Floats, weight: Floats | None = None) -> Curve:
    """The curve, starting at nothing. Raises ValueError where one of the two classes is absent."""
    weighed = np.ones_like(event) if weight is None else weight
    order = np.argsort(-risk, kind="stable")
    falls = np.append(np.diff(risk[order]) != 0, True)
    events = np.cumsum(event[order] * weighed[order])[falls]
    others = np.cumsum((1 - event[order]) * weighed[order])[falls]
    if not len(events) or events[-1] <= 0 or others[-1] <= 0:
        raise ValueError("both classes are needed to say how a model ranks")
    return Curve(np.append(0.0, events), np.append(0.0, others))


def auc(event: Floats, risk: Floats, weight: Floats | None = None) -> float:
    """The chance that an event is ranked riskier than another row, ties counting half: area under the ROC curve.

    Source: Hanley and McNeil, Radiology 143 (1982). Equal to scikit-learn's `roc_auc_score`.

    >>> round(auc(np.array([0., 1., 0., 1.]), np.array([.1, .9, .4, .4])), 3)
    0.875
    """
    curve = curve_of(event, risk, weight)
    return float(np.trapezoid(curve.hit_rate, curve.false_rate))


def auc_interval(event: Floats, risk: Floats, weight: Floats | None = None, *, confidence: float) -> Interval:
    """AUC with its interval after DeLong, from the placement of each event among the others and the reverse.

    With weights the variance of each class is divided by its effective size (sum w)^2 / sum w^2. Source: DeLong,
    DeLong and Clarke-Pearson, Biometrics 44 (1988); Kish's effective size. Below two rows a class: no interval.
    """
    weighed = np.ones_like(event) if weight is None else weight
    value = auc(event, risk, weighed)
    bad, good = event == 1, event == 0
    if bad.sum() < 2 or good.sum() < 2:
        return Interval(value)
    of_bad = _placement(risk[bad], risk[good], weighed[good])
    of_good = 1.0 - _placement(risk[good], risk[bad], weighed[bad])
    variance = _variance_of_mean(of_bad, weighed[bad]) + _variance_of_mean(of_good, weighed[good])
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(variance)
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))


def auc_difference(event: Floats, first: Floats, second: Floats, *, confidence: float) -> Interval:
    """AUC of the second risk less that of the first on the same rows, with DeLong's interval for the pair.

    Both rank the same rows, so what they share cancels: the interval is far narrower than the two would suggest.
    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988). Below two rows a class: no interval.
    """
    bad, good, every = event == 1, event == 0, np.ones_like(event)
    value = auc(event, second) - auc(event, first)
    if bad.sum() < 2 or good.sum() < 2:
        return Interval(value)
    of_bad, of_good = (
        _placement(second[one], second[other], every[other]) - _placement(first[one], first[other], every[other])
        for one, other in ((bad, good), (good, bad))
    )
    variance = _variance_of_mean(of_bad, every[bad]) + _variance_of_mean(of_good, every[good])
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * math.sqrt(variance)
    return Interval(value, value - reach, value + reach)


def _placement(of: Floats, among: Floats, weight: Floats) -> Floats:
    """The share of `among` that lies below each value, ties counting half."""
    order = np.argsort(among, kind="stable")
    total = np.append(0.0, np.cumsum(weight[order]))
    below = total[np.searchsorted(among[order], of, side="left")]
    upto = total[np.searchsorted(among[order], of, side="right")]
    return np.asarray((below + upto) / (2 * total[-1]), dtype=np.float64)


def _variance_of_mean(values: Floats, weight: Floats) -> float:
    share = weight / weight.sum()
    effective = 1.0 / float((share**2).sum())
    spread = float((share * (values - float((share * values).sum())) ** 2).sum())
    return spread / (effective - 1) if effective > 1 else 0.0


def ks(event: Floats, risk: Floats, weight: Floats | None = None) -> float:
    """The largest distance between the distribution of risk among events and among others (Kolmogorov-Smirnov).

    Equal to the statistic of `scipy.stats.ks_2samp`.

    >>> round(ks(np.array([0., 1., 0., 1.]), np.array([.1, .9, .4, .4])), 3)
    0.5
    """
    curve = curve_of(event, risk, weight)
    return float(np.abs(curve.hit_rate - curve.false_rate).max())


def accuracy_ratio(event: Floats, risk: Floats, weight: Floats | None = None) -> float:
    """Area between the CAP curve and the diagonal over that of a perfect model; equal to 2 AUC - 1.

    Source: Engelmann, Hayden and Tasche, Deutsche Bundesbank discussion paper 01/2003.
    """
    curve = curve_of(event, risk, weight)
    rate = curve.events[-1] / (curve.events[-1] + curve.others[-1])
    area = float(np.trapezoid(curve.hit_rate, curve.share))
    return (area - 0.5) / (0.5 * (1 - float(rate)))


def cap(event: Floats, risk: Floats, weight: Floats | None = None, points: int = 20) -> list[tuple[float, float]]:
    """Share of the rows taken from the riskiest on, and share of the events caught, at equal steps."""
    curve = curve_of(event, risk, weight)
    steps = np.linspace(0, 1, points + 1)
    return list(zip(steps.tolist(), np.interp(steps, curve.share, curve.hit_rate).tolist(), strict=True))


def average_precision(event: Floats, risk: Floats, weight: Floats | None = None) -> float:
    """Precision averaged over the events as the threshold falls (area under precision and recall, by steps).

    Equal to scikit-learn's `average_precision_score`; its floor is the share of events, not one half.
    """
    curve = curve_of(event, risk, weight)
    precision = curve.events[1:] / (curve.events[1:] + curve.others[1:])
    return float((np.diff(curve.hit_rate) * precision).sum())
