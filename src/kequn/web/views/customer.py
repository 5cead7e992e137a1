"""The page of one customer: who it is in one line, then one part at a time. Every part is an address of its own."""

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.explaining import Known, known_of
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.customers import selectors as customers
from kequn.apps.customers.models import Customer
from kequn.apps.ratings import selectors as ratings
from kequn.domain.monitoring.levels import Level
from kequn.domain.segmentation.settling import settle
from kequn.policy.segment_strategies import segment_strategies
from kequn.policy.telling import Teller
from kequn.policy.thresholds import bounds_of
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language
from kequn.web.views import customer_deals, customer_history, customer_statements
from kequn.web.views.covenant_words import covenants_part
from kequn.web.views.customer_kin import group_part
from kequn.web.views.customer_worth import worth_of_customer

GENERAL_BY = ("credit_tier", "size", "industry_family")  # what the general table of strategies goes by
SIGNAL, SEGMENT, DIMENSION, STRATEGY, UNKNOWN = "signal", "segment", "dimension", "strategy", "unknown"
PRICE = "price"
LEVELS = [level.value for level in Level]
TOLD_CHANGES = 2  # of each finding; the why page has them all
OVERVIEW = "overview"


def visible_customer(request: HttpRequest, code: str) -> Customer:
    """The customer of this address, or nothing at all for who may not see it."""
    found = customers.find(person=request.user, code=code)
    if found is None:
        raise Http404
    return found


@require_safe
def customer_page(request: HttpRequest, code: str) -> HttpResponse:
    customer = visible_customer(request, code)
    run = findings.latest_published()
    standing = list(findings.findings_of(customer))
    parts = {
        OVERVIEW: _("Overview"),
        "group": _("Group"),
        "statements": _("Statements"),
        "facilities": _("Facilities"),
        "projects": _("Projects"),
        "findings": _("Findings"),
        "timeline": _("Timeline"),
    }
    tab = request.GET.get("tab", "")
    tab = tab if tab in parts else OVERVIEW
    makers = {
        OVERVIEW: lambda: _overview(request, customer, run, standing),
        "group": lambda: group_part(request, customer, _as_of(run)),
        "statements": lambda: customer_statements.statements_part(customer, _as_of(run)),
        "facilities": lambda: (
            customer_deals.facilities_part(customer, _as_of(run)) | covenants_part(customer, _as_of(run))
        ),
        "projects": lambda: customer_deals.projects_part(customer, _as_of(run)),
        "findings": lambda: _findings(customer, run, standing),
        "timeline": lambda: customer_history.timeline_part(request, customer),
    }
    context = {
        "customer": customer,
        "figures": getattr(customer, "figures", None),
        "run": run,
        "rating": ratings.in_force(customer),
        "tab": tab,
        "tabs": [{"key": key, "label": label} for key, label in parts.items()],
        "part": f"kequn/customer_{tab}.html",
        "newer": customer_history.newer_imports(customer, run) if tab in {OVERVIEW, "findings"} else [],
    }
    return render(request, "kequn/customer.html", context | _who(standing) | makers[tab]())


def _as_of(run: Run | None) -> date:
    return run.as_of if run else timezone.localdate()


def _who(standing: list[FindingSpan]) -> dict[str, Any]:
    """What the head says: the grade, the tier, the gravest signal, how many there are."""
    by_key = {one.key: one.value for one in standing}
    holding = [one for one in standing if one.kind == SIGNAL and one.value == "true"]
    levels = [item.level.value for one in holding if (item := labels.item(one.key)) is not None and item.level]
    return {
        "grade": by_key.get("grade") if by_key.get("grade") != UNKNOWN else None,
        "tier": by_key.get("credit_tier"),
        "signal_count": len(holding),
        "watch_level": max(levels, key=LEVELS.index, default=""),
    }


def _overview(request: HttpRequest, customer: Customer, run: Run | None, standing: list[FindingSpan]) -> dict[str, Any]:
    context: dict[str, Any] = {
        "dimensions": _in_order([finding_row(one) for one in standing if one.kind == DIMENSION]),
        "segments": [finding_row(one) for one in standing if one.kind == SEGMENT],
        "signals": _gravest_first([finding_row(one) for one in standing if one.kind == SIGNAL]),
    }
    if run is not None:
        known = known_of(customer=customer, as_of=run.as_of, pack=labels.pack())
        context |= _served(known) | {"ratios": _ratios(known), "settled": _settled(known, standing)}
        context["worth"] = worth_of_customer(request.user, run, known, customer)
        context["marks"] = labels.headings()
    return context


