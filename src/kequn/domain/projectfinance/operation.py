"""What a project earns and spends before financing and tax, by operation period and scenario.

Shapes (periods, scenarios) or (periods, 1) where no driver of a line varies: what does not vary is worked out once.
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.model import Cost, Project, Revenue
from kequn.domain.projectfinance.reserves import mra_targets

_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Operation:
    """Lines of operation by period. EBITDA = revenue + subsidies - costs; all others positive as named."""

    revenues: dict[str, Array]
    subsidies: dict[str, Array]
    costs: dict[str, Array]
    revenue: Array
    subsidy: Array
    cost: Array
    maintenance: Array
    mra_target: Array | None
    receivables: Array
    payables: Array
    vat_recovered: Array
    vat_credit: Array
    vat_interest: Array

    @property
    def ebitda(self) -> Array:
        """Revenue + subsidies - operating costs; (periods, scenarios)."""
        return self.revenue + self.subsidy - self.cost

    @property
    def working_capital_change(self) -> Array:
        """What working capital takes in each period; what it holds at the end is collected in the last period."""
        held = self.receivables - self.payables
        return np.diff(held, axis=0, prepend=np.zeros_like(held[:1]))

    @property
    def cash_before_tax(self) -> Array:
        """EBITDA - working capital - major maintenance - interest of the VAT facility.

        What VAT is recovered repays the VAT facility, which paid it in construction: the two cancel out.
        """
        return self.ebitda - self.working_capital_change - self.maintenance - self.vat_interest


def operate(project: Project, scenario: Scenario) -> Operation:
    """The operation of a project in one scenario or an array of them.

    Revenue = volume x price x ramp x (1 + growth)^year x (1 + indexation)^year x season, in the unit of the model,
    shape (periods, scenarios). Source: the definitions of `model.Revenue` and `model.Cost`.
    """
    line = project.timeline
    whole = np.zeros((line.periods, 1))
    revenues = {one.name: _earned(one, project, scenario) for one in project.revenues if not one.is_subsidy}
    subsidies = {
        one.name: _earned(one, project, scenario) for one in project.revenues if one.is_subsidy and one.is_confirmed
    }
    revenue, subsidy = _total(revenues, whole), _total(subsidies, whole)
    costs = {one.name: _spent(one, project, scenario, revenue) for one in project.costs}
    cost = _total(costs, whole)
    outlay, target = _maintenance(project, scenario)
    days = project.working_capital
    receivable_days = np.maximum(0.0, days.receivable_days + scenario.value("receivable_days"))
    receivables = revenue * line.per_year * (receivable_days / _DAYS)
    payables = cost * line.per_year * (days.payable_days / _DAYS)
    receivables = np.concatenate([receivables[:-1], np.zeros_like(receivables[-1:])])
    payables = np.concatenate([payables[:-1], np.zeros_like(payables[-1:])])
    recovered, credit = _vat(project, scenario, revenues, costs, revenue)
    interest = _vat_interest(project, scenario, credit, recovered)
    return Operation(
        revenues, subsidies, costs, revenue, subsidy, cost, outlay, target, receivables, payables, recovered, credit,
        interest,
    )  # fmt: skip


def _total(lines: dict[str, Array], nothing: Array) -> Array:
    values = iter(lines.values())
    found = next(values, nothing)
    for one in values:
        found = found + one
    return found


def _by_year(amounts: tuple[float, ...], years: int) -> Array:
    """Yearly amounts, nil after the last."""
    found = np.zeros((years, 1))
    found[: min(years, len(amounts)), 0] = amounts[:years]
    return found


def _grown(rate: Array, years: int) -> Array:
    """(1 + rate)^year for every year of operation, by repeated multiplication; shape (years, scenarios)."""
    factor = np.atleast_1d(1.0 + rate)
    found = np.ones((years, len(factor)))
    for year in range(1, years):
        np.multiply(found[year - 1], factor, out=found[year])
    return found


def _years(project: Project) -> int:
    return int(project.timeline.years_of_operation()[-1]) + 1


def _in_force(project: Project, from_year: float, until_year: float) -> Array:
    """The share of each operation period within a span of years, shape (periods, 1)."""
    line = project.timeline
    start = np.arange(line.periods) * line.step / 12.0
    length = line.step / 12.0
    held = (np.minimum(start + length, until_year) - np.maximum(start, from_year)) / length
    return np.clip(held, 0.0, 1.0)[:, None]


def _earned(one: Revenue, project: Project, scenario: Scenario) -> Array:
    line, years = project.timeline, _years(project)
    price = scenario.value("price") * scenario.value(f"price.{one.name}")
    volume = scenario.value("volume") * scenario.value(f"volume.{one.name}")
    if one.amounts:
        yearly = _by_year(one.amounts, years) * np.atleast_1d(1.0 if one.is_subsidy else price * volume)
    else:
        ramp = np.ones((years, 1))
        ramp[: min(years, len(one.ramp)), 0] = one.ramp[:years]
        yearly = _grown(one.growth + scenario.value("volume_growth"), years) * ramp
        yearly = yearly * _grown(one.indexation + scenario.value("indexation"), years)
        kept = volume * price * np.maximum(0.0, 1.0 - scenario.value("curtailment"))
        yearly = yearly * np.atleast_1d(one.volume * one.price * kept)
    shares = np.asarray(one.season or (1.0 / line.per_year,) * line.per_year)
    held = np.tile(shares, years)[: line.periods, None] * _in_force(project, one.from_year, one.until_year)
    running = None if one.is_subsidy else _running(project, scenario)
    if running is not None:
        held = held * running
    found: Array = yearly[line.years_of_operation()] * held
    return found


def _running(project: Project, scenario: Scenario) -> Array | None:
    """The share of each period that a delayed plant runs; nothing where there is no delay."""
    delay = np.atleast_1d(scenario.value("delay_months"))
    if not delay.any():
        return None
    line = project.timeline
    ends = (np.arange(1, line.periods + 1) * line.step)[:, None]
    return np.clip((ends - np.maximum(delay, 0.0)) / line.step, 0.0, 1.0)


def _spent(one: Cost, project: Project, scenario: Scenario, revenue: Array) -> Array:
    line, years = project.timeline, _years(project)
    factor = np.atleast_1d(scenario.value("opex") * scenario.value(f"cost.{one.name}"))
    if one.amounts:
        yearly = _by_year(one.amounts, years) * factor
    else:
        yearly = _grown(one.indexation + scenario.value("indexation"), years) * (one.amount * factor)
    held = _in_force(project, one.from_year, one.until_year)
    found: Array = yearly[line.years_of_operation()] * (held / line.per_year)
    return found + revenue * (one.share_of_revenue * factor) * held if one.share_of_revenue else found


def _maintenance(project: Project, scenario: Scenario) -> tuple[Array, Array | None]:
    """Outlays by period, and the balance that the maintenance reserve should hold where one is kept."""
    line, years = project.timeline, _years(project)
    outlay = np.zeros((line.periods, 1))
    target: Array | None = None
    for one in project.maintenance:
        yearly = np.zeros((years, 1))
        yearly[[year for year in one.years if year < years]] = one.amount
        grown = _grown(one.indexation + scenario.value("indexation"), years)
        spent = np.zeros((line.periods, grown.shape[1]))
        last = np.arange(years) * line.per_year + line.per_year - 1
        inside = last < line.periods
        spent[last[inside]] = (yearly * grown)[inside]
        spent = spent * np.atleast_1d(scenario.value("maintenance"))
        outlay = outlay + spent
        if one.saved_years:
            saved = mra_targets(spent, one.saved_years * line.per_year)
            target = saved if target is None else target + saved
    return outlay, target


def _vat(
    project: Project, scenario: Scenario, revenues: dict[str, Array], costs: dict[str, Array], like: Array
) -> tuple[Array, Array]:
    """Input VAT of construction recovered from the VAT of sales, and the credit left at the end of each period."""
    paid = sum(one.amount * one.vat_rate for one in project.capital) * np.atleast_1d(scenario.value("capex"))
    if not paid.any():
        nil = np.zeros_like(like[:, :1])
        return nil, nil
    charged = sum((revenues[one.name] * one.vat_rate for one in project.revenues if one.name in revenues), 0.0 * like)
    borne = sum((costs[one.name] * one.vat_rate for one in project.costs), 0.0 * like)
    credit = np.maximum(0.0, paid - np.cumsum(np.maximum(0.0, charged - borne), axis=0))
    before = np.concatenate([np.broadcast_to(paid, credit[:1].shape), credit[:-1]])
    return before - credit, credit


def _vat_interest(project: Project, scenario: Scenario, credit: Array, recovered: Array) -> Array:
    """Interest of the VAT facility in operation, on the balance at each period's opening."""
    rate = (project.vat_facility_rate + scenario.value("rate")) * project.timeline.step / 12.0
    found: Array = (credit + recovered) * np.atleast_1d(rate)
    return found
