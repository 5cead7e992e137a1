"""Work on a rating: begin it, answer its questions, override it. What follows is put together anew at every act."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from kequn.apps.accounts.access import RATE, Person, may
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.facts import facts_of_customer
from kequn.apps.ratings.kept import inputs_of, inputs_text, keep_policy, model_grade, policy_of_case, result_digest
from kequn.apps.ratings.models import LAST_APPROVED, OPEN, RatingCase, RatingState
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.composing import BEST_MARK, WORST_MARK, Inputs, Override, compose
from kequn.policy.rating import RatingPolicy, rating_policy


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a rating: marks by question, and an override with its reason and words."""

    answers: Mapping[str, int]
    notches: int = 0
    reason: str = ""
    text: str = ""


def rating_date() -> date:
    """The day that ratings are made as of: that of the last published run, before any run today."""
    run = latest_published()
    return run.as_of if run is not None else timezone.localdate()


def facts_date(customer: Customer) -> date:
    """The day as of which one customer is rated: that of the last run, or of its newest fact since, never after today.

    An event that came in after the run must not be lost on who rates the customer now.
    """
    dates = [
        customer.events.aggregate(newest=Max("event_date"))["newest"],
        customer.facts.aggregate(newest=Max("known_from"))["newest"],
        customer.statements.aggregate(newest=Max("period_end"))["newest"],
        customer.account_months.aggregate(newest=Max("month"))["newest"],
    ]
    newest = max((one for one in dates if one is not None), default=date.min)
    return max(rating_date(), min(newest, timezone.localdate()))


def policy_at(as_of: date) -> RatingPolicy:
    """The rating policy in use; Refused where the pack has none."""
    found = rating_policy(policy_in_use(), as_of)
    if found is None:
        raise Refused(Text("政策包没有评级政策（rating.yaml）", "the policy pack has no rating policy (rating.yaml)"))
    return found


def fill(case: RatingCase, policy: RatingPolicy, inputs: Inputs) -> None:
    """Put into a case what follows from its inputs."""
    rated = compose(policy.scheme, inputs)
    case.inputs, case.result_digest = inputs_text(inputs), result_digest(rated)
    case.model, case.model_grade, case.grade = rated.model or "", model_grade(rated), rated.grade or ""
    case.score, case.pd = rated.score, rated.pd


def begin(*, person: Person, customer: Customer, as_of: date | None = None) -> RatingCase:
    """A draft on today's facts, or on those of an earlier day, with the answers of the rating before.

    A suggestion of the system becomes the draft; a draft that is there already is given back. The caller has narrowed
    the scope.
    """
    if not may(person, RATE):
        raise Misuse(Text("没有评级的权限", "you may not rate customers"))
    as_of, pack = min(as_of or date.max, facts_date(customer)), policy_in_use()
    policy = policy_at(as_of)
    facts = facts_of_customer(customer=customer, as_of=as_of, pack=pack, policy=policy)
    with line(actor=person.actor_key, action="ratings.begin", subject=customer.code) as audit:
        there = RatingCase.objects.select_for_update().filter(customer=customer, state__in=OPEN).first()
        if there is not None and there.state == RatingState.PROPOSED:
            raise Refused(Text("该客户的评级正在审批", "a rating of this customer waits for approval"))
        if there is not None and there.state == RatingState.DRAFT and there.maker != person.actor_key:
            raise Refused(Text(f"{there.maker} 正在评级", f"{there.maker} is rating this customer"))
        last = RatingCase.objects.filter(customer=customer).exclude(state__in=OPEN).order_by("-id").first()
        standing = RatingCase.objects.filter(customer=customer, state__in=LAST_APPROVED)
        standing = standing.order_by("-approved_at", "-pk")
        source = there or last
        before = inputs_of(source.inputs) if source is not None else Inputs({}, {})
        case = there or RatingCase(customer=customer, trigger="person", previous=standing.first())
        case.grade_before = case.previous.grade if case.previous is not None else ""
        case.state, case.as_of, case.policy = RatingState.DRAFT, as_of, keep_policy(policy)
        case.maker, case.made_at, case.proposal = person.actor_key, timezone.now(), None
        answers = {name: mark for name, mark in before.answers.items() if name in policy.questions}
        override = before.override if there is not None else None
        fill(case, policy, Inputs(facts, answers, override))
        if override is None:
            case.override_notches, case.override_reason, case.override_text = None, "", ""
        _save(case)
        audit.wrote("ratings.RatingCase", [[case.pk, customer.code, case.grade, case.result_digest]])
    return case


def _save(case: RatingCase) -> None:
    try:
        with transaction.atomic():
            case.save()
    except IntegrityError as error:
        raise Refused(Text("该客户已有进行中的评级", "a rating of this customer is under way already")) from error


def revise(*, person: Person, case: RatingCase, said: Said) -> RatingCase:
    """Answer the questions of a draft and override it, or not. The facts stay as they were when it was begun."""
    if not may(person, RATE):
        raise Misuse(Text("没有评级的权限", "you may not rate customers"))
    with line(actor=person.actor_key, action="ratings.revise", subject=case.customer.code) as audit:
        held = RatingCase.objects.select_for_update().get(pk=case.pk)
        if held.state != RatingState.DRAFT or held.maker != person.actor_key:
            raise Refused(Text("只能修改自己正在起草的评级", "only a draft of one's own can be changed"))
        policy = policy_of_case(held)
        override = _override(policy, said)
        _refuse_strange_marks(policy, said.answers)
        fill(held, policy, Inputs(inputs_of(held.inputs).facts, dict(said.answers), override))
        held.override_notches = override.notches if override is not None else None
        held.override_reason = override.reason if override is not None else ""
        held.override_text = said.text.strip()[:1000] if override is not None else ""
        held.save()
        audit.wrote("ratings.RatingCase", [[held.pk, held.grade, held.result_digest]])
    return held


def _override(policy: RatingPolicy, said: Said) -> Override | None:
    if said.notches == 0:
        return None
    up, down = policy.scheme.most_up, policy.scheme.most_down
    if not -down <= said.notches <= up:
        raise Refused(
            Text(f"人工调整最多上调 {up} 级、下调 {down} 级", f"an override is at most {up} notches up and {down} down")
        )
    if said.reason not in policy.reasons or not said.text.strip():
        raise Refused(Text("人工调整须选择理由并说明依据", "an override needs a reason and the evidence for it"))
    return Override(said.notches, said.reason)


def _refuse_strange_marks(policy: RatingPolicy, answers: Mapping[str, int]) -> None:
    for name, mark in answers.items():
        if name not in policy.questions or not WORST_MARK <= mark <= BEST_MARK:
            raise Refused(Text(f"{name}：{mark} 不是 1 至 5 的评分", f"{name}: {mark} is no mark from 1 to 5"))


def discard(*, person: Person, case: RatingCase) -> None:
    """Throw a draft of one's own away; a suggestion is the system's to take back."""
    with line(actor=person.actor_key, action="ratings.discard", subject=case.customer.code) as audit:
        gone = RatingCase.objects.filter(pk=case.pk, state=RatingState.DRAFT, maker=person.actor_key)
        if not gone.delete()[0]:
            raise Refused(Text("只能丢弃自己的草稿", "only a draft of one's own can be thrown away"))
        audit.wrote("ratings.RatingCase", [[case.pk]])
