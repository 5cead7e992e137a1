"""One version of a segment: what it says, what changes, what it would do; and its way through review."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments.prospect import Prospect
from kequn.apps.assessments.segment_policy import Reviewed, review, submit_segment
from kequn.apps.governance import versions
from kequn.apps.governance.models import DocumentVersion, VersionState
from kequn.apps.governance.selectors import SEGMENT, body_of, sees_policy_work
from kequn.domain.errors import KequnError
from kequn.domain.rules.groups import groups_of, to_rqb
from kequn.domain.rules.rendering import render_text
from kequn.policy.differences import TOGETHER, Difference
from kequn.policy.planning import rule_of
from kequn.policy.segment_document import to_yaml
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language

MARKS = {"same": " ", "added": "+", "removed": "−", "changed": "≠"}
MOODS = {"draft": "unknown", "in_review": "watch", "published": "good", "retired": "unknown"}


def _version(request: HttpRequest, number: int) -> DocumentVersion:
    if not sees_policy_work(request.user):
        raise PermissionDenied
    found = DocumentVersion.objects.select_related("proposal").filter(pk=number, kind=SEGMENT).first()
    if found is None:
        raise Http404
    return found


def version_page(request: HttpRequest, number: int) -> HttpResponse:
    """Read a version; by POST put it before its checkers, or throw the draft away."""
    version = _version(request, number)
    if request.method == "POST":
        if not may(request.user, DEFINE):
            raise PermissionDenied
        return _act(request, version)
    found = review(version)
    spoken = language()
    teller = Teller(found.pack, found.plan, spoken, unit(spoken))
    is_mine = version.maker == request.user.actor_key and version.state == VersionState.DRAFT
    context = {
        "version": version, "mood": MOODS[version.state], "label": found.body[spoken],
        "body": found.body, "text": found.body["rule"], "sentence": teller.sentence(found.rule),
        "lines": found.lines(spoken), "tree": _tree(found, teller),
        "prospect": _shown(found.prospect, teller) if found.prospect is not None else None,
        "may_change": is_mine and may(request.user, DEFINE),
    }  # fmt: skip
    return render(request, "kequn/segment_version.html", context)


def _act(request: HttpRequest, version: DocumentVersion) -> HttpResponse:
    try:
        if request.POST.get("act") == "discard":
            versions.discard(person=request.user, version=version)
            messages.success(request, _("The draft was thrown away."))
            return redirect("segments")
        made = submit_segment(person=request.user, version=version)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
        return redirect("segment-version", version.pk)
    messages.success(request, _("It waits for approval now."))
    return redirect("proposal", made.pk)


def _tree(found: Reviewed, teller: Teller) -> dict[str, Any] | None:
    """The difference as nested parts with a mark on each."""
    return _node(found.tree, teller) if found.tree is not None else None


def _node(part: Difference, teller: Teller) -> dict[str, Any]:
    together = teller.say(TOGETHER[part.together]) if part.together else ""
    expr = part.after if part.after is not None else part.before
    said = "" if part.together or expr is None else teller.sentence(expr)
    was = teller.sentence(part.before) if not part.together and part.mark == "changed" and part.before else ""
    parts = [_node(one, teller) for one in part.parts]
    return {"mark": MARKS[part.mark], "kind": part.mark, "together": together, "said": said, "was": was, "parts": parts}


def _shown(found: Prospect, teller: Teller) -> dict[str, Any]:
    rate = found.default_rate
    return {
        "figures": found, "limit_use": found.limit_use,
        "rate": None if rate is None else rate[0], "low": rate[1] if rate else None, "high": rate[2] if rate else None,
        "missing": [{"label": teller.name(name), "name": name, "customers": n} for name, n in found.missing],
        "overlaps": [
            {"key": one.key, "label": labels.fact(one.key, language()), "found": one} for one in found.overlaps
        ],
    }  # fmt: skip


@require_safe
def version_document(request: HttpRequest, number: int, form: str) -> HttpResponse:
    """The version as YAML, or its rule as the JSON of react-querybuilder."""
    version = _version(request, number)
    body = {name: str(value) for name, value in body_of(version).items()}
    if form == "yaml":
        text, kind = to_yaml(body), "application/yaml"
    elif form == "json":
        rule = rule_of(labels.pack(), version.effective_from, body["rule"])
        query = to_rqb(groups_of(rule), labels.plan().vocabulary)
        text, kind = json.dumps(query, ensure_ascii=False, indent=1), "application/json"
    elif form == "txt":
        rule = rule_of(labels.pack(), version.effective_from, body["rule"])
        text, kind = render_text(rule) + "\n", "text/plain"
    else:
        raise Http404
    answer = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{version.key}-{version.number}.{form}"'
    return answer
