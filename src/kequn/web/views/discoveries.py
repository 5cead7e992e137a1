"""Discoveries: ask for groups in the facts of the last run, and read what was found, with every doubt."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.discoveries import selectors, services
from kequn.apps.discoveries.models import Discovery, DiscoveryState
from kequn.apps.governance.selectors import sees_policy_work
from kequn.domain.errors import KequnError, Refused
from kequn.policy.rule_text import parse
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import figure, language, percent

MOODS = {"waiting": "watch", "found": "good", "refused": "unknown", "failed": "bad"}
TELLING = 6  # features of a group that are shown
DIGITS_OF_A_DATE = 8
OURS = {"discovered", "rules"}


@require_http_methods(["GET", "HEAD", "POST"])
def discoveries(request: HttpRequest) -> HttpResponse:
    """Every discovery that was kept; by POST one is asked for."""
    if not sees_policy_work(request.user):
        raise PermissionDenied
    problem = ""
    if request.method == "POST":
        if not may(request.user, DEFINE):
            raise PermissionDenied
        posted = request.POST
        try:
            made = services.request_discovery(
                person=request.user, features=posted.getlist("features"), title=posted.get("title", ""),
                seed=_seed(posted.get("seed", "1")),
            )  # fmt: skip
            messages.success(request, _("Groups are being looked for; its page shows what comes of it."))
            return redirect("discovery", made.pk)
        except KequnError as error:
            problem = error.text.in_language(language())
    run = latest_published()
    offered = selectors.offered(run.as_of).features if run is not None else ()
    ticked = set(request.POST.getlist("features")) if request.method == "POST" else set(offered)
    rows = list(selectors.discoveries(request.user))
    context = {
        "rows": [_row(one) for one in rows], "run": run, "problem": problem, "may_define": may(request.user, DEFINE),
        "features": [{"name": name, "label": labels.fact(name, language()), "is_ticked": name in ticked}
                     for name in offered],
        "title": request.POST.get("title", ""), "seed": request.POST.get("seed", "1"),
    }  # fmt: skip
    return render(request, "kequn/discoveries.html", context, status=422 if problem else 200)


def _seed(text: str) -> int:
    found = whole_number(text)
    return -1 if found is None else found


def _row(one: Discovery) -> dict[str, Any]:
    return {"one": one, "said": one.get_state_display(), "mood": MOODS[one.state]}


@require_safe
def discovery_page(request: HttpRequest, number: int) -> HttpResponse:
    """One discovery: its figures, its groups with their profiles, and the rule of each that stands."""
    if not sees_policy_work(request.user):
        raise PermissionDenied
    found = selectors.discovery(request.user, number)
    if found is None:
        raise Http404
    zh, _break, en = found.said.partition("\n")
    context: dict[str, Any] = {
        **_row(found), "why": zh if language() == "zh" else en, "card": found.card,
        "is_working": found.state == DiscoveryState.WAITING,
        "features": [labels.fact(name, language()) for name in found.features],
    }  # fmt: skip
    if found.card is not None:
        context["criteria"] = found.card.get("criteria", [])
        context["null"] = found.card.get("null")
    if found.state == DiscoveryState.FOUND and found.card is not None:
        context |= _found(request, found.card)
    return render(request, "kequn/discovery.html", context)


def _found(request: HttpRequest, card: Mapping[str, Any]) -> dict[str, Any]:
    spoken = language()
    teller = Teller(labels.pack(), labels.plan(), spoken, unit(spoken))
    segments = [_segment(one, teller) for one in card["segments"]]
    confusion = [
        {"number": place + 1, "cells": row[:-1], "none": row[-1]} for place, row in enumerate(card["confusion"])
    ]
    gain = [_gain(one) for one in card["gain"] if one["auc"] is not None]
    realised = [
        {"label": _division(name), "parts": [_part(name, part) for part in parts]}
        for name, parts in card["realised"].items()
    ]
    return {
        "segments": segments, "confusion": confusion, "gain": gain, "realised": realised,
        "alike": [{"label": labels.fact(one["name"], spoken), **one} for one in card["alike"]],
        "left_out": [
            {"label": labels.fact(name, spoken), "why": why[spoken]} for name, why in card["left_out"].items()
        ],
        "may_define": may(request.user, DEFINE), "years": _years(card["years"]),
    }  # fmt: skip


def _division(name: str) -> str:
    if name == "discovered":
        return _("The groups as they were found")
    if name == "rules":
        return _("The groups by their rules")
    return labels.fact(name, language())


def _part(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    said = part["part"] if name in OURS else labels.value(name, part["part"], language())
    return {**part, "label": said or _("none")}


def _gain(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": _division(one["name"]), "auc": one["auc"], "more": one["with_rules"]}


def _years(years: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"since": _period(one), "to": _period(two), "shares": shares} for one, two, shares in years["overlaps"]]


def _period(said: str) -> str:
    """A date that stands as a number of eight digits as a date; a year as it is."""
    return f"{said[:4]}-{said[4:6]}-{said[6:]}" if len(said) == DIGITS_OF_A_DATE else said


def _segment(one: Mapping[str, Any], teller: Teller) -> dict[str, Any]:
    """A group for the page: its marks, its telling features, and its rule as a sentence where it reads our facts."""
    sentence = ""
    if one["rule"]:
        try:
            sentence = teller.sentence(parse(one["rule"], labels.plan().vocabulary))
        except Refused:  # a file's columns need not be facts of the dictionary
            sentence = ""
    return {
        **one, "sentence": sentence, "may_open": one["stands"] and bool(sentence),
        "reasons": [reason[language()] for reason in one["against"]],
        "words": [_mark(mark) for mark in one["marks"]],
        "telling": [_feature(line) for line in one["features"][:TELLING]],
    }  # fmt: skip


def _mark(mark: Mapping[str, str]) -> str:
    label = labels.fact(mark["name"], language())
    if "side" in mark:
        side = _("high") if mark["side"] == "high" else _("low")
        return f"{label} {side}"
    said = labels.value(mark["name"], mark["class"], language()) if mark["class"] else _("another class")
    return f"{label}: {said}"


def _feature(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a profile, its values as a reader expects them."""
    label = labels.fact(line["name"], language())
    if line["kind"] == "number":
        inside, whole = _measured(line["name"], line["inside"]), _measured(line["name"], line["all"])
        between = f"{line['strength']:+.2f} [{line['low']:+.2f}, {line['high']:+.2f}]"
        return {"label": label, "inside": inside, "all": whole, "apart": between, "known": line["known"]}
    said = labels.value(line["name"], line["class"], language()) if line["class"] else _("another class")
    between = f"[{percent(line['low'], 1)}, {percent(line['high'], 1)}]"
    return {
        "label": f"{label}: {said}", "inside": percent(line["inside"], 1), "all": percent(line["all"], 1),
        "apart": between, "known": line["known"],
    }  # fmt: skip


def _measured(name: str, value: float | None) -> str:
    """Yuan in the reader's unit, ratios as percentages, the rest as figures."""
    fact = labels.plan().vocabulary.get(name)
    if fact is None or value is None:
        return figure(value)
    if fact.unit == "CNY":
        return unit(language()).said(round(value * 100), language())
    return percent(value, 1) if fact.unit == "ratio" else figure(value)
