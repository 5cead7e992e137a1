"""Keep a version of a project's model; take one out as YAML or as a workbook; ask for a simulation."""

from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kequn.apps.accounts.access import MODEL, may
from kequn.apps.ingest.project_models import bring_model
from kequn.apps.projects import selectors
from kequn.apps.projects.models import ProjectModel
from kequn.apps.projects.reckoning import ready
from kequn.apps.projects.simulating import ask_simulation
from kequn.domain.errors import KequnError
from kequn.web.templatetags.kequn import language
from kequn.web.views.imports import SHEET
from kequn.web.views.project_parts import told
from kequn.web.views.projects import chosen_model, visible_project

EXAMPLE = "model.yaml"


def _may(request: HttpRequest) -> None:
    if not may(request.user, MODEL):
        raise PermissionDenied


@require_POST
def keep(request: HttpRequest, number: int) -> HttpResponse:
    """A file, or the text of the form, as the next version; every error with its place where it is refused."""
    project = visible_project(request, number)
    _may(request)
    upload, typed = request.FILES.get("file"), request.POST.get("text", "")
    name, content = (str(upload.name), upload.read()) if upload else (EXAMPLE, typed.encode())
    problems: list[str] = []
    try:
        day = date.fromisoformat(request.POST.get("in_force", ""))
        made = bring_model(
            person=request.user, project=project, name=name, content=content, in_force=day,
            reason=request.POST.get("reason", ""),
        )  # fmt: skip
    except ValueError:
        problems = [_("The day from which it holds is not a date.")]
    except KequnError as error:
        problems = told(error)
    else:
        messages.success(request, _("Version %(number)s is kept and solved.") % {"number": made.number})
        return redirect(f"{reverse('project', args=[number])}?version={made.number}")
    context = {
        "project": project, "problems": problems, "typed": typed, "tab": "versions", "may_model": True, "tabs": [],
        "versions": selectors.versions_of(project), "part": "kequn/project_versions.html",
        "reason": request.POST.get("reason", ""), "in_force": request.POST.get("in_force", ""),
    }  # fmt: skip
    return render(request, "kequn/project.html", context, status=422)


def _model(request: HttpRequest, number: int) -> ProjectModel:
    model = chosen_model(request, visible_project(request, number))
    if model is None:
        raise Http404
    return model


@require_safe
def model_file(request: HttpRequest, number: int, form: str) -> HttpResponse:
    """The version as it was handed in, or one scenario of it as a workbook of live formulas."""
    model = _model(request, number)
    name = f"{model.project.project_id}-{model.number}"
    if form == "yaml":
        answer = HttpResponse(model.body, content_type="application/yaml; charset=utf-8")
    elif form == "xlsx":
        from kequn.financing.workbook import workbook_of

        scenario = request.GET.get("scenario", "") or "base"
        if not model.results.filter(scenario=scenario).exists():
            raise Http404
        try:
            found = ready(model)
            content = workbook_of(found.run(found.file.project.scenario(scenario)))
        except KequnError as error:
            messages.error(request, " ".join(told(error)))
            return redirect(f"{reverse('project', args=[number])}?version={model.number}")
        answer = HttpResponse(content, content_type=SHEET)
    else:
        raise Http404
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.{form}") or "attachment"
    return answer


@require_POST
def simulate(request: HttpRequest, number: int) -> HttpResponse:
    visible_project(request, number)
    _may(request)
    try:
        model = _model(request, number)
        count, seed = (int(request.POST.get(name, "")) for name in ("count", "seed"))
        ask_simulation(
            person=request.user,
            model=model,
            scenario=request.POST.get("scenario", "base")[:100],
            count=count,
            seed=seed,
        )
        messages.success(request, _("The simulation is being made; this page shows it when it is done."))
    except ValueError:
        messages.error(request, _("The number of cases and the seed are whole numbers."))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect(f"{reverse('project', args=[number])}?tab=simulation")
