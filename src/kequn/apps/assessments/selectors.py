"""Read findings: of one customer, of a segment, at a date, between two dates."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import ClassTotals, CustomerFigures, FindingSpan, Run, RunState
from kequn.apps.assessments.tallies import Part
from kequn.apps.customers.keeping import kept
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to

NOT_ASSESSED = "-"
RANK_STEP = 1000  # a rank holds the gravest level in its thousands and the number of signals below


def runs() -> QuerySet[Run]:
    return Run.objects.select_related("snapshot").order_by("-id")


def latest_published() -> Run | None:
    return Run.objects.filter(state=RunState.PUBLISHED).select_related("snapshot").order_by("-as_of", "-id").first()


def published_run(number: int | None = None) -> Run | None:
    """A published run by its number; without one, the latest."""
    if number is None:
        return latest_published()
    return Run.objects.filter(pk=number, state=RunState.PUBLISHED).select_related("snapshot").first()


def standing(when: date | None = None) -> QuerySet[FindingSpan]:
    """Findings that stand now, or stood on a date."""
    if when is None:
        return FindingSpan.objects.filter(valid_to__isnull=True)
    still = Q(valid_to__isnull=True) | Q(valid_to__gt=when)
    return FindingSpan.objects.filter(still, valid_from__lte=when)


def findings_of(customer: Customer, when: date | None = None) -> QuerySet[FindingSpan]:
    return standing(when).filter(customer=customer).order_by("kind", "key")


def history_of(customer: Customer) -> QuerySet[FindingSpan]:
    """All that changed for a customer, the latest first; corrected-at-once spans are left out."""
    seen = customer.findings.exclude(valid_to=F("valid_from")).select_related("opened_by", "closed_by")
    return seen.order_by("-valid_from", "-id")


def current_of(customers: list[Customer], keys: list[str] | None = None) -> dict[int, dict[str, str]]:
    """The standing findings of some customers, in one query: customer id -> key -> value."""
    found = standing().filter(customer__in=[one.pk for one in customers])
    if keys is not None:
        found = found.filter(key__in=keys)
    answer: dict[int, dict[str, str]] = {one.pk: {} for one in customers}
    for customer, key, value in found.values_list("customer_id", "key", "value"):
        answer[customer][key] = value
    return answer


def gravest(rank: int | None) -> int:
    """The level of the gravest signal in a customer's rank, the mildest 1; 0 where none holds or none was counted."""
    return (rank or 0) // RANK_STEP


def value_counts(*, person: Person, kind: str) -> list[dict[str, Any]]:
    """For each finding of a kind: its values with customers and exposure, for what the person may see.

    For who sees the whole book, these are the totals of the last run, unless customers went away since.
    """
    return kept(person=person, question=("value_counts", kind), work=lambda: _value_counts(person, kind))


def _value_counts(person: Person, kind: str) -> list[dict[str, Any]]:
    whole = ClassTotals.objects.filter(kind=kind)
    if person.scope == Scope.ALL and totals_stand():
        columns = ("key", "value", "customers", "exposure_gross", "exposure_net")
        return list(whole.order_by("key", "-customers", "value").values(*columns))
    part = Part.visible_to(person)
    found = [
        {"key": key, "value": value, "customers": one.customers,
         "exposure_gross": one.exposure_gross, "exposure_net": one.exposure_net}
        for key in whole.order_by("key").values_list("key", flat=True).distinct()
        for value, one in part.by_value(key).items()
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row["key"], -row["customers"], row["value"]))


def totals_stand() -> bool:
    """Whether the totals of the last run still speak of everybody who is in the book."""
    totals = ClassTotals.objects.select_related("run").first()
    return totals is not None and totals.run.counts.get("customers") == CustomerFigures.objects.count()


@dataclass(frozen=True, slots=True)
class Migration:
    """Customers by their value at one date (rows) and at another (columns); '-' where none stood."""

    key: str
    before: date
    after: date
    values: tuple[str, ...]
    cells: dict[tuple[str, str], int]
    row_totals: dict[str, int]
    column_totals: dict[str, int]

    @property
    def customers(self) -> int:
        return sum(self.cells.values())

    @property
    def reconciles(self) -> bool:
        """Rows sum to the totals counted at the first date, columns to those at the second, each counted by itself."""
        rows = {one: sum(n for (a, _), n in self.cells.items() if a == one) for one in self.values}
        columns = {one: sum(n for (_, b), n in self.cells.items() if b == one) for one in self.values}
        stood = {one: n for one, n in rows.items() if one != NOT_ASSESSED and n}
        stand = {one: n for one, n in columns.items() if one != NOT_ASSESSED and n}
        return stood == self.row_totals and stand == self.column_totals


def migration(*, person: Person, key: str, before: date, after: date) -> Migration:
    """Who moved from which value to which between two dates."""
    mine = None if person.scope == Scope.ALL else visible_to(person).order_by().values("pk")

    def at(when: date) -> QuerySet[FindingSpan]:
        found = standing(when).filter(key=key)
        return found if mine is None else found.filter(customer__in=mine)

    first = dict(at(before).values_list("customer_id", "value"))
    second = dict(at(after).values_list("customer_id", "value"))
    cells: dict[tuple[str, str], int] = {}
    for customer in first.keys() | second.keys():
        pair = (first.get(customer, NOT_ASSESSED), second.get(customer, NOT_ASSESSED))
        cells[pair] = cells.get(pair, 0) + 1
    values = tuple(sorted({one for pair in cells for one in pair}))
    return Migration(key, before, after, values, cells, _totals(at(before)), _totals(at(after)))


def _totals(found: QuerySet[FindingSpan]) -> dict[str, int]:
    return dict(found.order_by().values_list("value").annotate(customers=Count("id")))


def movements(*, run: Run) -> list[dict[str, Any]]:
    """What a run changed: by kind, key and cause, how many spans it opened."""
    opened = FindingSpan.objects.filter(opened_by=run).values("kind", "key", "value", "cause")
    return list(opened.annotate(customers=Count("id")).order_by("kind", "key", "value", "cause"))


def largest(*, person: Person, key: str, value: str = "true", limit: int = 20) -> list[dict[str, Any]]:
    """The visible customers of one class with the largest exposure."""
    mine = visible_to(person).order_by().values("pk")
    found = standing().filter(key=key, value=value, customer__in=mine)
    named = found.annotate(
        code=F("customer__code"), customer_name=F("customer__name"), exposure=F("customer__figures__exposure_gross")
    )
    ordered = named.order_by(F("exposure").desc(nulls_last=True), "customer_id")
    return list(ordered.values("code", "customer_name", "exposure", "valid_from", "cause")[:limit])
