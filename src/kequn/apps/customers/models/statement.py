"""One statement of one customer: period, scope, standard, version. Columns are the statement facts of the dictionary.

Amounts are integer minor units of `currency`; an item that is not known is null, never zero. Several bases of one
period live side by side; which is read is policy. Interim flows are cumulative from January unless `flows` says
discrete.
"""

from django.db import models

from kequn.apps.customers.models.party import Customer, Recorded


class Statement(Recorded):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="statements")
    period_end = models.DateField()
    months = models.PositiveSmallIntegerField()  # months that the flows cover: 3, 6, 9, 12
    flows = models.CharField(max_length=10)  # cumulative, discrete
    scope = models.CharField(max_length=12)  # consolidated, parent
    standard = models.CharField(max_length=20, default="CAS")
    version = models.PositiveSmallIntegerField(default=1)  # a restatement is a higher version
    currency = models.CharField(max_length=3)
    cash = models.BigIntegerField(null=True)
    trading_assets = models.BigIntegerField(null=True)
    notes_receivable = models.BigIntegerField(null=True)
    receivables = models.BigIntegerField(null=True)
    prepayments = models.BigIntegerField(null=True)
    other_receivables = models.BigIntegerField(null=True)
    inventory = models.BigIntegerField(null=True)
    current_assets = models.BigIntegerField(null=True)
    long_term_investments = models.BigIntegerField(null=True)
    fixed_assets = models.BigIntegerField(null=True)
    construction_in_progress = models.BigIntegerField(null=True)
    intangible_assets = models.BigIntegerField(null=True)
    goodwill = models.BigIntegerField(null=True)
    total_assets = models.BigIntegerField(null=True)
    short_term_debt = models.BigIntegerField(null=True)
    notes_payable = models.BigIntegerField(null=True)
    payables = models.BigIntegerField(null=True)
    advances_received = models.BigIntegerField(null=True)
    current_portion_debt = models.BigIntegerField(null=True)
    current_liabilities = models.BigIntegerField(null=True)
    long_term_debt = models.BigIntegerField(null=True)
    bonds_payable = models.BigIntegerField(null=True)
    lease_liabilities = models.BigIntegerField(null=True)
    total_liabilities = models.BigIntegerField(null=True)
    share_capital = models.BigIntegerField(null=True)
    retained_earnings = models.BigIntegerField(null=True)
    minority_interest = models.BigIntegerField(null=True)
    equity = models.BigIntegerField(null=True)
    revenue = models.BigIntegerField(null=True)
    operating_cost = models.BigIntegerField(null=True)
    selling_expense = models.BigIntegerField(null=True)
    admin_expense = models.BigIntegerField(null=True)
    rd_expense = models.BigIntegerField(null=True)
    finance_cost = models.BigIntegerField(null=True)
    interest_expense = models.BigIntegerField(null=True)
    operating_profit = models.BigIntegerField(null=True)
    total_profit = models.BigIntegerField(null=True)
    income_tax = models.BigIntegerField(null=True)
    net_profit = models.BigIntegerField(null=True)
    depreciation = models.BigIntegerField(null=True)
    cash_from_sales = models.BigIntegerField(null=True)
    operating_cash_flow = models.BigIntegerField(null=True)
    capex = models.BigIntegerField(null=True)
    investing_cash_flow = models.BigIntegerField(null=True)
    debt_repaid = models.BigIntegerField(null=True)
    financing_cash_flow = models.BigIntegerField(null=True)
    period_employees = models.FloatField(null=True)
    audit_opinion = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["customer", "period_end", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "period_end", "scope", "standard", "version"], name="statement_once"
            ),
            models.CheckConstraint(condition=models.Q(months__in=[3, 6, 9, 12]), name="statement_months"),
            models.CheckConstraint(condition=models.Q(flows__in=["cumulative", "discrete"]), name="statement_flows"),
            models.CheckConstraint(condition=models.Q(scope__in=["consolidated", "parent"]), name="statement_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.period_end} {self.scope} {self.standard} v{self.version}"
