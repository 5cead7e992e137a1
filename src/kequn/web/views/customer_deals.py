"""Facilities and projects of a customer, amounts in yuan by policy's rates."""

from datetime import date
from typing import Any

from kequn.apps.customers.models import Customer
from kequn.apps.deals import selectors as deals
from kequn.web import labels

AMOUNTS = ("committed", "drawn", "off_balance", "margin_deposit", "overdue_amount")
FACTS = ("facility_id", "product", "security", "start_date", "maturity_date", "rate_pa", "days_past_due", "status")
SUMMED = ("committed", "drawn", "off_balance", "margin_deposit")


def facilities_part(customer: Customer, as_of: date) -> dict[str, Any]:
    rows = [_facility(one, as_of) for one in deals.facilities_of(customer)]
    sums = {name: sum(row[name] or 0 for row in rows) for name in SUMMED}
    unknown = {name: any(row[name] is None for row in rows) for name in SUMMED}
    soon = int(labels.pack().constant("attention_maturity_days", as_of))
    for row in rows:
        day = row["maturity_date"]
        row["is_soon"] = day is not None and row["status"] != "closed" and 0 <= (day - as_of).days <= soon
        row["is_over"] = day is not None and row["status"] != "closed" and day < as_of
    return {"facilities": rows, "sums": sums, "unknown_sums": unknown, "soon_days": soon, "as_of": as_of}


def _facility(one: Any, as_of: date) -> dict[str, Any]:
    amounts = {name: labels.in_yuan(getattr(one, name), one.currency, as_of) for name in AMOUNTS}
    project = str(one.project) if one.project else ""
    return amounts | {name: getattr(one, name) for name in FACTS} | {"project": project}


def projects_part(customer: Customer, as_of: date) -> dict[str, Any]:
    return {"projects": [_project(part, as_of) for part in deals.parties_of(customer)]}


def _project(part: Any, as_of: date) -> dict[str, Any]:
    project = part.project
    facts = ("sector", "stage", "dscr_min", "dscr_actual", "completion_share", "equity_paid_share",
             "equity_required_share", "construction_delay_months", "cost_overrun_share")  # fmt: skip
    return {name: getattr(project, name) for name in facts} | {
        "name": str(project),
        "number": project.pk,
        "role": part.role,
        "total_investment": labels.in_yuan(project.total_investment, project.currency, as_of),
    }
