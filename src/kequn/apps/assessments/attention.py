"""What asks for attention today, ranked by the money at risk: each is a customer the person may see, and why."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import CustomerFigures, FindingSpan, Run, RunState
from kequn.apps.assessments.tallies import Mark, Part, standing_mark
from kequn.apps.audit.bulk import numbers_of
from kequn.apps.customers.keeping import kept
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import Facility

SHOWN = 10
CLOSED = "closed"
GRADE = "grade"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for attention: the customers with the largest exposure, how many there are, and their sum."""

    rows: list[dict[str, Any]]
    customers: int
    exposure: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What today asks of the book: maturities within so many days of a date, and of the last run what it changed.

    `scale` holds the grades in the order of the master scale, the best first; `late` the signal of overdue statements,
    '' where policy has none.
    """

    as_of: date
    days: int
    run: Run | None = None
    scale: tuple[str, ...] = ()
    late: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """The reasons for attention by name, how many nobody has judged, and what the last run changed, by cause."""

    reasons: dict[str, Reason]
    unassessed: int
    changes: dict[str, int]


def today(*, person: Person, asked: Asked) -> Attention:
    """All that asks for the person's attention; kept until the book changes."""
    return kept(person=person, question=("today", asked), work=lambda: _today(person, asked))


def _today(person: Person, asked: Asked) -> Attention:
    mark, run = standing_mark(), asked.run
    reasons = {
        "past_due": past_due(person=person, mark=mark),
        "maturing": maturing(person=person, as_of=asked.as_of, days=asked.days, mark=mark),
    }
    unassessed = not_assessed(person=person, mark=mark)
    if run is None:
        return Attention(reasons, unassessed, {})
    reasons["new_signals"] = new_signals(person=person, run=run, mark=mark)
    reasons["fallen"] = fallen_grades(person=person, run=run, order=list(asked.scale), mark=mark)
    if asked.late:
        reasons["late"] = holding(person=person, key=asked.late, mark=mark)
    return Attention(reasons, unassessed, changes_of(person=person, run=run))


def previous_of(run: Run) -> Run | None:
    """The run that was published before this one."""
    published = Run.objects.filter(state=RunState.PUBLISHED, published_at__lt=run.published_at)
    return published.order_by("-published_at", "-id").first()


def _mine(person: Person, found: QuerySet[Any]) -> QuerySet[Any]:
    """What of it belongs to visible customers; asked row by row, so that what was found decides how it is read."""
    if person.scope == Scope.ALL:
        return found
    return found.filter(Exists(visible_to(person).order_by().filter(pk=OuterRef("customer"))))


def _of(found: QuerySet[Any], mark: Mark | None) -> Part:
    """Whose rows these are."""
    return Part.numbered(numbers_of(found, "customer_id")[0], mark)


def _lines(customers: Part, found: QuerySet[Any], *columns: str) -> dict[int, list[dict[str, Any]]]:
    """The rows of the customers with the largest exposure, by customer, the largest first."""
    lines: dict[int, list[dict[str, Any]]] = {one: [] for one in customers.largest(SHOWN)}
    named = found.filter(customer__in=list(lines)).annotate(
        code=F("customer__code"), customer_name=F("customer__name"), exposure=F("customer__figures__exposure_gross")
    )
    for row in named.order_by("pk").values("customer_id", "code", "customer_name", "exposure", *columns):
        lines[row["customer_id"]].append(row)
    return {one: rows for one, rows in lines.items() if rows}


def _reason(customers: Part, rows: list[dict[str, Any]]) -> Reason:
    totals = customers.totals()
    return Reason(rows, totals.customers, totals.exposure_gross)


def new_signals(*, person: Person, run: Run, mark: Mark | None = None) -> Reason:
    """Customers for whom the run found a signal that did not hold before."""
    opened = FindingSpan.objects.filter(opened_by=run, kind="signal", value="true", valid_to=None)
    found = _mine(person, opened.exclude(cause="first"))
    customers = _of(found, mark)
    lines = _lines(customers, found, "key", "cause").values()
    return _reason(customers, [{**rows[0], "keys": [row["key"] for row in rows]} for rows in lines])


def fallen_grades(*, person: Person, run: Run, order: list[str], mark: Mark | None = None) -> Reason:
    """Customers whose grade the run moved downwards in the order of the master scale, the best grade first."""
    place = {grade: number for number, grade in enumerate(order)}
    before = FindingSpan.objects.filter(closed_by=run, key=GRADE)
    opened = FindingSpan.objects.filter(opened_by=run, kind="dimension", key=GRADE, valid_to=None).exclude(
        cause="first"
    )
    closed = dict(before.values_list("customer_id", "value"))
    fallen = [
        customer
        for customer, value in _mine(person, opened).order_by().values_list("customer_id", "value")
        if customer in closed and place.get(value, -1) > place.get(closed[customer], 10**6)
    ]
    customers = Part.numbered(fallen, mark)
    lines = _lines(customers, opened, "value", "cause")
    return _reason(customers, [{**rows[0], "was": closed[one]} for one, rows in lines.items()])


def past_due(*, person: Person, mark: Mark | None = None) -> Reason:
    """Open facilities that are past due, by customer; the longest delay of each."""
    return _by_facility(person, Facility.objects.filter(days_past_due__gt=0), mark)


def maturing(*, person: Person, as_of: date, days: int, mark: Mark | None = None) -> Reason:
    """Open facilities that mature within so many days; money is still drawn or stands off the balance sheet."""
    until = as_of + timedelta(days=days)
    return _by_facility(person, Facility.objects.filter(maturity_date__gte=as_of, maturity_date__lte=until), mark)


def _by_facility(person: Person, found: QuerySet[Facility], mark: Mark | None) -> Reason:
    found = _mine(person, found.exclude(status=CLOSED))
    customers = _of(found, mark)
    lines = _lines(customers, found, "facility_id", "maturity_date", "days_past_due").values()
    return _reason(customers, [_summary(rows) for rows in lines])


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One line for the facilities of a customer: the longest delay, the first maturity."""
    return {
        **rows[0],
        "facilities": len(rows),
        "days_past_due": max(row["days_past_due"] or 0 for row in rows),
        "maturity_date": min((row["maturity_date"] for row in rows if row["maturity_date"]), default=None),
    }


def holding(*, person: Person, key: str, mark: Mark | None = None) -> Reason:
    """Customers for whom a signal holds or cannot be told."""
    everybody = Part.visible_to(person, mark)
    customers = everybody.only(everybody.stand_in(key))
    lines = _lines(customers, FindingSpan.objects.filter(key=key, valid_to=None), "value", "valid_from").values()
    return _reason(customers, [rows[0] for rows in lines])


def not_assessed(*, person: Person, mark: Mark | None = None) -> int:
    """Visible customers that no run has judged yet."""
    if person.scope == Scope.ALL:
        return max(0, Customer.objects.count() - CustomerFigures.objects.count())
    part = Part.visible_to(person, mark)
    return int((~part.figures.is_assessed).sum())


def changes_of(*, person: Person, run: Run) -> dict[str, int]:
    """How many findings of visible customers the run changed, by cause; what it found first is no change."""
    found = _mine(person, FindingSpan.objects.filter(opened_by=run)).exclude(cause="first").exclude(kind="flag")
    return dict(found.order_by().values_list("cause").annotate(changes=Count("id")))
