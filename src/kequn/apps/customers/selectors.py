"""Read customers, already narrowed to what the person may see."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.customers.dictionary import by_name, handed_in
from kequn.apps.customers.models import Customer, ExternalRating, FactValue, Group, Statement

Rows = dict[str, Any]


def visible_to(person: Person) -> QuerySet[Customer]:
    """The customers of a person's scope: own, team, branch, all. Everything else starts from here."""
    every = Customer.objects.order_by("name", "id")
    if person.scope == Scope.ALL:
        return every
    if person.scope == Scope.BRANCH and person.branch_id is not None:
        return every.filter(Q(branch_id=person.branch_id) | Q(owner_id=person.pk))
    if person.scope == Scope.TEAM and person.team_id is not None:
        return every.filter(Q(team_id=person.team_id) | Q(owner_id=person.pk))
    return every.filter(owner_id=person.pk) if person.pk is not None else every.none()


def sees_every_customer(person: Person) -> bool:
    """Whether `visible_to` narrows nothing for this person. Keep it beside `visible_to`, and true to it."""
    return person.scope == Scope.ALL


def scope_of(person: Person) -> tuple[str, int | None, int | None]:
    """A value that two persons share only where `visible_to` shows them the same. Keep it beside, and true to it."""
    if sees_every_customer(person):
        return (Scope.ALL, None, None)
    place = {Scope.BRANCH: person.branch_id, Scope.TEAM: person.team_id}.get(Scope(person.scope))
    return (person.scope, place, person.pk)


def find(*, person: Person, code: str) -> Customer | None:
    """One visible customer by its code, or by its unified social credit code."""
    related = visible_to(person).select_related("group", "owner", "team", "branch", "figures")
    return related.filter(code=code).first() or related.filter(uscc=code).first()


def group_named(code: str) -> str:
    """The name of a group, '' where there is none of this code."""
    return Group.objects.filter(code=code).values_list("name", flat=True).first() or ""


def latest_facts(customer: Customer, as_of: date) -> dict[str, FactValue]:
    """The facts of a customer as they were known at the date; the latest of each name."""
    known = [one for one in customer.facts.all() if one.known_from <= as_of]
    return {one.name: one for one in sorted(known, key=lambda one: (one.known_from, one.pk))}


def latest_rating(customer: Customer, as_of: date) -> ExternalRating | None:
    known = [one for one in customer.external_ratings.all() if one.rating_date <= as_of]
    return max(known, key=lambda one: (one.rating_date, one.pk), default=None)


def statements_until(customer: Customer, as_of: date) -> QuerySet[Statement]:
    order = ("-period_end", "scope", "standard", "-version")
    return customer.statements.filter(period_end__lte=as_of).order_by(*order)


def customer_row(customer: Customer, as_of: date, yuan: "Yuan") -> Rows:
    """The customer's own facts at the date, by their dictionary names; amounts in yuan."""
    row: Rows = {
        "customer_id": customer.code,
        "name": customer.name,
        "short_name": customer.short_name or None,
        "uscc": customer.uscc,
        "country": customer.country or None,
        "province": customer.province or None,
        "industry_code": customer.industry_code or None,
        "group_name": customer.group.name if customer.group else None,
    }
    dictionary = by_name("customer")
    for name, fact in latest_facts(customer, as_of).items():
        if name in dictionary and dictionary[name].outcome:
            continue
        row[name] = yuan.of(fact.minor, fact.currency) if fact.minor is not None else fact.value
    rating = latest_rating(customer, as_of)
    if rating is not None:
        row.update(
            external_rating=rating.symbol,
            external_rating_agency=rating.agency,
            external_rating_scale=rating.scale,
            external_rating_date=rating.rating_date,
        )
    return row


@dataclass(frozen=True, slots=True)
class Yuan:
    """Policy's rates to yuan at a date: yuan for one unit of the currency. No rate, no amount: unknown."""

    rates: dict[str, float]

    def of(self, minor: int | None, currency: str) -> float | None:
        """Minor units of a currency as yuan; the same arithmetic as the set-wise snapshot."""
        rate = self.rates.get(currency or "CNY")
        return None if minor is None or rate is None else minor / 100.0 * rate


def row_of(record: Any, grain: str, currency: str, yuan: Yuan) -> Rows:
    """A record's dictionary columns as plain values, amounts in yuan, empty texts as None."""
    row: Rows = {}
    for one in handed_in(grain):
        if one.outcome or not hasattr(record, one.name):
            continue
        value = getattr(record, one.name)
        row[one.name] = yuan.of(value, currency) if one.is_money else (None if value == "" else value)
    return row


def batches_of(customer: Customer) -> set[int]:
    """The imports that made or last changed what is recorded of the customer itself."""
    related: tuple[QuerySet[Any], ...] = (
        customer.statements.all(),
        customer.facts.all(),
        customer.external_ratings.all(),
        customer.events.all(),
        customer.contacts.all(),
        customer.owners.all(),
        customer.guarantees_received.all(),
    )
    found = touched(*related)
    return found | {one for one in (customer.made_by, customer.changed_by) if one is not None}


def touched(*rows: QuerySet[Any]) -> set[int]:
    """The imports that made or last changed any of these rows, in one query."""
    every = [one.order_by().values_list(name) for one in rows for name in ("made_by", "changed_by")]
    return {number for (number,) in every[0].union(*every[1:]) if number is not None}
