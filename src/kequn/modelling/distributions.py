"""The few distributions that the tests of a rating need, without a statistics package: binomial, beta, chi squared.

All rest on the regularised incomplete beta and gamma functions by continued fractions and series; the tests hold
them against scipy. Source: Abramowitz and Stegun, 26.5.8 and 6.5; Lentz's method for the fractions.
"""

import math
from collections.abc import Callable

TINY = 1e-300
CLOSE = 1e-15
MOST_STEPS = 100_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b): the chance that a beta variable is at most x.

    >>> round(beta_cdf(0.5, 2, 3), 6)
    0.6875
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, MOST_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for part in (even, odd):
            d = 1.0 / _away(1 + part * d)
            c = _away(1 + part / c)
            value *= d * c
        if abs(d * c - 1) < CLOSE:
            return value
    return value


def _away(value: float) -> float:
    return value if abs(value) > TINY else TINY


def beta_quantile(share: float, a: float, b: float) -> float:
    """The x at which `beta_cdf` reaches a share, by halving: right to 1e-14."""
    return _halved(lambda x: beta_cdf(x, a, b), share)


def _halved(rising: Callable[[float], float], share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if rising(middle) < share:
            low = middle
        else:
            high = middle
        if high - low < 1e-16 * max(1.0, high):
            break
    return (low + high) / 2


def binomial_at_least(events: int, rows: int, rate: float) -> float:
    """The chance of so many events or more among independent rows of one rate.

    >>> round(binomial_at_least(2, 10, 0.1), 6)
    0.263901
    """
    return 1.0 if events <= 0 else beta_cdf(rate, events, rows - events + 1)


def chi_squared_above(value: float, degrees: int) -> float:
    """The chance that a chi-squared variable exceeds a value.

    >>> round(chi_squared_above(3.84, 1), 4)
    0.05
    """
    if value < TINY:
        return 1.0
    a, x = degrees / 2, value / 2
    front = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1.0 / a
        step = a
        while abs(term) > abs(total) * CLOSE:
            step += 1
            term *= x / step
            total += term
        return 1.0 - total * front
    b = x + 1 - a
    c, d = 1 / TINY, 1 / b
    fraction = d
    for step in range(1, MOST_STEPS):
        part = -step * (step - a)
        b += 2
        d = 1.0 / _away(part * d + b)
        c = _away(b + part / c)
        fraction *= d * c
        if abs(d * c - 1) < CLOSE:
            break
    return front * fraction
