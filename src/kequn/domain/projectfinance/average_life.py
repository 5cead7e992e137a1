"""Average life, and the schedule of a given debt that keeps to a lowest DSCR and a longest average life.

The second is known as the hardest problem of debt sculpting and is usually left to a solver or a double goal seek. It
is a small linear programme whose optimum has a closed form; nothing here iterates.
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.sculpting import DebtSchedule, envelope_of, schedule_of_balances

_SLACK = 1e-9


def average_life_years(principal: Array, per_year: float = 1.0) -> Array:
    """Weighted average life: sum of t x principal[t] / sum of principal, in years; periods count from one.

    Principal in one unit, shape (periods, ...); the life in years, shape (...). Source: the definition of weighted
    average life.

    >>> float(average_life_years(np.array([50.0, 50.0])))
    1.5
    """
    times = np.arange(1, len(principal) + 1, dtype=np.float64).reshape((-1,) + (1,) * (principal.ndim - 1)) / per_year
    total = principal.sum(axis=0)
    found: Array = (times * principal).sum(axis=0) / np.where(total == 0.0, 1.0, total)
    return found


@dataclass(frozen=True, slots=True)
class CurvedDebt:
    """A schedule, what it leaves to the owners discounted at their rate, and whether the average life binds."""

    schedule: DebtSchedule
    present_value: float
    average_life: float
    is_life_binding: bool


def curved(
    cfads: Array, rate: float, *, debt: float, min_dscr: float, max_life: float, equity_rate: float
) -> CurvedDebt:
    """Maximise PV at the equity rate of CFADS - debt service, for a given debt, a lowest DSCR and a longest life.

    All per period (rate, equity_rate fractions; max_life in periods). With v = 1 / (1 + k) the objective is a constant
    plus sum of w[t] B[t], w[t] = v^t (1 - (1 + r) v), and average life is sum of B[t] / D: the question is where to
    place a given area of balances. Of all feasible paths of one area, the one that repays as late as may be up to a
    date and as fast as may be after it lies above every other before some date and below it after; as w falls in t, it
    is best. If the owners want less than the lender (k <= r), the fastest path is best.
    Limits: one rate for all periods. Refused where no path keeps both limits.
    Source: derived above; the worked cases hold it against the linear programme of another package.
    """
    capacity = np.maximum(cfads, 0.0) / min_dscr
    growth = np.full(len(cfads), rate)
    envelope = envelope_of(capacity, growth)
    if debt > envelope[0] * (1.0 + _SLACK):
        raise Misuse(
            Text(
                f"债务 {debt:g} 超过最低偿债备付率所能承受的 {envelope[0]:g}",
                f"the debt of {debt:g} is more than the {envelope[0]:g} that the lowest DSCR can bear",
            )
        )
    slowest = np.minimum.accumulate(np.minimum(np.concatenate([[debt], envelope[1:]]), debt))
    area = debt * max_life
    fastest = _then_fast(slowest, 0, capacity, rate)
    if fastest[:-1].sum() > area * (1.0 + _SLACK):
        life = fastest[:-1].sum() / debt
        raise Misuse(
            Text(
                f"平均年限不可能短于 {life:.4g} 期，要求不超过 {max_life:g} 期",
                f"the average life cannot be less than {life:.4g} periods; at most {max_life:g} were asked for",
            )
        )
    path, is_binding = fastest, False
    if equity_rate > rate:
        path, is_binding = _widest(slowest, capacity, rate, area)
    found = schedule_of_balances(path, rate)
    discount = (1.0 + equity_rate) ** -np.arange(1, len(cfads) + 1)
    return CurvedDebt(
        found, float((discount * (cfads - found.service)).sum()), float(average_life_years(found.principal)), is_binding
    )


def _then_fast(slowest: Array, until: int, capacity: Array, rate: float) -> Array:
    """Keep to the slowest path up to `until`, then pay whatever the lowest DSCR allows."""
    path = slowest.copy()
    for t in range(until, len(capacity)):
        path[t + 1] = min(slowest[t + 1], max(0.0, path[t] * (1.0 + rate) - capacity[t]))
    return path


def _widest(slowest: Array, capacity: Array, rate: float, area: float) -> tuple[Array, bool]:
    """The path that is slow up to a date and fast after it, of the wanted area or the largest there is."""
    if slowest[:-1].sum() <= area:
        return slowest, False
    until = 1
    while _then_fast(slowest, until, capacity, rate)[:-1].sum() <= area:
        until += 1
    return _of_area(slowest, until, capacity, rate, area), True


def _of_area(slowest: Array, at: int, capacity: Array, rate: float, area: float) -> Array:
    """Slow before period `at`, fast after it, and at it the balance that gives exactly the area.

    The fast tail from a balance x is x (1 + r)^k - s[k] while that is above nil, so the area is linear in x for each
    number of periods that the tail lasts; the number that agrees with its own solution is taken.
    """
    powers = (1.0 + rate) ** np.arange(len(capacity) - at + 1)
    paid = np.concatenate([[0.0], capacity[at:]])
    for period in range(1, len(paid)):
        paid[period] += paid[period - 1] * (1.0 + rate)
    wanted = area - slowest[:at].sum()
    for lasts in range(1, len(paid) + 1):
        balance = (wanted + paid[:lasts].sum()) / powers[:lasts].sum()
        if lasts == len(paid) or balance * powers[lasts] <= paid[lasts]:
            break
    tail = np.maximum(0.0, balance * powers - paid)
    tail[lasts:] = 0.0
    return np.concatenate([slowest[:at], tail])


def fastest_life(capacity: Array, rates: Array, max_life: float) -> float:
    """The largest debt that can be repaid within an average life (in periods) by a service of at most `capacity`.

    A smaller debt repaid as fast as may be has a shorter life, so the largest is found by bisection on the debt (200
    halvings, to the last bit), one of the bounded searches of the room. Bounded above by what the whole capacity
    repays.
    Service and debt in one unit, rates per period, shape (periods,). Source: derived; a debt repaid as fast as may be
    has a life that rises with the debt.
    """
    most = float(envelope_of(capacity, rates)[0])
    low, high = 0.0, most
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        low, high = (middle, high) if _life_if_fast(middle, capacity, rates) <= max_life else (low, middle)
    return most if _life_if_fast(most, capacity, rates) <= max_life else low


def _life_if_fast(debt: float, capacity: Array, rates: Array) -> float:
    """Sum of opening balances over the debt, paying all that may be paid."""
    if debt == 0.0:
        return 0.0
    balance, area = debt, 0.0
    for paid, rate in zip(capacity.tolist(), rates.tolist(), strict=True):
        area += balance
        balance = max(0.0, balance * (1.0 + rate) - paid)
    return area / debt


def fast_principal(debt: float, capacity: Array, rates: Array) -> Array:
    """Principal by period when all of the capacity is paid until nothing is owed.

    P[t] = B[t-1] - max(0, B[t-1] (1 + r[t]) - service[t]); one unit, shape (periods,). Source: the balance of a loan.
    """
    balance, found = debt, []
    for paid, rate in zip(capacity.tolist(), rates.tolist(), strict=True):
        left = max(0.0, balance * (1.0 + rate) - paid)
        found.append(balance - left)
        balance = left
    return np.asarray(found)
