"""Segments, signals and migration: what the findings add up to within the reader's scope."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments import listing, pins, portfolio
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.tallies import Sums, Totals
from kequn.apps.governance.selectors import body_of, open_versions, sees_policy_work, versions_of
from kequn.domain.rules.tree import facts_in
from kequn.policy.items import Item
from kequn.web import labels
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import DIMENSION, LEVELS, SEGMENT, SIGNAL, STRATEGY, UNKNOWN
from kequn.web.views.segment_versions import MOODS
from kequn.web.wording import definition_of


@dataclass(frozen=True, slots=True)
class Class:
    value: str
    customers: int
    exposure: int
    url: str


def segments(request: HttpRequest) -> HttpResponse:
    totals = listing.totals(person=request.user, wanted=listing.Wanted())
    members = _members(request, SEGMENT)
    context = {
        "run": findings.latest_published(),
        "customers": totals.customers,
        "exposure": totals.exposure_gross,
        "dimensions": _dimensions(request, totals),
        "segments": [row for row in members if not row["dimension"]],
        "classed": [row for row in members if row["dimension"]],
        "overlap": _overlap(request),
        "may_define": may(request.user, DEFINE),
        "sees_discoveries": sees_policy_work(request.user),
        "in_work": _in_work(request),
    }
    return render(request, "kequn/segments.html", context)


def _in_work(request: HttpRequest) -> list[dict[str, Any]]:
    """Drafts of segments and those in review, for who sees the whole book."""
    if not sees_policy_work(request.user):
        return []
    return [
        {"pk": one.pk, "label": body_of(one)[language()], "number": one.number, "maker": one.maker,
         "said": one.get_state_display(), "mood": MOODS[one.state]}
        for one in open_versions(SEGMENT)
    ]  # fmt: skip


def _overlap(request: HttpRequest) -> dict[str, Any]:
    """How many customers any two combined segments share, and with how much; those of nobody are left out."""
    keys = [item.name for item in labels.names().items.values() if item.kind == SEGMENT and not item.dimension]
    crossed = portfolio.overlap(person=request.user, keys=keys)
    held = [key for key in keys if (key, key) in crossed]
    spoken, listed = language(), reverse("customers")
    rows = [
        {
            "key": one,
            "label": labels.fact(one, spoken),
            "cells": [
                {
                    "customers": crossed.get((one, two), (0, 0))[0],
                    "exposure": crossed.get((one, two), (0, 0))[1],
                    "same": one == two,
                    "jaccard": _jaccard(crossed, one, two),
                    "url": _of_both(listed, one, two),
                }
                for two in held
            ],
        }
        for one in held
    ]
    return {"heads": [labels.fact(key, spoken) for key in held], "rows": rows}


def _jaccard(crossed: Sums, one: str, two: str) -> float | None:
    """The customers in both over those in either."""
    both = crossed.get((one, two), (0, 0))[0]
    either = crossed[one, one][0] + crossed[two, two][0] - both
    return both / either if either else None


def _of_both(listed: str, one: str, two: str) -> str:
    query = urlencode([(SEGMENT, key) for key in dict.fromkeys((one, two))])
    return f"{listed}?{query}&sort=-exposure"


def _dimensions(request: HttpRequest, totals: Totals) -> list[dict[str, Any]]:
    by_key: dict[str, list[Class]] = {}
    for row in findings.value_counts(person=request.user, kind=DIMENSION):
        url = f"{reverse('customers')}?{urlencode({row['key']: row['value']})}"
        made = Class(row["value"], row["customers"], row["exposure_gross"] or 0, url)
        by_key.setdefault(row["key"], []).append(made)
    return [
        {
            "key": key,
            "label": labels.fact(key, language()),
            "rows": sorted(by_key[key], key=lambda one: labels.place(key, one.value)),
            "unclassed": totals.customers - sum(one.customers for one in by_key[key]),
            "unclassed_exposure": totals.exposure_gross - sum(one.exposure for one in by_key[key]),
            "exposure": totals.exposure_gross,
        }
        for key in labels.dimensions()
        if key in by_key
    ]


def _members(request: HttpRequest, kind: str) -> list[dict[str, Any]]:
    """Every segment or signal of the pack, also those that hold for nobody."""
    counted: dict[str, dict[str, Any]] = {}
    for row in findings.value_counts(person=request.user, kind=kind):
        counted.setdefault(row["key"], {})[row["value"]] = row
    return [_member(one, counted.get(one.name, {})) for one in labels.names().items.values() if one.kind == kind]


def _member(item: Item, counted: dict[str, Any]) -> dict[str, Any]:
    holds, unknown = counted.get("true", {}), counted.get(UNKNOWN, {})
    return {
        "key": item.name,
        "label": item.label.in_language(language()),
        "level": item.level.value if item.level else "",
        "cause": _cause(item),
        "dimension": item.dimension,
        "customers": holds.get("customers", 0),
        "unknown": unknown.get("customers", 0) if item.unknown_means == "list" else None,
        "exposure": holds.get("exposure_gross") or 0,
    }


def _cause(item: Item) -> str:
    return labels.value("signal_cause", item.cause, language()) if item.cause else ""


def signals(request: HttpRequest) -> HttpResponse:
    rows = sorted(
        _members(request, SIGNAL), key=lambda row: (-LEVELS.index(row["level"] or LEVELS[0]), -row["customers"])
    )
    return render(request, "kequn/signals.html", {"run": findings.latest_published(), "signals": rows})


def segment(request: HttpRequest, key: str) -> HttpResponse:
    """One segment or signal: its rule in words, its source, its largest customers."""
    item = labels.item(key)
    if item is None or item.kind not in (SEGMENT, SIGNAL):
        raise Http404
    row = next(one for one in _members(request, item.kind) if one["key"] == key)
    unknown = {
        "out": _("A customer for whom it cannot be told stands outside."),
        "in": _("A customer for whom it cannot be told counts as inside."),
        "list": _("Customers for whom it cannot be told are listed with the facts to obtain."),
    }
    context = {
        "key": key,
        "kind": item.kind,
        "label": row["label"],
        "rows": row,
        "level": row["level"],
        "cause": row["cause"],
        "unknown_means": unknown[item.unknown_means],
        "largest": findings.largest(person=request.user, key=key),
        "run": findings.latest_published(),
        "strategies": _strategies(key),
    }
    if item.kind == SEGMENT:
        context |= _governed(request, key)
    return render(request, "kequn/segment.html", context | definition_of(key))


def _governed(request: HttpRequest, key: str) -> dict[str, Any]:
    """The versions of a segment, and how many are pinned into it and out of it today."""
    pinned_in, pinned_out = pins.counts(person=request.user, key=key, when=timezone.localdate())
    shown = list(versions_of(SEGMENT, key)) if sees_policy_work(request.user) else []
    for one in shown:
        one.mood = MOODS[one.state]
    return {
        "may_define": may(request.user, DEFINE),
        "pinned_in": pinned_in,
        "pinned_out": pinned_out,
        "versions": shown,
    }


def _strategies(key: str) -> list[dict[str, Any]]:
    """The parts of policy's strategy that read this segment: how its members are served."""
    plan = labels.plan()
    return [
        {"key": one.name, "label": labels.fact(one.name, language())} | definition_of(one.name)
        for one in plan.definitions
        if one.kind == STRATEGY and one.output and key in {fact.name for fact in facts_in(one.expr)}
    ]
