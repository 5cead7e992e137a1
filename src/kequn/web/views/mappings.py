"""Say once what the columns of a file are; the mappings that were kept."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kequn.apps.accounts.access import IMPORT, may
from kequn.apps.customers.dictionary import sheet_entries
from kequn.apps.ingest import background, kept, selectors, uploads
from kequn.apps.ingest.layout import SHEET_ORDER, sheet_columns_of
from kequn.apps.ingest.suggesting import Suggestion, likely_kind, suggest
from kequn.apps.jobs.models import Job
from kequn.domain.errors import KequnError
from kequn.web.templatetags.kequn import language
from kequn.web.views.imports import ALL_UNITS, UNITS

LEAVE_OUT = "-"  # the choice that a column is left out, on purpose


def _allowed(request: HttpRequest) -> None:
    if not may(request.user, IMPORT):
        raise PermissionDenied


def columns(request: HttpRequest, number: int, sheet: int) -> HttpResponse:
    """The columns of one sheet of a file that waits: what is each of them?"""
    _allowed(request)
    batch = selectors.batches().filter(pk=number).first()
    if batch is None or not 0 <= sheet < len(batch.sheets):
        raise Http404
    shown = batch.sheets[sheet]
    header = [one for one in shown["header"] if one]
    given = request.POST if request.method == "POST" else request.GET
    asked = given.get("kind", "")
    kind = asked if asked in SHEET_ORDER else shown["kind"] or likely_kind(header)
    problem = ""
    if request.method == "POST":
        try:
            kept.keep(
                person=request.user, name=request.POST.get("name", ""), kind=kind, header=header,
                columns=_said(request, header),
            )  # fmt: skip
        except KequnError as error:
            problem = error.text.in_language(language())
        else:
            return _again(request, number)
    spoken, chosen = language(), _said(request, header) if request.method == "POST" else {}
    context = {
        "batch": {"id": batch.pk, "file_name": batch.name},
        "sheet": shown["sheet"],
        "at": sheet,
        "kind": kind,
        "kinds": [{"value": one, "label": _sheet_label(one, spoken)} for one in SHEET_ORDER],
        "columns": _rows(shown, kind, spoken, chosen),
        "units": UNITS[language()],
        "problem": problem,
        "name": given.get("name", "") or shown["sheet"],
        "leave_out": LEAVE_OUT,
    }
    return render(request, "kequn/import_columns.html", context, status=422 if problem else 200)


def _sheet_label(kind: str, spoken: str) -> str:
    entry = sheet_entries()[kind]
    return entry.zh if spoken == "zh" else entry.en


def _said(request: HttpRequest, header: list[str]) -> dict[str, dict[str, object]]:
    """What was chosen for each column, in the form of a mapping file."""
    found: dict[str, dict[str, object]] = {}
    for at, text in enumerate(header):
        target, unit = request.POST.get(f"field-{at}", ""), request.POST.get(f"unit-{at}", "")
        if target == LEAVE_OUT:
            found[text] = {"ignored": True}
        elif target:
            found[text] = {"field": target} | ({"unit": unit} if unit in ALL_UNITS else {})
    return found


def _rows(shown: dict[str, Any], kind: str, spoken: str, chosen: dict[str, dict[str, object]]) -> list[dict[str, Any]]:
    places = [at for at, one in enumerate(shown["header"]) if one]
    known = sheet_columns_of(kind)
    offered = [
        {"value": one.name, "label": one.zh if spoken == "zh" else one.en, "required": one.required}
        for one in known.values()
    ]
    made = []
    for at, found in zip(places, suggest(kind, [shown["header"][at] for at in places]), strict=True):
        text = shown["header"][at]
        answer = chosen.get(text)
        target = found.target if answer is None else str(answer.get("field", LEAVE_OUT))
        made.append(
            {
                "header": text,
                "samples": [cells[at] for cells in shown["samples"] if at < len(cells) and cells[at]],
                "target": target,
                "how": _how(found) if answer is None else "",
                "unit": str((answer or {}).get("unit", "")) or found.unit,
                "states_unit": bool(found.unit) or bool(shown["units"]),
                "is_money": target in known and known[target].kind == "money",
                "offered": offered,
            }
        )
    return made


def _how(found: Suggestion) -> str:
    return {"label": _("same name"), "synonym": _("usual synonym"), "alike": _("looks alike: please check")}.get(
        found.how, ""
    )


def _again(request: HttpRequest, number: int) -> HttpResponse:
    """The mapping is kept; preview the file by it, where it is still here."""
    batch = selectors.batches().filter(pk=number).first()
    upload = uploads.of_batch(batch=batch, person=request.user) if batch is not None else None
    messages.success(request, _("The mapping is kept; files with the same header are read by it from now on."))
    if upload is None:
        return redirect("import-mappings")
    try:
        done = background.bring_in(upload=upload, person=request.user, store=False)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
        return redirect("imports")
    return redirect("import-job", done.pk) if isinstance(done, Job) else redirect("import", done.pk)


@require_safe
def mappings(request: HttpRequest) -> HttpResponse:
    _allowed(request)
    spoken = language()
    rows = [
        {
            "id": one.pk,
            "name": one.name,
            "kind": _sheet_label(one.document["kind"], spoken),
            "columns": [
                _pair(one.document["kind"], text, said, spoken) for text, said in one.document["columns"].items()
            ],
            "made_by": one.made_by,
            "made_at": one.made_at,
            "used_at": one.used_at,
        }
        for one in kept.mappings()
    ]
    return render(request, "kequn/import_mappings.html", {"mappings": rows})


def _pair(kind: str, text: str, said: dict[str, Any], spoken: str) -> dict[str, str]:
    column = sheet_columns_of(kind).get(said.get("field", ""))
    label = (column.zh if spoken == "zh" else column.en) if column is not None else _("left out")
    return {"header": text, "label": label, "unit": said.get("unit", "")}


@require_POST
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Rename or remove a kept mapping."""
    _allowed(request)
    try:
        if request.POST.get("act") == "remove":
            kept.remove(person=request.user, mapping_id=number)
            messages.success(request, _("The mapping was removed."))
        else:
            kept.rename(person=request.user, mapping_id=number, name=request.POST.get("name", ""))
            messages.success(request, _("The mapping was renamed."))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect("import-mappings")
