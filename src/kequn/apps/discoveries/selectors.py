"""Read discoveries. They speak of the whole book, so they are for who sees it whole."""

from datetime import date

from django.db.models import QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.discoveries.models import Discovery, DiscoveryState
from kequn.apps.governance.selectors import policy_in_use, sees_policy_work
from kequn.policy.discovery import Offered, offered_for

MOST = 100


def discoveries(person: Person) -> QuerySet[Discovery]:
    """The newest first, without their cards; none for who sees a part of the book only."""
    if not sees_policy_work(person):
        return Discovery.objects.none()
    return Discovery.objects.select_related("run").defer("card")[:MOST]


def discovery(person: Person, number: int) -> Discovery | None:
    """One discovery with its card."""
    if not sees_policy_work(person):
        return None
    return Discovery.objects.select_related("run").filter(pk=number).first()


def rule_row(person: Person, number: int, group: int) -> dict[str, str] | None:
    """The rule of one group that stands, as the beginning of a segment's draft; None where it does not stand."""
    from kequn.modelling.discovery.keeping import proposed_row

    found = discovery(person, number)
    if found is None or found.state != DiscoveryState.FOUND:
        return None
    segments = found.card["segments"]
    chosen = next((one for one in segments if one["number"] == group and one["stands"]), None)
    if chosen is None:
        return None
    row = proposed_row(chosen)
    return row | {"name": f"found_{number}_{group}", "source": f"{row['source']}: {found.title}"}


def offered(as_of: date) -> Offered:
    """The facts that policy lets groups be looked for in."""
    return offered_for(policy_in_use(), as_of)
