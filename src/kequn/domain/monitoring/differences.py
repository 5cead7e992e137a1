"""The difference of two rates with its interval, from the interval of each: method 10 of Newcombe.

Source: R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
Medicine 17 (1998).
"""

import math

Interval = tuple[float, float]


def difference(one: float, one_within: Interval, two: float, two_within: Interval) -> tuple[float, float, float]:
    """`two` less `one`, and its bounds; rates are fractions, `..._within` the Wilson interval of each.

    56 of 70 against 48 of 80, the first example of the paper: 0.2 with 0.0524 to 0.3339.

    >>> found = difference(48 / 80, (0.4904, 0.7004), 56 / 70, (0.6918, 0.8772))
    >>> [round(value, 3) for value in found]
    [0.2, 0.052, 0.334]
    """
    apart = two - one
    low = math.hypot(two - two_within[0], one_within[1] - one)
    high = math.hypot(two_within[1] - two, one - one_within[0])
    return apart, apart - low, apart + high
