"""What became of the loans, by dimension: realised charge-off rates with their intervals."""

import csv
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import SEE_OUTCOMES, may
from kequn.apps.assessments.outcomes import CSV_HEADER, OutcomeTable, csv_rows, dimensions, outcomes_by
from kequn.web import labels
from kequn.web.templatetags.kequn import language

WEIGHT = "sample_weight"
FIRST = "industry_family"


def _allowed(request: HttpRequest) -> None:
    if not may(request.user, SEE_OUTCOMES):
        raise PermissionDenied


@require_safe
def outcomes(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    known = dimensions()
    by = request.GET.get("by", "")
    by = by if by in known else (FIRST if FIRST in known else "")
    tables = outcomes_by(person=request.user, by=by, weight=WEIGHT) if by else []
    context = {
        "by": by,
        "choices": [{"key": key, "label": labels.fact(key, language())} for key in known],
        "table": _shown(tables[0]) if tables and tables[0].total.loans else None,
    }
    return render(request, "kequn/outcomes.html", context)


def _shown(table: OutcomeTable) -> dict[str, Any]:
    return {
        "key": table.dimension,
        "label": labels.fact(table.dimension, language()),
        "rows": table.rows,
        "total": table.total,
        "unknown_share": table.unknown_share,
    }


@require_safe
def outcomes_csv(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="outcomes.csv"'
    writer = csv.writer(response)
    writer.writerow(CSV_HEADER)
    writer.writerows(csv_rows(outcomes_by(person=request.user, weight=WEIGHT)))
    return response
