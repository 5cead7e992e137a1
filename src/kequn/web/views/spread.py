"""The spread of a customer's statements: the three forms line by line, their sums and checks, ratios with formulas."""

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.explaining import known_of
from kequn.apps.customers.models import Statement
from kequn.apps.customers.selectors import statements_until
from kequn.apps.ratings.services import rating_date
from kequn.domain.errors import Text
from kequn.domain.rating.spreading import OPENING, Check, Checked, check, rest_of
from kequn.policy.statement_forms import Form, FormLine, StatementForms, statement_forms
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import visible_customer
from kequn.web.views.customer_statements import periods_of

RATIOS = ("debt_ratio", "interest_coverage", "ebitda_to_debt", "cash_flow_to_debt", "current_ratio", "cash_ratio",
          "return_on_assets", "net_margin", "cash_margin", "revenue_growth")  # fmt: skip
MOODS = {"holds": "good", "fails": "bad", "unknown": "unknown"}


@require_safe
def spread(request: HttpRequest, code: str) -> HttpResponse:
    customer = visible_customer(request, code)
    run = findings.latest_published()
    as_of = run.as_of if run is not None else rating_date()
    forms = statement_forms(labels.pack(), as_of)
    if forms is None:
        raise Http404
    chosen, basis = periods_of(customer, as_of)
    everything = list(statements_until(customer, as_of))
    openings = [_opening(one, everything) for one in chosen]
    context: dict[str, Any] = {
        "customer": customer, "columns": [f"{one.period_end:%Y-%m-%d}" for one in chosen],
        "currencies": sorted({one.currency for one in chosen}),
        "basis": " · ".join(labels.value(key, said, language()) for key, said in
                            zip(("scope", "standard"), basis, strict=True)) if basis else "",
        "forms": [_form(form, chosen, as_of) for form in forms.forms],
        "checks": _checks(forms, chosen, openings, as_of),
        "ratios": _ratios(customer, as_of) if chosen else [], "policy": {"status": forms.status},
        "source": forms.source.in_language(language()),
    }  # fmt: skip
    return render(request, "kequn/spread.html", context)


def _amounts(one: Statement | None) -> dict[str, int | None]:
    """The lines of a statement by their names; none where there is no statement."""
    return {} if one is None else dict(vars(one))


def _opening(one: Statement, everything: list[Statement]) -> Statement | None:
    """The statement at the start of the flows: the end of last year, or of the quarter before; of the same basis."""
    months = 3 if one.flows == "discrete" else one.months
    month = one.period_end.year * 12 + one.period_end.month - months
    same = [other for other in everything if (other.scope, other.standard, other.currency)
            == (one.scope, one.standard, one.currency)
            and other.period_end.year * 12 + other.period_end.month == month]  # fmt: skip
    return max(same, key=lambda other: other.version, default=None)


def _form(form: Form, chosen: list[Statement], as_of: date) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for line in form.lines:
        if line.sums and line.rest is not None:
            rows.append(_rest(line, chosen, as_of))
        cells = [labels.in_yuan(getattr(one, line.fact), one.currency, as_of) for one in chosen]
        rows.append({"code": line.code, "label": labels.fact(line.fact, language()), "is_sum": bool(line.sums),
                     "cells": [{"value": value} for value in cells]})  # fmt: skip
    return {"label": form.label.in_language(language()), "rows": rows}


def _rest(line: FormLine, chosen: list[Statement], as_of: date) -> dict[str, Any]:
    """What the sum holds beyond its lines; below nil where it may not be, the lines say more than their sum."""
    cells = []
    for one in chosen:
        value = rest_of(line.fact, line.sums, _amounts(one))
        wrong = value is not None and value < 0 and not line.rest_may_be_negative
        cells.append({"value": labels.in_yuan(value, one.currency, as_of), "wrong": wrong})
    label = line.rest.in_language(language()) if line.rest is not None else ""
    return {"code": "", "label": label, "is_rest": True, "cells": cells}


def _checks(
    forms: StatementForms, chosen: list[Statement], openings: list[Statement | None], as_of: date
) -> list[dict[str, Any]]:
    return [
        {"label": label.in_language(language()),
         "cells": [_check(one, now, before, as_of) for now, before in zip(chosen, openings, strict=True)]}
        for one, label in forms.checks
    ]  # fmt: skip


def _check(one: Check, now: Statement, before: Statement | None, as_of: date) -> dict[str, Any]:
    """Whether a statement agrees with itself, in its own currency; what it is off by in yuan, as the forms are."""
    found = check(one, _amounts(now), _amounts(before))
    said = {"holds": Text("相符", "agrees"), "fails": Text("不符", "differs"), "unknown": Text("缺项", "lines missing")}
    return {
        "mood": MOODS[found.outcome], "said": said[found.outcome].in_language(language()),
        "gap": labels.in_yuan(found.gap, now.currency, as_of), "shows_gap": found.outcome == "fails",
        "missing": _missing(found),
    }  # fmt: skip


def _missing(found: Checked) -> list[str]:
    names = []
    for name in found.missing:
        label = labels.fact(name.removeprefix(OPENING), language())
        names.append(_("%(item)s at the start") % {"item": label} if name.startswith(OPENING) else label)
    return names


def _ratios(customer: Any, as_of: date) -> list[dict[str, Any]]:
    known = known_of(customer=customer, as_of=as_of, pack=labels.pack())
    teller, answers = Teller(known.pack, known.plan, language(), unit(language())), known.answers()
    found = []
    for name in RATIOS:
        item = labels.item(name)
        value = answers.get(name)
        found.append(
            {"key": name, "label": teller.name(name), "value": teller.value(name, value) if value is not None else "–",
             "formula": item.rule if item is not None else "",
             "source": labels.headings()[item.document].source.in_language(language()) if item is not None else ""}
        )  # fmt: skip
    return found
