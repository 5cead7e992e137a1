"""Income tax by year: rates, holidays, small firms, and losses carried forward for a limited time.

Every number comes from policy (`TaxRules`); here is only how they work together. Amounts in the unit of the model; the
years are tax years in order, shape (years, ...).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from kequn.domain.projectfinance.arithmetic import MANY, Amount, Arithmetic
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
    """Taxes of year after year; holds the losses that may still be set off, the oldest used first.

    tax = rate x share of the holiday x max(0, profit - losses of earlier years), in the unit of the model, shape
    (scenarios,). Source: 企业所得税法, articles 4, 18 and 54, 实施条例, articles 87 and 88 (from memory).
    """

    def __init__(self, rules: TaxRules, do: Arithmetic = MANY) -> None:
        self.rules, self.do = rules, do
        self.losses: deque[Amount | None] = deque(
            maxlen=rules.loss_years
        )  # the oldest first; None where nothing is left
        self.open_losses: Amount | float = 0.0

    def due(self, profit: Amount, year_of_income: int) -> Amount:
        """The tax on the profit of the current year so far, as it is prepaid; no loss is used up by it."""
        return self._tax(self.do.greater(profit - self.open_losses, 0.0), year_of_income)

    def assess(self, profit: Amount, year_of_income: int) -> Amount:
        """The tax on the profit of the year that ends. `year_of_income` counts from 0 at the first year with revenue.

        Before the first revenue (a negative count) losses are kept and a profit is taxed without holiday.
        """
        taxable = self.do.greater(profit, 0.0)
        for place, loss in enumerate(self.losses):
            if loss is None:
                continue
            used = self.do.lesser(loss, taxable)
            rest = loss - used
            self.losses[place] = rest if self.do.some(rest > 0.0) else None
            taxable = taxable - used
        self._keep(self.do.greater(-profit, 0.0))
        return self._tax(taxable, year_of_income)

    def _keep(self, lost: Amount) -> None:
        self.losses.append(lost if self.do.some(lost > 0.0) else None)
        self.open_losses = 0.0
        for loss in self.losses:
            if loss is not None:
                self.open_losses = self.open_losses + loss

    def _tax(self, taxable: Amount, year_of_income: int) -> Amount:
        rules = self.rules
        is_reduced = 0 <= year_of_income < len(rules.holiday)
        tax: Amount = taxable * (rules.rate * rules.holiday[year_of_income] if is_reduced else rules.rate)
        if rules.small_limit:
            tax = self.do.chosen(taxable <= rules.small_limit, self.do.lesser(tax, taxable * rules.small_rate), tax)
        return tax


class TaxReturns:
    """Tax by period: prepaid on the profit of the tax year so far, settled in the last period of the year.

    `years` holds for each period its tax year and whether it ends with it; `first_income` is the year of first sales.
    """

    def __init__(self, ledger: TaxLedger, years: Sequence[tuple[int, bool]], first_income: int) -> None:
        self.ledger, self.years, self.first_income = ledger, years, first_income
        self.running: Amount | float = 0.0
        self.paid: Amount | float = 0.0

    def of_period(self, period: int, profit: Amount) -> Amount:
        """The tax paid in a period (negative: paid back), of the profit before tax of that period."""
        self.running = self.running + profit
        year, is_end = self.years[period]
        place = year - self.first_income
        if is_end:
            tax = self.ledger.assess(self.running, place) - self.paid
            self.running = self.paid = 0.0
            return tax
        owed = self.ledger.do.greater(self.ledger.due(self.running, place) - self.paid, 0.0)
        self.paid = self.paid + owed
        return owed
