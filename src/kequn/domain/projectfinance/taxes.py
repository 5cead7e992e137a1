"""Income tax by year: rates, holidays, small firms, and losses carried forward for a limited time.

Every number comes from policy (`TaxRules`); here is only how they work together. Amounts in the unit of the model; the
years are tax years in order, shape (years, ...).
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.projectfinance.arrays import Array


@dataclass(frozen=True, slots=True)
class TaxRules:
    """`rate` a fraction of taxable profit; `holiday` the shares of the rate due in the first years of income.

    三免三减半 is (0, 0, 0, 0.5, 0.5, 0.5). `loss_years` is how many years later a loss may still be set off. Where the
    taxable profit of a year does not exceed `small_limit`, `small_rate` takes the place of the rate.
    """

    rate: float | Array
    loss_years: int = 0
    holiday: tuple[float, ...] = ()
    small_limit: float = 0.0
    small_rate: float = 0.0


class TaxLedger:
    """Taxes of year after year; holds the losses that may still be set off, the oldest used first."""

    def __init__(self, rules: TaxRules) -> None:
        self.rules = rules
        self.losses: list[Array | None] = []  # by year, the oldest first; None where nothing is left
        self.open_losses: Array | float = 0.0

    def due(self, profit: Array, year_of_income: int) -> Array:
        """The tax on the profit of the current year so far, as it is prepaid; no loss is used up by it."""
        return self._tax(np.maximum(profit - self.open_losses, 0.0), year_of_income)

    def assess(self, profit: Array, year_of_income: int) -> Array:
        """The tax on the profit of the year that ends. `year_of_income` counts from 0 at the first year with revenue.

        Before the first revenue (a negative count) losses are kept and a profit is taxed without holiday.
        """
        taxable = np.maximum(profit, 0.0)
        for place, loss in enumerate(self.losses):
            if loss is None:
                continue
            used = np.minimum(loss, taxable)
            rest = loss - used
            self.losses[place] = rest if rest.any() else None
            taxable = taxable - used
        self._keep(np.maximum(-profit, 0.0))
        return self._tax(taxable, year_of_income)

    def _keep(self, lost: Array) -> None:
        if not self.rules.loss_years:
            return
        self.losses = [*self.losses, lost if lost.any() else None][-self.rules.loss_years :]
        self.open_losses = 0.0
        for loss in self.losses:
            if loss is not None:
                self.open_losses = self.open_losses + loss

    def _tax(self, taxable: Array, year_of_income: int) -> Array:
        rules = self.rules
        tax: Array = taxable * (rules.rate * _share(rules, year_of_income))
        if rules.small_limit:
            tax = np.where(taxable <= rules.small_limit, np.minimum(tax, taxable * rules.small_rate), tax)
        return tax


def _share(rules: TaxRules, year_of_income: int) -> float:
    """The share of the rate that is due in a year of income."""
    return rules.holiday[year_of_income] if 0 <= year_of_income < len(rules.holiday) else 1.0


class PlainLedger:
    """The same for one case in plain numbers, which is quicker; a test holds the two equal."""

    def __init__(self, rules: TaxRules) -> None:
        self.rules = rules
        self.rate = float(np.asarray(rules.rate).item())
        self.losses: list[float] = []

    def due(self, profit: float, year_of_income: int) -> float:
        """The tax on the profit of the current year so far; see `TaxLedger.due`."""
        return self._tax(max(profit - sum(self.losses), 0.0), year_of_income)

    def assess(self, profit: float, year_of_income: int) -> float:
        """The tax on the profit of the year that ends; see `TaxLedger.assess`."""
        taxable = max(profit, 0.0)
        for place, loss in enumerate(self.losses):
            if not loss:
                continue
            used = min(loss, taxable)
            self.losses[place] = loss - used
            taxable -= used
        if self.rules.loss_years:
            self.losses = [*self.losses, max(-profit, 0.0)][-self.rules.loss_years :]
        return self._tax(taxable, year_of_income)

    def _tax(self, taxable: float, year_of_income: int) -> float:
        rules = self.rules
        tax = taxable * self.rate * _share(rules, year_of_income)
        if rules.small_limit and taxable <= rules.small_limit:
            tax = min(tax, taxable * rules.small_rate)
        return tax
