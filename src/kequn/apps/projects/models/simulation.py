"""A simulation of a version of a model: what was asked, with its seed, and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from kequn.apps.projects.models.model import ProjectModel


class SimulationState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class ModelSimulation(models.Model):
    model = models.ForeignKey(ProjectModel, on_delete=models.CASCADE, related_name="simulations")
    scenario = models.CharField(max_length=100)
    count = models.PositiveIntegerField()
    seed = models.BigIntegerField()  # the same seed gives the same numbers
    state = models.CharField(max_length=10, choices=SimulationState, default=SimulationState.WAITING)
    answer = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    seconds = models.FloatField(null=True)
    actor = models.CharField(max_length=200)
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.model_id} {self.scenario} {self.count}"
