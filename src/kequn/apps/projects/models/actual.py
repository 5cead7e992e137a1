"""What really came in a period of a project, beside its model. Amounts are integer minor units; null is unknown."""

from django.db import models

from kequn.apps.customers.models import Recorded
from kequn.apps.deals.models import Project

ACTUAL_LINES = {  # column -> the line of the model's periods that it stands beside
    "actual_revenue": "revenue",
    "actual_operating_costs": "operating_costs",
    "actual_maintenance": "maintenance",
    "actual_tax": "tax",
    "actual_cfads": "cfads",
    "actual_interest": "interest_paid",
    "actual_principal": "principal_paid",
    "actual_distribution": "distribution",
}


class ProjectActual(Recorded):
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="actuals")
    period_end = models.DateField()  # the last day of the period
    currency = models.CharField(max_length=3, default="CNY")
    actual_revenue = models.BigIntegerField(null=True)
    actual_operating_costs = models.BigIntegerField(null=True)
    actual_maintenance = models.BigIntegerField(null=True)
    actual_tax = models.BigIntegerField(null=True)
    actual_cfads = models.BigIntegerField(null=True)
    actual_interest = models.BigIntegerField(null=True)
    actual_principal = models.BigIntegerField(null=True)
    actual_distribution = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["period_end"]
        constraints = [models.UniqueConstraint(fields=["project", "period_end"], name="actual_once")]

    def __str__(self) -> str:
        return f"{self.project_id} {self.period_end}"
