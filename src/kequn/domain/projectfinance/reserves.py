"""Reserves: what the debt service and the maintenance accounts should hold at the end of a period."""

import numpy as np

from kequn.domain.projectfinance.arithmetic import MANY, Amount, Arithmetic, Line
from kequn.domain.projectfinance.arrays import Array


def dsra_target(
    balance: Amount, rates: Line, scheduled: Line, after: int, periods_ahead: float, do: Arithmetic = MANY
) -> Amount:
    """Debt service of the next `periods_ahead` periods after period `after` (counted from 0), on the actual balance.

    Scheduled principal is capped by the balance, interest runs on the balance that is left; half a period ahead is
    half of the next service. `balance` is the balance now, shape (...); `rates` and `scheduled` (periods, ...). `do` is
    the arithmetic of one case or of many.
    Amounts in one unit. Source: the usual definition of loan agreements, so many months of coming service.

    >>> dsra_target(np.array(100.0), np.full(3, 0.1), np.array([0.0, 50.0, 50.0]), 0, 0.5).item()
    30.0
    """
    target, left, owed = balance * 0.0, periods_ahead, balance
    period = after + 1
    while left > 0.0 and period < len(scheduled):
        principal = do.lesser(scheduled[period], owed)
        target = target + min(1.0, left) * (principal + owed * rates[period])
        owed = owed - principal
        left, period = left - 1.0, period + 1
    return target


def mra_targets(spending: Array, periods_ahead: int) -> Array:
    """Maintenance reserve at each period's end: every coming outlay saved in equal parts over the periods before it.

    An outlay k periods ahead is held at (1 - k / periods_ahead); shapes as `spending`, amounts positive.
    Source: the usual definition of loan agreements, each overhaul saved in equal parts.

    >>> mra_targets(np.array([0.0, 0.0, 80.0]), 2).tolist()
    [0.0, 40.0, 0.0]
    """
    target = np.zeros_like(spending)
    for ahead in range(1, periods_ahead):
        share = 1.0 - ahead / periods_ahead
        target[:-ahead] += share * spending[ahead:]
    return target
