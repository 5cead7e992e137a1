"""A whole project as data: what is built, what it earns and costs, how it is financed. Frozen values, no arithmetic.

Amounts are in one currency and unit, before VAT, positive; rates and shares are fractions; years of operation count
from 0. What a model may not hold is told by `checking.findings_of`, line by line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kequn.domain.projectfinance.conditions import Conditions
from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.rates import RatePlan
from kequn.domain.projectfinance.taxes import TaxRules
from kequn.domain.projectfinance.timeline import Timeline

UNTAXED = TaxRules(0.0)
BySteps = tuple[tuple[float, float], ...]  # (from year of operation, value), in force until the next


@dataclass(frozen=True, slots=True)
class CapitalCost:
    """Something that is built. `spread` are the shares by construction period; empty is evenly."""

    name: str
    amount: float
    spread: tuple[float, ...] = ()
    depreciation: str = "straight_line"
    life_years: int = 20
    salvage: float = 0.0
    vat_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Revenue:
    """A line of income: volume a year x price, or an amount for each year of operation.

    `ramp` are the shares of volume in the first years; `growth` changes volume and `indexation` price once a year. It
    is earned from `from_year` up to and not including `until_year`. `season` are the shares of a year by period. A
    subsidy counts only when it is confirmed.
    """

    name: str
    volume: float = 0.0
    price: float = 0.0
    amounts: tuple[float, ...] = ()
    indexation: float = 0.0
    growth: float = 0.0
    ramp: tuple[float, ...] = ()
    from_year: float = 0.0
    until_year: float = 1e9
    season: tuple[float, ...] = ()
    vat_rate: float = 0.0
    is_subsidy: bool = False
    is_confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Cost:
    """A line of operating cost: an amount a year, a share of revenue, or an amount for each year of operation."""

    name: str
    amount: float = 0.0
    share_of_revenue: float = 0.0
    amounts: tuple[float, ...] = ()
    indexation: float = 0.0
    from_year: float = 0.0
    until_year: float = 1e9
    vat_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Major maintenance: an amount in certain years of operation (paid at the year's end), saved up in an MRA."""

    name: str
    amount: float
    years: tuple[int, ...]
    indexation: float = 0.0
    saved_years: int = 0


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan. `form` is `sculpted` or a repayment form; `tenor_years` and `grace_years` count from operation.

    `amount` fixes it, else it is sized: sculpted to `target_dscr` (by steps of years), other forms to the same as the
    lowest DSCR. The first loan of a model is the senior one; a later one is sculpted to what the total DSCR leaves.
    Interest of later loans in construction is paid by the owners.
    """

    name: str
    rates: RatePlan
    tenor_years: float
    form: str = "sculpted"
    target_dscr: BySteps = field(kw_only=True)
    amount: float | None = None
    grace_years: float = 0.0
    balloon_share: float = 0.0
    step: float = 0.0
    custom: tuple[float, ...] = ()
    upfront_fee: float = 0.0
    commitment_fee: float = 0.0  # a year, on the undrawn facility
    day_count: str = "30/360"


@dataclass(frozen=True, slots=True)
class Limits:
    """Further limits of the senior loan; None where there is none. `max_average_life` in years of operation."""

    max_gearing: float | None = None
    min_llcr: float | None = None
    max_average_life: float | None = None
    max_amount: float | None = None


@dataclass(frozen=True, slots=True)
class ShareholderLoan:
    """The part of the owners' money that is lent, its rate per annum. Served from distributions, after all else."""

    share: float
    rate: float


@dataclass(frozen=True, slots=True)
class Covenants(Conditions):
    """Reserves and tests of the senior loan: months of service, a rate per annum; an empty order is the usual one."""

    dsra_months: float = 0.0
    is_dsra_prefunded: bool = True
    dsrf_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class WorkingCapital:
    """Days of revenue not yet collected and of costs not yet paid, of a year of 365 days; nil at the project's end."""

    receivable_days: float = 0.0
    payable_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project. `sizing_case` names the scenario on which the loans are sized; "" is the base."""

    name: str
    timeline: Timeline
    capital: tuple[CapitalCost, ...]
    revenues: tuple[Revenue, ...]
    costs: tuple[Cost, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    loans: tuple[Loan, ...] = ()
    limits: Limits = Limits()
    funding: Literal["pro_rata", "equity_first", "debt_first"] = "pro_rata"
    shareholder_loan: ShareholderLoan | None = None
    covenants: Covenants = Covenants()
    working_capital: WorkingCapital = WorkingCapital()
    tax: TaxRules = UNTAXED
    vat_facility_rate: float = 0.0
    discount_rate: float = field(kw_only=True)
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    sizing_case: str = ""
    unit: str = ""
    currency: str = "CNY"

    @property
    def line_names(self) -> set[str]:
        """Names of the lines of revenue and cost, which scenarios may change one by one."""
        return {one.name for one in self.revenues} | {one.name for one in self.costs}

    def scenario(self, name: str) -> Scenario:
        """The scenario of a name; "" and `base` are the base. KeyError where there is none."""
        return Scenario("base") if name in ("", "base") and name not in self.scenarios else self.scenarios[name]
