"""Reports for many customers, asked for once and made in the background."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BatchState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed")


class ReportBatch(models.Model):
    """One archive of customer reports. Only who asked for it may see it; it holds what that person may see."""

    actor = models.CharField(max_length=200)
    customers = models.JSONField()  # ids, in the order of the list it was asked from
    as_of = models.DateField()
    format = models.CharField(max_length=5)
    language = models.CharField(max_length=2)
    money_unit = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=BatchState, default=BatchState.WAITING)
    total = models.PositiveIntegerField()
    made = models.PositiveIntegerField(default=0)
    file = models.CharField(max_length=300, blank=True)  # below KEQUN_HOME
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["actor", "-id"], name="batches_of_actor")]

    def __str__(self) -> str:
        return f"{self.id} {self.state} {self.made}/{self.total}"
