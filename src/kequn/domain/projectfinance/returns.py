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


@dataclass(frozen=True, slots=True)
class RateOfReturn:
    """All roots in rising order; `rate` is the root where there is exactly one, else None."""

    roots: tuple[float, ...]
    status: Status

    @property
    def rate(self) -> float | None:
        return self.roots[0] if len(self.roots) == 1 else None


def present_value(amounts: Sequence[float], times: Sequence[float], rate: float) -> float:
    """Sum of amount / (1 + rate)^time; rate above -1 per unit of time.

    >>> present_value([-100.0, 110.0], [0.0, 1.0], 0.1)
    0.0
    """
    return math.fsum(amount * (1.0 + rate) ** -time for amount, time in zip(amounts, times, strict=True))


def year_times(dates: Sequence[date]) -> list[float]:
    """Years from the first date, ACT/365F, as XIRR reads them."""
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
    if len(flows) < 2:
        return RateOfReturn((), "no_solution")
    at = np.array([time for time, _ in flows])
    values = np.array([value for _, value in flows])
    at, values = at - at[0], values / np.abs(values).max()
    levels = _levels(values, at)
    roots: list[float] = []
    for coefficients in reversed(levels):
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
    return sorted((time, value) for time, value in found.items() if value != 0.0 and math.isfinite(value))


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


def _value(values: Array, times: Array, s: float) -> tuple[float, float, float]:
    """f, its derivative and the sum of the sizes of its terms, all scaled by one positive factor without overflow."""
    if len(values) <= _SHORT:
        return _plain_value(values.tolist(), times.tolist(), s)
    shift = times[-1] if s < 0.0 else times[0]
    terms = values * np.exp(-s * (times - shift))
    return float(terms.sum()), float(-(terms * times).sum()), float(np.abs(terms).sum())


def _plain_value(values: list[float], times: list[float], s: float) -> tuple[float, float, float]:
    """The same for a short series in plain numbers, which is quicker."""
    shift = times[-1] if s < 0.0 else times[0]
    value = slope = size = 0.0
    for amount, time in zip(values, times, strict=True):
        term = amount * math.exp(-s * (time - shift))
        value += term
        slope -= term * time
        size += abs(term)
    return value, slope, size


def _sign(values: Array, times: Array, s: float) -> int:
    """The sign of f, and nil where rounding hides it."""
    value, _, size = _value(values, times, s)
    if abs(value) <= 4.0 * _EPSILON * size:
        return 0
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
    points = [low, *(one for one in turning if low < one < high), high]
    signs = [_sign(values, times, one) for one in points]
    found: list[float] = []
    for place in range(len(points) - 1):
        if signs[place] == 0 and (not found or found[-1] != points[place]):
            found.append(points[place])
        if signs[place] * signs[place + 1] < 0:
            found.append(_root(values, times, points[place], points[place + 1], signs[place]))
    return found


def _root(values: Array, times: Array, low: float, high: float, sign_at_low: int) -> float:
    """One root inside a bracket: Newton, and bisection wherever Newton would leave the bracket or creep."""
    middle = (low + high) / 2.0
    before = high - low
    for _ in range(200):
        value, slope, _size = _value(values, times, middle)
        if value == 0.0:
            return middle
        if (value > 0.0) == (sign_at_low > 0):
            low = middle
        else:
            high = middle
        following = middle - value / slope if slope else low
        width = high - low
        if not low < following < high or width > before / 2.0:
            following = (low + high) / 2.0
        before = width
        if abs(following - middle) <= 2.0 * _EPSILON * max(1e-3, abs(middle)) or width <= _EPSILON * abs(middle):
            return following
        middle = following
    return middle


def _is_flat(values: Array, times: Array, s: float) -> bool:
    _, slope, size = _value(values, times, s)
    return size > _FLAT * abs(slope)


def payback(amounts: Sequence[float], times: Sequence[float], rate: float = 0.0) -> float | None:
    """The time from which the (discounted) running sum stays at or above nil, by straight line within its period.

    None where it never does. With a rate this is the discounted payback.

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
        found = rates_of_return(list(amounts[:, column]), list(times))
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
