"""Putting a rating before its checkers, and what follows from their word. The maker never checks."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.accounts.access import DEFINE, RATE, Person, may
from kequn.apps.audit.services import OpenLine, canonical, line
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance.approving import propose, register
from kequn.apps.governance.models import Proposal
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.kept import inputs_of, policy_of_case, rated_again, replays
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.covenants import newly_breached
from kequn.domain.rating.wording import LABELS, words_of
from kequn.policy.rating import COVENANTS, RatingPolicy

RATING, BEYOND, BOOK = "rating", "rating_beyond", "rating_book"
CHUNK = 2_000  # numbers of ratings in one statement


def submit(*, person: Person, case: RatingCase) -> Proposal:
    """Put a draft before its checkers. An override beyond the maker's own authority goes to the higher role."""
    if not may(person, RATE):
        raise Misuse(Text("没有评级的权限", "you may not rate customers"))
    with line(actor=person.actor_key, action="ratings.submit", subject=case.customer.code) as audit:
        held = RatingCase.objects.select_for_update().select_related("customer").get(pk=case.pk)
        if held.state != RatingState.DRAFT or held.result_digest != case.result_digest:
            raise Refused(Text("草稿已变动，请重新查看后提交", "the draft has changed; look at it again, then submit"))
        if held.maker != person.actor_key:
            raise Misuse(Text("只有起草人可以提交", "only who drafted it may submit it"))
        if not held.grade:
            raise Refused(
                Text("资料不足，无法评级，不能提交", "no rating is possible yet, so there is nothing to submit")
            )
        policy = policy_of_case(held)
        beyond = is_beyond(policy, person, held.override_notches or 0)
        kind = BEYOND if beyond else RATING
        figures = getattr(held.customer, "figures", None)
        title = Text(f"{held.customer.name}评级 {held.grade}", f"{held.customer.name}: rated {held.grade}")
        made = propose(
            person=person, pack=policy_in_use(), as_of=timezone.localdate(), kind=kind, record=str(held.pk),
            title=title, shown=shown_of(held, policy), amount=figures.exposure_gross if figures is not None else None,
        )  # fmt: skip
        held.state, held.proposal = RatingState.PROPOSED, made
        held.save(update_fields=["state", "proposal"])
        audit.wrote("ratings.RatingCase", [[held.pk, held.state, held.grade, held.result_digest]])
    return made


def is_beyond(policy: RatingPolicy, person: Person, notches: int) -> bool:
    """Whether an override is more than the person may give on their own word."""
    own = policy.own.get(person.role)
    if own is None:
        return notches != 0
    return notches > own.up or -notches > own.down


def shown_of(case: RatingCase, policy: RatingPolicy) -> dict[str, Any]:
    """Everything that checkers see of a rating: each step in both languages, and the digests of what it rests on."""
    rated = rated_again(case)
    steps = [(LABELS[step.key], words_of(policy.scheme, rated, step)) for step in rated.steps]
    inputs = inputs_of(case.inputs)
    marks = [
        (policy.questions[name], mark) for name, mark in sorted(inputs.answers.items()) if name in policy.questions
    ]
    reason = policy.reasons.get(case.override_reason)
    return {
        "rating": {
            "customer": case.customer.code, "name": case.customer.name, "grade": case.grade, "pd": case.pd,
            "before": case.grade_before, "as_of": case.as_of.isoformat(), "policy": case.policy_id,
            "inputs": hashlib.sha256(case.inputs.encode()).hexdigest(), "result": case.result_digest,
            "steps": {"zh": [f"{label.zh}：{said.zh}" for label, said in steps],
                      "en": [f"{label.en}: {said.en}" for label, said in steps]},
            "answers": {"zh": [f"{asked.label.zh} {mark}：{asked.marks[mark].zh}" for asked, mark in marks],
                        "en": [f"{asked.label.en} {mark}: {asked.marks[mark].en}" for asked, mark in marks]},
            "covenants": "; ".join(sorted(newly_breached(None, inputs.facts.get(COVENANTS)))),
            "override": case.override_notches or 0, "override_text": case.override_text,
            "override_reason": {"zh": reason.zh, "en": reason.en} if reason is not None else None,
        },
    }  # fmt: skip


def connect() -> None:
    register(RATING, approved=_approved, ended=_ended)
    register(BEYOND, approved=_approved, ended=_ended)
    register(BOOK, approved=_book_approved, ended=_book_ended)


def _approved(proposal: Proposal, audit: OpenLine) -> None:
    """What was shown comes into force, and what was in force before is replaced by it."""
    case = RatingCase.objects.select_for_update().get(proposal=proposal, state=RatingState.PROPOSED)
    shown = json.loads(proposal.shown)["rating"]
    same = shown["inputs"] == hashlib.sha256(case.inputs.encode()).hexdigest() and shown["policy"] == case.policy_id
    if not same or shown["result"] != case.result_digest or not replays(case):
        raise Refused(Text("此评级与提交审批的内容不同", "this rating is not what was put before its checkers"))
    before = RatingCase.objects.select_for_update().filter(customer=case.customer_id, state=RatingState.APPROVED)
    audit.wrote("ratings.RatingCase", [[pk, RatingState.REPLACED] for pk in before.values_list("pk", flat=True)])
    before.update(state=RatingState.REPLACED)
    case.state, case.approved_at = RatingState.APPROVED, timezone.now()
    case.expires_on = months_after(case.as_of, policy_of_case(case).scheme.models[case.model].validity_months)
    case.save(update_fields=["state", "approved_at", "expires_on"])
    audit.wrote("ratings.RatingCase", [[case.pk, case.result_digest, case.state, case.expires_on.isoformat()]])


