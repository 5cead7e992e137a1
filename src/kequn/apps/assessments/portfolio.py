"""The book as a whole: where it is concentrated, how classes cross, how segments overlap. Within the reader's scope.

Herfindahl index: the sum of the squared shares of exposure, from 1/n (evenly spread over n) to 1 (all with one).
Source: A. O. Hirschman, "The paternity of an index", American Economic Review 54 (1964).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, FloatField, QuerySet, Sum
from django.db.models.functions import Cast

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.customers.models import Group
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
    found = _figures(person)
    named = found.order_by("-exposure_gross", "customer_id").annotate(
        code=F("customer__code"), name=F("customer__name"), exposure=F("exposure_gross")
    )
    rows = list(named.values("code", "name", "exposure")[: LARGEST[-1]])
    return _concentration(rows, _sums(found))


def by_group(person: Person) -> Concentration:
    """The largest groups; a customer without a group stands alone, as a group of its own (`is_alone`)."""
    found = _figures(person)
    grouped = found.filter(customer__group__isnull=False).order_by().values("customer__group")
    groups = list(grouped.annotate(exposure=Sum("exposure_gross"), members=Count("customer_id")))
    groups.sort(key=lambda row: (-row["exposure"], row["customer__group"]))
    alone = found.filter(customer__group__isnull=True)
    single = {"code": F("customer__code"), "name": F("customer__name"), "exposure": F("exposure_gross")}
    rows = _named(groups[: LARGEST[-1]])
    rows += [
        row | {"is_alone": True, "members": 1}
        for row in alone.order_by("-exposure_gross", "customer_id").values(**single)[: LARGEST[-1]]
    ]
    rows.sort(key=lambda row: (-row["exposure"], row["code"]))
    whole = _sums(alone) + _Sums.of(row["exposure"] for row in groups)
    return _concentration(rows[: LARGEST[-1]], whole)


def _named(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = Group.objects.in_bulk([row["customer__group"] for row in groups])
    return [
        {
            "code": names[row["customer__group"]].code,
            "name": names[row["customer__group"]].name,
            "exposure": row["exposure"],
            "members": row["members"],
            "is_alone": False,
        }
        for row in groups
    ]


@dataclass(frozen=True, slots=True)
class _Sums:
    """How many names with exposure, its sum, and the sum of its squares: all that the index needs."""

    names: int
    whole: int
    squares: float

    @classmethod
    def of(cls, exposures: Iterable[int]) -> "_Sums":
        known = list(exposures)
        return cls(len(known), sum(known), math.fsum(float(one) ** 2 for one in known))

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(self.names + other.names, self.whole + other.whole, self.squares + other.squares)


def _sums(found: QuerySet[CustomerFigures]) -> _Sums:
    exposure = Cast("exposure_gross", FloatField())  # the square of minor units would not fit an integer
    row = found.aggregate(names=Count("pk"), whole=Sum("exposure_gross"), squares=Sum(exposure * exposure))
    return _Sums(row["names"], row["whole"] or 0, row["squares"] or 0.0)


def _concentration(rows: list[dict[str, Any]], over: _Sums) -> Concentration:
    """The largest names against the whole; `rows` holds at least as many as the largest share asks for."""
    whole = over.whole
    shares = tuple((n, sum(row["exposure"] for row in rows[:n]) / whole) for n in LARGEST) if whole else ()
    with_share = [{**row, "share": row["exposure"] / whole if whole else None} for row in rows]
    return Concentration(with_share, shares, over.squares / float(whole) ** 2 if whole else None, over.names)


def crossing(*, person: Person, rows: str, columns: str) -> Crossing:
    """Customers and exposure for every pair of classes of two dimensions that stand now."""
    met = _standing(person, [rows]).filter(customer__findings__key=columns, customer__findings__valid_to__isnull=True)
    return _crossed(met, "value", "customer__findings__value")


def overlap(*, person: Person, keys: list[str]) -> Crossing:
    """For every two segments, the customers who are in both and their exposure; a segment with itself is the whole."""
    met = _standing(person, keys).filter(
        value="true",
        customer__findings__key__in=keys,
        customer__findings__value="true",
        customer__findings__valid_to__isnull=True,
    )
    return _crossed(met, "key", "customer__findings__key")


def _crossed(met: QuerySet[FindingSpan], one: str, two: str) -> Crossing:
    counted = met.values_list(one, two).annotate(n=Count("pk"), exposure=Sum("customer__figures__exposure_gross"))
    return {(first, second): (count, exposure or 0) for first, second, count, exposure in counted}


def _standing(person: Person, keys: list[str]) -> QuerySet[FindingSpan]:
    found = FindingSpan.objects.filter(key__in=keys, valid_to__isnull=True).order_by()
    if person.scope == Scope.ALL:
        return found
    return found.filter(customer__in=visible_to(person).order_by().values("pk"))
