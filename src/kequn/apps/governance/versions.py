"""The life of a policy document: draft, in review, published or retired."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Max
from django.utils import timezone

from kequn.apps.accounts.access import DEFINE, Person, may
from kequn.apps.audit.services import OpenLine, canonical, line
from kequn.apps.governance.approving import propose
from kequn.apps.governance.models import DocumentVersion, Proposal, VersionState
from kequn.apps.governance.selectors import versions_of
from kequn.domain.errors import Misuse, Refused, Text
from kequn.policy.pack import Pack

LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Wording:
    """What a draft says: its content, from when, why, and whence it came."""

    body: Mapping[str, Any]
    effective_from: date
    reason: str = ""
    origin: str = "page"
    retires: bool = False


def wording_digest(text: str, effective_from: date, *, retires: bool, reason: str) -> str:
    """SHA-256 of everything that a version says: its canonical body, from when, whether it retires, and why."""
    said = canonical([text, effective_from.isoformat(), retires, reason])
    return hashlib.sha256(said.encode()).hexdigest()


def _digest_of(version: DocumentVersion) -> str:
    return wording_digest(version.body, version.effective_from, retires=version.retires, reason=version.reason)


def refuse_who_may_not(person: Person) -> None:
    if not may(person, DEFINE):
        raise Misuse(Text("没有定义政策文件的权限", "you may not define policy documents"))


def save_draft(*, person: Person, kind: str, key: str, wording: Wording, first: int = 1) -> DocumentVersion:
    """Begin the next version of a document, or change the draft that is being written.

    `first` is the number of a first version: 2 where the pack itself holds one before it.
    """
    refuse_who_may_not(person)
    text, reason = canonical(dict(wording.body)), wording.reason.strip()[:LONGEST_REASON]
    values = {
        "body": text, "effective_from": wording.effective_from, "reason": reason, "retires": wording.retires,
        "digest": wording_digest(text, wording.effective_from, retires=wording.retires, reason=reason),
        "origin": wording.origin,
        "maker": person.actor_key, "made_at": timezone.now(),
    }  # fmt: skip
    with line(actor=person.actor_key, action="governance.draft", subject=f"{kind} {key}") as audit:
        current = DocumentVersion.objects.select_for_update().filter(kind=kind, key=key)
        writing = current.filter(state__in=(VersionState.DRAFT, VersionState.IN_REVIEW)).first()
        if writing is None:
            number = max(current.aggregate(most=Max("number"))["most"] or 0, first - 1) + 1
            writing = DocumentVersion.objects.create(kind=kind, key=key, number=number, **values)
        elif writing.state != VersionState.DRAFT:
            raise Refused(Text("此文件正在审批，撤回后才能修改", "it is in review; withdraw it before changing it"))
        elif writing.maker != person.actor_key:
            raise Refused(
                Text(f"{writing.maker} 正在起草此文件的下一版", f"{writing.maker} is drafting its next version")
            )
        else:
            for name, value in values.items():
                setattr(writing, name, value)
            writing.save()
        audit.wrote("governance.DocumentVersion", [[writing.pk, key, writing.number, writing.digest]])
    return writing


def submit(
    *, person: Person, version: DocumentVersion, pack: Pack, title: Text, shown: Mapping[str, Any], amount: int | None
) -> Proposal:
    """Put a draft before its checkers, with everything that they are shown."""
    refuse_who_may_not(person)
    with line(actor=person.actor_key, action="governance.submit", subject=f"{version.kind} {version.key}"):
        held = DocumentVersion.objects.select_for_update().get(pk=version.pk)
        if held.state != VersionState.DRAFT or _digest_of(held) != _digest_of(version):
            raise Refused(Text("草稿已变动，请重新查看后提交", "the draft has changed; look at it again, then submit"))
        if held.maker != person.actor_key:
            raise Misuse(Text("只有起草人可以提交", "only who drafted it may submit it"))
        made = propose(
            person=person, pack=pack, as_of=timezone.localdate(), kind=held.kind, record=f"{held.key} {held.number}",
            title=title, shown={**shown, "digest": _digest_of(held)}, amount=amount,
        )  # fmt: skip
        held.state, held.proposal = VersionState.IN_REVIEW, made
        held.save(update_fields=["state", "proposal"])
    return made


def back_to_draft(proposal: Proposal, audit: OpenLine) -> None:
    """Refused or withdrawn: its maker may go on writing."""
    back = DocumentVersion.objects.filter(proposal=proposal, state=VersionState.IN_REVIEW)
    audit.wrote("governance.DocumentVersion", [[*row, VersionState.DRAFT] for row in back.values_list("pk", "digest")])
    back.update(state=VersionState.DRAFT, proposal=None)


def publish(proposal: Proposal, audit: OpenLine) -> DocumentVersion:
    """Approved: from now on the version never changes. Refused where it is not, word for word, what was shown."""
    version = DocumentVersion.objects.select_for_update().get(proposal=proposal, state=VersionState.IN_REVIEW)
    if json.loads(proposal.shown)["digest"] != _digest_of(version):
        raise Refused(
            Text("此版本与提交审批的内容不同，请拒绝后重新提交",
                 "this version is not what was put before its checkers; refuse it, and submit it anew")
        )  # fmt: skip
    version.state = VersionState.RETIRED if version.retires else VersionState.PUBLISHED
    version.published_at = timezone.now()
    version.save(update_fields=["state", "published_at"])
    _wrote(audit, version)
    return version


def _wrote(audit: OpenLine, version: DocumentVersion) -> None:
    row = [version.pk, version.kind, version.key, version.number, version.digest, version.state]
    audit.wrote("governance.DocumentVersion", [row])


def discard(*, person: Person, version: DocumentVersion) -> None:
    """Throw a draft of one's own away."""
    with line(actor=person.actor_key, action="governance.discard", subject=f"{version.kind} {version.key}") as audit:
        gone = DocumentVersion.objects.filter(pk=version.pk, state=VersionState.DRAFT, maker=person.actor_key)
        if not gone.delete()[0]:
            raise Refused(Text("只能丢弃自己的草稿", "only a draft of one's own can be thrown away"))
        audit.wrote("governance.DocumentVersion", [[version.key, version.number]])


def record_origin(
    *, kind: str, key: str, body: Mapping[str, Any], pack: Pack, in_force: date, number: int, audit: OpenLine
) -> None:
    """What the pack said of a document before its first version of our own: kept as its first published version."""
    if versions_of(kind, key).filter(number=number).exists():
        return
    text, now = canonical(dict(body)), timezone.now()
    made = DocumentVersion.objects.create(
        kind=kind, key=key, number=number, state=VersionState.PUBLISHED, body=text,
        digest=wording_digest(text, in_force, retires=False, reason=""), effective_from=in_force,
        origin=f"{pack.id} {pack.version}", maker=f"pack:{pack.id}", made_at=now, published_at=now,
    )  # fmt: skip
    _wrote(audit, made)
