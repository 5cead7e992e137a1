"""What figures over all ratings depend on, so that they are worked out once and shown until something changes.

Everything that moves them is written by a service and leaves a line in the audit chain; the hash of the newest such
line is the state that they were worked out in.
"""

from dataclasses import dataclass

from kequn.apps.accounts.access import Person
from kequn.apps.audit.models import AuditLine

MOVES = (  # of ratings: an approval decides, re-rating lets expire, wherever it is called from
    "import", "import.undo", "customers.assign", "governance.approve", "ratings.covenant", "ratings.covenant_ended",
    "ratings.rerate", "run.publish",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, as far as scope and rights go: people of one role and place see the same figures."""

    pk: int | None
    role: str
    scope: str
    team_id: int | None
    branch_id: int | None
    actor_key: str

    @staticmethod
    def of(person: Person) -> "Reader":
        return Reader(person.pk, person.role, person.scope, person.team_id, person.branch_id, person.actor_key)


def state() -> str:
    """The hash of the newest line that may have moved a rating, an outcome, or who manages whom; '' before any."""
    moved = AuditLine.objects.filter(action__in=MOVES)
    return moved.order_by("-pk").values_list("hash", flat=True).first() or ""
