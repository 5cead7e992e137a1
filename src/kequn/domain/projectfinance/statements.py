"""The three statements of a run, by operation period: income, cash flow, balance sheet; they balance.

The balance sheet is put together from the accounts, and equity from paid-in capital and retained earnings, so that the
difference of the two sides is a real check. Shapes (periods, scenarios).
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.run import Run

Lines = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Statements:
    """Lines by name, in the order in which they are read."""

    income: Lines
    cash_flow: Lines
    balance_sheet: Lines

    @property
    def imbalance(self) -> Array:
        """Total assets less liabilities and equity; nil but for rounding."""
        sheet = self.balance_sheet
        return sheet["total_assets"] - sheet["liabilities_and_equity"]


def statements_of(run: Run) -> Statements:
    """The statements of a run.

    Major maintenance is expensed when it is spent; income tax is expensed in the period in which it is assessed;
    interest is expensed as it accrues, whether paid or added to a loan.
    In the unit of the model, shape (periods, scenarios). Source: 企业会计准则第30号——财务报表列报 (from memory): the
    three statements, and assets = liabilities + equity.
    """
    income = _income(run)
    cash = _cash_flow(run)
    return Statements(income, cash, _balance_sheet(run, income["net_profit"], cash["closing_cash"]))


def _income(run: Run) -> Lines:
    flow, made = run.waterfall, run.operation
    like = np.zeros_like(run.cfads)
    interest = sum((loan.interest for loan in flow.loans.values()), like) + _dsrf_interest(run) + made.vat_interest
    owners = run.owners_loan.interest if run.owners_loan else like
    before_tax = made.ebitda - made.maintenance - run.depreciation - interest - owners
    return {
        "revenue": made.revenue + like, "subsidies": made.subsidy + like, "operating_costs": -made.cost + like,
        "ebitda": made.ebitda + like, "major_maintenance": -made.maintenance + like,
        "depreciation": -run.depreciation + like,
        "interest": -interest, "owners_loan_interest": -owners, "profit_before_tax": before_tax,
        "income_tax": -run.tax, "net_profit": before_tax - run.tax,
    }  # fmt: skip


def _dsrf_interest(run: Run) -> Array:
    """Interest accrued on the reserve facility: on its opening balance, paid or added to it."""
    flow = run.waterfall
    opening = np.concatenate([np.zeros_like(flow.dsrf_balance[:1]), flow.dsrf_balance[:-1]])
    found: Array = flow.dsrf_balance - opening - flow.dsrf_drawn + flow.dsrf_repaid + flow.dsrf_interest
    return found


def _cash_flow(run: Run) -> Lines:
    flow, made = run.waterfall, run.operation
    like = np.zeros_like(run.cfads)
    loans = list(flow.loans.values())
    interest = sum((loan.interest_paid for loan in loans), like) + flow.dsrf_interest
    repaid = sum((loan.principal_paid + loan.sweep for loan in loans), like) + flow.dsrf_repaid
    held = flow.dsra + flow.mra + flow.lockup_account
    before = np.concatenate([run.building.reserve.sum(axis=0)[None, :] + like[:1], held[:-1]])
    bills = np.diff(flow.bills_unpaid, axis=0, prepend=like[:1])
    return {
        "cfads": run.cfads, "operating_cash": made.cash_before_tax + like, "income_tax": -run.tax,
        "interest_paid": -interest, "principal_repaid": -repaid, "reserve_facility_drawn": flow.dsrf_drawn,
        "cures": flow.cure, "bills_left_unpaid": bills, "distributions": -flow.distribution,
        "opening_cash": before,
        "closing_cash": before + run.cfads - interest - repaid + flow.dsrf_drawn + flow.cure + bills
        - flow.distribution,
        "accounts": held,
    }  # fmt: skip


def _balance_sheet(run: Run, profit: Array, cash: Array) -> Lines:
    flow, made = run.waterfall, run.operation
    like = np.zeros_like(run.cfads)
    fixed = run.asset_cost - np.cumsum(run.depreciation + like, axis=0)
    assets = fixed + cash + made.receivables + made.vat_credit
    loans = sum((loan.closing for loan in flow.loans.values()), like) + flow.dsrf_balance
    owners_loan = run.owners_loan.closing if run.owners_loan else like
    lent = run.owners_loan.opening[0] - run.accrued_in_construction if run.owners_loan else like[0]
    capital = run.building.owners.sum(axis=0) - lent + np.cumsum(flow.cure, axis=0)
    retained = np.cumsum(profit - run.dividends, axis=0)
    other = made.payables + flow.bills_unpaid + made.vat_credit
    return {
        "fixed_assets": fixed, "cash_and_reserves": cash, "receivables": made.receivables + like,
        "vat_credit": made.vat_credit + like, "total_assets": assets, "loans": loans,
        "vat_facility": made.vat_credit + like,
        "payables": made.payables + flow.bills_unpaid, "owners_loan": owners_loan, "paid_in_capital": capital,
        "retained_earnings": retained, "liabilities_and_equity": loans + other + owners_loan + capital + retained,
    }  # fmt: skip