def _ratios(known: Known) -> list[dict[str, Any]]:
    """The ratios that warnings look at alone: where each stands, and from where it would warn."""
    teller, answers, rows = Teller(known.pack, known.plan, language(), unit(language())), known.answers(), []
    seen: set[str] = set()
    for bound in bounds_of(known.plan):
        value = answers.get(bound.fact)
        if bound.fact in seen or not bound.alone or not isinstance(value, float):
            continue
        seen.add(bound.fact)
        beyond = value < bound.value if bound.sign.startswith("<") else value > bound.value
        rows.append(
            {
                "key": bound.fact,
                "label": teller.name(bound.fact),
                "value": teller.value(bound.fact, value),
                "bound": f"{bound.sign} {teller.value(bound.fact, bound.value)}",
                "beyond": beyond or (value == bound.value and "=" in bound.sign),
                "explained": bound.fact in {one.name for one in known.plan.definitions},
            }
        )
    return rows


def _findings(customer: Customer, run: Run | None, standing: list[FindingSpan]) -> dict[str, Any]:
    """Everything that stands, each signal with what was found and what would change it."""
    rows = [finding_row(one) for one in standing]
    if run is not None:
        known = known_of(customer=customer, as_of=run.as_of, pack=labels.pack())
        teller = Teller(known.pack, known.plan, language(), unit(language()))
        defined = {one.name for one in known.plan.definitions}
        for row in rows:
            if row["kind"] == SIGNAL and row["key"] in defined:
                row.update(_told(known, teller, row["key"]))
    return {
        "dimensions": _in_order([row for row in rows if row["kind"] == DIMENSION]),
        "segments": [row for row in rows if row["kind"] == SEGMENT],
        "signals": _gravest_first([row for row in rows if row["kind"] == SIGNAL]),
    }


def _told(known: Known, teller: Teller, key: str) -> dict[str, Any]:
    reason = known.reason(key)
    found = [teller.reading(reading) for one in reason.conditions for reading in one.readings]
    changes = [teller.change(change, key) for change in known.changes(key)[:TOLD_CHANGES]]
    return {
        "conditions": [teller.condition(one) for one in reason.conditions],
        "found": list(dict.fromkeys(found)),
        "missing": teller.missing(reason),
        "changes": changes,
    }


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    order = {name: place for place, name in enumerate(labels.dimensions())}
    return sorted(rows, key=lambda row: order.get(row["key"], len(order)))


def _gravest_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: -LEVELS.index(row["level"]) if row["level"] in LEVELS else 0)


def finding_row(span: FindingSpan) -> dict[str, Any]:
    spoken = language()
    item = labels.item(span.key)
    return {
        "kind": span.kind,
        "key": span.key,
        "value": span.value,
        "label": labels.fact(span.key, spoken),
        "value_label": labels.value(span.key, span.value, spoken),
        "level": item.level.value if item is not None and item.level else "",
        "since": span.valid_from,
    }


def _settled(known: Known, standing: list[FindingSpan]) -> dict[str, Any]:
    """What the customer's segments ask for, and what holds where they disagree."""
    asked = segment_strategies(known.pack, known.as_of)
    if asked is None:
        return {}
    held = {one.key for one in standing if one.kind == SEGMENT and one.value == "true"}
    classes = {one.key: one.value for one in standing if one.kind == DIMENSION}
    demands = [strategy.demand(classes) for key, strategy in asked.strategies.items() if key in held]
    teller, spoken = Teller(known.pack, known.plan, language(), unit(language())), language()
    terms = {one.name: one for one in asked.terms}

    def said(term: str, value: float) -> str:
        one = terms[term]
        if one.choices:
            return labels.value(one.words, one.choices[int(value)], spoken)
        return f"{value * 100:.2f}%" if one.unit == "ratio" else teller.number(value, one.unit)

    rows = [
        {
            "label": terms[one.term].label.in_language(spoken), "value": said(one.term, one.value),
            "from": labels.fact(one.segment, spoken), "is_disputed": one.is_disputed,
            "asked": [f"{labels.fact(key, spoken)} {said(one.term, value)}" for key, value in one.asked],
        }
        for one in settle(demands, asked.settlement, asked.strict)
    ]  # fmt: skip
    return {"rows": rows, "how": labels.value("settlement", asked.settlement, spoken), "status": asked.status}


def _served(known: Known) -> dict[str, Any]:
    """How policy would serve and price the customer: the strategy rows and the prices that are known."""
    teller, answers = Teller(known.pack, known.plan, language(), unit(language())), known.answers()
    found: dict[str, list[dict[str, str]]] = {STRATEGY: [], PRICE: []}
    for one in known.plan.definitions:
        value = answers.get(one.name)
        if one.kind in found and one.output and value is not None:
            found[one.kind].append(
                {"key": one.name, "label": teller.name(one.name), "value": teller.as_percent(one.name, value)}
            )
    classes = [(key, answers.get(key)) for key in GENERAL_BY]
    basis = [f"{teller.name(key)} {labels.value(key, str(value), language())}" for key, value in classes if value]
    return {"strategy": found[STRATEGY], "strategy_by": basis, "prices": found[PRICE]}
