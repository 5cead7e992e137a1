"""A version of a policy document: draft, in review, then published or retired, and from then on never changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from kequn.apps.governance.models.proposal import Proposal


class VersionState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    PUBLISHED = "published", _("Published")
    RETIRED = "retired", _("Retired")  # published too: it says that from its day the document holds no more


FINAL = (VersionState.PUBLISHED, VersionState.RETIRED)


class DocumentVersion(models.Model):
    """What one document says from a day on. Of the versions in force the newest is read.

    A trigger of the database refuses any change of a published or retired row, and its deletion.
    """

    kind = models.CharField(max_length=40)  # segment, hierarchy, strategy
    key = models.CharField(max_length=80)
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=VersionState, default=VersionState.DRAFT)
    body = models.TextField()  # canonical JSON
    digest = models.CharField(max_length=64)  # of the whole wording: body, day, retirement and reason
    retires = models.BooleanField(default=False)
    effective_from = models.DateField()
    reason = models.CharField(max_length=1000, blank=True)
    origin = models.CharField(max_length=80)  # page, yaml, or the pack that it came with
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, related_name="versions")

    class Meta:
        ordering = ["kind", "key", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key", "number"], name="version_once"),
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(state__in=("draft", "in_review")), name="one_open_version"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("draft", "in_review"), published_at__isnull=True)
                | models.Q(state__in=("published", "retired"), published_at__isnull=False),
                name="published_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key} {self.number} {self.state}"
