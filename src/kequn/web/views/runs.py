"""Runs: ask for one, follow it, see what it changed and why."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.accounts.access import RUN, may, sees_runs
from kequn.apps.assessments import selectors
from kequn.apps.assessments.models import Run, RunState
from kequn.apps.assessments.services import request_run
from kequn.apps.jobs.selectors import waiting
from kequn.domain.errors import KequnError
from kequn.web import labels
from kequn.web.templatetags.kequn import language

MOODS = {RunState.PUBLISHED: "good", RunState.REPLAYED: "unknown", RunState.FAILED: "bad"}
SHOWN = 50


def _allowed(request: HttpRequest) -> None:
    if not sees_runs(request.user):
        raise PermissionDenied


def runs(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    if request.method == "POST":
        return _ask(request)
    latest = selectors.latest_published()
    rows = list(selectors.runs()[:SHOWN])
    context = {
        "runs": [_row(run) for run in rows],
        "waiting": waiting("run"),
        "suggested": timezone.localdate(),
        "latest": latest,
        "may_run": may(request.user, RUN),
    }
    return render(request, "kequn/runs.html", context)


def _ask(request: HttpRequest) -> HttpResponse:
    found = request.POST.get("as_of", "")
    try:
        request_run(person=request.user, as_of=date.fromisoformat(found))
        messages.success(request, _("The run is queued; it appears below when a worker has taken it up."))
    except ValueError:
        messages.error(request, _("“%(found)s” is not a date; write it like 2026-09-30.") % {"found": found})
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect("runs")


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "as_of": run.as_of,
        "mood": MOODS.get(RunState(run.state), "watch"),
        "get_state_display": run.get_state_display(),
        "started_at": run.started_at,
        "actor": run.actor,
        "engine": run.engine,
        "customers": run.snapshot.rows.get("customers") if run.snapshot else None,
        "changes": run.counts.get("opened"),
    }


def run_page(request: HttpRequest, number: int) -> HttpResponse:
    _allowed(request)
    run = selectors.runs().filter(pk=number).first()
    if run is None:
        raise Http404
    zh, _sep, en = run.error.partition("\n")
    error = zh if language() == "zh" else en or zh
    context: dict[str, Any] = {"run": run, "mood": MOODS.get(RunState(run.state), "watch"), "error": error}
    if run.snapshot is not None:
        spoken = language()
        rows = run.snapshot.rows.items()
        context["read"] = [{"label": labels.value("record", name, spoken), "rows": count} for name, count in rows]
    return render(request, "kequn/run.html", context | _changes(run))


def _changes(run: Run) -> dict[str, Any]:
    """Spans that the run opened, by finding and cause."""
    spoken = language()
    counted: dict[str, dict[str, int]] = {}
    for row in selectors.movements(run=run):
        by_cause = counted.setdefault(row["key"], {})
        by_cause[row["cause"]] = by_cause.get(row["cause"], 0) + row["customers"]
    causes = sorted({cause for by_cause in counted.values() for cause in by_cause})
    rows = [
        {"label": labels.fact(key, spoken), "cells": [by_cause.get(cause, 0) for cause in causes]}
        for key, by_cause in sorted(counted.items(), key=lambda one: -sum(one[1].values()))
    ]
    return {"causes": [labels.value("cause", cause, spoken) for cause in causes], "changes": rows}
