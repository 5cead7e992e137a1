"""A snapshot is the book as of a date; a run is a snapshot judged by one policy and one program."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Snapshot(models.Model):
    as_of = models.DateField()
    digest = models.CharField(max_length=64, unique=True)
    folder = models.CharField(max_length=300)  # below KEQUN_HOME
    rows = models.JSONField()  # grain -> rows
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.as_of} {self.digest[:12]}"


class RunState(models.TextChoices):
    STARTED = "started", _("Started")
    COMPUTED = "computed", _("Computed")
    PUBLISHED = "published", _("Published")
    REPLAYED = "replayed", _("Replayed")  # an earlier date judged by what is known now; never published
    FAILED = "failed", _("Failed")


class Run(models.Model):
    """Everything a finding must name: facts (snapshot), policy, program. Published by one transaction."""

    as_of = models.DateField()
    engine = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=RunState, default=RunState.STARTED)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, null=True, related_name="runs")
    pack = models.CharField(max_length=60, blank=True)
    policy_digest = models.CharField(max_length=64, blank=True)
    plan_digest = models.CharField(max_length=64, blank=True)
    program_version = models.CharField(max_length=40)
    job_id = models.BigIntegerField(null=True, unique=True)  # one job publishes at most one run
    actor = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    folder = models.CharField(max_length=300, blank=True)
    results_digest = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)
    seconds = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.id} {self.as_of} {self.state}"
