"""A discovery: what was asked, and the card that came of it or why nothing did."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from kequn.apps.assessments.models import Run


class DiscoveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    FOUND = "found", _("Groups found")
    REFUSED = "refused", _("No groups")
    FAILED = "failed", _("Failed")


class Discovery(models.Model):
    """Asked on the page, then found in the facts of `run`; or brought from a file, then without a run."""

    title = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=DiscoveryState, default=DiscoveryState.WAITING)
    features = models.JSONField(default=list)  # names, in the order of policy
    seed = models.PositiveIntegerField(default=1)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="discoveries")
    card = models.JSONField(null=True)  # every figure of what was found
    said = models.TextField(blank=True)  # why nothing was found: Chinese, a line break, English
    actor = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="found") | models.Q(card__isnull=False), name="found_has_its_card"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.title} {self.state}"
