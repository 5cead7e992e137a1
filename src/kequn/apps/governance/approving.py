"""Maker and checker for any record kind: propose, decide, withdraw.

An app above registers what follows from an approval and from a refusal; it happens in the transaction of the decision.
What is approved is what was shown: a decision names the digest of the content that the checker saw.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.selectors import role_names
from kequn.apps.audit.services import OpenLine, canonical, line
from kequn.apps.governance.models import Decision, Proposal, ProposalState
from kequn.domain.errors import Misuse, Refused, Text
from kequn.policy.authorities import authority_for
from kequn.policy.pack import Pack

Effect = Callable[[Proposal, OpenLine], None]  # what it writes goes into the line of the decision
MINOR = 100
LONGEST_COMMENT = 1000


@dataclass(frozen=True, slots=True)
class Effects:
    """What follows from the end of a proposal of one kind."""

    approved: Effect
    ended: Effect  # refused or withdrawn


EFFECTS: dict[str, Effects] = {}


def register(kind: str, *, approved: Effect, ended: Effect) -> None:
    EFFECTS[kind] = Effects(approved, ended)


def digest_of(shown: Mapping[str, Any]) -> str:
    """SHA-256 of what is shown, whatever the order of its keys."""
    return hashlib.sha256(canonical(shown).encode()).hexdigest()


def propose(
    *, person: Person, pack: Pack, as_of: date, kind: str, record: str, title: Text, shown: Mapping[str, Any],
    amount: int | None = None,
) -> Proposal:  # fmt: skip
    """Show something for approval. `amount` is in minor units of yuan; policy says who must approve that much.

    An unknown amount (None) needs whoever must approve the largest.
    """
    authority = authority_for(pack, as_of, kind, None if amount is None else amount / MINOR)
    with line(actor=person.actor_key, action="governance.propose", subject=f"{kind} {record}") as audit:
        try:
            with transaction.atomic():
                made = Proposal.objects.create(
                    kind=kind, record=record, title_zh=title.zh[:300], title_en=title.en[:300],
                    shown=canonical(shown), shown_digest=digest_of(shown), amount=amount,
                    checkers=authority.checkers, roles=list(authority.roles), policy_digest=pack.digest,
                    maker=person.actor_key, made_at=timezone.now(),
                )  # fmt: skip
        except IntegrityError as error:
            raise Refused(
                Text("同一对象已有一项待审批的提案", "a proposal on the same record is waiting already")
            ) from error
        audit.wrote("governance.Proposal", [[made.pk, kind, record, made.shown_digest]])
    return made


def why_not_check(person: Person, proposal: Proposal) -> Text | None:
    """Why this person may not decide on a proposal; None where they may."""
    if proposal.maker == person.actor_key:
        return Text("提出人不能审批自己的提案", "the maker never checks")
    if person.role not in proposal.roles:
        roles = role_names(proposal.roles)
        return Text(f"按审批权限应由以下角色审批：{roles.zh}", f"by policy these roles decide: {roles.en}")
    if any(one.checker == person.actor_key for one in proposal.decisions.all()):
        return Text("您已对此提案表态", "you have decided on this already")
    return None


def decide(*, person: Person, number: int, approves: bool, seen_digest: str, comment: str = "") -> Proposal:
    """One checker's word. The last approval that policy asks for puts the act into force, a single refusal ends it."""
    word = "approve" if approves else "refuse"
    with line(actor=person.actor_key, action=f"governance.{word}", subject=str(number)) as audit:
        proposal = _open(number)
        barred = why_not_check(person, proposal)
        if barred is not None:
            raise Misuse(barred)
        if seen_digest != proposal.shown_digest:
            raise Refused(
                Text(
                    "您看到的内容与待审批内容不同，请重新打开后再审批",
                    "what you saw is not what is proposed; open it again and decide then",
                )
            )
        if not approves and not comment.strip():
            raise Refused(Text("拒绝须说明理由", "say why it is refused"))
        made = Decision.objects.create(
            proposal=proposal, checker=person.actor_key, maker=proposal.maker, approves=approves,
            seen_digest=seen_digest, comment=comment.strip()[:LONGEST_COMMENT], decided_at=timezone.now(),
        )  # fmt: skip
        audit.wrote("governance.Decision", [[made.pk, proposal.pk, approves, seen_digest]])
        if not approves:
            _end(proposal, ProposalState.REFUSED, audit)
        elif proposal.decisions.filter(approves=True).count() >= proposal.checkers:
            _end(proposal, ProposalState.APPROVED, audit)
    return proposal


def withdraw(*, person: Person, number: int) -> Proposal:
    """The maker takes a proposal back."""
    with line(actor=person.actor_key, action="governance.withdraw", subject=str(number)) as audit:
        proposal = _open(number)
        if proposal.maker != person.actor_key:
            raise Misuse(Text("只有提出人可以撤回", "only its maker may withdraw it"))
        _end(proposal, ProposalState.WITHDRAWN, audit)
    return proposal


def _open(number: int) -> Proposal:
    proposal = Proposal.objects.select_for_update().filter(pk=number).first()
    if proposal is None or proposal.state != ProposalState.OPEN:
        raise Refused(Text("此提案已有结果", "this proposal has ended already"))
    return proposal


def _end(proposal: Proposal, state: ProposalState, audit: OpenLine) -> None:
    """The act is done first and the proposal marked then: an act that cannot be done leaves it open."""
    effects = EFFECTS[proposal.kind]
    (effects.approved if state == ProposalState.APPROVED else effects.ended)(proposal, audit)
    proposal.state, proposal.ended_at = state, timezone.now()
    proposal.save(update_fields=["state", "ended_at"])
    audit.wrote("governance.Proposal", [[proposal.pk, proposal.state]])
