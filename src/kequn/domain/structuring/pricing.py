"""The price of a loan: the rate at which it earns its capital, and what it earns at a given rate.

All rates are fractions per annum per unit of exposure (EAD).
"""

from dataclasses import dataclass

from kequn.domain.errors import Misuse, Text


@dataclass(frozen=True, slots=True)
class LoanCosts:
    """What one unit of a loan costs and ties up. `risk_weight` x `capital_ratio` is the capital of one unit."""

    ftp: float
    opex: float
    pd: float
    lgd: float
    risk_weight: float
    capital_ratio: float
    income_tax: float
    vat: float
    surcharge_on_vat: float
    fee_pa: float = 0.0

    @property
    def expected_loss(self) -> float:
        """PD x LGD."""
        return self.pd * self.lgd

    @property
    def capital(self) -> float:
        """Capital per unit of exposure: risk weight x capital ratio."""
        return self.risk_weight * self.capital_ratio

    @property
    def funding(self) -> float:
        """Cost of the part that is not capital, at the funds transfer price."""
        return self.ftp * (1.0 - self.capital)

    @property
    def kept_of_interest(self) -> float:
        """What is left of interest after VAT and its surcharges: (1 - surcharge x VAT) / (1 + VAT)."""
        return (1.0 - self.surcharge_on_vat * self.vat) / (1.0 + self.vat)


def required_profit(costs: LoanCosts, hurdle: float) -> float:
    """Profit before tax that gives the hurdle return on capital: hurdle x capital / (1 - tax)."""
    if costs.income_tax >= 1.0:
        raise Misuse(Text("所得税率须小于 1", "the income tax rate must be below 1"))
    return hurdle * costs.capital / (1.0 - costs.income_tax)


def rate_for_hurdle(costs: LoanCosts, hurdle: float) -> float:
    """The loan rate whose RAROC is the hurdle: (profit + funding + opex + EL - fees) / kept share of interest.

    Source: cost-plus pricing on risk-adjusted capital, as in Risks 2020, 8(2), 63; the VAT factor from memory.
    """
    return (
        required_profit(costs, hurdle) + costs.funding + costs.opex + costs.expected_loss - costs.fee_pa
    ) / costs.kept_of_interest


def raroc(costs: LoanCosts, rate: float) -> float | None:
    """(net interest + fees - funding - opex - EL) x (1 - tax) / capital; None where no capital is tied up.

    >>> costs = LoanCosts(0.02, 0.003, 0.01, 0.4, 1.0, 0.1, 0.25, 0.06, 0.12)
    >>> abs(raroc(costs, rate_for_hurdle(costs, 0.11)) - 0.11) < 1e-15
    True
    """
    if costs.capital == 0.0:
        return None
    earned = rate * costs.kept_of_interest + costs.fee_pa - costs.funding - costs.opex - costs.expected_loss
    return earned * (1.0 - costs.income_tax) / costs.capital
