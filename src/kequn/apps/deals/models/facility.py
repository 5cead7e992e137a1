"""Facilities, the months of the accounts, and what became of a facility.

Columns are the facility and account-month facts of the dictionary. Amounts are integer minor units of `currency`.
"""

from django.db import models

from kequn.apps.customers.models import Customer, Recorded
from kequn.apps.deals.models.project import Project


class Facility(Recorded):
    facility_id = models.CharField(max_length=80, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="facilities")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="facilities")
    currency = models.CharField(max_length=3)
    product = models.CharField(max_length=40, blank=True)
    facility_currency = models.CharField(max_length=300, blank=True)
    committed = models.BigIntegerField(null=True)
    drawn = models.BigIntegerField(null=True)
    undrawn = models.BigIntegerField(null=True)
    off_balance = models.BigIntegerField(null=True)
    margin_deposit = models.BigIntegerField(null=True)
    is_cancellable = models.BooleanField(null=True)
    start_date = models.DateField(null=True)
    maturity_date = models.DateField(null=True)
    tenor_months = models.FloatField(null=True)
    rate_pa = models.FloatField(null=True)
    security = models.CharField(max_length=40, blank=True)
    collateral_value = models.BigIntegerField(null=True)
    collateral_value_at_start = models.BigIntegerField(null=True)
    guaranteed_share = models.FloatField(null=True)
    status = models.CharField(max_length=40, blank=True)
    days_past_due = models.FloatField(null=True)
    overdue_amount = models.BigIntegerField(null=True)
    interest_arrears = models.BigIntegerField(null=True)
    times_past_due_12m = models.FloatField(null=True)
    worst_days_past_due_12m = models.FloatField(null=True)
    is_restructured = models.BooleanField(null=True)
    is_renewed = models.BooleanField(null=True)
    is_advanced = models.BooleanField(null=True)
    is_revolving = models.BooleanField(null=True)

    class Meta:
        ordering = ["facility_id"]
        indexes = [
            models.Index(fields=["maturity_date", "id"], name="facility_by_maturity"),
            models.Index(fields=["days_past_due", "id"], name="facility_by_past_due"),
        ]

    def __str__(self) -> str:
        return self.facility_id


class FacilityOutcome(Recorded):
    """What is known only after the event. Snapshots never carry this table, so no rule can read it."""

    facility = models.OneToOneField(Facility, on_delete=models.CASCADE, related_name="outcome")
    currency = models.CharField(max_length=3)
    charged_off = models.BooleanField(null=True)
    charged_off_amount = models.BigIntegerField(null=True)
    loan_sample_weight = models.FloatField(null=True)
    loan_sample_kind = models.CharField(max_length=300, blank=True)
    details = models.JSONField(default=dict)  # other columns of a loan tape that are outcomes, as they were written

    def __str__(self) -> str:
        return f"{self.facility_id} {self.charged_off}"


class AccountMonth(Recorded):
    """One month of one account, dated by its last day."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="account_months")
    account_id = models.CharField(max_length=80)
    month = models.DateField()
    currency = models.CharField(max_length=3)
    inflow = models.BigIntegerField(null=True)
    outflow = models.BigIntegerField(null=True)
    average_balance = models.BigIntegerField(null=True)
    month_end_balance = models.BigIntegerField(null=True)
    wage_payments = models.BigIntegerField(null=True)
    tax_payments = models.BigIntegerField(null=True)
    loan_payments = models.BigIntegerField(null=True)
    related_party_outflow = models.BigIntegerField(null=True)
    returned_items = models.FloatField(null=True)
    overdraft_days = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "account_id", "month"], name="account_month_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.month}"
