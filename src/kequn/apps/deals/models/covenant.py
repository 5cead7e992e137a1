"""A covenant: what a customer agreed to keep, as a rule over its facts, from a day on."""

from django.db import models

from kequn.apps.customers.models import Customer
from kequn.apps.deals.models.facility import Facility


class Covenant(models.Model):
    """Its wording never changes: one that was agreed anew ends and another begins."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="covenants")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, related_name="covenants")
    name = models.CharField(max_length=60)
    rule = models.CharField(max_length=2000)  # rule text that is to hold
    from_date = models.DateField()
    to_date = models.DateField(null=True)  # the last day on which it holds
    source = models.CharField(max_length=300)
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["customer", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "name"], condition=models.Q(to_date__isnull=True), name="covenant_name_once"
            ),
            models.CheckConstraint(
                condition=models.Q(to_date__isnull=True) | models.Q(to_date__gte=models.F("from_date")),
                name="covenant_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.name
