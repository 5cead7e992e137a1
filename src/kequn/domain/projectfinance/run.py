"""A project run forward: the agreed financing meets the cash of one scenario or of many at once.

Interest runs on opening balances, so tax, cash and waterfall of a period follow from the period before: nothing here is
circular or searched for. All lines have the shape (periods, scenarios).
"""

from dataclasses import dataclass, fields

import numpy as np

from kequn.domain.projectfinance.arithmetic import Amount, Line, arithmetic_of
from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.conditions import Conditions
from kequn.domain.projectfinance.drivers import BASE, Scenario
from kequn.domain.projectfinance.model import Project
from kequn.domain.projectfinance.operation import Operation, operate
from kequn.domain.projectfinance.plan import (
    FinancingPlan,
    costs_by_period,
    depreciation_by_period,
    plan_financing,
    tax_calendar,
)
from kequn.domain.projectfinance.taxes import TaxLedger, TaxReturns, TaxRules
from kequn.domain.projectfinance.waterfall import DebtTerms, Waterfall, WaterfallRules, WaterfallRun


@dataclass(frozen=True, slots=True)
class Building:
    """Sources and uses of construction by period; senior draws + later draws + owners = all uses."""

    costs: Array
    fees: Array  # upfront and commitment
    interest: Array  # senior
    junior_interest: Array  # of later loans, paid by the owners
    reserve: Array  # the first filling of the DSRA
    senior_draws: Array
    junior_draws: Array
    owners: Array

    @property
    def uses(self) -> Array:
        """Costs, fees, interest and the first filling of the reserve; (construction periods, scenarios)."""
        return self.costs + self.fees + self.interest + self.junior_interest + self.reserve

    @property
    def sources(self) -> Array:
        """What lenders and owners pay in; equal to the uses in every period."""
        return self.senior_draws + self.junior_draws + self.owners


@dataclass(frozen=True, slots=True)
class OwnersLoan:
    """The owners' loan by operation period; what is unpaid of its interest is added to it."""

    opening: Array
    interest: Array
    paid_interest: Array
    repaid: Array
    closing: Array


@dataclass(frozen=True, slots=True)
class Run:
    """One project in one scenario or many. Times in years from the start, construction first."""

    project: Project
    scenario: Scenario
    plan: FinancingPlan
    operation: Operation
    building: Building
    depreciation: Array
    tax: Array
    cfads: Array
    waterfall: Waterfall
    owners_loan: OwnersLoan | None
    senior_rates: Array
    accrued_in_construction: Array  # interest of the owners' loan before operation, part of the asset

    @property
    def asset_cost(self) -> Array:
        """What is capitalised: all uses but the reserve, and the accrued interest of the owners' loan; (scenarios,)."""
        found: Array = (self.building.uses - self.building.reserve).sum(axis=0) + self.accrued_in_construction
        return found

    @property
    def dividends(self) -> Array:
        """Distributions less what of them serves the owners' loan."""
        if self.owners_loan is None:
            return self.waterfall.distribution
        return self.waterfall.distribution - self.owners_loan.paid_interest - self.owners_loan.repaid

    @property
    def owners_flows(self) -> Array:
        """What the owners pay (negative) and receive, construction first: the flows of the equity IRR."""
        return np.concatenate([-self.building.owners, self.waterfall.distribution - self.waterfall.cure])

    @property
    def project_flows(self) -> Array:
        """Costs, then CFADS after tax: the flows of the project IRR, before financing."""
        width = np.broadcast_shapes(self.building.costs.shape[1:], self.cfads.shape[1:])
        costs = np.broadcast_to(self.building.costs, (len(self.building.costs), *width))
        return np.concatenate([-costs, self.cfads])


_KEPT = frozenset({"tested_dscr", "distribution", "cure", "opening"})


def solve(
    project: Project, scenario: Scenario = BASE, plan: FinancingPlan | None = None, *, is_brief: bool = False
) -> Run:
    """Run a project. The financing is sized first on its sizing case, unless a plan is given.

    `is_brief` keeps of the waterfall only what a simulation needs, which is quicker for many scenarios: the other lines
    are empty. A scenario whose values are arrays runs as many cases at once; one case gives the same numbers as its
    column among many.
    Source: `plan`, `operation`, `taxes` and `waterfall`, period after period.
    """
    scenario.check(project.line_names)
    agreed = plan_financing(project) if plan is None else plan
    return _Forward(project, scenario, agreed, _KEPT if is_brief else None).run()