def _ended(proposal: Proposal, audit: OpenLine) -> None:
    """Refused for good; withdrawn, it is a draft again."""
    refused = proposal.decisions.filter(approves=False).exists()
    state = RatingState.REFUSED if refused else RatingState.DRAFT
    ended = RatingCase.objects.filter(proposal=proposal, state=RatingState.PROPOSED)
    audit.wrote("ratings.RatingCase", [[pk, state] for pk in ended.values_list("pk", flat=True)])
    ended.update(state=state)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month."""
    year, month = divmod(day.month - 1 + months, 12)
    following = date(day.year + year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    last = following - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


# -- first ratings of a book, all at once ------------------------------------------------------------------------------


def first_suggestions() -> QuerySet[RatingCase]:
    """Suggested first ratings, by the code of the customer."""
    found = RatingCase.objects.filter(state=RatingState.SUGGESTED, previous=None).exclude(grade="")
    return found.order_by("customer__code")


def propose_book(*, person: Person) -> Proposal:
    """Put all suggested first ratings before a checker at once, with their number by model and grade."""
    if not may(person, DEFINE):
        raise Misuse(Text("没有提出整批评级的权限", "you may not propose ratings of the whole book"))
    with line(actor=person.actor_key, action="ratings.book") as audit:
        rows = _held_suggestions()
        if not rows:
            raise Refused(Text("没有待提出的首次评级", "there are no first ratings to propose"))
        shown = _book_shown(rows)
        made = propose(
            person=person, pack=policy_in_use(), as_of=timezone.localdate(), kind=BOOK, record=BOOK,
            title=Text(f"{len(rows):,} 户首次评级", f"First ratings of {len(rows):,} customers"), shown=shown,
        )  # fmt: skip
        numbers = [row[0] for row in rows]
        for at in range(0, len(numbers), CHUNK):
            some = RatingCase.objects.filter(pk__in=numbers[at : at + CHUNK])
            some.update(state=RatingState.PROPOSED, proposal=made)
        audit.subject = str(len(rows))
        audit.wrote_digest("ratings.RatingCase", rows=len(rows), digest=shown["rating_book"]["digest"])
    return made


def _held_suggestions() -> list[tuple[int, str, str, str, str]]:
    """The suggested first ratings, held until the end of the transaction: number, customer, model, grade, digest.

    What is suggested while they are read waits for the next proposal.
    """
    held = set(first_suggestions().order_by().select_for_update().values_list("pk", flat=True))
    found = first_suggestions().values_list("pk", "customer__code", "model", "grade", "result_digest")
    return [row for row in found if row[0] in held]


def _book_shown(rows: list[tuple[int, str, str, str, str]]) -> dict[str, Any]:
    counts = Counter((model, grade) for _, _, model, grade, _ in rows)
    return {
        "rating_book": {
            "ratings": len(rows), "counts": [[*key, count] for key, count in sorted(counts.items())],
            "digest": _book_digest((code, digest) for _, code, _, _, digest in rows),
        },
    }  # fmt: skip


def _book_digest(rows: Any) -> str:
    whole = hashlib.sha256()
    for row in rows:
        whole.update(canonical(list(row)).encode())
    return whole.hexdigest()


def _book_approved(proposal: Proposal, audit: OpenLine) -> None:
    waiting = RatingCase.objects.filter(proposal=proposal, state=RatingState.PROPOSED).order_by("customer__code")
    shown = json.loads(proposal.shown)["rating_book"]
    if _book_digest(waiting.values_list("customer__code", "result_digest")) != shown["digest"]:
        raise Refused(Text("这批评级与提交审批的内容不同", "these ratings are not what was put before their checker"))
    now = timezone.now()
    groups = waiting.order_by("policy_id", "as_of", "model").values_list("policy_id", "as_of", "model").distinct()
    for digest, as_of, model in list(groups):
        same = waiting.order_by().filter(policy=digest, as_of=as_of, model=model)
        months = policy_of_case(same[0]).scheme.models[model].validity_months
        expires_on = months_after(as_of, months)
        audit.wrote("ratings.RatingCase", _book_written(same, RatingState.APPROVED, expires_on))
        same.update(state=RatingState.APPROVED, approved_at=now, expires_on=expires_on)


def _book_ended(proposal: Proposal, audit: OpenLine) -> None:
    back = RatingCase.objects.filter(proposal=proposal, state=RatingState.PROPOSED)
    audit.wrote("ratings.RatingCase", _book_written(back, RatingState.SUGGESTED, None))
    back.update(state=RatingState.SUGGESTED, proposal=None)


def _book_written(found: QuerySet[RatingCase], state: RatingState, expires_on: date | None) -> Iterator[list[object]]:
    """What the audit chain takes of ratings decided at once: the same as of a single one, by number."""
    until = None if expires_on is None else expires_on.isoformat()
    for pk, digest in found.order_by("pk").values_list("pk", "result_digest").iterator():
        yield [pk, digest, state, until]


def decidable(*, person: Person, case: RatingCase) -> bool:
    """Whether the case waits and lies in the person's scope; whether they may decide says the approval policy."""
    waits = case.state == RatingState.PROPOSED and case.proposal is not None and case.proposal.kind != BOOK
    return waits and visible_to(person).filter(pk=case.customer_id).exists()
