"""Projects: the list of those the reader may see, and the page of one, a part at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import MODEL, may
from kequn.apps.deals.models import Project
from kequn.apps.projects import selectors
from kequn.apps.projects.cover_so_far import CoverSoFar, covers_so_far
from kequn.apps.projects.models import ProjectModel
from kequn.domain.errors import KequnError
from kequn.policy.words import words_of
from kequn.web import labels
from kequn.web.preferences import rows_per_page
from kequn.web.views import project_actuals, project_cases, project_parts

OVERVIEW = "overview"
RECKONED = frozenset({"cases", "what-if", "simulation", "actuals"})  # the parts that read the model anew
Maker = Callable[[HttpRequest, ProjectModel], dict[str, Any]]


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    words, today = request.GET.get("q", "").strip()[:100], timezone.localdate()
    sectors = words_of(labels.pack()).texts.get("sector", {})
    visible = selectors.searched(selectors.projects_visible_to(request.user), words, sectors)
    is_modelled = request.GET.get("model") == "1"
    found = selectors.with_model(visible, today) if is_modelled else visible
    pages = Paginator(selectors.lowest_first(found, today), rows_per_page(request))
    pages.count = found.order_by().count()
    page = pages.get_page(request.GET.get("page"))
    listed = selectors.with_ratios(list(page), today)
    came = covers_so_far([(one.pk, one.model_pk, one.model_digest) for one in listed if one.model_pk])
    rows = [
        {
            "project": one,
            "investment": labels.in_yuan(one.total_investment, one.currency, today),
            "mood": project_parts.mood_of(
                one.model_min_dscr, one.model_default_date, one.model_lockup_date, is_kept=one.model_number is not None
            ),
            "so_far": project_parts.mood_so_far(came.get(one.pk)),
        }
        for one in listed
    ]
    context = {"rows": rows, "page": page, "words": words, "count": pages.count, "is_modelled": is_modelled}
    return render(request, "kequn/projects.html", context)


def visible_project(request: HttpRequest, number: int) -> Project:
    """The project of this address, or nothing at all for who may see no party of it."""
    found = selectors.find_project(person=request.user, number=number)
    if found is None:
        raise Http404
    return found


@require_safe
def project_page(request: HttpRequest, number: int) -> HttpResponse:
    return page_of(request, visible_project(request, number), request.GET.get("tab", ""))


def page_of(
    request: HttpRequest, project: Project, tab: str, more: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """One part of the page; `more` lays what was typed and what is wrong with it over what the part shows."""
    today, model = timezone.localdate(), chosen_model(request, project)
    parts = {
        OVERVIEW: _("Overview"),
        "cash": _("Cash flow and waterfall"),
        "cases": _("Scenarios"),
        "what-if": _("What if"),
        "simulation": _("Simulation"),
        "actuals": _("Actuals"),
        "versions": _("Versions"),
    }
    tab = tab if tab in parts else OVERVIEW
    makers: dict[str, Maker] = {
        OVERVIEW: project_parts.overview,
        "cash": project_parts.cash,
        "cases": project_cases.cases,
        "what-if": project_cases.what_if,
        "simulation": project_cases.simulation,
        "actuals": project_actuals.actuals,
    }
    made = _made(request, model, makers[tab]) if model is not None and tab in makers else {}
    came = covers_so_far([(project.pk, model.pk, model.digest)]) if model is not None else {}
    versions = selectors.versions_of(project)
    context = {
        "project": project,
        "investment": labels.in_yuan(project.total_investment, project.currency, today),
        "model": model,
        "moods": _moods(model, came.get(project.pk)),
        "versions": versions,
        "is_other_policy": model is not None and tab in RECKONED and model.pack != labels.pack().digest,
        "is_current": model is None or model == selectors.model_in_force(project, today),
        "parties": selectors.parties_of(person=request.user, project=project),
        "may_model": may(request.user, MODEL),
        "today": today,
        "tab": tab,
        "tabs": [{"key": key, "label": label} for key, label in parts.items()],
        "part": f"kequn/project_{tab.replace('-', '_')}.html",
    }
    return render(request, "kequn/project.html", context | made | dict(more or {}), status=status)


def _moods(model: ProjectModel | None, came: CoverSoFar | None) -> list[tuple[str, str]]:
    """How the model looks, and how the figures that came look where they fall short."""
    if model is None:
        return []
    looks = project_parts.mood_of(model.model_min_dscr, model.model_default_date, model.model_lockup_date, is_kept=True)
    so_far = project_parts.mood_so_far(came)
    return [looks] if so_far is None else [looks, so_far]


def _made(request: HttpRequest, model: ProjectModel, maker: Maker) -> dict[str, Any]:
    """What a part shows; of a version that can no longer be read, why it cannot."""
    try:
        return maker(request, model)
    except KequnError as error:
        return {"part": "kequn/project_unread.html", "unread": project_parts.told(error)}


def chosen_model(request: HttpRequest, project: Project) -> ProjectModel | None:
    """The version that the address names, else the one in force, else the latest that will be."""
    wanted = request.GET.get("version", "")
    if wanted.isdecimal() and len(wanted) < 9:
        named = project.models.filter(number=int(wanted)).first()
        if named is None:
            raise Http404
        return named
    return selectors.model_in_force(project, timezone.localdate()) or project.models.order_by("in_force").first()
