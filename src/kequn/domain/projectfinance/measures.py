"""What a reader wants to know of a run: covers with their dates, lives, returns; one value for each scenario."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kequn.domain.projectfinance.arithmetic import arithmetic_of
from kequn.domain.projectfinance.arrays import Array, ratio
from kequn.domain.projectfinance.ratios import icr
from kequn.domain.projectfinance.returns import ManyRates, many_rates_of_return
from kequn.domain.projectfinance.run import Run


@dataclass(frozen=True, slots=True)
class Measures:
    """Arrays of shape (scenarios,). A cover is infinite where nothing is ever owed; a rate may not be known.

    Periods count from 0 at the start of operation; -1 where there is none.
    """

    min_dscr: Array
    min_dscr_period: npt.NDArray[np.int_]
    average_dscr: Array
    llcr: Array
    min_llcr: Array
    plcr: Array
    min_icr: Array
    average_life_years: Array
    tail_years: Array
    equity_irr: ManyRates
    project_irr: ManyRates
    equity_npv: Array
    project_npv: Array
    first_lockup: npt.NDArray[np.int_]
    first_default: npt.NDArray[np.int_]


def measures_of(run: Run) -> Measures:
    """All measures of a run.

    DSCR of the senior loan, looking back twelve months. LLCR at each period's start: value at the senior rate of the
    CFADS up to maturity over the opening balance; PLCR with the CFADS to the end. ICR: CFADS (with what the MRA
    releases) over senior interest due.
    NPVs at the project's discount rate, effective a year. Average life counts what was really repaid.
    Source: the definitions of `ratios`, `returns` and `average_life`, put together for one run.
    """
    flow, line = run.waterfall, run.project.timeline
    tested = flow.tested_dscr
    loan_life, project_life = covers_of(run)
    times = line.times()
    weights = (1.0 + run.project.discount_rate) ** -times
    return Measures(
        min_dscr=tested.min(axis=0),
        min_dscr_period=_first_lowest(tested),
        average_dscr=_average(tested),
        llcr=loan_life[0],
        min_llcr=loan_life.min(axis=0),
        plcr=project_life,
        min_icr=_icr(run).min(axis=0),
        average_life_years=_life(run),
        tail_years=_tail(run),
        equity_irr=many_rates_of_return(run.owners_flows, times),
        project_irr=many_rates_of_return(run.project_flows, times),
        equity_npv=weights @ run.owners_flows,
        project_npv=weights @ run.project_flows,
        first_lockup=first_period(flow.is_locked_up & (_balance(run) > 0.0)),
        first_default=first_period(flow.is_in_default),
    )


def _first_lowest(covers: Array) -> npt.NDArray[np.int_]:
    """The first period in which the lowest cover stands; of covers equal but for rounding the first."""
    least = covers.min(axis=0)
    with np.errstate(invalid="ignore"):
        reached = covers <= least + 1e-9 * np.abs(least)
    return np.where(np.isfinite(least), reached.argmax(axis=0), -1)


def first_period(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int_]:
    """The first period in which a flag stands, by scenario; -1 where it never does."""
    return np.where(flags.any(axis=0), flags.argmax(axis=0), -1)


def _balance(run: Run) -> Array:
    if not run.plan.loans:
        return np.zeros_like(run.cfads)
    return run.waterfall.loans[run.plan.loans[0].name].opening


def _average(covers: Array) -> Array:
    is_known = np.isfinite(covers)
    return ratio(np.where(is_known, covers, 0.0).sum(axis=0), is_known.sum(axis=0).astype(np.float64))


def covers_of(run: Run) -> tuple[Array, Array]:
    """LLCR at the start of every period of the loan's life, PLCR at the start; infinite where nothing is owed.

    LLCR[t] = (sum of CFADS[k] discounted to t, k to maturity) / B[t-1]; PLCR the same to the project's end. Source: the
    usual definitions of loan agreements.
    """
    width = run.cfads.shape[1]
    if not run.plan.loans:
        return np.full((1, width), np.inf), np.full(width, np.inf)
    do = arithmetic_of(width)
    scheduled = run.plan.loans[0].scheduled
    last = int(np.flatnonzero(scheduled > 0.0)[-1]) + 1 if (scheduled > 0.0).any() else 1
    factors = 1.0 / (1.0 + run.senior_rates)
    cash, discount = do.line(run.cfads), do.line(factors)
    tail = do.amount(0.0, width)
    for period in range(len(cash) - 1, last - 1, -1):
        tail = (tail + cash[period]) * discount[period]
    value, ahead = do.blank(last, width, float), do.amount(0.0, width)
    for period in range(last - 1, -1, -1):
        ahead = (ahead + cash[period]) * discount[period]
        value[period] = ahead
    loan = do.array(value)
    whole = loan[0] + tail * np.prod(factors[:last], axis=0)
    balance = _balance(run)[:last]
    return ratio(loan, balance), ratio(whole, balance[0])


def _icr(run: Run) -> Array:
    if not run.plan.loans:
        return np.full_like(run.cfads, np.inf)
    return icr(run.cfads + run.waterfall.from_mra, run.waterfall.loans[run.plan.loans[0].name].interest)


def _life(run: Run) -> Array:
    if not run.plan.loans:
        return np.zeros(run.cfads.shape[1])
    senior = run.waterfall.loans[run.plan.loans[0].name]
    total = senior.opening[0]
    found: Array = senior.opening.sum(axis=0) / np.where(total == 0.0, 1.0, total)
    return found / run.project.timeline.per_year


def _tail(run: Run) -> Array:
    """Years of operation after the last period with a senior balance at its start."""
    owed = _balance(run) > 0.0
    periods = len(owed)
    last = np.where(owed.any(axis=0), periods - owed[::-1].argmax(axis=0), 0)
    found: Array = (periods - last) / run.project.timeline.per_year
    return found
