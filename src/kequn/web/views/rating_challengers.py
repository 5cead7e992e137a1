"""Champion against challenger on the customers of a run: agreement, the matrix of grades, who moves most."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kequn.apps.accounts.access import RUN, may
from kequn.apps.ratings.challenging import Comparison, comparison, registered, request_scores, scored_runs
from kequn.apps.ratings.papers import make_comparison_report
from kequn.domain.errors import KequnError
from kequn.reports.comparison_paper import WORDS, summary_blocks
from kequn.reports.paper import Paper
from kequn.reports.writing import FORMATS, MEDIA_TYPES
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import language
from kequn.web.views.rating_validation import blocks_of


@require_http_methods(["GET", "HEAD", "POST"])
def rating_challengers(request: HttpRequest) -> HttpResponse:
    """One challenger beside the champion; by POST it is asked to score the last run."""
    names = [one.name for one in registered()]
    if request.method == "POST":
        return _ask(request)
    name = request.GET.get("model", "")
    name = name if name in names else next((one for one in names if scored_runs(one)), names[0] if names else "")
    runs = scored_runs(name) if name else []
    found, problem = None, ""
    try:
        found = _comparison(request, name, runs)
    except KequnError as error:
        problem = error.text.in_language(language())
    context = {
        "names": names, "name": name, "runs": runs, "found": found, "problem": problem,
        "may_score": may(request.user, RUN), "title": WORDS["title"].in_language(language()),
    }  # fmt: skip
    return render(request, "kequn/rating_challengers.html", context | (_shown(found) if found is not None else {}))


def _ask(request: HttpRequest) -> HttpResponse:
    if not may(request.user, RUN):
        raise PermissionDenied
    name = request.POST.get("model", "")
    try:
        request_scores(person=request.user, name=name)
        messages.success(request, _("The run is being scored in the background; look again in a moment."))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect(f"{reverse('rating-challengers')}?{urlencode({'model': name})}")


def _comparison(request: HttpRequest, name: str, runs: list[Any]) -> Comparison | None:
    number = whole_number(request.GET.get("run", ""))
    run = next((one for one in runs if one.pk == number), runs[0] if runs else None)
    return None if run is None else comparison(person=request.user, name=name, run=run)


def _shown(found: Comparison) -> dict[str, Any]:
    spoken = language()
    blocks = summary_blocks(found.figures, spoken, found.trained)
    rows = [
        {"grade": grade, "cells": [{"count": n, "same": at == across} for across, n in enumerate(row)]}
        for at, (grade, row) in enumerate(zip(found.grades, found.figures["matrix"], strict=True))
    ]
    words = {name: WORDS[name].in_language(spoken) for name in
             ("matrix", "movers", "customer", "champion", "challenger", "notches", "nobody")}  # fmt: skip
    return {
        "blocks": blocks_of(Paper(spoken, "", "", tuple(blocks), "", "")), "rows": rows, "words": words,
        "subtitle": WORDS["subtitle"].in_language(spoken).format(found.model),
        "query": urlencode({"model": found.model, "run": found.run.pk}),
    }  # fmt: skip


@require_safe
def rating_challengers_file(request: HttpRequest, form: str) -> HttpResponse:
    """The comparison that the page shows, as a file."""
    name = request.GET.get("model", "")
    if form not in FORMATS or name not in {one.name for one in registered()}:
        raise Http404
    found = _comparison(request, name, scored_runs(name))
    if found is None:
        raise Http404
    chosen = next(one for one in FORMATS if one == form)
    made = make_comparison_report(person=request.user, found=found, form=chosen, language=language())
    answer = HttpResponse(made, content_type=MEDIA_TYPES[chosen])
    answer["Content-Disposition"] = content_disposition_header(True, f"kequn-challenger.{form}") or "attachment"
    return answer
