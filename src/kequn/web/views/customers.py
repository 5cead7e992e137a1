"""The customer list: filters as chips, any order, forward and back, count and sum of what is shown, kept views."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kequn.apps.accounts.access import IMPORT, may
from kequn.apps.accounts.selectors import views_of
from kequn.apps.assessments import listing
from kequn.apps.assessments import selectors as findings
from kequn.apps.customers.models import Customer
from kequn.domain.monitoring.levels import Level
from kequn.web import filters
from kequn.web.preferences import rows_per_page

SHOWN = ("industry_family", "size", "geography", "grade", "credit_tier")
FALLING = frozenset({"exposure", "signals"})  # the order that a first click asks for


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    code: str
    name: str
    manager: str
    exposure: int | None
    signals: int | None
    level: str
    is_assessed: bool
    industry_family: str = ""
    size: str = ""
    geography: str = ""
    grade: str = ""
    credit_tier: str = ""


@require_safe
def customer_list(request: HttpRequest) -> HttpResponse:
    wanted = filters.wanted_of(request.GET)
    place = {key: request.GET.get(key, "") for key in filters.PLACES}
    page = listing.page_of(person=request.user, wanted=wanted, size=rows_per_page(request), **place)
    run = findings.latest_published()
    context = {
        "rows": rows_of(page.customers),
        "totals": page.totals,
        "run": run,
        "wanted": wanted,
        "fields": filters.fields(request, wanted),
        "chips": filters.chips(request.GET, wanted),
        "sorts": _sorts(request, wanted),
        "views": _views(request),
        "kept_query": filters.address(request.GET).partition("?")[2],
        "next_url": _beside(request, after=page.after),
        "previous_url": _beside(request, before=page.before),
        "csv_url": filters.address(request.GET, page="customers-csv"),
        "xlsx_url": filters.address(request.GET, page="customers-xlsx"),
        "may_import": may(request.user, IMPORT),
    }
    return render(request, "kequn/customers.html", context)


def rows_of(shown: list[Customer]) -> list[Row]:
    current = findings.current_of(shown, list(SHOWN))
    levels = list(Level)
    made = []
    for one in shown:
        figures = getattr(one, "figures", None)
        level = findings.gravest(figures.signal_rank) if figures else 0
        made.append(
            Row(
                code=one.code,
                name=one.name,
                manager=str(one.owner) if one.owner else "",
                exposure=figures.exposure_gross if figures else None,
                signals=figures.signals if figures else None,
                level=levels[level - 1].value if level else "",
                is_assessed=figures is not None,
                **current[one.pk],
            )
        )
    return made


def _beside(request: HttpRequest, **mark: str) -> str:
    """The address of the page before or after; '' where there is none."""
    (name, value), *_rest = mark.items()
    if not value:
        return ""
    base = filters.address(request.GET)
    return f"{base}{'&' if '?' in base else '?'}{name}={value}"


def _sorts(request: HttpRequest, wanted: listing.Wanted) -> dict[str, dict[str, str]]:
    """For each order: the address that asks for it, and how the list stands in it now."""
    made = {}
    for name in listing.ORDERS:
        current = wanted.order == name
        falling = not wanted.descending if current else name in FALLING
        state = ("descending" if wanted.descending else "ascending") if current else ""
        mark = {"descending": " ↓", "ascending": " ↑"}.get(state, "")
        sort = f"-{name}" if falling else name
        made[name] = {"url": filters.address(request.GET, sort=sort), "state": state, "mark": mark}
    return made


def _views(request: HttpRequest) -> list[dict[str, Any]]:
    base = filters.address(request.GET).partition("?")[0]
    return [
        {"id": one.pk, "name": one.name, "url": f"{base}?{one.query}" if one.query else base}
        for one in views_of(user=request.user, page="customers")
    ]
