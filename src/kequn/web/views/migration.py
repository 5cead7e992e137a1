"""Who moved between the classes of one finding from one date to another."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.membership import movers
from kequn.apps.assessments.selectors import NOT_ASSESSED
from kequn.apps.assessments.tallies import Part
from kequn.reports.charts import Flow, sankey
from kequn.web import labels
from kequn.web.templatetags.kequn import language

MOST_NAMED = 500
EARLIEST = 1900  # years before are slips of typing


def migration(request: HttpRequest) -> HttpResponse:
    """Who moved between the classes of one finding from one date to another."""
    known = labels.dimensions()
    if not known:
        raise Http404
    key = request.GET.get("key", "")
    asked = labels.item(key)
    if key not in known and (asked is None or asked.kind != "segment"):
        key = "credit_tier" if "credit_tier" in known else known[0]
    elif key not in known:
        known = [*known, key]
    run = findings.latest_published()
    until = run.as_of if run else timezone.localdate()
    second, problem = read_date(request.GET.get("to"), until)
    first, problem_too = read_date(request.GET.get("from"), second - timedelta(days=92))
    matrix = findings.migration(person=request.user, key=key, before=min(first, second), after=max(first, second))
    context = {
        "key": key,
        "label": labels.fact(key, language()),
        "options": [{"key": one, "label": labels.fact(one, language())} for one in known],
        "first": matrix.before,
        "second": matrix.after,
        "problem": problem or problem_too,
        "matrix": _matrix(matrix),
        "svg": _sankey(matrix),
    }
    return render(request, "kequn/migration.html", context)


def read_date(text: str | None, otherwise: date) -> tuple[date, str]:
    """A date as it was typed, and the sentence of what was wrong with it."""
    if not text:
        return otherwise, ""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.min
    if found.year >= EARLIEST:
        return found, ""
    return otherwise, _("“%(found)s” is not a date; write it like 2026-09-30.") % {"found": text}


def _matrix(found: findings.Migration) -> dict[str, Any]:
    spoken = language()
    rows = []
    values = sorted(found.values, key=lambda value: labels.place(found.key, value))
    for before in values:
        cells = [
            {
                "count": found.cells.get((before, after), 0),
                "same": before == after,
                "url": _names_of(found, before, after),
            }
            for after in values
        ]
        label = labels.value(found.key, before, spoken)
        rows.append({"label": label, "cells": cells, "total": sum(cell["count"] for cell in cells)})
    totals = [sum(n for (_before, after), n in found.cells.items() if after == value) for value in values]
    columns = [labels.value(found.key, value, spoken) for value in values]
    return {"columns": columns, "rows": rows, "column_totals": totals, "total": found.customers}


def _names_of(found: findings.Migration, before: str, after: str) -> str:
    """Where the customers of one cell are named."""
    query = {"key": found.key, "from": found.before, "to": found.after, "a": before, "b": after}
    return f"{reverse('migration-names')}?{urlencode(query)}"


@require_safe
def names(request: HttpRequest) -> HttpResponse:
    """The customers of one cell of the matrix, the largest first."""
    key, spoken = request.GET.get("key", ""), language()
    item = labels.item(key)
    if key not in labels.dimensions() and (item is None or item.kind != "segment"):
        raise Http404
    run = findings.latest_published()
    until = run.as_of if run else timezone.localdate()
    second, _problem = read_date(request.GET.get("to"), until)
    first, _problem = read_date(request.GET.get("from"), second - timedelta(days=92))
    value, then = request.GET.get("a", NOT_ASSESSED), request.GET.get("b", NOT_ASSESSED)
    found = movers(person=request.user, key=key, before=first, after=second, value=value, then=then)
    context = {
        "key": key, "label": labels.fact(key, spoken), "first": first, "second": second,
        "before": labels.value(key, value, spoken), "after": labels.value(key, then, spoken),
        "customers": list(found[:MOST_NAMED]), "totals": Part.of(found).totals(),
    }  # fmt: skip
    return render(request, "kequn/migration_names.html", context)


def _sankey(found: findings.Migration) -> str:
    """The same customers as bands from the first date to the second."""
    spoken = language()
    values = sorted(found.values, key=lambda value: labels.place(found.key, value))
    flows = [
        Flow(values.index(before), values.index(after), float(customers), f"{customers:,}")
        for (before, after), customers in sorted(found.cells.items())
    ]
    if not flows:
        return ""
    return sankey(
        title=labels.fact(found.key, spoken),
        classes=[labels.value(found.key, value, spoken) for value in values],
        flows=flows,
        heads=(f"{found.before:%Y-%m-%d}", f"{found.after:%Y-%m-%d}"),
        width=900,
        height=max(240, 44 * len(values)),
    )
