"""A rating case: what a rating of a customer rests on, what follows, and how far it has come.

Inputs and policy are kept whole, so that the rating can be put together again at any time; `result_digest` is of
everything that followed from them. What was put before checkers is kept, in words, by the proposal.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from kequn.apps.customers.models import Customer
from kequn.apps.governance.models import Proposal


class RatingState(models.TextChoices):
    SUGGESTED = "suggested", _("Suggested by the system")
    DRAFT = "draft", _("Being worked on")
    PROPOSED = "proposed", _("Waiting for approval")
    APPROVED = "approved", _("In force")
    REFUSED = "refused", _("Refused")
    REPLACED = "replaced", _("Replaced by a newer one")
    EXPIRED = "expired", _("Expired")


OPEN = (RatingState.SUGGESTED, RatingState.DRAFT, RatingState.PROPOSED)
LAST_APPROVED = (RatingState.APPROVED, RatingState.EXPIRED)  # what a renewal starts from, in force still or no longer


class PolicyCopy(models.Model):
    """A rating policy as it was read, by its digest; never changed."""

    digest = models.CharField(max_length=64, primary_key=True)
    body = models.TextField()  # canonical JSON
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.digest


class RatingCase(models.Model):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="rating_cases")
    state = models.CharField(max_length=12, choices=RatingState)
    trigger = models.CharField(max_length=20)  # person, first, expiry, policy, or a driver of the rating policy
    as_of = models.DateField()
    policy = models.ForeignKey(PolicyCopy, on_delete=models.PROTECT, related_name="cases")
    inputs = models.TextField()  # canonical JSON: facts, answers, override
    result_digest = models.CharField(max_length=64)
    model = models.CharField(max_length=40, blank=True)  # empty: no model fits
    model_grade = models.CharField(max_length=8, blank=True)  # before support, ceiling, cap and override
    grade = models.CharField(max_length=8, blank=True)  # empty: no rating is possible
    grade_before = models.CharField(max_length=8, blank=True)  # of `previous`; empty for a first rating
    score = models.FloatField(null=True)
    pd = models.FloatField(null=True)
    override_notches = models.SmallIntegerField(null=True)  # up (safer) where positive
    override_reason = models.CharField(max_length=40, blank=True)
    override_text = models.CharField(max_length=1000, blank=True)
    previous = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="followers")
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, related_name="ratings")
    approved_at = models.DateTimeField(null=True)
    expires_on = models.DateField(null=True)  # the first day on which it no longer holds

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=models.Q(state__in=OPEN), name="rating_open_once"),
            models.UniqueConstraint(
                fields=["customer"], condition=models.Q(state="approved"), name="rating_in_force_once"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="ratings_by_state"),
            models.Index(fields=["state", "expires_on", "customer"], name="ratings_by_expiry"),
            models.Index(  # what pages count by, so that they never read the inputs of a hundred thousand ratings
                fields=["state", "model", "grade", "override_notches", "customer"], name="ratings_by_grade"
            ),
            models.Index(fields=["state", "grade_before", "grade", "customer"], name="ratings_by_move"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.grade} {self.state}"
