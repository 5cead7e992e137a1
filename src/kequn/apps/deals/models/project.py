"""Projects and who carries them. Columns are the project facts of the dictionary; `role` belongs to the party."""

from django.db import models

from kequn.apps.customers.models import Customer, Recorded


class Project(Recorded):
    project_id = models.CharField(max_length=80, unique=True)
    currency = models.CharField(max_length=3, default="CNY")  # of total_investment, in minor units
    project_name = models.CharField(max_length=300, blank=True)
    project_country = models.CharField(max_length=300, blank=True)
    project_province = models.CharField(max_length=300, blank=True)
    sector = models.CharField(max_length=40, blank=True)
    subsector = models.CharField(max_length=300, blank=True)
    fuel = models.CharField(max_length=40, blank=True)
    stage = models.CharField(max_length=40, blank=True)
    total_investment = models.BigIntegerField(null=True)
    capacity_mw = models.FloatField(null=True)
    annual_generation_mwh = models.FloatField(null=True)
    commissioning_year = models.FloatField(null=True)
    green_field = models.CharField(max_length=40, blank=True)
    is_infrastructure = models.BooleanField(null=True)
    is_research = models.BooleanField(null=True)
    equator_category = models.CharField(max_length=40, blank=True)
    dscr_min = models.FloatField(null=True)
    dscr_actual = models.FloatField(null=True)
    llcr = models.FloatField(null=True)
    dsra_months = models.FloatField(null=True)
    equity_required_share = models.FloatField(null=True)
    equity_paid_share = models.FloatField(null=True)
    permits_complete = models.BooleanField(null=True)
    construction_delay_months = models.FloatField(null=True)
    cost_overrun_share = models.FloatField(null=True)
    completion_share = models.FloatField(null=True)
    has_completion_guarantee = models.BooleanField(null=True)
    has_offtake_contract = models.BooleanField(null=True)
    offtaker_arrears_days = models.FloatField(null=True)
    curtailment_share = models.FloatField(null=True)

    class Meta:
        ordering = ["project_id"]

    def __str__(self) -> str:
        return self.project_name or self.project_id


class ProjectParty(Recorded):
    """A customer's part in a project. A project without a known party is kept; it stands in no customer's findings."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="parties")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="project_parts")
    role = models.CharField(max_length=40)
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "customer", "role"], name="party_once")]

    def __str__(self) -> str:
        return f"{self.project_id} {self.customer_id} {self.role}"
