"""Exclusive hierarchies with their proof over the book, and a form to propose one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments.hierarchies import Hierarchy, Proof, hierarchies, propose_hierarchy, prove
from kequn.apps.assessments.selectors import latest_published
from kequn.domain.errors import KequnError
from kequn.web import labels
from kequn.web.templatetags.kequn import language
from kequn.web.views.migration import read_date


def hierarchies_page(request: HttpRequest) -> HttpResponse:
    """One hierarchy at a time with its proof; by POST a proposal of a new one."""
    problem = ""
    if request.method == "POST":
        if not may(request.user, DEFINE):
            raise PermissionDenied
        problem = _proposed(request)
        if not problem:
            return redirect("approvals")
    found = hierarchies(labels.pack(), timezone.localdate())
    chosen = next((one for one in found if one.key == request.GET.get("of")), found[0] if found else None)
    typed = {name: request.POST.get(name, "") for name in ("key", "zh", "en", "segments", "effective_from")}
    context: dict[str, Any] = {
        "options": [{"key": one.key, "label": _label(one), "is_chosen": one is chosen} for one in found],
        "chosen": chosen, "label": _label(chosen) if chosen else "", "run": latest_published(),
        "problem": problem, "typed": typed, "may_define": may(request.user, DEFINE),
        "today": timezone.localdate(),
        "segments": [one for one in labels.names().items.values() if one.kind == "segment"],
    }  # fmt: skip
    if chosen is not None:
        context |= _shown(prove(person=request.user, segments=chosen.segments))
    return render(request, "kequn/hierarchies.html", context, status=422 if problem else 200)


def _label(found: Hierarchy) -> str:
    if found.is_of_pack:
        return labels.value("dimension", found.key, language())
    return found.label.in_language(language())


def _shown(proof: Proof) -> dict[str, Any]:
    spoken = language()
    return {
        "proof": proof,
        "steps": [{"step": one, "label": labels.fact(one.segment, spoken)} for one in proof.steps],
        "several": [
            {"code": code, "name": name, "in": [labels.fact(key, spoken) for key in keys]}
            for code, name, keys in proof.in_several_named
        ],
        "left_out": [{"code": code, "name": name, "exposure": e} for code, name, e in proof.left_out_named],
    }


def _proposed(request: HttpRequest) -> str:
    posted = request.POST
    day, problem = read_date(posted.get("effective_from"), timezone.localdate())
    if problem:
        return problem
    try:
        propose_hierarchy(
            person=request.user, key=posted.get("key", "").strip(), zh=posted.get("zh", ""), en=posted.get("en", ""),
            segments=posted.get("segments", "").split(), effective_from=day,
        )  # fmt: skip
    except KequnError as error:
        return error.text.in_language(language())
    messages.success(request, _("It waits for approval now."))
    return ""
