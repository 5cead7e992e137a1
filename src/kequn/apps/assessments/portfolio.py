"""The book as a whole: where it is concentrated, how classes cross, how segments overlap. Within the reader's scope.

Herfindahl index: the sum of the squared shares of exposure, from 1/n (evenly spread over n) to 1 (all with one).
Source: A. O. Hirschman, "The paternity of an index", American Economic Review 54 (1964).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.tallies import Part, Sums
from kequn.apps.audit.bulk import numbers_of
from kequn.apps.customers.keeping import kept
from kequn.apps.customers.models import Customer, Group
from kequn.apps.customers.selectors import visible_to

LARGEST = (10, 20)


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


def by_customer(person: Person) -> Concentration:
    """The largest customers, and how much of the exposure they hold."""
    return kept(person=person, question=("by_customer",), work=lambda: _by_customer(person))


def _by_customer(person: Person) -> Concentration:
    part = _with_exposure(visible_to(person))
    top = part.largest(LARGEST[-1])
    named = Customer.objects.in_bulk(top)
    held = dict(zip(part.numbers.tolist(), part.figures.gross.tolist(), strict=True))
    rows = [{"code": named[one].code, "name": named[one].name, "exposure": held[one]} for one in top if one in named]
    return _concentration(rows, part.figures.gross.tolist())


def by_group(person: Person) -> Concentration:
    """The largest groups; a customer without a group stands alone, as a group of its own (`is_alone`)."""
    return kept(person=person, question=("by_group",), work=lambda: _by_group(person))


def _by_group(person: Person) -> Concentration:
    grouped, alone = visible_to(person).filter(group__isnull=False), visible_to(person).filter(group__isnull=True)
    single = _with_exposure(alone)
    groups = _summed_by_group(grouped)
    named = Group.objects.in_bulk([group for group, _exposure, _members in groups[: LARGEST[-1]]])
    rows: list[dict[str, Any]] = [
        {"code": named[group].code, "name": named[group].name, "exposure": exposure, "members": members,
         "is_alone": False}
        for group, exposure, members in groups[: LARGEST[-1]]
    ]  # fmt: skip
    top = Customer.objects.filter(pk__in=single.largest(LARGEST[-1])).select_related("figures")
    rows += [
        {"code": one.code, "name": one.name, "exposure": one.figures.exposure_gross, "members": 1, "is_alone": True}
        for one in top.order_by("pk")
    ]
    rows.sort(key=lambda row: (-row["exposure"], row["code"]))
    exposures = [exposure for _group, exposure, _members in groups] + single.figures.gross.tolist()
    return _concentration(rows[: LARGEST[-1]], exposures)


def _summed_by_group(found: QuerySet[Customer]) -> list[tuple[int, int, int]]:
    """Group, exposure, members with exposure; the largest first."""
    numbers, groups = numbers_of(found, "pk", "group_id")
    part = _with_exposure(found)
    belongs = dict(zip(numbers.tolist(), groups.tolist(), strict=True))
    summed: dict[int, tuple[int, int]] = {}
    for number, exposure in zip(part.numbers.tolist(), part.figures.gross.tolist(), strict=True):
        whole, members = summed.get(belongs[number], (0, 0))
        summed[belongs[number]] = (whole + exposure, members + 1)
    return sorted(((group, *row) for group, row in summed.items()), key=lambda row: (-row[1], row[0]))


def _with_exposure(found: QuerySet[Customer]) -> Part:
    part = Part.of(found)
    return part.only(part.figures.gross > 0)


def _concentration(rows: list[dict[str, Any]], exposures: list[int]) -> Concentration:
    """The largest names against the whole; `rows` holds at least as many as the largest share asks for."""
    whole = sum(exposures)
    shares = tuple((n, sum(row["exposure"] for row in rows[:n]) / whole) for n in LARGEST) if whole else ()
    with_share = [{**row, "share": row["exposure"] / whole if whole else None} for row in rows]
    return Concentration(with_share, shares, herfindahl(exposures), len(exposures))


def crossing(*, person: Person, rows: str, columns: str) -> Sums:
    """Customers and exposure for every pair of classes of two dimensions that stand now."""
    question = ("crossing", rows, columns)
    return kept(person=person, question=question, work=lambda: Part.visible_to(person).crossed(rows, columns))


def overlap(*, person: Person, keys: list[str]) -> Sums:
    """For every two segments, the customers who are in both and their exposure; a segment with itself is the whole."""
    question = ("overlap", tuple(keys))
    return kept(person=person, question=question, work=lambda: Part.visible_to(person).shared(keys))
