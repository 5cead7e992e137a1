"""Construction: what the works cost, who pays for them when, and the interest and fees that come on top.

Uses of a period = costs + upfront fee (first period) + commitment fee on the undrawn facility + interest on the opening
balance; sources = draw + equity. Both are equal in every period. Draws fall at the end of a period.

Everything is affine in one unknown (the facility, or the equity where the facility is given), so the circle of debt,
interest and fees closes by solving one linear equation: no iteration. The one exception is said where it stands.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array, Like, series

Funding = Literal["pro_rata", "equity_first", "debt_first"]
FUNDINGS: tuple[str, ...] = get_args(Funding)
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class FacilityTerms:
    """Rate and fees of a facility in construction. `rates` per period; fees as fractions of the facility."""

    rates: Like
    upfront_fee: float = 0.0
    commitment_fee: float = 0.0  # per period, on the undrawn facility at the period's opening
    uses_at_end: float = 0.0  # further uses of the last period per unit of debt, as a reserve filled from the loan


@dataclass(frozen=True, slots=True)
class Construction:
    """Sources and uses by period; `balance` at the end of each period."""

    costs: Array
    draws: Array
    equity: Array
    interest: Array
    commitment_fees: Array
    upfront_fee: float
    uses_at_end: float
    balance: Array

    @property
    def debt(self) -> float:
        """All draws, in the unit of the costs."""
        return float(self.balance[-1])

    @property
    def total_uses(self) -> float:
        """Costs, fees and interest, and what is used at the end; the sum of the sources."""
        return float(self.draws.sum() + self.equity.sum())

    @property
    def gearing(self) -> float:
        """Debt over all uses, a fraction; nil where nothing is used."""
        return self.debt / self.total_uses if self.total_uses else 0.0


def funded_at_gearing(costs: Like, terms: FacilityTerms, *, gearing: float, funding: str = "pro_rata") -> Construction:
    """The facility whose draws are `gearing` (a fraction) of all uses, its own interest and fees among them.

    Pro rata: the sum of draws is a + b D, so D = a / (1 - b). Equity first and debt first: the period in which the one
    source gives way to the other is the breakpoint of a piecewise linear equation; within each it is linear, and the
    one whose solution falls inside it is taken.
    Costs in one unit, shape (periods,). Source: derived from sources = uses, with fees and interest among the uses.

    >>> round(funded_at_gearing([100.0], FacilityTerms(0.0, upfront_fee=0.01), gearing=0.5).debt, 6)
    50.251256
    """
    spent = _checked(costs, gearing, funding)
    if gearing == 0.0:
        return _walk(spent, terms, 0.0, np.zeros(len(spent)))
    if funding == "pro_rata":
        return _pro_rata(spent, terms, gearing)
    for switch in range(len(spent)):
        found = _with_switch(spent, terms, switch, funding, gearing=gearing)
        if found is not None:
            return found
    raise Misuse(Text("这一资本结构无解", "this gearing has no solution"))


def funded_with_debt(costs: Like, terms: FacilityTerms, *, debt: float, funding: str = "pro_rata") -> Construction:
    """The draws of a given facility, equity paying the rest.

    Equity first and debt first close as above. Pro rata, the share g of each use satisfies sum of draws(g) = D, a
    polynomial that rises in g: the one bounded search of construction (Newton from above, which a rising convex
    function cannot leave; ends at 1e-15 relative).
    Costs and debt in one unit, shape (periods,). Source: derived from sources = uses.
    """
    spent = _checked(costs, 0.0, funding)
    if funding == "pro_rata":
        return _pro_rata_of_debt(spent, terms, debt)
    for switch in range(len(spent)):
        found = _with_switch(spent, terms, switch, funding, debt=debt)
        if found is not None:
            return found
    raise Misuse(Text(f"贷款 {debt:g} 超过全部用款", f"the debt of {debt:g} is more than all uses"))


def _checked(costs: Like, gearing: float, funding: str) -> Array:
    if funding not in FUNDINGS:
        known = ", ".join(FUNDINGS)
        raise Misuse(Text(f"没有出资次序 {funding}；可选 {known}", f"no funding {funding}; there is {known}"))
    if not 0.0 <= gearing <= 1.0:
        raise Misuse(
            Text(f"负债比例须在 0 到 1 之间，发现 {gearing:g}", f"gearing must be from 0 to 1, found {gearing:g}")
        )
    spent = np.asarray(costs, dtype=np.float64)
    if spent.ndim != 1 or not len(spent) or spent.sum() <= 0.0:
        raise Misuse(Text("建设期没有投资支出", "construction has no costs"))
    return spent


@dataclass(frozen=True, slots=True)
class _Works:
    """Costs and rates as plain numbers, which are quicker one by one, and the terms."""

    costs: list[float]
    rates: list[float]
    terms: FacilityTerms

    def uses(self, period: int, facility: float, balance: float) -> float:
        """Uses of one period, affine in facility and opening balance."""
        terms = self.terms
        found = self.costs[period] + terms.commitment_fee * (facility - balance) + self.rates[period] * balance
        if period == 0:
            found += facility * terms.upfront_fee
        if period == len(self.costs) - 1:
            found += facility * terms.uses_at_end
        return found


def _works(spent: Array, terms: FacilityTerms) -> _Works:
    return _Works(spent.tolist(), series(terms.rates, len(spent)).tolist(), terms)


def _walk(spent: Array, terms: FacilityTerms, facility: float, draws: Array) -> Construction:
    """Lay out a construction whose draws are known; equity is what they leave."""
    periods = len(spent)
    balance = np.cumsum(draws)
    opening = balance - draws
    interest = opening * series(terms.rates, periods)
    fees = terms.commitment_fee * (facility - opening)
    upfront, last = facility * terms.upfront_fee, facility * terms.uses_at_end
    uses = spent + interest + fees
    uses[0] += upfront
    uses[-1] += last
    return Construction(spent, draws, uses - draws, interest, fees, upfront, last, balance)


def _pro_rata_draws(spent: Array, terms: FacilityTerms, gearing: float, facility: float) -> Array:
    works, balance, draws = _works(spent, terms), 0.0, []
    for period in range(len(spent)):
        draws.append(gearing * works.uses(period, facility, balance))
        balance += draws[-1]
    return np.asarray(draws)


def _pro_rata(spent: Array, terms: FacilityTerms, gearing: float) -> Construction:
    fixed = _pro_rata_draws(spent, terms, gearing, 0.0).sum()
    scale = float(spent.sum())
    slope = (_pro_rata_draws(spent, terms, gearing, scale).sum() - fixed) / scale
    if slope >= 1.0:
        raise Misuse(Text("费用与利息超过贷款本身", "fees and interest exceed the loan itself"))
    facility = float(fixed / (1.0 - slope))
    return _walk(spent, terms, facility, _pro_rata_draws(spent, terms, gearing, facility))


def _pro_rata_of_debt(spent: Array, terms: FacilityTerms, debt: float) -> Construction:
    if debt == 0.0:
        return _walk(spent, terms, 0.0, np.zeros(len(spent)))
    share, step = 1.0, 1.0
    if _pro_rata_draws(spent, terms, share, debt).sum() < debt * (1.0 - _CLOSE):
        raise Misuse(Text(f"贷款 {debt:g} 超过全部用款", f"the debt of {debt:g} is more than all uses"))
    for _ in range(60):
        drawn, slope = _pro_rata_slope(spent, terms, share, debt)
        step = (drawn - debt) / slope
        share -= step
        if abs(step) <= 1e-15 * share:
            break
    draws = _pro_rata_draws(spent, terms, share, debt)
    return _walk(spent, terms, debt, draws * (debt / draws.sum()))


def _pro_rata_slope(spent: Array, terms: FacilityTerms, share: float, debt: float) -> tuple[float, float]:
    """All draws at a share, and their derivative by the share."""
    works, balance, slope = _works(spent, terms), 0.0, 0.0
    for period in range(len(spent)):
        uses = works.uses(period, debt, balance)
        slope += uses + share * (works.rates[period] - terms.commitment_fee) * slope
        balance += share * uses
    return balance, slope


def _with_switch(
    spent: Array, terms: FacilityTerms, switch: int, funding: str, *, gearing: float | None = None,
    debt: float | None = None,
) -> Construction | None:  # fmt: skip
    """Solve with the first source giving way to the second in period `switch`; None where it does not."""
    scale = float(spent.sum())
    if debt is None:
        assert gearing is not None  # noqa: S101 - one of the two is given by both callers
        at = [_drawn(spent, terms, switch, funding, d, d * (1.0 - gearing) / gearing) for d in (0.0, scale)]
        miss = [a[0].sum() + a[1].sum() - d / gearing for a, d in zip(at, (0.0, scale), strict=True)]
        facility = -miss[0] * scale / (miss[1] - miss[0]) if miss[1] != miss[0] else -1.0
        equity = facility * (1.0 - gearing) / gearing
    else:
        facility = debt
        at = [_drawn(spent, terms, switch, funding, debt, e) for e in (0.0, scale)]
        miss = [float(a[0].sum()) + float(a[1].sum()) - debt - e for a, e in zip(at, (0.0, scale), strict=True)]
        equity = -miss[0] * scale / (miss[1] - miss[0]) if miss[1] != miss[0] else -1.0
    draws, paid = _drawn(spent, terms, switch, funding, facility, equity)
    slack = _CLOSE * scale
    if facility < 0.0 or min(draws[switch], paid[switch]) < -slack or min(draws.min(), paid.min()) < -slack:
        return None
    return _walk(spent, terms, facility, np.maximum(draws, 0.0) if draws.min() < 0.0 else draws)


def _drawn(
    spent: Array, terms: FacilityTerms, switch: int, funding: str, facility: float, equity: float
) -> tuple[Array, Array]:
    """Draws and equity with a switch in a certain period, both affine in facility and equity (they may fall below
    nil).
    """
    draws, paid, balance, works = np.zeros(len(spent)), np.zeros(len(spent)), 0.0, _works(spent, terms)
    for period in range(len(spent)):
        uses = works.uses(period, facility, balance)
        is_first = period < switch
        if period == switch:
            given = (equity - paid.sum()) if funding == "equity_first" else (facility - balance)
            rest = uses - given
            draws[period], paid[period] = (rest, given) if funding == "equity_first" else (given, rest)
        elif is_first == (funding == "equity_first"):
            paid[period] = uses
        else:
            draws[period] = uses
        balance += draws[period]
    return draws, paid
