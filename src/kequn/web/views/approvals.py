"""What waits for approval, and one proposal with all that is shown of it."""

import json
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Role
from kequn.apps.assessments import pins
from kequn.apps.governance import approving
from kequn.apps.governance.models import Proposal, ProposalState
from kequn.apps.governance.selectors import SEGMENT, STRATEGY, proposals, sees_policy_work
from kequn.apps.ratings.approval import BEYOND, BOOK, RATING
from kequn.apps.ratings.selectors import cases
from kequn.apps.ratings.services import policy_at, rating_date
from kequn.domain.errors import KequnError
from kequn.web import labels
from kequn.web.templatetags.kequn import language
from kequn.web.views.rating_words import shown_rating

MOODS = {"open": "watch", "approved": "good", "refused": "bad", "withdrawn": "unknown"}
MOST_ENDED = 200
DECIDED_ON_THEIR_PAGE = (RATING, BEYOND)  # kinds that are decided within the scope of their customer


@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    """All proposals for who sees the whole book; for others the ratings of their customers, each on its own page."""
    is_whole = sees_policy_work(request.user)
    found = _whole_book if is_whole else _of_ratings
    waiting = [_row(request, one, url) for one, url in found(request.user, is_open=True)]
    ended = [_row(request, one, url) for one, url in found(request.user, is_open=False)]
    return render(request, "kequn/approvals.html", {"waiting": waiting, "ended": ended, "is_whole": is_whole})


def _whole_book(person: Person, *, is_open: bool) -> list[tuple[Proposal, str]]:
    found = proposals(person=person)
    some = found.filter(state=ProposalState.OPEN) if is_open else found.exclude(state=ProposalState.OPEN)[:MOST_ENDED]
    return [(one, reverse("proposal", args=[one.pk])) for one in some]


def _of_ratings(person: Person, *, is_open: bool) -> list[tuple[Proposal, str]]:
    """A rating is decided on its page, which keeps back the grades of supporters whom the reader may not see."""
    found = cases(person=person).filter(proposal__kind__in=DECIDED_ON_THEIR_PAGE).order_by("-proposal_id")
    found = found.select_related("proposal").prefetch_related("proposal__decisions").only("proposal")
    still = {"proposal__state": ProposalState.OPEN}
    some = found.filter(**still) if is_open else found.exclude(**still)[:MOST_ENDED]
    return [(one.proposal, reverse("rating-case", args=[one.pk])) for one in some if one.proposal is not None]


def _row(request: HttpRequest, one: Proposal, url: str) -> dict[str, Any]:
    barred = approving.why_not_check(request.user, one)
    return {
        "url": url, "title": one.title_zh if language() == "zh" else one.title_en, "state": one.state,
        "said": one.get_state_display(), "mood": MOODS[one.state], "maker": one.maker, "made_at": one.made_at,
        "approved": sum(word.approves for word in one.decisions.all()), "checkers": one.checkers,
        "amount": one.amount, "is_mine_to_check": one.state == ProposalState.OPEN and barred is None,
    }  # fmt: skip


def proposal(request: HttpRequest, number: int) -> HttpResponse:
    """What was proposed, exactly as it is approved; by POST the reader's decision."""
    if not sees_policy_work(request.user):
        return _elsewhere(request, number)
    found = proposals(person=request.user).filter(pk=number).first()
    if found is None:
        raise Http404
    if request.method == "POST":
        return _decide(request, found)
    barred = approving.why_not_check(request.user, found)
    roles = [str(Role(one).label) for one in found.roles if one in Role.values]
    context = {
        "proposal": found, "title": found.title_zh if language() == "zh" else found.title_en,
        "mood": MOODS[found.state], "shown": _shown(json.loads(found.shown)), "decisions": found.decisions.all(),
        "is_open": found.state == ProposalState.OPEN, "is_mine": found.maker == request.user.actor_key,
        "barred": barred.in_language(language()) if barred is not None else "",
        "roles": ", ".join(roles) if language() == "en" else "、".join(roles),
        "version": found.versions.filter(kind=SEGMENT).first(),
        "strategy": found.versions.filter(kind=STRATEGY).first(), "pin": pins.proposed_in(found),
        "rating": None if found.kind == BOOK else found.ratings.first(),
    }  # fmt: skip
    return render(request, "kequn/proposal.html", context)


def _elsewhere(request: HttpRequest, number: int) -> HttpResponse:
    """The page of the rating that is proposed, where it is of a visible customer; nothing else is for this reader."""
    found = cases(person=request.user).filter(proposal=number, proposal__kind__in=DECIDED_ON_THEIR_PAGE)
    case = found.values_list("pk", flat=True).first()
    if case is None or request.method == "POST":
        raise PermissionDenied
    return redirect("rating-case", case)


