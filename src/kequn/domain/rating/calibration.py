"""A score (higher is safer) and the probability of default it stands for, by a logistic curve."""

import math


def pd_of_score(score: float, *, intercept: float, slope: float) -> float:
    """PD in one year, fraction: 1 / (1 + exp(intercept + slope * score)).

    `score` in points; `slope` > 0 in log-odds per point, so that a higher score is safer. Source: the usual
    logistic calibration of scorecards. Limits: extrapolates outside the range of scores it was fitted on.

    >>> round(pd_of_score(50, intercept=-0.84, slope=0.09), 4)
    0.0251
    """
    return 1.0 / (1.0 + math.exp(intercept + slope * score))


def score_of_pd(pd: float, *, intercept: float, slope: float) -> float:
    """The score whose PD this is: (ln(1/pd - 1) - intercept) / slope.

    >>> round(score_of_pd(0.02, intercept=-0.84, slope=0.09), 2)
    52.58
    """
    return (math.log(1.0 / pd - 1.0) - intercept) / slope
