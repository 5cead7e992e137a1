"""What follows from facts and policy, kept as spans: valid from, valid to, why it changed. Only changes are written."""

from django.db import models

from kequn.apps.assessments.models.run import Run
from kequn.apps.customers.models import Customer


class FindingSpan(models.Model):
    """One finding of one customer during one stretch of business dates. valid_to is empty while it stands;
    a span whose two dates are equal was corrected on the day it was made and is never seen by a query.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=12)  # dimension, segment, signal, grade ... (Definition.kind)
    key = models.CharField(max_length=80)  # the definition's name
    value = models.CharField(max_length=120)  # a class, 'true', or 'unknown' where unknown is listed
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    cause = models.CharField(max_length=10)  # first, facts, correction, policy, reference, time, pin
    closed_cause = models.CharField(max_length=10, blank=True)  # why it ended; empty while it stands
    opened_by = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="opened")
    closed_by = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="closed")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "key"], condition=models.Q(valid_to__isnull=True), name="finding_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="finding_ends_after_start",
            ),
        ]
        indexes = [
            models.Index(fields=["key", "value", "customer"], name="finding_by_value"),
            models.Index(
                fields=["key", "value", "customer"], condition=models.Q(valid_to__isnull=True), name="finding_standing"
            ),
            models.Index(fields=["opened_by", "kind", "key"], name="finding_by_opening"),
            models.Index(  # what a run changed, beside the millions that it found at first
                fields=["opened_by", "kind", "key", "cause", "customer"],
                condition=~models.Q(cause="first"),
                name="finding_by_change",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.key}={self.value}"


class CustomerFigures(models.Model):
    """The figures of the last published run that lists are sorted and summed by. Amounts: minor units of yuan."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="figures", primary_key=True)
    score = models.FloatField(null=True)
    pd = models.FloatField(null=True)
    exposure_gross = models.BigIntegerField(null=True)
    exposure_net = models.BigIntegerField(null=True)
    signals = models.IntegerField(null=True)  # how many hold; null until a run of this version counted them
    signal_rank = models.IntegerField(null=True)  # thousands: the gravest level, blue 1 to red 4; below: how many
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="figures")

    class Meta:
        indexes = [
            models.Index(fields=["exposure_gross", "customer"], name="figures_by_exposure"),
            models.Index(fields=["pd", "customer"], name="figures_by_pd"),
            models.Index(fields=["signal_rank", "customer"], name="figures_by_signals"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.score}"


class ClassTotals(models.Model):
    """How many customers of the whole book stand in each class, and with how much, as the last run published it."""

    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=80)
    value = models.CharField(max_length=120)
    customers = models.BigIntegerField()
    exposure_gross = models.BigIntegerField(null=True)  # minor units of yuan, of those whose exposure is known
    exposure_net = models.BigIntegerField(null=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="totals")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "value"], name="class_totals_once")]

    def __str__(self) -> str:
        return f"{self.key}={self.value}: {self.customers}"


class StagedChange(models.Model):
    """Filled by a run outside any transaction, moved by its publication, emptied afterwards. Never read by a page."""

    run_id = models.BigIntegerField()
    customer_code = models.CharField(max_length=80)
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=80)
    value = models.CharField(max_length=120, null=True)
    cause = models.CharField(max_length=10)

    class Meta:
        indexes = [models.Index(fields=["run_id", "customer_code", "key"], name="staged_change")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.customer_code} {self.key}"


class StagedFigures(models.Model):
    run_id = models.BigIntegerField()
    customer_code = models.CharField(max_length=80)
    score = models.FloatField(null=True)
    pd = models.FloatField(null=True)
    exposure_gross = models.BigIntegerField(null=True)
    exposure_net = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["run_id", "customer_code"], name="staged_figures")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.customer_code}"