def _decide(request: HttpRequest, found: Proposal) -> HttpResponse:
    act, posted = request.POST.get("act", ""), request.POST
    try:
        if act == "withdraw":
            ended = approving.withdraw(person=request.user, number=found.pk)
        else:
            ended = approving.decide(
                person=request.user, number=found.pk, approves=act == "approve",
                seen_digest=posted.get("digest", ""), comment=posted.get("comment", ""),
            )  # fmt: skip
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    else:
        said = {
            ProposalState.OPEN: _("Noted; it waits for more approvals."),
            ProposalState.APPROVED: _("Approved and in force from its day."),
            ProposalState.REFUSED: _("Refused; its maker may change it."),
            ProposalState.WITHDRAWN: _("Withdrawn."),
        }
        messages.success(request, said[ProposalState(ended.state)])
    return redirect("proposal", found.pk)


def _shown(shown: dict[str, Any]) -> dict[str, Any]:
    """The shown content in the reader's language: wording, difference, figures. Nothing is computed anew."""
    spoken = language()
    figures = shown.get("figures") or {}
    lines = (shown.get("difference") or {}).get(spoken, [])
    body = shown.get("body") or {}
    facts = [(name, _said(key, body[key])) for key, name in _body_words() if body.get(key)]
    if "customer" in shown:
        facts = _pinned(shown, spoken)
    if "rating" in shown:
        facts = shown_rating(shown["rating"])
        lines = [*shown["rating"]["steps"][spoken], *shown["rating"]["answers"][spoken]]
    if "rating_book" in shown:
        facts = [(_("Ratings"), f"{shown['rating_book']['ratings']:,}")]
        lines = _counted(shown["rating_book"]["counts"])
    if shown.get("effective_from"):
        facts.append((_("Holds from"), shown["effective_from"]))
    if shown.get("proof"):
        proof = shown["proof"]
        facts += [
            (_("Complete"), _("%(n)s left out") % {"n": proof["left_out"]}),
            (_("Disjoint"), _("%(n)s in several") % {"n": proof["in_several"]}),
        ]
    grids = [{"label": label, **shown[name][spoken]} for name, label in
             (("grid_before", _("In force")), ("grid", _("Proposed"))) if name in shown]  # fmt: skip
    if shown.get("reason") and "customer" not in shown:
        facts.append((_("Why it changes"), shown["reason"]))
    overlaps = [{"label": labels.fact(key, spoken), "customers": n, "exposure": e, "jaccard": j}
                for key, n, e, j in figures.get("overlaps", ())]  # fmt: skip
    missing = [{"label": labels.fact(name, spoken), "customers": n} for name, n in figures.get("missing", ())]
    rate = figures.get("default_rate")
    return {
        "facts": facts, "lines": lines, "figures": figures, "is_rating": "rating" in shown or "rating_book" in shown,
        "rate": dict(zip(("rate", "low", "high"), rate, strict=True)) if rate else None,
        "grids": grids, "shadow": shown.get("shadow"), "overlaps": overlaps, "missing": missing,
        "is_backdated": _is_backdated(shown),
    }  # fmt: skip


def _pinned(shown: dict[str, Any], spoken: labels.Language) -> list[tuple[str, str]]:
    way = _("into") if shown["in"] else _("out of")
    act = [(_("Act"), _("End the pin; the rule decides again at the next run"))] if shown.get("ends") else []
    return [
        *act,
        (_("Customer"), f"{shown['name']} ({shown['customer']})"),
        (_("Segment"), f"{way} “{labels.fact(shown['segment'], spoken)}”"),
        (_("Why"), shown["reason"]), (_("Owner"), shown["owner"]),
        (_("Holds from"), shown["valid_from"]), (_("Until the day before"), shown["expires_on"]),
    ]  # fmt: skip


def _said(key: str, value: str) -> str:
    words = {"out": _("out of it"), "in": _("in it"), "list": _("on the list of missing data")}
    return words.get(value, value) if key == "unknown" else value


def _counted(rows: list[Any]) -> list[str]:
    """How many ratings of each model and grade a proposal puts forward."""
    models = policy_at(rating_date()).scheme.models
    named = {name: model.label.in_language(language()) for name, model in models.items()}
    return [f"{named.get(model, model)} · {grade}: {count:,}" for model, grade, count in rows]


def _is_backdated(shown: dict[str, Any]) -> bool:
    day = str(shown.get("effective_from", ""))
    return bool(day) and date.fromisoformat(day) < timezone.localdate()


def _body_words() -> list[tuple[str, str]]:
    return [
        ("name", _("Code")), ("zh", _("Chinese name")), ("en", _("English name")), ("rule", _("Rule text")),
        ("unknown", _("Where it cannot be told, a customer stands")), ("dimension", _("Dimension")),
        ("source", _("Source")), ("note", _("Note")),
        ("segments", _("Codes of segments, in their order")),
    ]  # fmt: skip
