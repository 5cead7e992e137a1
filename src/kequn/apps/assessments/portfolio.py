"""The book as a whole: where it is concentrated, how classes cross, how segments overlap. Within the reader's scope.

Herfindahl index: the sum of the squared shares of exposure, from 1/n (evenly spread over n) to 1 (all with one).
Source: A. O. Hirschman, "The paternity of an index", American Economic Review 54 (1964).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, QuerySet, Sum

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.customers.selectors import visible_to

LARGEST = (10, 20)
Crossing = dict[tuple[str, str], tuple[int, int]]


def herfindahl(exposures: Iterable[int]) -> float | None:
    """Sum of squared shares; unknown where there is no exposure.

    >>> herfindahl([50, 50]), herfindahl([100]), herfindahl([])
    (0.5, 1.0, None)
    """
    known = [float(one) for one in exposures if one > 0]
    whole = sum(known)
    return sum((one / whole) ** 2 for one in known) if whole else None


@dataclass(frozen=True, slots=True)
class Concentration:
    """The largest names with their exposure, the shares of the first ten and twenty, and the index over all."""

    rows: list[dict[str, Any]]
    shares: tuple[tuple[int, float], ...]
    index: float | None
    names: int


def _figures(person: Person) -> QuerySet[CustomerFigures]:
    found = CustomerFigures.objects.filter(exposure_gross__gt=0)
    if person.scope == Scope.ALL:
        return found
    return found.filter(customer__in=visible_to(person).order_by().values("pk"))


def by_customer(person: Person) -> Concentration:
    """The largest customers, and how much of the exposure they hold."""
    exposures = list(_figures(person).order_by("-exposure_gross").values_list("exposure_gross", flat=True))
    named = (
        _figures(person)
        .order_by("-exposure_gross", "customer_id")
        .annotate(code=F("customer__code"), name=F("customer__name"), exposure=F("exposure_gross"))
    )
    rows = list(named.values("code", "name", "exposure")[: LARGEST[-1]])
    return _concentration(rows, [one for one in exposures if one])


def by_group(person: Person) -> Concentration:
    """The largest groups; a customer without a group stands alone, as a group of its own (`is_alone`)."""
    found = _figures(person)
    named = {"code": F("customer__group__code"), "name": F("customer__group__name")}
    grouped = found.filter(customer__group__isnull=False).order_by().values(**named)
    groups = list(grouped.annotate(exposure=Sum("exposure_gross"), members=Count("customer_id")))
    alone = found.filter(customer__group__isnull=True)
    exposures = [row["exposure"] for row in groups]
    exposures += [one for one in alone.order_by().values_list("exposure_gross", flat=True) if one]
    single = {"code": F("customer__code"), "name": F("customer__name"), "exposure": F("exposure_gross")}
    largest_alone = alone.order_by("-exposure_gross", "customer_id").values(**single)[: LARGEST[-1]]
    rows = [row | {"is_alone": False} for row in groups]
    rows += [row | {"is_alone": True, "members": 1} for row in largest_alone]
    rows.sort(key=lambda row: (-row["exposure"], row["code"]))
    return _concentration(rows[: LARGEST[-1]], sorted(exposures, reverse=True))


def _concentration(rows: list[dict[str, Any]], exposures: list[int]) -> Concentration:
    whole = sum(exposures)
    shares = tuple((count, sum(exposures[:count]) / whole) for count in LARGEST) if whole else ()
    with_share = [{**row, "share": row["exposure"] / whole if whole else None} for row in rows]
    return Concentration(with_share, shares, herfindahl(exposures), len(exposures))


def crossing(*, person: Person, rows: str, columns: str) -> Crossing:
    """Customers and exposure for every pair of classes of two dimensions that stand now."""
    first = _standing(person, [rows]).filter(key=rows)
    other = FindingSpan.objects.filter(key=columns, valid_to__isnull=True)
    beside = dict(other.filter(customer__in=first.values("customer")).values_list("customer_id", "value"))
    crossed: Crossing = {}
    for customer, value, exposure in first.values_list("customer_id", "value", "customer__figures__exposure_gross"):
        if customer in beside:
            pair = (value, beside[customer])
            count, summed = crossed.get(pair, (0, 0))
            crossed[pair] = (count + 1, summed + (exposure or 0))
    return crossed


def overlap(*, person: Person, keys: list[str]) -> Crossing:
    """For every two segments, the customers who are in both and their exposure; a segment with itself is the whole."""
    members: dict[int, list[str]] = {}
    exposures: dict[int, int] = {}
    found = _standing(person, keys).filter(value="true")
    for customer, key, exposure in found.values_list("customer_id", "key", "customer__figures__exposure_gross"):
        members.setdefault(customer, []).append(key)
        exposures[customer] = exposure or 0
    crossed: Crossing = {}
    for customer, held in members.items():
        for one in held:
            for two in held:
                count, summed = crossed.get((one, two), (0, 0))
                crossed[one, two] = (count + 1, summed + exposures[customer])
    return crossed


def _standing(person: Person, keys: list[str]) -> QuerySet[FindingSpan]:
    found = FindingSpan.objects.filter(key__in=keys, valid_to__isnull=True).order_by()
    if person.scope == Scope.ALL:
        return found
    return found.filter(customer__in=visible_to(person).order_by().values("pk"))
