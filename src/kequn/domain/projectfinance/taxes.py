"""Income tax by year: rates, holidays, small firms, and losses carried forward for a limited time.

Every number comes from policy (`TaxRules`); here is only how they work together. Amounts in the unit of the model; the
years are tax years in order, shape (years, ...).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kequn.domain.projectfinance.arrays import Array, Like


@dataclass(frozen=True, slots=True)
class TaxRules:
    """`rate` a fraction of taxable profit; `holiday` the shares of the rate due in the first years of income.

    三免三减半 is (0, 0, 0, 0.5, 0.5, 0.5). `loss_years` is how many years later a loss may still be set off. Where the
    taxable profit of a year does not exceed `small_limit`, `small_rate` takes the place of the rate.
    """

    rate: Like
    loss_years: int = 0
    holiday: tuple[float, ...] = ()
    small_limit: float = 0.0
    small_rate: float = 0.0


class TaxLedger:
    """Taxes assessed year after year; holds the losses that may still be set off, the oldest used first."""

    def __init__(self, rules: TaxRules) -> None:
        self.rules = rules
        self.losses: list[Array | None] = []  # by year, the oldest first; None where nothing is left

    def assess(self, profit: Array, year_of_income: int) -> Array:
        """The tax on the profit of the next year; `year_of_income` counts from 0 at the first year with revenue.

        Before the first revenue (a negative count) losses are kept and a profit is taxed without holiday.
        """
        rules, taxable = self.rules, np.maximum(profit, 0.0)
        for place, loss in enumerate(self.losses):
            if loss is None:
                continue
            used = np.minimum(loss, taxable)
            rest = loss - used
            self.losses[place] = rest if rest.any() else None
            taxable = taxable - used
        if rules.loss_years:
            lost = np.maximum(-profit, 0.0)
            self.losses = [*self.losses, lost if lost.any() else None][-rules.loss_years :]
        share = rules.holiday[year_of_income] if 0 <= year_of_income < len(rules.holiday) else 1.0
        tax: Array = taxable * rules.rate * share
        if rules.small_limit:
            tax = np.where(taxable <= rules.small_limit, np.minimum(tax, taxable * rules.small_rate), tax)
        return tax


class PlainLedger:
    """The same for one case in plain numbers, which is quicker; a test holds the two equal."""

    def __init__(self, rules: TaxRules) -> None:
        self.rules = rules
        self.rate = float(np.asarray(rules.rate).item())
        self.losses: list[float] = []

    def assess(self, profit: float, year_of_income: int) -> float:
        """The tax on the profit of the next year; see `TaxLedger.assess`."""
        rules, taxable = self.rules, max(profit, 0.0)
        for place, loss in enumerate(self.losses):
            used = min(loss, taxable)
            self.losses[place] = loss - used
            taxable -= used
        if rules.loss_years:
            self.losses = [*self.losses, max(-profit, 0.0)][-rules.loss_years :]
        share = rules.holiday[year_of_income] if 0 <= year_of_income < len(rules.holiday) else 1.0
        tax = taxable * self.rate * share
        if rules.small_limit and taxable <= rules.small_limit:
            tax = min(tax, taxable * rules.small_rate)
        return tax


def tax_of_years(profits: Sequence[float] | Array, rules: TaxRules, first_income_year: int = 0) -> Array:
    """The tax of every year, shape as `profits`.

    >>> tax_of_years([-10.0, 30.0], TaxRules(0.25, loss_years=5)).tolist()
    [0.0, 5.0]
    """
    ledger = TaxLedger(rules)
    return np.stack(
        [ledger.assess(profit, year - first_income_year) for year, profit in enumerate(np.asarray(profits, np.float64))]
    )
