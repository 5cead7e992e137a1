"""Returns: the present value of dated flows, and every rate at which it is nil.

A rate of return is a root, and a series of flows may have none, one or several. All roots above -100 % are found,
with a status; a root near which the present value is almost flat is marked ill-conditioned. There is no starting guess.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from kequn.domain.projectfinance.arrays import Array

Status = Literal["ok", "ill_conditioned", "multiple", "no_solution"]
_FLAT = 100.0  # a change of one in a million of the flows moves the rate by more than a hundredth of a point
_EPSILON = 2.0**-52
_SHORT = 40
_SETTLED = 1e-13


@dataclass(frozen=True, slots=True)
class RateOfReturn:
    """All roots in rising order; `rate` is the root where there is exactly one, else None."""

    roots: tuple[float, ...]
    status: Status

    @property
    def rate(self) -> float | None:
        """The root where there is exactly one, a fraction per unit of time; else None."""
        return self.roots[0] if len(self.roots) == 1 else None


def present_value(amounts: Sequence[float], times: Sequence[float], rate: float) -> float:
    """Sum of amount / (1 + rate)^time; rate above -1 per unit of time.

    Amounts in one unit. Source: the definition of present value.

    >>> present_value([-100.0, 110.0], [0.0, 1.0], 0.1)
    0.0
    """
    return math.fsum(amount * (1.0 + rate) ** -time for amount, time in zip(amounts, times, strict=True))


def year_times(dates: Sequence[date]) -> list[float]:
    """Years from the first date, ACT/365F, as XIRR reads them.

    (d[i] - d[0]) / 365. Source: the definition of the XIRR function of spreadsheets.
    """
    return [(one - dates[0]).days / 365 for one in dates]


def rates_of_return(amounts: Sequence[float], times: Sequence[float] | None = None) -> RateOfReturn:
    """All rates above -100 % at which the present value of the flows is nil.

    `times` in rising or any order (default 0, 1, 2 ...); flows of one time are added. With s = ln(1 + r) the value is
    f(s) = sum of a_i exp(-s t_i). If f has m changes of sign, then multiplying by exp(s u), u between the times of a
    change, and differentiating gives a function with m - 1: by Rolle its roots separate those of f. So m derivations
    down to a function without a root isolate every root of f, each then found by bisection and Newton.
    Source: the generalised rule of Descartes for sums of exponentials (Pólya and Szegő, part V).

    >>> round(rates_of_return([-100.0, 110.0]).roots[0], 12)
    0.1
    >>> rates_of_return([10.0, 20.0]).status
    'no_solution'
    """
    flows = _gathered(amounts, range(len(amounts)) if times is None else times)
    return _rates(np.array([value for _, value in flows]), np.array([time for time, _ in flows]))


def _rates(amounts: Array, times: Array) -> RateOfReturn:
    """The same of flows none of which is nil, at times that rise."""
    if len(amounts) < 2:
        return RateOfReturn((), "no_solution")
    at, values = times - times[0], amounts / np.abs(amounts).max()
    levels = _levels(values, at)
    roots: list[float] = []
    for coefficients in reversed(levels[:-1]):  # the last has no change of sign and so no root
        roots = _roots_between(coefficients, at, roots)
    rates = tuple(math.expm1(root) for root in roots)
    if not rates:
        return RateOfReturn((), "no_solution")
    if len(rates) > 1:
        return RateOfReturn(rates, "multiple")
    return RateOfReturn(rates, "ill_conditioned" if _is_flat(values, at, roots[0]) else "ok")


def _gathered(amounts: Sequence[float], times: Sequence[float] | range) -> list[tuple[float, float]]:
    found: dict[float, float] = {}
    for amount, time in zip(amounts, times, strict=True):
        found[float(time)] = found.get(float(time), 0.0) + float(amount)
    return sorted(one for one in found.items() if one[1] != 0.0 and math.isfinite(one[1]))


def _levels(values: Array, times: Array) -> list[Array]:
    """The function and its derivations, each with one change of sign less; the last has none."""
    found = [values]
    while True:
        signs = np.sign(found[-1])
        changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        if not len(changes):
            return found
        place = changes[len(changes) // 2]
        middle = (times[place] + times[place + 1]) / 2.0
        following = found[-1] * (middle - times)
        found.append(following / np.abs(following).max())


class _Sum:
    """A sum of a_i exp(-s t_i). Its positive and its negative terms are added up apart; what is found of them is scaled
    by one positive factor, so that nothing overflows.
    """

    __slots__ = ("pairs", "sides", "times")

    def __init__(self, values: Array, times: Array) -> None:
        self.times, self.sides = times, _sides(values, times) if len(values) > _SHORT else None
        self.pairs = list(zip(values.tolist(), times.tolist(), strict=True))

    def parts(self, s: float) -> tuple[float, float, float, float]:
        """The sizes of the positive and of the negative terms, and the same with each term times its time."""
        shift = self.pairs[-1][1] if s < 0.0 else self.pairs[0][1]
        if self.sides is not None:
            above, below, late_above, late_below = (self.sides @ np.exp(-s * (self.times - shift))).tolist()
            return above, below, late_above, late_below
        up = down = late_up = late_down = 0.0
        for amount, time in self.pairs:
            term = amount * math.exp(-s * (time - shift))
            if term > 0.0:
                up += term
                late_up += term * time
            else:
                down -= term
                late_down -= term * time
        return up, down, late_up, late_down

    def sign(self, s: float) -> int:
        """The sign of the sum, and nil where rounding hides it."""
        up, down, _, _ = self.parts(s)
        if abs(up - down) <= 4.0 * _EPSILON * (up + down):
            return 0
        return 1 if up > down else -1


def _sides(values: Array, times: Array) -> Array:
    """Sizes of the positive and of the negative flows, and each times its time, as rows."""
    above, below = np.maximum(values, 0.0), np.maximum(-values, 0.0)
    return np.stack([above, below, above * times, below * times])


def _sign(value: float) -> int:
    return 1 if value > 0.0 else -1


def _bounds(values: Array, times: Array) -> tuple[float, float]:
    """Beyond these the last, or the first, flow outweighs all others together."""
    others = float(np.abs(values).sum())
    low = -math.log(2.0 * others / abs(values[-1])) / (times[-1] - times[-2])
    high = math.log(2.0 * others / abs(values[0])) / (times[1] - times[0])
    return min(low, -1e-9), max(high, 1e-9)


def _roots_between(values: Array, times: Array, turning: Sequence[float]) -> list[float]:
    """The roots of a function whose turning points are known, in rising order; a touching root counts once."""
    low, high = _bounds(values, times)
    of = _Sum(values, times)
    inner = [one for one in turning if low < one < high]
    points = [low, *inner, high]
    signs = [_sign(values[-1]), *(of.sign(one) for one in inner), _sign(values[0])]
    found: list[float] = []
    for place in range(len(points) - 1):
        if signs[place] == 0 and (not found or found[-1] != points[place]):
            found.append(points[place])
        if signs[place] * signs[place + 1] < 0:
            found.append(_root(of, points[place], points[place + 1], signs[place]))
    return found


def _root(of: _Sum, low: float, high: float, sign_at_low: int) -> float:
    """One root inside a bracket: Newton on ln(positive terms) - ln(negative terms), which is nearly a straight line,
    and bisection wherever that would leave the bracket or creep.
    """
    middle = 0.0 if low < 0.0 < high else (low + high) / 2.0
    before, step = high - low, math.inf
    for _ in range(200):
        up, down, late_up, late_down = of.parts(middle)
        if up == down:
            return middle
        if (up > down) == (sign_at_low > 0):
            low = middle
        else:
            high = middle
        following, width = _following(middle, up, down, late_up, late_down), high - low
        if following is None or not low < following < high or (width > before / 2.0 and abs(following - middle) > step):
            following = (low + high) / 2.0
        moved = abs(following - middle)
        if moved <= 2.0 * _EPSILON * max(1e-3, abs(middle)) or width <= _EPSILON * abs(middle):
            return following
        if moved >= step and moved <= _SETTLED * max(1e-3, abs(middle)):  # rounding, and nothing closer than that
            return following
        before, step, middle = width, moved, following
    return middle


def _following(s: float, up: float, down: float, late_up: float, late_down: float) -> float | None:
    """Where the straight line through ln(up / down) meets nil; None where there is no such line."""
    if up <= 0.0 or down <= 0.0:
        return None
    slope = late_down / down - late_up / up
    return s - math.log(up / down) / slope if slope else None


def _is_flat(values: Array, times: Array, s: float) -> bool:
    up, down, late_up, late_down = _Sum(values, times).parts(s)
    return up + down > _FLAT * abs(late_up - late_down)


def payback(amounts: Sequence[float], times: Sequence[float], rate: float = 0.0) -> float | None:
    """The time from which the (discounted) running sum stays at or above nil, by straight line within its period.

    None where it never does. With a rate this is the discounted payback.
    Amounts in one unit, times in years. Source: the definition of payback, flows even within their period.

    >>> payback([-100.0, 60.0, 80.0], [0.0, 1.0, 2.0])
    1.5
    """
    running, found, before = 0.0, None, 0.0
    for place, (amount, time) in enumerate(zip(amounts, times, strict=True)):
        value = amount * (1.0 + rate) ** -time
        if running < 0.0 <= running + value:
            found = before + (time - before) * (-running / value)
        running += value
        if running < 0.0:
            found = None
        before = times[place]
    return found if running >= 0.0 else None


@dataclass(frozen=True, slots=True)
class ManyRates:
    """Rates of many series; where `known` is false there is no single rate and the number is without meaning."""

    rates: Array
    known: np.typing.NDArray[np.bool_]


def many_rates_of_return(amounts: Array, times: Array) -> ManyRates:
    """Rates of return of series of shape (flows, scenarios), times rising from nil; the vector face.

    Where all columns pay first and receive later the root is unique and all are found at once; else each column is put
    to `rates_of_return`, so that both faces agree.
    Source: as `rates_of_return`; Newton's method on the logarithm of the ratio of the two values.
    """
    turn = _turning_row(amounts) if amounts.shape[1] > 1 else None  # one series alone is quicker by the other way
    if turn is not None:
        paid, received = (amounts[:turn] != 0.0).any(axis=0), (amounts[turn:] != 0.0).any(axis=0)
        with np.errstate(all="ignore"):
            rates, settled = _newton(amounts, times, turn, paid & received)
        known = paid & received & settled
        rest = np.flatnonzero(paid & received & ~settled)
    else:
        rates, known = np.zeros(amounts.shape[1]), np.zeros(amounts.shape[1], dtype=np.bool_)
        rest = np.arange(amounts.shape[1])
    rates = np.where(known, rates, 0.0)
    for column in rest:
        one = amounts[:, column]
        flowing = (one != 0.0) & np.isfinite(one)
        found = _rates(one[flowing], times[flowing])
        if found.rate is not None:
            rates[column], known[column] = found.rate, True
    return ManyRates(rates, known)


def _turning_row(amounts: Array) -> int | None:
    """The row before which nothing is received and from which on nothing is paid, in any column."""
    paying = np.flatnonzero((amounts < 0.0).any(axis=1))
    receiving = np.flatnonzero((amounts > 0.0).any(axis=1))
    if not len(paying) or not len(receiving) or paying[-1] >= receiving[0]:
        return None
    return int(paying[-1]) + 1


def _newton(
    amounts: Array, times: Array, turn: int, wanted: np.typing.NDArray[np.bool_]
) -> tuple[Array, np.typing.NDArray[np.bool_]]:
    """Newton on h(s) = ln(value of what is received) - ln(value of what is paid), s = ln(1 + r); whether it settled.

    h' is the duration of what is paid less that of what is received, which comes later: h falls everywhere, and is
    nearly a straight line, so that Newton needs few steps from anywhere. Columns that are not `wanted` have no root.
    """
    gaps = np.round(np.diff(times), 12)
    bound = 600.0 / max(1.0, float(times[-1] - times[0]))
    s, step = np.full(amounts.shape[1], 0.1), np.ones(amounts.shape[1])
    for _ in range(25):
        factors = {gap: np.exp(-s * gap) for gap in set(gaps.tolist())}
        received, late = _horner(amounts, gaps, factors, turn, len(amounts) - 1)
        paid, early = _horner(amounts, gaps, factors, 0, turn - 1)
        between = np.exp(-s * (times[turn] - times[0]))
        slope = late / received - (times[turn] - times[0]) - early / paid
        step = np.log(received * between / -paid) / slope
        s = np.clip(s - step, -bound, bound)
        if not bool((wanted & ~(np.abs(step) <= 1e-13)).any()):
            break
    return np.expm1(s), (np.abs(step) <= 1e-12) & (np.abs(s) < bound)


def _horner(amounts: Array, gaps: Array, factors: dict[float, Array], first: int, last: int) -> tuple[Array, Array]:
    """The value of rows first to last at the time of the first, and its derivative by s.

    v[k] = a[k] + exp(-s g) v[k+1]: one exponential for each length of gap instead of one for each flow.
    """
    value, slope = amounts[last].copy(), np.zeros_like(amounts[last])
    for place in range(last - 1, first - 1, -1):
        gap = float(gaps[place])
        factor = factors[gap]
        slope -= gap * value
        slope *= factor
        value *= factor
        value += amounts[place]
    return value, slope
