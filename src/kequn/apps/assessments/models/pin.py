"""A pin puts one customer into a segment, or keeps it out, by hand: a reason, an owner, an end, an approval."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from kequn.apps.customers.models import Customer
from kequn.apps.governance.models import Proposal


class PinState(models.TextChoices):
    PROPOSED = "proposed", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    ENDED = "ended", _("Refused or withdrawn")


class Pin(models.Model):
    """Holds from `valid_from` until the day before `expires_on`, or before `ended_on` where it was ended early."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="pins")
    key = models.CharField(max_length=80)  # the segment
    is_in = models.BooleanField()
    reason = models.CharField(max_length=1000)
    owner = models.CharField(max_length=200)  # who answers for it
    valid_from = models.DateField()
    expires_on = models.DateField()
    ended_on = models.DateField(null=True)
    state = models.CharField(max_length=12, choices=PinState, default=PinState.PROPOSED)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True, related_name="pins")
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(expires_on__gt=models.F("valid_from")), name="pin_ends"),
            models.UniqueConstraint(
                fields=["customer", "key"], condition=models.Q(state="proposed"), name="pin_proposed_once"
            ),
        ]
        indexes = [models.Index(fields=["key", "state", "valid_from"], name="pins_of_segment")]

    def __str__(self) -> str:
        return f"{self.customer_id} {'in' if self.is_in else 'out of'} {self.key}"
