"""The portfolio: totals, exposure by each dimension, concentration, and where industry meets credit."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.assessments import listing
from kequn.apps.assessments import portfolio as book
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.tallies import Sums, Totals
from kequn.reports.charts import Bar, Cell, bars, heat_map
from kequn.web import labels
from kequn.web.templatetags.kequn import language, money, money_bare, money_unit, percent
from kequn.web.views.customer import DIMENSION, UNKNOWN

HEAT = ("industry_family", "credit_tier")
NO_BAR = "-"


@require_safe
def portfolio(request: HttpRequest) -> HttpResponse:
    run = findings.latest_published()
    totals = listing.totals(person=request.user, wanted=listing.Wanted())
    context: dict[str, Any] = {"run": run, "totals": totals}
    if run is not None and totals.customers:
        dimensions = _dimensions(request, totals)
        context |= {
            "dimensions": dimensions,
            "concentration": [
                _concentrated(_("Customers"), book.by_customer(request.user)),
                _concentrated(_("Groups and customers without a group"), book.by_group(request.user)),
            ],
            "heat": _heat(request),
            "spread": [{"label": one["label"], "index": one["index"], "unknown": one["unknown"]} for one in dimensions],
        }
    return render(request, "kequn/portfolio.html", context)


def _list_of(key: str, value: str) -> str:
    return f"{reverse('customers')}?{urlencode({key: value, 'sort': '-exposure'})}"


def _dimensions(request: HttpRequest, totals: Totals) -> list[dict[str, Any]]:
    """For each dimension its classes as bars of exposure, with what has no class, and the index over the classes."""
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in findings.value_counts(person=request.user, kind=DIMENSION):
        by_key.setdefault(row["key"], []).append(row)
    return [_dimension(key, by_key[key], totals) for key in labels.dimensions() if key in by_key]


def _dimension(key: str, found: list[dict[str, Any]], totals: Totals) -> dict[str, Any]:
    spoken, label = language(), labels.fact(key, language())
    rows = [
        {
            "value": row["value"],
            "label": labels.value(key, row["value"], spoken),
            "customers": row["customers"],
            "exposure": row["exposure_gross"] or 0,
            "url": _list_of(key, row["value"]),
        }
        for row in sorted(found, key=lambda row: labels.place(key, row["value"]))
    ]
    bare = totals.customers - sum(row["customers"] for row in rows)
    if bare > 0:
        left = totals.exposure_gross - sum(row["exposure"] for row in rows)
        url = _list_of(key, listing.NO_CLASS)
        rows.append({"value": NO_BAR, "label": _("no class"), "customers": bare, "exposure": left, "url": url})
    whole = totals.exposure_gross or None
    for row in rows:
        row["share"] = row["exposure"] / whole if whole else None
    unclear = sum(row["customers"] for row in rows if row["value"] in {UNKNOWN, NO_BAR})
    drawn = [
        Bar(row["label"], float(max(row["exposure"], 0)), f"{money_bare(row['exposure'])}  {percent(row['share'], 1)}",
            row["url"])
        for row in rows
    ]  # fmt: skip
    title = f"{label} ({money_unit()})"
    return {
        "key": key,
        "label": label,
        "rows": rows,
        "svg": bars(title=title, rows=drawn, width=400),
        "index": book.herfindahl(row["exposure"] for row in rows),
        "unknown": unclear / totals.customers,
    }


def _concentrated(label: str, found: book.Concentration) -> dict[str, Any]:
    return {
        "label": label,
        "rows": [{**row, "url": _opens(row)} for row in found.rows],
        "shares": [{"count": count, "share": share} for count, share in found.shares],
        "index": found.index,
        "names": found.names,
    }


def _opens(row: dict[str, Any]) -> str:
    """A group opens the list of its customers; a customer, also one that stands alone among groups, its page."""
    if row.get("is_alone", True):
        return reverse("customer", args=[row["code"]])
    return f"{reverse('customers')}?{urlencode({'group': row['code'], 'sort': '-exposure'})}"


def _heat(request: HttpRequest) -> dict[str, Any] | None:
    """Exposure where the classes of two dimensions meet; every cell opens the customers in it."""
    first, second = HEAT
    if not {first, second} <= set(labels.dimensions()):
        return None
    crossed = book.crossing(person=request.user, rows=first, columns=second)
    spoken = language()
    rows = sorted({one for one, _two in crossed}, key=lambda value: labels.place(first, value))
    columns = sorted({two for _one, two in crossed}, key=lambda value: labels.place(second, value))
    cells = {
        (rows.index(one), columns.index(two)): Cell(
            float(exposure), money_bare(exposure),
            f"{reverse('customers')}?{urlencode({first: one, second: two, 'sort': '-exposure'})}",
        )
        for (one, two), (_count, exposure) in crossed.items()
    }  # fmt: skip
    title = f"{labels.fact(first, spoken)} × {labels.fact(second, spoken)} ({money_unit()})"
    names = [labels.value(first, value, spoken) for value in rows]
    heads = [labels.value(second, value, spoken) for value in columns]
    table = [
        {"label": name, "cells": [_crossed(crossed, one, two) for two in columns]}
        for name, one in zip(names, rows, strict=True)
    ]
    svg = heat_map(title=title, rows=names, columns=heads, cells=cells, width=720)
    return {"title": title, "svg": svg, "heads": heads, "rows": table}


def _crossed(crossed: Sums, one: str, two: str) -> str:
    customers, exposure = crossed.get((one, two), (0, 0))
    return f"{customers:,} · {money(exposure)}" if customers else NO_BAR
