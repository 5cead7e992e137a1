"""Strategies of segments and how the segments do: an overview, and one segment with its table, shadow and figures."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.governance import versions
from kequn.apps.governance.models import DocumentVersion, VersionState
from kequn.apps.governance.selectors import HIERARCHY, STRATEGY, open_versions, sees_policy_work
from kequn.apps.strategies import documents
from kequn.apps.strategies.overview import overview
from kequn.apps.strategies.performance import Effect, effects, fewest, performance
from kequn.apps.strategies.workbook import read_workbook, write_workbook
from kequn.apps.strategies.worth import margin_of
from kequn.domain.errors import Finding, KequnError, Refused, Text
from kequn.policy.items import Item
from kequn.policy.segment_strategies import Strategy
from kequn.policy.strategy_document import MOST_ROWS, Column, body_of_grid, grid_of
from kequn.web import labels
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import SEGMENT
from kequn.web.views.segment_versions import MOODS

SPARE_ROWS = 3
LARGEST_FILE = 2_000_000
LOWEST_RANK = 99


@require_safe
def strategies(request: HttpRequest) -> HttpResponse:
    """Every combined segment, and those of the dimensions that have a strategy: how they do today."""
    pack, today = labels.pack(), timezone.localdate()
    rows = [
        {"key": one.key, "label": labels.fact(one.key, language()), "lines": one.lines, "has_strategy": one.lines > 0,
         "today": one.today, "formation": one.formation, "margin": one.margin}
        for one in overview(person=request.user, as_of=today)
    ]  # fmt: skip
    context = {"rows": rows, "run": latest_published(), "least": fewest(pack, today)}
    return render(request, "kequn/strategies.html", context)


def _segment(key: str) -> Item:
    item = labels.item(key)
    if item is None or item.kind != SEGMENT:
        raise Http404
    return item


@require_safe
def strategy_workbook(_request: HttpRequest, key: str) -> HttpResponse:
    """The strategy in force as a workbook that can be changed and brought in again."""
    item, today = _segment(key), timezone.localdate()
    policy = documents.strategies_at(labels.pack(), today)
    columns = documents.columns_at(labels.pack(), today)
    made = write_workbook(policy.strategies.get(key), columns, item.label, language())
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = HttpResponse(made, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="strategy-{key}.xlsx"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def strategy_page(request: HttpRequest, key: str) -> HttpResponse:
    """One segment; by POST a draft from the form or a workbook, its way to the checkers, or into the bin."""
    item, today = _segment(key), timezone.localdate()
    columns = documents.columns_at(labels.pack(), today)
    problem, findings = "", []
    if request.method == "POST":
        if not may(request.user, DEFINE):
            raise PermissionDenied
        try:
            return _act(request, item, columns)
        except KequnError as error:
            problem = error.text.in_language(language())
            findings = [_place(one, columns) for one in error.findings] if isinstance(error, Refused) else []
    context = _context(request, item, columns) | {"problem": problem, "findings": findings}
    return render(request, "kequn/strategy.html", context, status=422 if problem else 200)


def _place(finding: Finding, columns: Sequence[Column]) -> str:
    """A finding with the row and the head of its column."""
    heads = {one.name: one.label.in_language(language()) for one in columns}
    said = [_("row %(n)s") % {"n": finding.place.row}] if finding.place.row else []
    said += [heads[finding.place.column]] if finding.place.column in heads else []
    return ", ".join(said) + (": " if said else "") + finding.text.in_language(language())


def _act(request: HttpRequest, item: Item, columns: Sequence[Column]) -> HttpResponse:
    act = request.POST.get("act", "")
    if act in ("submit", "discard"):
        draft = _open(item.name)
        if draft is None:
            raise Refused(Text("没有草稿", "there is no draft"))
        if act == "discard":
            versions.discard(person=request.user, version=draft)
            messages.success(request, _("The draft was thrown away."))
            return redirect("segment-strategy", item.name)
        made = documents.submit_strategy(person=request.user, version=draft, item=item)
        messages.success(request, _("It waits for approval now."))
        return redirect("proposal", made.pk)
    grid = _uploaded(request, columns) if act == "upload" else _posted(request, columns)
    body = body_of_grid(item.name, _priority(request), grid, columns)
    try:
        day = date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError as error:
        raise Refused(Text("生效日期不是日期", "the day from which it holds is no date")) from error
    asked = documents.Asked(body, day, request.POST.get("reason", ""), "xlsx" if act == "upload" else "page")
    documents.draft_strategy(person=request.user, asked=asked)
    messages.success(request, _("The draft is kept. It stands below as the challenger of what is in force."))
    return redirect("segment-strategy", item.name)


def _priority(request: HttpRequest) -> int:
    found = whole_number(request.POST.get("priority", ""))
    if found is None or not 0 < found <= LOWEST_RANK:
        raise Refused(
            Text(f"排序应为 1 到 {LOWEST_RANK} 的整数", f"the rank is a whole number from 1 to {LOWEST_RANK}")
        )
    return found


def _uploaded(request: HttpRequest, columns: Sequence[Column]) -> list[dict[str, str]]:
    upload = request.FILES.get("file")
    if upload is None or not str(upload.name).lower().endswith(".xlsx"):
        raise Refused(Text("请选择 .xlsx 工作簿", "choose an .xlsx workbook"))
    if (upload.size or 0) > LARGEST_FILE:
        raise Refused(Text("文件过大，策略表不应超过 2 MB", "the file is too large; a strategy takes less than 2 MB"))
    return read_workbook(str(upload.name), upload.read(), columns)


def _posted(request: HttpRequest, columns: Sequence[Column]) -> list[dict[str, str]]:
    return [{one.name: request.POST.get(f"c.{at}.{one.name}", "")[:500] for one in columns} for at in range(MOST_ROWS)]


def _open(key: str) -> DocumentVersion | None:
    return open_versions(STRATEGY).filter(key=key).select_related("proposal").first()


def _context(request: HttpRequest, item: Item, columns: Sequence[Column]) -> dict[str, Any]:
    spoken, today = language(), timezone.localdate()
    standing = documents.strategies_at(labels.pack(), today).strategies.get(item.name)
    found = performance(person=request.user, segment=item.name, unknown_means=item.unknown_means, as_of=today)
    least = fewest(labels.pack(), today)
    context: dict[str, Any] = {
        "key": item.name, "label": item.label.in_language(spoken), "found": found, "run": latest_published(),
        "in_force": _table(standing, columns), "least": least, "may_define": may(request.user, DEFINE),
        "effects": [_effect(one) for one in effects(found, item.name, least)] if found is not None else [],
        "margin": margin_of(person=request.user, segment=item.name, unknown_means=item.unknown_means),
    }  # fmt: skip
    draft = _open(item.name) if sees_policy_work(request.user) else None
    if draft is not None:
        reviewed = documents.review(draft, item, request.user)
        is_mine = draft.maker == request.user.actor_key and draft.state == VersionState.DRAFT
        context |= {
            "draft": draft, "draft_mood": MOODS[draft.state], "challenger": _table(reviewed.strategy, columns),
            "shadow": reviewed.shadow, "may_change_draft": is_mine and may(request.user, DEFINE),
        }  # fmt: skip
        standing = reviewed.strategy
    return context | _form(request, standing, columns)


def _effect(one: Effect) -> dict[str, Any]:
    """A change of the strategy with its figures, and in words what else took effect in the same time."""
    kinds = {SEGMENT: _("Segment"), HIERARCHY: _("Hierarchy"), STRATEGY: _("Strategy")}
    others = [
        f"{kinds[other.kind]} {other.key} {other.number} ({other.effective_from:%Y-%m-%d})" for other in one.others
    ]
    return {"one": one, "others": others}


def _table(strategy: Strategy | None, columns: Sequence[Column]) -> dict[str, Any]:
    """A strategy for reading: without the columns in which nothing stands."""
    rows = grid_of(strategy, columns, language()) if strategy is not None else []
    used = [one for one in columns if any(row[one.name] for row in rows)]
    return {
        "heads": [one.label.in_language(language()) for one in used],
        "rows": [[row[one.name] for one in used] for row in rows],
    }


def _form(request: HttpRequest, strategy: Strategy | None, columns: Sequence[Column]) -> dict[str, Any]:
    """The table to write in: what was typed, else what stands, and some rows more."""
    spoken, posted = language(), request.method == "POST"
    rows = grid_of(strategy, columns, spoken) if strategy is not None else []
    if posted and request.POST.get("act") == "save":
        rows = [row for row in _posted(request, columns) if any(row.values())]
    rows += [{one.name: "" for one in columns}] * SPARE_ROWS
    typed = request.POST if posted else {}
    return {
        "columns": [
            {"name": one.name, "label": one.label.in_language(spoken), "is_condition": one.is_condition,
             "words": [said.in_language(spoken) for said in one.codes.values()]}
            for one in columns
        ],
        "form_rows": [
            [{"name": f"c.{at}.{one.name}", "value": row[one.name], "list": f"list-{one.name}" if one.codes else "",
              "label": f"{one.label.in_language(spoken)} {at + 1}"} for one in columns]
            for at, row in enumerate(rows)
        ],
        "priority": typed.get("priority") or (strategy.priority if strategy is not None else LOWEST_RANK),
        "effective_from": typed.get("effective_from") or timezone.localdate().isoformat(),
        "reason": typed.get("reason", ""),
    }  # fmt: skip
