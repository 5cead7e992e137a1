"""Statements of a customer: the latest periods as they were handed in, ratios against the bounds of the warnings."""

from datetime import date
from typing import Any

from kequn.apps.assessments.explaining import Known, known_of
from kequn.apps.customers import selectors as customers
from kequn.apps.customers.models import Customer, Statement
from kequn.policy.telling import Teller
from kequn.policy.thresholds import Bound, bounds_of
from kequn.reports.charts import Series, Threshold, columns, lines
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import NOT_KNOWN, language, percent

ITEMS = (
    "total_assets", "current_assets", "cash", "receivables", "inventory", "total_liabilities", "short_term_debt",
    "long_term_debt", "equity", "revenue", "operating_profit", "net_profit", "interest_expense", "operating_cash_flow",
)  # fmt: skip
PERIODS = 6
RATIOS = (  # one chart each; the words of the chart are the labels of the facts
    ("debt_ratio", "debt_to_assets"),
    ("current_ratio", "cash_to_short_debt"),
    ("interest_coverage",),
    ("revenue_growth", "gross_margin"),
)
AMOUNTS = ("annual_revenue", "annual_ebitda")


def statements_part(customer: Customer, as_of: date) -> dict[str, Any]:
    chosen, basis = periods_of(customer, as_of)
    spoken = language()
    newest = [
        {"label": f"{one.period_end:%Y-%m-%d}", "flows": labels.value("flows", one.flows, spoken)} for one in chosen
    ]
    rows = [
        {
            "label": labels.fact(item, spoken),
            "cells": [labels.in_yuan(getattr(one, item), one.currency, as_of) for one in chosen],
        }
        for item in ITEMS
        if any(getattr(one, item) is not None for one in chosen)
    ]
    said = f"{labels.value('scope', basis[0], spoken)} · {labels.value('standard', basis[1], spoken)}" if basis else ""
    context: dict[str, Any] = {"statements": {"columns": newest, "rows": rows}, "basis": said}
    return context | (_charts(known_of(customer=customer, as_of=as_of, pack=labels.pack()), chosen) if chosen else {})


def periods_of(customer: Customer, as_of: date) -> tuple[list[Statement], tuple[str, str] | None]:
    """The latest periods at a date of the basis that policy reads, newest first."""
    found = list(customers.statements_until(customer, as_of).order_by("-period_end", "-version"))
    basis = next(
        (pair for pair in labels.pack().basis_order if any((s.scope, s.standard) == pair for s in found)), None
    )
    periods: dict[Any, Statement] = {}
    for one in found:
        if (one.scope, one.standard) == basis:
            periods.setdefault(one.period_end, one)
    return list(periods.values())[:PERIODS], basis


def _charts(known: Known, chosen: list[Statement]) -> dict[str, Any]:
    """Charts over the periods, the oldest first, and the ratios of each period for the table."""
    ends = sorted(one.period_end for one in chosen)
    answers = [known.answers_until(end) for end in ends]
    teller = Teller(known.pack, known.plan, language(), unit(language()))
    bounds: dict[str, Bound] = {}
    for bound in bounds_of(known.plan):
        bounds.setdefault(bound.fact, bound)
    words = [f"{end:%Y-%m}" for end in ends]

    def series(name: str, factor: float = 1.0) -> Series:
        found = [one.get(name) for one in answers]
        values = tuple(value * factor if isinstance(value, float) else None for value in found)
        return Series(teller.name(name), values)

    made = [_amounts(words, [series(name, 100.0) for name in AMOUNTS])]
    made += [_ratios(words, [series(name) for name in names], names, bounds, teller) for names in RATIOS]
    table = [
        {
            "key": name,
            "label": teller.name(name),
            "cells": [teller.value(name, one.get(name)) if one.get(name) is not None else NOT_KNOWN
                      for one in reversed(answers)],
            "bound": _bound_said(bounds[name], teller) if name in bounds else "",
        }
        for names in RATIOS for name in names
    ]  # fmt: skip
    return {"charts": [one for one in made if one], "ratio_rows": table}


def _amounts(words: list[str], found: list[Series]) -> dict[str, str]:
    used = unit(language())
    if not any(value is not None for one in found for value in one.values):
        return {}
    title = f"{' · '.join(one.name for one in found)} ({used.name(language())})"
    return {"title": title, "svg": columns(title=title, categories=words, series=found, shown=used.bare, width=560)}


def _ratios(
    words: list[str], found: list[Series], names: tuple[str, ...], bounds: dict[str, Bound], teller: Teller
) -> dict[str, str]:
    """Ratios of one unit in one chart, each with the bound from which it would be warned of."""
    if not any(value is not None for one in found for value in one.values):
        return {}
    is_share = teller.unit(names[0]) == "ratio"
    marks = [
        Threshold(f"{teller.name(name)} {_bound_said(bounds[name], teller)}", bounds[name].value)
        for name in names
        if name in bounds
    ]
    shown = (lambda value: percent(value, 0)) if is_share else (lambda value: f"{value:,.2f}")
    title = " · ".join(one.name for one in found)
    return {
        "title": title,
        "svg": lines(title=title, categories=words, series=found, shown=shown, thresholds=marks, width=560),
    }


def _bound_said(bound: Bound, teller: Teller) -> str:
    return f"{bound.sign} {teller.value(bound.fact, bound.value)}"
