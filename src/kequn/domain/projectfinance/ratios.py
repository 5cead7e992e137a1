"""Cover ratios by period. A ratio is infinite where nothing is owed: it is not defined there, and readers are shown
none.

CFADS and service at the ends of periods; `rates` per period. The value of coming cash is taken at the loan's own rate.
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.projectfinance.arrays import Array, Like, ratio
from kequn.domain.projectfinance.sculpting import balances_of_service


def dscr_backward(cfads: Array, service: Array, periods_per_year: int) -> Array:
    """DSCR of the twelve months that end with each period; of fewer where the loan has just begun.

    DSCR[t] = sum of CFADS / sum of service, both over the periods of the year to t; amounts in one unit, shape
    (periods, ...), the ratio in times. Source: the usual definition of loan agreements (historic DSCR).
    """
    return ratio(_window(cfads, periods_per_year), _window(service, periods_per_year))


def dscr_forward(cfads: Array, service: Array, periods_per_year: int) -> Array:
    """DSCR of the twelve months that begin with each period; of fewer at the end.

    The same sums over the year from t; units and shapes as `dscr_backward`. Source: the usual definition of loan
    agreements (projected DSCR).
    """
    turned = dscr_backward(cfads[::-1], service[::-1], periods_per_year)
    return turned[::-1]


def _window(values: Array, length: int) -> Array:
    total = np.cumsum(values, axis=0)
    total[length:] = total[length:] - total[:-length]
    return total


def llcr(cfads: Array, rates: Like, balance: Array) -> Array:
    """Loan life cover ratio at the start of each period: PV of CFADS to the loan's end / opening balance.

    `cfads` covers the loan's life only, shape (periods, ...); `balance` the opening balances of the same periods.
    LLCR[t] = (sum of CFADS[k] / product of (1 + r)) / B[t-1]; amounts in one unit, the ratio in times. Source: the
    usual definition of loan agreements; with one DSCR and no balloon it equals that DSCR.
    """
    return ratio(balances_of_service(cfads, rates)[:-1], balance)


def plcr(cfads: Array, rates: Like, balance: Array) -> Array:
    """Project life cover ratio: the same with the CFADS to the end of the project.

    Units and shapes as `llcr`. Source: the usual definition of loan agreements.
    """
    return ratio(balances_of_service(cfads, rates)[: len(balance)], balance)


def icr(cfads: Array, interest: Array) -> Array:
    """Interest cover ratio: CFADS / interest.

    Amounts in one unit, shape (periods, ...), the ratio in times. Source: the usual definition of loan agreements.
    """
    return ratio(cfads, interest)


@dataclass(frozen=True, slots=True)
class Lowest:
    """The lowest value of a ratio and the period (from 0) in which it stands; None where it is nowhere defined."""

    value: float | None
    period: int | None


def lowest(values: Array) -> Lowest:
    """The lowest defined value of one case and its first period.

    >>> lowest(np.array([1.4, 1.2, np.inf]))
    Lowest(value=1.2, period=1)
    """
    place = int(np.argmin(values)) if len(values) else -1
    if place < 0 or not np.isfinite(values[place]):
        return Lowest(None, None)
    return Lowest(float(values[place]), place)
