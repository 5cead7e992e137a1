"""A version of a project's model with the results of its scenarios. Neither is ever changed.

The ratios are project facts of the dictionary, of the base scenario unless they say otherwise; a snapshot reads those
of the version in force at its date. What is not defined is null.
"""

from django.db import models

from kequn.apps.deals.models import Project

RATIOS = (
    "model_min_dscr", "model_average_dscr", "model_llcr", "model_min_llcr", "model_plcr", "model_gearing",
    "model_average_life_years", "model_tail_years", "model_equity_irr", "model_stress_dscr", "model_min_dscr_date",
    "model_lockup_date", "model_default_date",
)  # fmt: skip


class ProjectModel(models.Model):
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="models")
    number = models.PositiveIntegerField()  # 1, 2, 3 ... within the project
    name = models.CharField(max_length=300)  # of the file that was handed in
    body = models.TextField()  # the model as YAML
    digest = models.CharField(max_length=64)  # SHA-256 of the body
    in_force = models.DateField()  # from when it is the project's model; LPR and taxes are read as of this date
    reason = models.CharField(max_length=1000, blank=True)
    unread = models.JSONField(default=list)  # cells of a workbook that were not read
    unverified = models.JSONField(default=list)  # policy figures that it uses and nobody has checked
    pack = models.CharField(max_length=64)  # digest of the policy it was solved under
    engine = models.CharField(max_length=20)  # version of the program that solved it
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    model_min_dscr = models.FloatField(null=True)
    model_average_dscr = models.FloatField(null=True)
    model_llcr = models.FloatField(null=True)
    model_min_llcr = models.FloatField(null=True)
    model_plcr = models.FloatField(null=True)
    model_gearing = models.FloatField(null=True)
    model_average_life_years = models.FloatField(null=True)
    model_tail_years = models.FloatField(null=True)
    model_equity_irr = models.FloatField(null=True)
    model_stress_dscr = models.FloatField(null=True)
    model_min_dscr_date = models.DateField(null=True)
    model_lockup_date = models.DateField(null=True)
    model_default_date = models.DateField(null=True)

    class Meta:
        ordering = ["-in_force", "-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="model_version_once")]

    def __str__(self) -> str:
        return f"{self.project_id} {self.number}"


class ModelResult(models.Model):
    """One scenario of a version, as `kequn.financing.results.kept_of` says it."""

    model = models.ForeignKey(ProjectModel, on_delete=models.CASCADE, related_name="results")
    scenario = models.CharField(max_length=100)
    place = models.PositiveIntegerField()  # in the order of the model, the base first
    changes = models.JSONField(default=dict)  # driver -> value
    figures = models.JSONField()
    answer = models.JSONField()

    class Meta:
        ordering = ["place"]
        constraints = [models.UniqueConstraint(fields=["model", "scenario"], name="model_scenario_once")]

    def __str__(self) -> str:
        return self.scenario
