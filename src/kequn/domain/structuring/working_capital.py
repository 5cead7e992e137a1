"""Working capital: how much a firm needs to turn its sales over, and what of it a new loan may carry."""

from dataclasses import dataclass

from kequn.domain.errors import Misuse, Text


@dataclass(frozen=True, slots=True)
class TurnoverDays:
    """Days that each item is outstanding, of a year of 360 days."""

    inventory: float = 0.0
    receivable: float = 0.0
    payable: float = 0.0
    prepaid: float = 0.0
    advance_receipt: float = 0.0

    @property
    def times(self) -> float:
        """Turnover of working capital, times a year: 360 / (inventory + receivable - payable + prepaid - advances)."""
        cycle = self.inventory + self.receivable - self.payable + self.prepaid - self.advance_receipt
        if cycle <= 0.0:
            raise Misuse(
                Text(
                    f"周转天数合计为 {cycle:g}，须大于零：企业靠上下游资金周转，无需流动资金贷款",
                    f"the cycle is {cycle:g} days and must be above nil: others carry the working capital",
                )
            )
        return 360.0 / cycle


def working_capital_need(*, sales: float, profit_margin: float, sales_growth: float, days: TurnoverDays) -> float:
    """Working capital of the coming year: sales x (1 - margin) x (1 + growth) / turnover times, in the unit of sales.

    Source: 流动资金贷款管理办法, annex 流动资金贷款需求量的测算参考 (from memory of the 2010 annex).

    >>> working_capital_need(sales=360.0, profit_margin=0.0, sales_growth=0.0, days=TurnoverDays(receivable=90.0))
    90.0
    """
    return sales * (1.0 - profit_margin) * (1.0 + sales_growth) / days.times


def new_working_capital_loan(need: float, *, own_funds: float, existing_loans: float, other_funding: float) -> float:
    """What is left for a new loan, not below nil: need - own funds - existing working-capital loans - other funding."""
    return max(0.0, need - own_funds - existing_loans - other_funding)
