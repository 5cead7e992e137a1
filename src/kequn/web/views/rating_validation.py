"""The validation of the ratings on record: one page, and the same as a file."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import SEE_OUTCOMES, may
from kequn.apps.ratings.papers import make_validation_report, validation_paper_of
from kequn.apps.ratings.services import policy_at, rating_date
from kequn.apps.ratings.validating import Window
from kequn.domain.errors import KequnError
from kequn.reports.paper import Paper
from kequn.reports.pdf import as_data
from kequn.reports.writing import FORMATS, MEDIA_TYPES
from kequn.web.templatetags.kequn import language
from kequn.web.views.migration import read_date


def _window(request: HttpRequest) -> tuple[Window, str]:
    """What was asked for, and the sentence of what was wrong with it; then the whole time is shown."""
    if not may(request.user, SEE_OUTCOMES):
        raise PermissionDenied
    asked, known = request.GET, policy_at(rating_date()).scheme.models
    model = asked.get("model", "")
    first, problem = read_date(asked.get("from"), rating_date())
    last, problem_too = read_date(asked.get("to"), rating_date())
    found = Window(
        first if asked.get("from") and not problem else None, last if asked.get("to") and not problem_too else None,
        model if model in known else "",
    )  # fmt: skip
    if found.first and found.last and found.first > found.last:
        return Window(model=found.model), _("The first day is after the last.")
    return found, problem or problem_too


@require_safe
def rating_validation(request: HttpRequest) -> HttpResponse:
    """Overrides, concentration, ranking, calibration and moves of the ratings that were approved."""
    window, problem = _window(request)
    policy, spoken = policy_at(rating_date()), language()
    paper = validation_paper_of(person=request.user, window=window, language=spoken)
    context = {
        "paper": paper, "blocks": blocks_of(paper), "problem": problem, "window": window,
        "query": request.GET.urlencode(),
        "models": [(name, one.label.in_language(spoken)) for name, one in policy.scheme.models.items()],
    }  # fmt: skip
    return render(request, "kequn/rating_validation.html", context)


@require_safe
def rating_validation_file(request: HttpRequest, form: str) -> HttpResponse:
    window, _problem = _window(request)
    if form not in FORMATS:
        raise Http404
    chosen = next(one for one in FORMATS if one == form)
    try:
        made = make_validation_report(person=request.user, window=window, form=chosen, language=language())
    except KequnError as error:
        return HttpResponse(error.text.in_language(language()), status=422, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(made, content_type=MEDIA_TYPES[chosen])
    answer["Content-Disposition"] = content_disposition_header(True, f"kequn-rating-validation.{form}") or "attachment"
    return answer


def blocks_of(paper: Paper) -> list[dict[str, Any]]:
    """The blocks of a paper for a page: each cell of a table with whether it stands at the right."""
    found = []
    for block in as_data(paper)["blocks"]:
        if block["kind"] == "table":
            rights = [one["right"] for one in block["columns"]]
            block["rows"] = [list(zip(row, rights, strict=True)) for row in block["rows"]]
        found.append(block)
    return found
