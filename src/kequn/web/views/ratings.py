"""Ratings: the list of what is to be done, the page of a customer, and one case with its whole reasoning."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import IMPORT, RATE, SEE_OUTCOMES, may
from kequn.apps.assessments.explaining import known_of
from kequn.apps.customers.models import Customer
from kequn.apps.governance import approving
from kequn.apps.ratings import selectors
from kequn.apps.ratings.approval import decidable, is_beyond, submit
from kequn.apps.ratings.kept import policy_of_case, replays
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.services import Said, begin, discard, facts_date, policy_at, rating_date, revise
from kequn.domain.errors import KequnError, Refused, Text
from kequn.policy.rating import RatingPolicy
from kequn.web import labels
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import visible_customer
from kequn.web.views.rating_fit import models_that_might_fit
from kequn.web.views.rating_words import case_row, difference_rows, questionnaire, reasoning

PAGE = 50
SIGNS = {"+": 1, "＋": 1, "-": -1, "－": -1, "−": -1}
PARTS = ("suggested", "draft", "proposed", "expiring", "expired", "approved", "unrated", "refused")
EXPOSURE = "figures__exposure_gross"
LONGEST = 18  # digits of an amount in minor units


@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    """What is to be done about ratings, one part at a time, the largest exposure first."""
    part = request.GET.get("part", "")
    part = part if part in PARTS else PARTS[0]
    as_of = rating_date()
    policy = policy_at(as_of)
    soon = policy.renew_before_days
    of_customers = part == "unrated"
    found: Any = selectors.unrated(person=request.user) if of_customers else selectors.work_list(
        person=request.user, part=part, as_of=as_of, soon=soon
    )  # fmt: skip
    after = _after(request.GET.get("after", ""))
    if after is not None:
        found = selectors.below(found, EXPOSURE if of_customers else f"customer__{EXPOSURE}", after)
    rows = list(found[: PAGE + 1])
    counts = selectors.part_counts(person=request.user, as_of=as_of, soon=soon)
    named = _part_labels()
    shown = rows[:PAGE]
    context = {
        "part": part, "rows": shown if of_customers else [case_row(one) for one in shown], "as_of": as_of,
        "soon": soon, "next": _token(rows[PAGE - 1]) if len(rows) > PAGE else None, "empty": _empty(part),
        "may_validate": may(request.user, SEE_OUTCOMES),
        "tabs": [{"key": key, "label": named[key], "count": counts[key]} for key in PARTS],
    }  # fmt: skip
    return render(request, "kequn/ratings.html", context)


def _token(row: Any) -> str:
    """Where the next page begins: exposure and number of the last row; no exposure where none is known."""
    figures = getattr(getattr(row, "customer", row), "figures", None)
    known = figures.exposure_gross if figures is not None else None
    return f"{'' if known is None else known}:{row.pk}"


def _after(token: str) -> tuple[int | None, int] | None:
    exposure, _colon, number = token.partition(":")
    of, is_amount = whole_number(number), exposure.isascii() and exposure.isdecimal() and len(exposure) <= LONGEST
    return None if of is None or (exposure and not is_amount) else (int(exposure) if exposure else None, of)


def _part_labels() -> dict[str, str]:
    return {
        "suggested": _("Suggested"), "draft": _("Being worked on"), "proposed": _("Waiting for approval"),
        "expiring": _("Soon to expire"), "expired": _("Expired"), "approved": _("In force"), "refused": _("Refused"),
        "unrated": _("Without a rating"),
    }  # fmt: skip


def _empty(part: str) -> str:
    said = {
        "unrated": _("Every customer that you see has a rating in force."),
        "suggested": _("No facts changed a rating. After a run, `kequn rerate` compares it with the ratings in force."),
        "approved": _("No rating is in force yet. Open a customer and rate it, or suggest first ratings for the whole "
                      "book with `kequn rerate --first`."),
    }  # fmt: skip
    return said.get(part, _("Nothing here."))


def customer_rating(request: HttpRequest, code: str) -> HttpResponse:
    """The rating of a customer: what is in force, what is under way, and every earlier one; by POST a new draft."""
    customer = visible_customer(request, code)
    if request.method == "POST":
        if not may(request.user, RATE):
            raise PermissionDenied
        try:
            return redirect("rating-case", begin(person=request.user, customer=customer).pk)
        except KequnError as error:
            messages.error(request, error.text.in_language(language()))
            return redirect("customer-rating", code)
    history = list(selectors.history(customer))
    in_force = next((one for one in history if one.state == RatingState.APPROVED), None)
    opened = next((one for one in history if one.state in ("suggested", "draft", "proposed")), None)
    hidden = selectors.hidden_supporters(person=request.user, case=in_force) if in_force else ()
    context: dict[str, Any] = {
        "customer": customer, "in_force": in_force and case_row(in_force), "opened": opened and case_row(opened),
        "history": [case_row(one) for one in history], "may_rate": may(request.user, RATE),
        "fits": [] if in_force or (opened and opened.model) else _fits(customer, facts_date(customer)),
        "may_import": may(request.user, IMPORT),
        "reasoning": reasoning(in_force, hidden) if in_force else None, "is_over": _is_over(in_force),
        "policy": _policy_said(policy_of_case(in_force) if in_force else policy_at(rating_date())),
    }  # fmt: skip
    return render(request, "kequn/customer_rating.html", context)


def _fits(customer: Customer, as_of: date) -> list[dict[str, Any]]:
    """Which model would fit a customer that none fits on its facts; nothing where one does."""
    known = known_of(customer=customer, as_of=as_of, pack=labels.pack())
    if known.answers().get("rating_model") is not None:
        return []
    return models_that_might_fit(known, policy_at(as_of))


def _is_over(case: RatingCase | None) -> bool:
    return case is not None and case.expires_on is not None and case.expires_on <= rating_date()


def _policy_said(policy: RatingPolicy) -> dict[str, str]:
    return {"status": policy.status, "source": policy.source.in_language(language()), "digest": policy.digest}


def rating_case(request: HttpRequest, number: int) -> HttpResponse:
    """One case; by POST its draft is changed, put before checkers, decided on, or thrown away."""
    case = selectors.find(person=request.user, number=number)
    if case is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        answer = _acted(request, case)
        if isinstance(answer, HttpResponse):
            return answer
        problem = answer
    policy = policy_of_case(case)
    mine = case.state == RatingState.DRAFT and case.maker == request.user.actor_key
    asked = decidable(person=request.user, case=case)
    barred = approving.why_not_check(request.user, case.proposal) if asked and case.proposal else None
    own = policy.own.get(request.user.role)
    hidden = selectors.hidden_supporters(person=request.user, case=case)
    context: dict[str, Any] = {
        "case": case, "row": case_row(case), "customer": case.customer, "problem": problem,
        "difference": difference_rows(case, hidden) if case.previous is not None else None,
        "is_same": replays(case), "is_mine": mine, "questions": questionnaire(case) if mine else [],
        "own": own, "scheme": policy.scheme, "policy": _policy_said(policy),
        "reasons": [(key, text.in_language(language())) for key, text in policy.reasons.items()],
        "reason": policy.reasons[case.override_reason].in_language(language()) if case.override_reason in policy.reasons
        else "",
        "beyond": mine and is_beyond(policy, request.user, case.override_notches or 0),
        "asked": asked, "barred": barred.in_language(language()) if barred is not None else "",
        "decisions": list(case.proposal.decisions.all()) if case.proposal is not None else [],
        "may_rate": may(request.user, RATE), "typed": request.POST if problem else {},
        "fits": [] if case.model else _fits(case.customer, case.as_of), "may_import": may(request.user, IMPORT),
    } | reasoning(case, hidden)  # fmt: skip
    return render(request, "kequn/rating_case.html", context, status=422 if problem else 200)


def _acted(request: HttpRequest, case: RatingCase) -> HttpResponse | str:
    """What was asked for, done: where to go next, or what was wrong with it."""
    act, person = request.POST.get("act", ""), request.user
    try:
        if act in ("approve", "refuse"):
            return _decided(request, case, approves=act == "approve")
        if not may(person, RATE):
            raise PermissionDenied
        if act == "withdraw" and case.proposal is not None:
            approving.withdraw(person=person, number=case.proposal.pk)
        elif act == "discard":
            discard(person=person, case=case)
            return redirect("customer-rating", case.customer.code)
        elif act in ("save", "submit"):
            changed = revise(person=person, case=case, said=_said(request))
            if act == "submit":
                submit(person=person, case=changed)
                messages.success(request, _("It waits for approval now."))
            else:
                messages.success(request, _("Saved; the grade below follows from it."))
        else:
            return _("This act is not known.")
    except KequnError as error:
        return error.text.in_language(language())
    return redirect("rating-case", case.pk)


def _decided(request: HttpRequest, case: RatingCase, *, approves: bool) -> HttpResponse:
    if not decidable(person=request.user, case=case) or case.proposal is None:
        raise PermissionDenied
    posted = request.POST
    approving.decide(
        person=request.user, number=case.proposal.pk, approves=approves, seen_digest=posted.get("digest", ""),
        comment=posted.get("comment", ""),
    )  # fmt: skip
    messages.success(request, _("The rating is in force.") if approves else _("Refused."))
    return redirect("rating-case", case.pk)


def _said(request: HttpRequest) -> Said:
    """Marks and override as they were posted; Refused where a number cannot be read, for nothing is dropped unsaid."""
    posted = request.POST
    answers = {name.removeprefix("mark-"): _mark(name.removeprefix("mark-"), value.strip())
               for name, value in posted.items() if name.startswith("mark-") and value.strip()}  # fmt: skip
    return Said(answers, _notches(posted.get("notches", "").strip()), posted.get("reason", ""), posted.get("text", ""))


def _mark(name: str, typed: str) -> int:
    mark = whole_number(typed)
    if mark is None:
        raise Refused(
            Text(f"{name}：“{typed[:40]}”不是 1 至 5 的评分", f"{name}: “{typed[:40]}” is no mark from 1 to 5")
        )
    return mark


def _notches(typed: str) -> int:
    """A whole number after at most one sign; nothing typed means no override."""
    if not typed:
        return 0
    sign = SIGNS.get(typed[0])
    size = whole_number(typed[1:] if sign is not None else typed)
    if size is None:
        found = typed[:40]
        raise Refused(
            Text(
                f"人工调整“{found}”不是整数级数；请填写如 -1 或 2",
                f"the override “{found}” is no whole number of notches; write it like -1 or 2",
            )
        )
    return size * (sign or 1)
