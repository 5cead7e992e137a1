"""Read the policy in use, the versions of its documents, and what waits for whom."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.governance.models import DocumentVersion, Proposal, ProposalState
from kequn.apps.governance.models.document import FINAL
from kequn.policy import Pack, load_pack
from kequn.policy.amending import SEGMENTS, STRATEGIES, Amendment, amended

SEGMENT, HIERARCHY, STRATEGY = "segment", "hierarchy", "strategy"
DOCUMENT_OF = {SEGMENT: SEGMENTS, STRATEGY: STRATEGIES}  # kinds of versions that are laid over the pack


def sees_policy_work(person: Person) -> bool:
    """Drafts and their previews speak of the whole book, so they are for who sees it whole."""
    return person.scope == Scope.ALL


def own_pack() -> Pack:
    """The pack of this installation as its files are."""
    return load_pack(settings.KEQUN_PACK)


def policy_in_use(
    *, known_at: datetime | None = None, more: Iterable[Amendment] = (), files: Pack | None = None
) -> Pack:
    """The pack of this installation with every version published in it, or published by a moment.

    Everything that judges a customer starts here: runs, live pages, explanations and reports agree by it. `more` are
    drafts to be tried; `files` is the pack where it was read already.
    """
    versions = [amendment_of(one) for one in published(*DOCUMENT_OF, known_at=known_at)]
    return amended(files or own_pack(), [*versions, *more])


def published(*kinds: str, known_at: datetime | None = None) -> list[DocumentVersion]:
    """Every version ever published, the oldest first; with a moment, those published by then."""
    found = DocumentVersion.objects.filter(kind__in=kinds, state__in=FINAL)
    if known_at is not None:
        found = found.filter(published_at__lte=known_at)
    return list(found.order_by("effective_from", "number", "key"))


def amendment_of(version: DocumentVersion) -> Amendment:
    row, document = None if version.retires else version.body, DOCUMENT_OF[version.kind]
    return Amendment(version.key, version.number, version.effective_from, version.digest, row, document)


def body_of(version: DocumentVersion) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(version.body)
    return found


def versions_of(kind: str, key: str) -> QuerySet[DocumentVersion]:
    """Every version of one document, the newest first."""
    return DocumentVersion.objects.filter(kind=kind, key=key).select_related("proposal").order_by("-number")


def version_in_force(kind: str, key: str, as_of: date) -> DocumentVersion | None:
    """The published version that is read on a day; None where the pack's own row is."""
    begun = versions_of(kind, key).filter(state__in=FINAL, effective_from__lte=as_of)
    return begun.order_by("-effective_from", "-number").first()


def open_versions(kind: str) -> QuerySet[DocumentVersion]:
    """Drafts and what is in review."""
    return DocumentVersion.objects.filter(kind=kind).exclude(state__in=FINAL).order_by("key")


def proposals(*, person: Person) -> QuerySet[Proposal]:
    """What the person may decide on or made; who sees the whole book sees them all."""
    every = Proposal.objects.prefetch_related("decisions").order_by("-id")
    return every if sees_policy_work(person) else every.filter(Q(maker=person.actor_key)).distinct()


def waiting_for(*, person: Person) -> int:
    """How many open proposals this person may still decide on."""
    if not sees_policy_work(person):
        return 0
    found = Proposal.objects.filter(state=ProposalState.OPEN).exclude(maker=person.actor_key)
    found = found.exclude(decisions__checker=person.actor_key)
    return sum(person.role in roles for roles in found.values_list("roles", flat=True))
