"""Who was in a segment and why that changed; who is pinned into it or out of it."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import DEFINE, RUN, may
from kequn.apps.assessments import membership, pins
from kequn.apps.assessments.models import FindingSpan
from kequn.apps.assessments.moving import Side, sides_of
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.assessments.services import request_replay
from kequn.apps.customers import selectors as customers
from kequn.domain.errors import KequnError
from kequn.policy.items import Item
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import language
from kequn.web.views.migration import read_date

SEGMENT = "segment"
SHOWN = 200
BACK = timedelta(days=92)


def segment_item(key: str) -> Item:
    item = labels.item(key)
    if item is None or item.kind != SEGMENT:
        raise Http404
    return item


def history(request: HttpRequest, key: str) -> HttpResponse:
    """Membership on a date as known then and as known now, and the moves since another. POST asks for a replay."""
    item = segment_item(key)
    run = latest_published()
    last = run.as_of if run is not None else timezone.localdate()
    given = request.POST if request.method == "POST" else request.GET
    when, problem = read_date(given.get("on"), last)
    since, problem_too = read_date(given.get("since"), when - BACK)
    if request.method == "POST":
        return _replay(request, key, when)
    then = membership.known_then(person=request.user, key=key, when=when)
    replay = membership.replay_of(when)
    context: dict[str, Any] = {
        "key": key, "label": item.label.in_language(language()), "when": when, "since": min(since, when),
        "problem": problem or problem_too, "then": list(then[:SHOWN]), "then_count": then.count(),
        "replay": replay, "may_run": may(request.user, RUN), "now": None,
    }  # fmt: skip
    if replay is not None:
        now = membership.known_now(person=request.user, key=key, replay=replay, unknown_means=item.unknown_means)
        codes = set(then.values_list("customer__code", flat=True))
        context |= {
            "now": [{"customer": one, "is_new": one.code not in codes} for one in now[:SHOWN]],
            "now_count": len(now), "gone_count": len(codes - {one.code for one in now}),
            "new_count": sum(one.code not in codes for one in now),
        }  # fmt: skip
    moved = membership.moves(person=request.user, key=key, since=min(since, when), until=when)
    context |= {"moves": moved[:SHOWN], "moved_count": len(moved), "causes": membership.counted_causes(moved)}
    return render(request, "kequn/segment_history.html", context)


def _replay(request: HttpRequest, key: str, when: date) -> HttpResponse:
    if not may(request.user, RUN):
        raise PermissionDenied
    try:
        request_replay(person=request.user, as_of=when)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    else:
        messages.success(request, _("The date is judged again in the background; look again in a moment."))
    answer = redirect("segment-history", key)
    answer["Location"] += f"?on={when.isoformat()}"
    return answer


def pin_page(request: HttpRequest, key: str) -> HttpResponse:
    """The pins of a segment; by POST ask for one, or end one."""
    item = segment_item(key)
    if request.method == "POST":
        if not may(request.user, DEFINE):
            raise PermissionDenied
        problem = _pinned(request, key)
        if not problem:
            return redirect("segment-pins", key)
    else:
        problem = ""
    today = timezone.localdate()
    holding = {one.pk for one in pins.active(today).filter(key=key)}
    found = list(pins.pins_of(person=request.user, key=key)[:SHOWN])
    ending = pins.ending(found)
    rows = [{"pin": one, "holds": one.pk in holding, "ending": one.pk in ending} for one in found]
    typed = {
        name: request.POST.get(name, "") for name in ("code", "reason", "owner", "valid_from", "expires_on", "way")
    }
    typed["valid_from"] = typed["valid_from"] or today.isoformat()
    context = {
        "key": key, "label": item.label.in_language(language()), "rows": rows, "problem": problem, "typed": typed,
        "may_pin": may(request.user, DEFINE), "run": latest_published(),
    }  # fmt: skip
    return render(request, "kequn/segment_pins.html", context, status=422 if problem else 200)


def _pinned(request: HttpRequest, key: str) -> str:
    """Do what was asked; the sentence of what was wrong with it, '' where nothing was."""
    posted = request.POST
    try:
        if posted.get("act") == "end":
            number = whole_number(posted.get("pin", "")) or 0
            pins.ask_to_end(person=request.user, number=number, reason=posted.get("why", ""))
            messages.success(request, _("It waits for approval now."))
            return ""
        customer = customers.find(person=request.user, code=posted.get("code", "").strip())
        if customer is None:
            return _("No customer “%(code)s” is among those you see.") % {"code": posted.get("code", "")[:60]}
        begins, ends = _day(posted.get("valid_from", "")), _day(posted.get("expires_on", ""))
        if begins is None or ends is None:
            return _("Both days are needed, written like 2026-09-30.")
        wish = pins.Wish(
            key, posted.get("way") != "out", posted.get("reason", ""), posted.get("owner", ""), begins, ends
        )
        pins.ask_for_pin(person=request.user, customer=customer, wish=wish)
    except KequnError as error:
        return error.text.in_language(language())
    messages.success(request, _("It waits for approval now."))
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@require_safe
def move(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One change of one finding: each condition before and after, with the values that each run read."""
    customer = customers.find(person=request.user, code=code)
    span = FindingSpan.objects.filter(pk=number, customer=customer).select_related(
        "customer", "opened_by__snapshot", "closed_by__snapshot"
    ).first() if customer is not None else None  # fmt: skip
    if customer is None or span is None:
        raise Http404
    closing = request.GET.get("end") == "1" and span.closed_by is not None
    before, after = sides_of(span, closing=closing)
    context = {
        "customer": customer, "key": span.key, "label": labels.fact(span.key, language()),
        "value": labels.value(span.key, span.value, language()), "closing": closing,
        "cause": span.closed_cause if closing else span.cause,
        "when": span.valid_to if closing else span.valid_from,
        "before": None if before is None else _told(before), "after": _told(after),
        "rows": _beside(before, after),
        "is_policy_of_then": after.is_policy_of_then and (before is None or before.is_policy_of_then),
    }  # fmt: skip
    return render(request, "kequn/move.html", context)


def _told(side: Side) -> dict[str, Any]:
    teller = Teller(side.pack, side.plan, language(), unit(language()))
    reason = side.reason
    return {
        "run": side.run, "policy": side.run.policy_digest[:12],
        "answer": teller.verdict(reason.name, reason.answer) if reason is not None else "–",
        "conditions": _conditions(side) if reason is not None else {},
    }  # fmt: skip


def _conditions(side: Side) -> dict[str, tuple[str, str]]:
    """Each condition in words with what it read and its verdict."""
    assert side.reason is not None  # noqa: S101 - asked only where there is one
    teller = Teller(side.pack, side.plan, language(), unit(language()))
    return {
        teller.condition(one): (
            "; ".join(teller.reading(reading) for reading in one.readings),
            teller.verdict(side.reason.name, one.answer),
        )
        for one in side.reason.conditions
    }


def _beside(before: Side | None, after: Side) -> list[dict[str, Any]]:
    """The conditions of both sides in one list; one that stands on one side alone was changed by policy."""
    old = _conditions(before) if before is not None and before.reason is not None else {}
    new = _conditions(after) if after.reason is not None else {}
    return [
        {"said": said, "before": old.get(said), "after": new.get(said), "differs": old.get(said) != new.get(said)}
        for said in dict.fromkeys([*old, *new])
    ]
