"""What asks for attention today, ranked by the money at risk: each is a customer the person may see, and why."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import CustomerFigures, FindingSpan, Run, RunState
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import Facility

SHOWN = 10
CLOSED = "closed"
GRADE = "grade"


@dataclass(frozen=True, slots=True)
class Part:
    """The customers of one reason with the largest exposure, how many there are, and what they sum up to."""

    rows: list[dict[str, Any]]
    customers: int
    exposure: int


def previous_of(run: Run) -> Run | None:
    """The run that was published before this one."""
    published = Run.objects.filter(state=RunState.PUBLISHED, published_at__lt=run.published_at)
    return published.order_by("-published_at", "-id").first()


def _mine(person: Person, found: QuerySet[Any]) -> QuerySet[Any]:
    if person.scope == Scope.ALL:
        return found
    return found.filter(customer__in=visible_to(person).order_by().values("pk"))


def _ranked(found: QuerySet[Any]) -> QuerySet[Any]:
    named = found.annotate(
        code=F("customer__code"), customer_name=F("customer__name"), exposure=F("customer__figures__exposure_gross")
    )
    return named.order_by(F("exposure").desc(nulls_last=True), "customer_id", "id")


def _part(rows: list[dict[str, Any]], found: QuerySet[Any]) -> Part:
    """The rows that are shown, with the count and the exposure of all that were found."""
    every = Customer.objects.filter(pk__in=found.order_by().values("customer"))
    whole = every.aggregate(customers=Count("pk"), exposure=Sum("figures__exposure_gross"))
    return Part(rows, whole["customers"], int(whole["exposure"] or 0))


def new_signals(*, person: Person, run: Run) -> Part:
    """Customers for whom the run found a signal that did not hold before."""
    found = _mine(person, FindingSpan.objects.filter(opened_by=run, kind="signal", value="true", valid_to=None))
    found = found.exclude(cause="first")
    ranked = _ranked(found).values("code", "customer_id", "customer_name", "exposure", "key", "cause")
    by_customer: dict[int, dict[str, Any]] = {}
    for row in ranked[: SHOWN * 8]:
        one = by_customer.setdefault(row["customer_id"], {**row, "keys": []})
        one["keys"].append(row["key"])
    return _part(list(by_customer.values())[:SHOWN], found)


def fallen_grades(*, person: Person, run: Run, order: list[str]) -> Part:
    """Customers whose grade the run moved downwards in the order of the master scale, the best grade first."""
    place = {grade: number for number, grade in enumerate(order)}
    before = FindingSpan.objects.filter(closed_by=run, key=GRADE)
    opened = FindingSpan.objects.filter(opened_by=run, kind="dimension", key=GRADE, valid_to=None)
    opened = _mine(person, opened.filter(customer__in=before.values("customer")))
    closed = dict(before.values_list("customer_id", "value"))
    fallen = [
        {**row, "was": closed[row["customer_id"]]}
        for row in _ranked(opened).values("code", "customer_id", "customer_name", "exposure", "value", "cause")
        if row["customer_id"] in closed and place.get(row["value"], -1) > place.get(closed[row["customer_id"]], 10**6)
    ]
    return Part(fallen[:SHOWN], len(fallen), sum(row["exposure"] or 0 for row in fallen))


def past_due(*, person: Person) -> Part:
    """Open facilities that are past due, by customer; the longest delay of each."""
    return _by_facility(person, Facility.objects.filter(days_past_due__gt=0))


def maturing(*, person: Person, as_of: date, days: int) -> Part:
    """Open facilities that mature within so many days; money is still drawn or stands off the balance sheet."""
    until = as_of + timedelta(days=days)
    return _by_facility(person, Facility.objects.filter(maturity_date__gte=as_of, maturity_date__lte=until))


def _by_facility(person: Person, found: QuerySet[Facility]) -> Part:
    found = _mine(person, found.exclude(status=CLOSED))
    columns = ("code", "customer_id", "customer_name", "exposure", "facility_id", "maturity_date", "days_past_due")
    by_customer: dict[int, dict[str, Any]] = {}
    for row in _ranked(found).values(*columns)[: SHOWN * 8]:
        one = by_customer.setdefault(row["customer_id"], {**row, "facilities": 0})
        one["facilities"] += 1
        one["days_past_due"] = max(one["days_past_due"] or 0, row["days_past_due"] or 0)
        one["maturity_date"] = min(filter(None, (one["maturity_date"], row["maturity_date"])), default=None)
    return _part(list(by_customer.values())[:SHOWN], found)


def holding(*, person: Person, key: str) -> Part:
    """Customers for whom a signal holds or cannot be told."""
    found = _mine(person, FindingSpan.objects.filter(key=key, valid_to=None))
    rows = list(_ranked(found).values("code", "customer_name", "exposure", "value", "valid_from")[:SHOWN])
    return _part(rows, found)


def not_assessed(*, person: Person) -> int:
    """Visible customers that no run has judged yet."""
    if person.scope == Scope.ALL:
        return max(0, Customer.objects.count() - CustomerFigures.objects.count())
    return visible_to(person).filter(figures__isnull=True).count()


def changes_of(*, person: Person, run: Run) -> dict[str, int]:
    """How many findings of visible customers the run changed, by cause; what it found first is no change."""
    found = _mine(person, FindingSpan.objects.filter(opened_by=run)).exclude(cause="first").exclude(kind="flag")
    return dict(found.order_by().values_list("cause").annotate(changes=Count("id")))
