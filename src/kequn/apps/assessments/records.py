"""One customer's rows as the plain reader takes them: the live path beside the snapshot, with the same meaning."""

from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from kequn.apps.assessments import guarantees
from kequn.apps.assessments.snapshots import yuan_at
from kequn.apps.customers.models import Customer, Event, Statement
from kequn.apps.customers.selectors import Rows, Yuan, customer_row, row_of
from kequn.apps.deals.models import AccountMonth, Facility, Project, ProjectParty
from kequn.apps.projects.models import RATIOS
from kequn.policy.pack import Pack


@dataclass(frozen=True, slots=True)
class CustomerRows:
    """Everything that rules may read of one customer at a date. None: the whole book has no such table."""

    customer: Rows
    statements: list[Rows] | None
    facilities: list[Rows] | None
    projects: list[Rows] | None
    account_months: list[Rows] | None
    events: list[Rows] | None


READ = (
    "statements",
    "facilities",
    "account_months",
    "events",
    "facts",
    "external_ratings",
    "guarantees_given",
    "guarantees_received",
    Prefetch("project_parts", ProjectParty.objects.select_related("project")),
    "project_parts__project__models",
)


def customer_rows(*, customer: Customer, as_of: date, pack: Pack) -> CustomerRows:
    """The rows of one customer. Whoever wants many reads `READ` of them all at once beforehand."""
    prefetch_related_objects([customer], *READ)
    yuan = yuan_at(pack, _currencies(customer), as_of)
    return CustomerRows(
        customer=_customer(customer, as_of, yuan),
        statements=_statements(customer, as_of, yuan),
        facilities=_facilities(customer, as_of, yuan),
        projects=_projects(customer, as_of, yuan),
        account_months=_account_months(customer, as_of, yuan),
        events=_events(customer, as_of, yuan),
    )


def _customer(customer: Customer, as_of: date, yuan: Yuan) -> Rows:
    row = customer_row(customer, as_of, yuan)
    for name, value in guarantees.row_of(customer, as_of, yuan).items():
        if row.get(name) is None:
            row[name] = value
    return row


def _currencies(customer: Customer) -> set[str]:
    every = (customer.statements, customer.facilities, customer.account_months, customer.events, customer.facts)
    related = (*every, customer.guarantees_given, customer.guarantees_received)
    found = {one.currency for rows in related for one in rows.all()}
    return (found | {part.project.currency for part in customer.project_parts.all()}) - {""}


def _by(related: Any, *names: str) -> list[Any]:
    """Rows that were read with the customer, in the order of these columns."""
    return sorted(related.all(), key=attrgetter(*names))


def _newest_first(one: Statement) -> tuple[int, str, str, int]:
    return (-one.period_end.toordinal(), one.scope, one.standard, -one.version)


def _statements(customer: Customer, as_of: date, yuan: Yuan) -> list[Rows] | None:
    rows = []
    until = [one for one in customer.statements.all() if one.period_end <= as_of]
    for one in sorted(until, key=_newest_first):
        keys: dict[str, Any] = {
            "period_end": one.period_end,
            "months": one.months,
            "flows": one.flows,
            "scope": one.scope,
            "standard": one.standard,
            "version": one.version,
            "currency": one.currency,
        }
        rows.append({**keys, **row_of(one, "statement", one.currency, yuan)})
    return rows if rows or Statement.objects.exists() else None


def _facilities(customer: Customer, as_of: date, yuan: Yuan) -> list[Rows] | None:
    begun = [
        one for one in _by(customer.facilities, "facility_id") if one.start_date is None or one.start_date <= as_of
    ]
    rows = [{"facility_id": one.facility_id, **row_of(one, "facility", one.currency, yuan)} for one in begun]
    return rows if rows or Facility.objects.exists() else None


def _projects(customer: Customer, as_of: date, yuan: Yuan) -> list[Rows] | None:
    rows = [
        {
            "project_id": one.project.project_id,
            **row_of(one.project, "project", one.project.currency, yuan),
            **_ratios(one.project, as_of),
            "role": one.role or None,
        }
        for one in sorted(customer.project_parts.all(), key=lambda part: (part.project.project_id, part.role))
    ]
    return rows if rows or (ProjectParty.objects.exists() and Project.objects.exists()) else None


def _ratios(project: Project, as_of: date) -> Rows:
    """The ratios of the version of a project's model in force at the date; unknown where there is none."""
    begun = [one for one in project.models.all() if one.in_force <= as_of]
    held = max(begun, key=attrgetter("in_force", "number"), default=None)
    return dict.fromkeys(RATIOS) if held is None else {name: getattr(held, name) for name in RATIOS}


def _account_months(customer: Customer, as_of: date, yuan: Yuan) -> list[Rows] | None:
    found = [one for one in _by(customer.account_months, "account_id", "month") if one.month <= as_of]
    rows = [
        {"account_id": one.account_id, "month": one.month, **row_of(one, "account_month", one.currency, yuan)}
        for one in found
    ]
    return rows if rows or AccountMonth.objects.exists() else None


def _events(customer: Customer, as_of: date, yuan: Yuan) -> list[Rows] | None:
    found = [one for one in _by(customer.events, "event_date", "id") if one.event_date <= as_of]
    rows = [{"event_date": one.event_date, **row_of(one, "event", one.currency, yuan)} for one in found]
    return rows if rows or Event.objects.exists() else None
