"""A piece of background work and the lease on it."""

from django.db import models


class State(models.TextChoices):
    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


class Job(models.Model):
    kind = models.CharField(max_length=60)
    arguments = models.JSONField(default=dict)
    actor = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    fence = models.BigIntegerField(default=0)  # grows by one with each lease; an older holder can publish nothing
    worker = models.CharField(max_length=200, blank=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    attempts_allowed = models.PositiveIntegerField(default=5)
    not_before = models.DateTimeField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    key = models.CharField(max_length=200, unique=True, null=True)  # the same work asked twice is one job

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["state", "not_before"], name="job_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
