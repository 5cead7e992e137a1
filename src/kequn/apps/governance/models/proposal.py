"""A proposal shows what is to be done; others decide on exactly that. The maker never checks."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProposalState(models.TextChoices):
    OPEN = "open", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Proposal(models.Model):
    """One act on one record of any kind. `shown` is what a checker sees, and its digest what is approved."""

    kind = models.CharField(max_length=40)  # of the approval policy: segment, hierarchy, pin ...
    record = models.CharField(max_length=120)  # which record of that kind, in the words of its app
    title_zh = models.CharField(max_length=300)
    title_en = models.CharField(max_length=300)
    shown = models.TextField()  # canonical JSON
    shown_digest = models.CharField(max_length=64)
    amount = models.BigIntegerField(null=True)  # minor units of yuan that the approval policy looked at
    checkers = models.PositiveSmallIntegerField()  # how many must approve
    roles = models.JSONField()  # who may
    policy_digest = models.CharField(max_length=64)  # the policy that said so
    maker = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=ProposalState, default=ProposalState.OPEN)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "record"], condition=models.Q(state="open"), name="proposal_open_once"
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="proposals_by_state")]

    def __str__(self) -> str:
        return f"{self.id} {self.kind} {self.record} {self.state}"


class Decision(models.Model):
    """What one checker said of what was shown. The database itself refuses the maker and a second word."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    checker = models.CharField(max_length=200)
    maker = models.CharField(max_length=200)  # of the proposal, so that a constraint can compare
    approves = models.BooleanField()
    seen_digest = models.CharField(max_length=64)
    comment = models.CharField(max_length=1000, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "checker"], name="decision_once"),
            models.CheckConstraint(condition=~models.Q(checker=models.F("maker")), name="maker_never_checks"),
        ]

    def __str__(self) -> str:
        return f"{self.proposal_id} {self.checker} {self.approves}"
