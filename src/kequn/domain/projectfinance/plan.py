"""The financing of a project as agreed at its close: each loan's amount and schedule, the draws, the limits.

Sized on one scenario (the sizing case), then fixed: other scenarios meet the same debt. Tax depends on interest and
interest on the schedule; the lenders' tax is that of the loans alone (not of shareholder loans or sweeps). Where losses
are carried forward there is no closed form: the schedule is worked out from the tax and the tax from the schedule,
exact passes that each shrink the error by about tau r n / (2 DSCR), until the tax on the schedule is the tax it was
made with, to 1e-13 of the debt. That is the one bounded search of the sizing; where the period that binds changes
from pass to pass half steps are taken, and it is refused if 120 passes do not settle it.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arithmetic import ONE
from kequn.domain.projectfinance.arrays import Array, ratio
from kequn.domain.projectfinance.average_life import average_life_years, fast_principal, fastest_life
from kequn.domain.projectfinance.depreciation import depreciation_shares
from kequn.domain.projectfinance.draws import Construction, FacilityTerms, funded_at_gearing, funded_with_debt
from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.model import BySteps, Loan, Project, Revenue
from kequn.domain.projectfinance.operation import Operation, operate
from kequn.domain.projectfinance.repayment import repayment_shares
from kequn.domain.projectfinance.sculpting import balances_of_service, schedule_of_balances, sculpted, without_redraw
from kequn.domain.projectfinance.sizing import SizedDebt, smallest_cap
from kequn.domain.projectfinance.taxes import TaxLedger, TaxReturns

_SETTLED = 1e-13
_PASSES = 120
_WHOLE_STEPS = 20  # where the binding period changes from pass to pass, half steps settle it
_NEARLY_ALL = 1.0 - 1e-12  # a loan may not pay for more than everything


@dataclass(frozen=True, slots=True)
class LoanPlan:
    """A loan as agreed: its amount at the end of construction and its scheduled principal by operation period."""

    name: str
    amount: float
    scheduled: Array
    rates: Array  # per operation period
    construction_rates: Array  # per construction period


@dataclass(frozen=True, slots=True)
class FinancingPlan:
    """What was agreed. `sized` holds every limit of the senior loan and the binding one; None without a loan.

    `periods_short` are the operation periods (from 0) in which the sizing case cannot bear the schedule it would like.
    """

    loans: tuple[LoanPlan, ...]
    sized: SizedDebt | None
    construction: Construction
    dsra_initial: float
    periods_short: tuple[int, ...]
    passes: int


def steps_by_period(steps: BySteps, project: Project) -> Array:
    """Values by steps of years as one value for each operation period.

    Shape (periods,). Source: the definition of `model.BySteps`.
    """
    line = project.timeline
    start = np.arange(line.periods) * line.step / 12.0
    ordered = sorted(steps)
    found = np.full(line.periods, ordered[0][1])
    for from_year, value in ordered:
        found[start >= from_year - 1e-9] = value
    return found


def rates_of(loan: Loan, project: Project) -> tuple[Array, Array]:
    """The interest on one unit over each construction and each operation period.

    Sum over the parts of a period of rate x year fraction, shape (periods,) each. Source: `rates.RatePlan.growth`.
    """
    line = project.timeline
    built, run = (
        np.array([loan.rates.growth(start, end, loan.day_count) for start, end in pairwise(dates)])
        for dates in (line.construction_dates(), line.operation_dates())
    )
    return built, run


def costs_by_period(project: Project, scenario: Scenario) -> Array:
    """Capital cost by construction period, with the interest of the VAT facility in construction; (periods, ...).

    spent[t] + VAT paid so far x rate; in the unit of the model. Source: the definition of `model.CapitalCost`.
    """
    periods = project.timeline.construction_periods
    factor = np.atleast_1d(scenario.value("capex"))
    spent, vat = np.zeros((periods, 1)), np.zeros((periods, 1))
    for one in project.capital:
        by_period = one.amount * np.asarray(one.spread or (1.0 / periods,) * periods)[:, None]
        spent, vat = spent + by_period, vat + by_period * one.vat_rate
    opening = np.concatenate([np.zeros((1, 1)), np.cumsum(vat, axis=0)[:-1]])
    rate = np.atleast_1d(project.vat_facility_rate + scenario.value("rate")) * project.timeline.construction_step / 12.0
    return (spent + opening * rate) * factor


def depreciation_by_period(project: Project, cost: Array) -> Array:
    """Depreciation of the capitalised cost (all uses but reserves), shared among the assets by amount; (periods,
    ...).
    Sum over assets of share[t] x amount / all amounts x cost. Source: `depreciation.depreciation_shares`.
    """
    line = project.timeline
    total = sum(one.amount for one in project.capital)
    shares = np.zeros(line.periods)
    for one in project.capital:
        own = depreciation_shares(one.depreciation, one.life_years, line.periods, line.per_year, salvage=one.salvage)
        shares = shares + own * (one.amount / total)
    found: Array = shares[:, None] * np.atleast_1d(cost)
    return found


class _Sizing:
    """The sizing case and what does not change from pass to pass; one scenario."""

    def __init__(self, project: Project, scenario: Scenario) -> None:
        self.project = project
        self.operation: Operation = operate(project, scenario)
        self.cash = self.operation.cash_before_tax[:, 0]
        saved = self.operation.mra_target
        if saved is not None:  # what is saved for maintenance is not there for debt
            self.cash = self.cash - np.diff(saved[:, 0], prepend=0.0)
        self.profit = (self.operation.ebitda - self.operation.maintenance - self.operation.vat_interest)[:, 0]
        self.costs = costs_by_period(project, scenario)[:, 0]
        self.rates = [rates_of(loan, project) for loan in project.loans]
        shift = float(scenario.value("rate"))
        line = project.timeline
        self.built_rates = [built + shift * line.construction_step / 12.0 for built, _ in self.rates]
        self.run_rates = [run + shift * line.step / 12.0 for _, run in self.rates]
        rules = project.tax
        self.tax_rules = type(rules)(
            float(rules.rate) + float(scenario.value("tax_rate")), rules.loss_years, rules.holiday, rules.small_limit,
            rules.small_rate,
        )  # fmt: skip
        self.worn = depreciation_by_period(project, np.ones(1))[:, 0]
        self.covers = [steps_by_period(loan.target_dscr, project) for loan in project.loans]
        self.tax_years, self.first_income = tax_calendar(project)

    def tax(self, interest: Array, cost: float) -> Array:
        profit = (self.profit - self.worn * cost - interest).tolist()
        returns = TaxReturns(TaxLedger(self.tax_rules, ONE), self.tax_years, self.first_income)
        return np.array([returns.of_period(period, one) for period, one in enumerate(profit)])


def tax_calendar(project: Project) -> tuple[list[tuple[int, bool]], int]:
    """The tax year of each period and whether it ends with it; and the first year in which anything is sold.

    One entry a period. Source: 企业所得税法, article 53 (from memory): the tax year is the calendar year.
    """
    years = project.timeline.tax_years()
    ends = [(year, place == len(years) - 1 or years[place + 1] != year) for place, year in enumerate(years)]
    firsts = [_first_sale(one) for one in project.revenues if not one.is_subsidy]
    first = int(min(firsts, default=0.0) * project.timeline.per_year)
    return ends, years[min(first, len(years) - 1)]


def _first_sale(one: Revenue) -> float:
    """The year of operation from which a line sells."""
    sold = one.amounts or one.ramp or (1.0,)
    first = next((year for year, amount in enumerate(sold) if amount > 0.0), len(sold) if one.ramp else 0)
    return max(one.from_year, float(first))


def plan_financing(project: Project) -> FinancingPlan:
    """Size the loans on the sizing case and lay out their draws. One scenario; see the head of this file.

    Amounts in the unit of the model, by period. Source: the closed forms of `sculpting`, `draws`, `sizing` and
    `average_life`.
    """
    sizing = _Sizing(project, project.scenario(project.sizing_case))
    if not project.loans:
        unfunded = funded_with_debt(sizing.costs, FacilityTerms(0.0), debt=0.0)
        return FinancingPlan((), None, unfunded, 0.0, (), 0)
    tax = sizing.tax(np.zeros(project.timeline.periods), float(sizing.costs.sum()))
    for passes in range(1, _PASSES + 1):
        plan = _pass(project, sizing, sizing.cash - tax, passes)
        interest = sum((_interest(loan) for loan in plan.loans), np.zeros(project.timeline.periods))
        cost = plan.construction.total_uses - plan.construction.uses_at_end + _junior_interest(plan)
        following = sizing.tax(interest, cost)
        if float(np.abs(following - tax).max()) <= _SETTLED * max(1e-300, abs(plan.loans[0].amount)):
            return replace(plan, periods_short=_short(sizing, sizing.cash - tax))
        tax = following if passes <= _WHOLE_STEPS else (tax + following) / 2.0
    raise Misuse(Text("税与利息的循环没有收敛", "tax and interest did not settle"))


def _interest(loan: LoanPlan) -> Array:
    balance = loan.amount - np.concatenate([[0.0], np.cumsum(loan.scheduled)[:-1]])
    return balance * loan.rates


def _pass(project: Project, sizing: _Sizing, cfads: Array, passes: int) -> FinancingPlan:
    senior = project.loans[0]
    periods = min(project.timeline.periods, round(senior.tenor_years * project.timeline.per_year))
    rates = sizing.run_rates[0]
    cover = sizing.covers[0]
    shares, capacity = _unit(senior, project, cfads[:periods], rates[:periods], cover[:periods])
    caps = _caps(project, cfads[:periods], rates[:periods], capacity)
    bearable = np.maximum(cfads, 0.0)[:periods] / cover[:periods]
    shares, in_time = _shortened(project, shares, bearable, rates[:periods])
    if in_time is not None:
        caps["average_life"] = in_time
    scheduled = np.concatenate([shares, np.zeros(project.timeline.periods - periods)])
    service = _first_service(project, scheduled, rates)
    terms = _facility(project, senior, sizing.built_rates[0], service)
    gearing = project.limits.max_gearing
    geared = None
    if gearing is not None:
        geared = funded_at_gearing(sizing.costs, terms, gearing=gearing, funding=project.funding)
        caps["gearing"] = geared.debt
    else:
        caps["all_uses"] = funded_at_gearing(sizing.costs, terms, gearing=_NEARLY_ALL).debt
    sized = smallest_cap(_without_dust(caps, float(sizing.costs.sum())))
    built = (
        geared
        if geared is not None and sized.binding == "gearing"
        else funded_with_debt(sizing.costs, terms, debt=sized.debt, funding=project.funding)
    )
    loans = [LoanPlan(senior.name, sized.debt, sized.debt * scheduled, rates, sizing.built_rates[0])]
    loans += _later_loans(project, sizing, cfads, loans[0], built)
    return FinancingPlan(tuple(loans), sized, built, built.uses_at_end, (), passes)


def _unit(loan: Loan, project: Project, cfads: Array, rates: Array, cover: Array) -> tuple[Array, float]:
    """The shares of principal by period, and the debt that the lowest DSCR bears."""
    grace = round(loan.grace_years * project.timeline.per_year)
    if loan.form == "sculpted":
        found = without_redraw(cfads[grace:], rates[grace:], cover[grace:], 0.0)
        debt = float(found.debt)
        if grace:
            bearable = ratio(np.maximum(cfads[:grace], 0.0) / cover[:grace], rates[:grace]).min()
            debt = min(debt, float(bearable))
        shares = found.principal / float(found.debt) if found.debt > 0.0 else np.zeros(len(cfads) - grace)
        return np.concatenate([np.zeros(grace), shares]), debt
    shares = repayment_shares(
        loan.form, rates, len(cfads), grace_periods=grace, balloon_share=loan.balloon_share, step=loan.step,
        custom=loan.custom or None,
    )  # fmt: skip
    unit = schedule_of_balances(np.concatenate([[1.0], 1.0 - np.cumsum(shares)]), rates)
    bearable = ratio(np.maximum(cfads, 0.0) / cover, unit.service)
    return shares, float(bearable.min())


def _short(sizing: _Sizing, cfads: Array) -> tuple[int, ...]:
    """The periods in which the senior loan, repaid as the sizing case would like it, would be drawn again."""
    project, loan = sizing.project, sizing.project.loans[0]
    last = min(project.timeline.periods, round(loan.tenor_years * project.timeline.per_year))
    bad = cfads[:last] <= 0.0
    if loan.form == "sculpted":
        span = slice(round(loan.grace_years * project.timeline.per_year), last)
        plain = sculpted(cfads[span], sizing.run_rates[0][span], sizing.covers[0][span])
        bad[: span.start] = False
        bad[span] |= plain.principal < -1e-9 * max(1e-300, float(np.abs(plain.balance).max()))
    return tuple(int(one) for one in np.flatnonzero(bad))


def _caps(project: Project, cfads: Array, rates: Array, capacity: float) -> dict[str, float]:
    limits, senior = project.limits, project.loans[0]
    caps = {"dscr": capacity} if senior.amount is None else {"agreed": senior.amount}
    if limits.min_llcr is not None:
        caps["llcr"] = float(balances_of_service(cfads, rates)[0]) / limits.min_llcr
    if limits.max_amount is not None:
        caps["amount"] = limits.max_amount
    return caps


def _without_dust(caps: dict[str, float], costs: float) -> dict[str, float]:
    """A limit that is nil but for rounding is nil, so that no cover of a loan of nothing is shown."""
    return {name: cap if cap > 1e-9 * costs else 0.0 for name, cap in caps.items()}


def _shortened(project: Project, shares: Array, capacity: Array, rates: Array) -> tuple[Array, float | None]:
    """Where the shares live too long: those of the largest debt that is repaid in time, and that debt."""
    limit = project.limits.max_average_life
    if limit is None or not shares.any():
        return shares, None
    periods = limit * project.timeline.per_year
    if float(average_life_years(shares)) <= periods:
        return shares, None
    debt = fastest_life(capacity, rates, periods)
    if debt <= 0.0:
        return shares, 0.0
    return fast_principal(debt, capacity, rates) / debt, debt


def _first_service(project: Project, scheduled: Array, rates: Array) -> float:
    """Debt service of the months that the reserve covers, per unit of debt, from the start of operation."""
    covenants, line = project.covenants, project.timeline
    if not covenants.dsra_months or not covenants.is_dsra_prefunded:
        return 0.0
    balance = 1.0 - np.concatenate([[0.0], np.cumsum(scheduled)[:-1]])
    service = scheduled + balance * rates
    ahead, found = covenants.dsra_months / line.step, 0.0
    for one in service:
        found += min(1.0, ahead) * float(one)
        ahead -= 1.0
        if ahead <= 0.0:
            break
    return found


def _facility(project: Project, loan: Loan, rates: Array, reserve: float) -> FacilityTerms:
    per_period = project.timeline.construction_step / 12.0
    return FacilityTerms(rates, loan.upfront_fee, loan.commitment_fee * per_period, reserve)


def _later_loans(
    project: Project, sizing: _Sizing, cfads: Array, senior: LoanPlan, built: Construction
) -> list[LoanPlan]:
    """Loans behind the senior one: sculpted to what their total DSCR leaves, or of their own amount and form."""
    line, found = project.timeline, []
    used = senior.scheduled + _interest(senior)
    room = float(built.equity.sum())
    for place, loan in enumerate(project.loans[1:], start=1):
        periods = min(line.periods, round(loan.tenor_years * line.per_year))
        rates = sizing.run_rates[place]
        service = np.maximum(0.0, np.maximum(cfads, 0.0) / sizing.covers[place] - used)[:periods]
        if loan.form == "sculpted":
            bearing = without_redraw(service, rates[:periods], 1.0)
            amount, principal = float(bearing.debt), bearing.principal
        else:
            shares, amount = _unit(loan, project, service, rates[:periods], np.ones(periods))
            principal = shares * amount
        wanted = min(amount if loan.amount is None else loan.amount, room)
        scale = wanted / amount if amount > 0.0 else 0.0
        scheduled = np.concatenate([principal * scale, np.zeros(line.periods - periods)])
        found.append(LoanPlan(loan.name, wanted if scale else 0.0, scheduled, rates, sizing.built_rates[place]))
        used = used + scheduled + _interest(found[-1])
        room -= found[-1].amount
    return found


def _junior_interest(plan: FinancingPlan) -> float:
    """Interest of the later loans in construction, paid by the owners and part of the asset's cost."""
    owners = plan.construction.equity
    total = float(owners.sum())
    found = 0.0
    for loan in plan.loans[1:]:
        drawn = owners * (loan.amount / total) if total else owners
        opening = np.cumsum(drawn) - drawn
        found += float((opening * loan.construction_rates).sum())
    return found