def rules_of(project: Project, plan: FinancingPlan) -> WaterfallRules:
    """The order of payment of a project and its conditions, in periods of its timeline; the usual order if none is
    declared.
    Source: the definitions of `model.Covenants`.
    """
    given, line = project.covenants, project.timeline
    order = given.order or (
        *(f"service:{loan.name}" for loan in plan.loans[:1]),
        *(("dsra",) if plan.loans and (given.dsra_months or given.dsrf_limit) else ()),
        *(f"service:{loan.name}" for loan in plan.loans[1:]),
        *(("mra",) if any(one.saved_years for one in project.maintenance) else ()),
        *(("sweep",) if plan.loans else ()),
        "distribution",
    )
    same = {one.name: getattr(given, one.name) for one in fields(Conditions)}
    return WaterfallRules(
        **same | {"order": order},
        dsra_periods=given.dsra_months / line.step,
        dsrf_rate=given.dsrf_rate * line.step / 12.0,
        tested_periods=line.per_year,
        dsra_initial=plan.dsra_initial,
    )


class _Forward:
    """One forward run: what is known before the first period of operation, then period after period."""

    def __init__(self, project: Project, scenario: Scenario, plan: FinancingPlan, keep: frozenset[str] | None) -> None:
        self.keep = keep
        self.project, self.scenario, self.plan = project, scenario, plan
        self.width = scenario.count
        self.do = arithmetic_of(self.width)
        self.shift = np.atleast_1d(scenario.value("rate"))
        self.operation = operate(project, scenario)
        self.junior_debts: list[Array] = []
        self.building = self._build()
        self.accrued = self._accrued()
        spent = (self.building.uses - self.building.reserve).sum(axis=0) + self.accrued
        self.depreciation = depreciation_by_period(project, spent)

    def _build(self) -> Building:
        """Walk through construction with the agreed facility: what it does not cover the owners pay."""
        plan, line, do = self.plan, self.project.timeline, self.do
        periods = line.construction_periods
        spent = np.broadcast_to(costs_by_period(self.project, self.scenario), (periods, self.width))
        costs = do.line(spent)
        step = do.amount(self.shift * line.construction_step / 12.0, self.width)
        facility = plan.construction.debt
        senior = self.project.loans[0] if plan.loans else None
        fee = senior.commitment_fee * line.construction_step / 12.0 if senior else 0.0
        rates = plan.loans[0].construction_rates.tolist() if plan.loans else [0.0] * periods
        names = [name for name in Building.__slots__ if name != "costs"]
        lines = {name: do.blank(periods, self.width, float) for name in names}
        balance = paid = do.amount(0.0, self.width)
        for period in range(periods):
            fees = fee * (facility - balance) + (plan.construction.upfront_fee if period == 0 else 0.0)
            interest = balance * (rates[period] + step)
            reserve = plan.construction.uses_at_end if period == periods - 1 else 0.0
            uses = costs[period] + fees + interest + reserve
            draw = self._draw(uses, do.greater(facility - balance, 0.0), paid)
            for name, value in (
                ("fees", fees), ("interest", interest), ("reserve", reserve), ("senior_draws", draw),
                ("owners", uses - draw),
            ):  # fmt: skip
                lines[name][period] = value
            balance, paid = balance + draw, paid + (uses - draw)
        return self._with_juniors(Building(costs=spent, **{name: do.array(one) for name, one in lines.items()}))

    def _draw(self, uses: Amount, left: Amount, paid: Amount) -> Amount:
        agreed, funding, do = self.plan.construction, self.project.funding, self.do
        if funding == "pro_rata":
            return do.lesser(uses * agreed.gearing, left)
        if funding == "debt_first":
            return do.lesser(uses, left)
        owed = do.greater(float(agreed.equity.sum()) - paid, 0.0)
        return do.lesser(do.greater(uses - owed, 0.0), left)

    def _with_juniors(self, built: Building) -> Building:
        """Later loans take their agreed share of what the senior loan leaves; the owners pay their interest."""
        if len(self.plan.loans) < 2:
            return built
        needed = np.maximum(built.owners, 0.0)
        agreed = float(self.plan.construction.equity.sum())
        drawn, interest = np.zeros(needed.shape), np.zeros(needed.shape)
        for loan in self.plan.loans[1:]:
            own = self._junior_draws(needed, loan.amount / agreed if agreed else 0.0, loan.amount)
            opening = np.cumsum(own, axis=0) - own
            step = self.project.timeline.construction_step / 12.0
            interest += opening * (loan.construction_rates[:, None] + self.shift * step)
            drawn += own
            self.junior_debts.append(own.sum(axis=0))
        return Building(
            built.costs, built.fees, built.interest, interest, built.reserve, built.senior_draws, drawn,
            built.owners - drawn + interest,
        )  # fmt: skip

    def _junior_draws(self, needed: Array, share: float, amount: float) -> Array:
        """The agreed share of each period's need, up to the amount."""
        total = np.minimum(np.cumsum(needed * share, axis=0), amount)
        return np.diff(total, axis=0, prepend=np.zeros((1, needed.shape[1])))

    def _accrued(self) -> Array:
        """Interest of the owners' loan in construction, which nobody pays yet."""
        loan, line = self.project.shareholder_loan, self.project.timeline
        balance = np.zeros(self.width)
        if loan is None:
            return balance
        lent = np.zeros(self.width)
        for period in range(line.construction_periods):
            balance = balance * (1.0 + loan.rate * line.construction_step / 12.0)
            balance = balance + self.building.owners[period] * loan.share
            lent = lent + self.building.owners[period] * loan.share
        return balance - lent

    def run(self) -> Run:
        line, do = self.project.timeline, self.do
        made = self.operation
        earned = made.ebitda - made.maintenance - made.vat_interest
        shape = (line.periods, self.width)
        before_tax = do.line(np.broadcast_to(earned - made.working_capital_change, shape))
        profit = do.line(np.broadcast_to(earned - self.depreciation, shape))
        engine, taxes = self._waterfall(line.periods), self._taxes()
        tax = do.blank(line.periods, self.width, float)
        lent = self._owners_lines(line.periods)
        for period in range(line.periods):
            interest = engine.interest_due(period) + self._accrue(lent, period)
            tax[period] = taxes.of_period(period, profit[period] - interest)
            engine.cfads[period] = before_tax[period] - tax[period]
            engine.run(period)
            self._serve_owners(lent, period, engine.lines["distribution"][period])
        return self._result(engine, do.array(tax), lent)

    def _taxes(self) -> TaxReturns:
        given = self.project.tax
        rate = self.do.amount(given.rate + self.scenario.value("tax_rate"), self.width)
        rules = TaxRules(rate, given.loss_years, given.holiday, given.small_limit, given.small_rate)
        return TaxReturns(TaxLedger(rules, self.do), *tax_calendar(self.project))

    def _waterfall(self, periods: int) -> WaterfallRun:
        step = self.project.timeline.step / 12.0
        drawn = [self.building.senior_draws.sum(axis=0), *self.junior_debts]
        loans = [
            DebtTerms(loan.name, debt, loan.rates[:, None] + self.shift * step, _all_due_at_the_end(loan.scheduled))
            for loan, debt in zip(self.plan.loans, drawn, strict=False)
        ]
        target = self.operation.mra_target
        if target is not None:
            target = np.broadcast_to(target, (periods, self.width))
        return WaterfallRun(
            np.zeros((periods, self.width)), loans, rules_of(self.project, self.plan), target, self.keep
        )

    def _owners_lines(self, periods: int) -> dict[str, Line] | None:
        loan = self.project.shareholder_loan
        if loan is None:
            return None
        lines = {name: self.do.blank(periods, self.width, float) for name in OwnersLoan.__slots__}
        lines["opening"][0] = self.do.amount(self.building.owners.sum(axis=0) * loan.share + self.accrued, self.width)
        return lines

    def _accrue(self, lent: dict[str, Line] | None, period: int) -> Amount | float:
        loan = self.project.shareholder_loan
        if lent is None or loan is None:
            return 0.0
        if period:
            lent["opening"][period] = lent["closing"][period - 1]
        lent["interest"][period] = lent["opening"][period] * (loan.rate * self.project.timeline.step / 12.0)
        due: Amount = lent["interest"][period]
        return due

    def _serve_owners(self, lent: dict[str, Line] | None, period: int, distribution: Amount) -> None:
        if lent is None:
            return
        interest, opening = lent["interest"][period], lent["opening"][period]
        paid = self.do.lesser(interest, distribution)
        owed = opening + interest - paid
        repaid = self.do.lesser(owed, distribution - paid)
        lent["paid_interest"][period], lent["repaid"][period], lent["closing"][period] = paid, repaid, owed - repaid

    def _result(self, engine: WaterfallRun, tax: Array, lent: dict[str, Line] | None) -> Run:
        flow = engine.result()
        owners = None if lent is None else OwnersLoan(**{name: self.do.array(one) for name, one in lent.items()})
        step = self.project.timeline.step / 12.0
        rates = self.plan.loans[0].rates[:, None] + self.shift * step if self.plan.loans else np.zeros((1, 1))
        return Run(
            self.project, self.scenario, self.plan, self.operation, self.building, self.depreciation, tax, flow.cfads,
            flow, owners, rates, self.accrued,
        )  # fmt: skip


def _all_due_at_the_end(scheduled: Array) -> Array:
    """The schedule, with whatever is still owed due in the last period that has an instalment."""
    paying = np.flatnonzero(scheduled > 0.0)
    if not len(paying):
        return scheduled
    found = scheduled.copy()
    found[paying[-1]] = np.inf
    return found
