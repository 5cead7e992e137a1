"""The audit chain: search it, read it, prove it."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from kequn.apps.accounts.access import SEE_AUDIT, may
from kequn.apps.audit import selectors
from kequn.web.acts import said

EARLIEST = 1900  # years before are slips of typing

PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def audit(request: HttpRequest) -> HttpResponse:
    if not may(request.user, SEE_AUDIT):
        raise PermissionDenied
    wanted, before = _wanted(request.GET), request.GET.get("before", "")
    found = selectors.latest_lines(wanted=wanted, before=int(before) if before.isdecimal() else None)
    lines = list(found[: PAGE + 1])
    context: dict[str, Any] = {
        "lines": [{"line": one, "act": said(one.action)} for one in lines[:PAGE]],
        "wanted": wanted,
        "actions": [{"code": one, "said": said(one)} for one in selectors.actions()],
        "is_filtered": wanted != selectors.LinesWanted(),
    }
    if len(lines) > PAGE:
        further = request.GET.copy()
        further["before"] = str(lines[PAGE - 1].id)
        context["next_url"] = f"?{further.urlencode()}"
    if request.method == "POST":
        context["verdict"] = selectors.verify()
    return render(request, "kequn/audit.html", context)


def _wanted(query: QueryDict) -> selectors.LinesWanted:
    texts = {name: query.get(name, "").strip() for name in ("actor", "action", "subject")}
    return selectors.LinesWanted(**texts, first_day=_day(query.get("from")), last_day=_day(query.get("to")))


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    return found if EARLIEST <= found.year < date.max.year else None
