"""The list of customers: what is asked for, what is counted, one page of it, and the way forward and back.

Everything starts from what the person may see. Who fits and in which order is told from arrays (`tallies.py`,
`orders.py`); a page begins after a customer, never after so many rows, so that page 2,000 costs what the first costs
and a list that changes between two clicks neither skips nor repeats.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import ClassTotals, FindingSpan
from kequn.apps.assessments.orders import NAME, ORDERS, places
from kequn.apps.assessments.tallies import Mask, Part, Totals
from kequn.apps.audit.bulk import Numbers
from kequn.apps.customers.keeping import book_mark, kept_numbers, numbers_visible_to
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.search.selectors import matching

__all__ = ["NAME", "ORDERS", "Wanted", "chosen", "classes", "each", "page_of", "totals", "wanted_customers"]
NO_CLASS = "-"  # assessed, but no class of this dimension stands
YES, NO = "yes", "no"
RARE = 5_000  # a class with fewer customers is read from its own end


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for. Amounts are minor units of yuan; a bound is inclusive."""

    words: str = ""
    classes: dict[str, str] = field(default_factory=dict)  # dimension -> value, or NO_CLASS
    holding: tuple[str, ...] = ()  # segments and signals that hold
    untold: tuple[str, ...] = ()  # segments and signals that cannot be told
    assessed: str = ""  # yes, no, or both
    group: str = ""
    manager: str = ""
    team: str = ""
    branch: str = ""
    least: int | None = None
    most: int | None = None
    order: str = NAME
    descending: bool = False

    @property
    def is_filtered(self) -> bool:
        return replace(self, order=NAME, descending=False) != Wanted()


def wanted_customers(*, person: Person, wanted: Wanted) -> QuerySet[Customer]:
    """The visible customers that fit, unordered, as a query. Findings are those that stand now."""
    found = matching(person=person, words=wanted.words).order_by()
    plain = {"group__code": wanted.group, "owner__username": wanted.manager, "team__code": wanted.team,
             "branch__code": wanted.branch}  # fmt: skip
    found = found.filter(**{key: value for key, value in plain.items() if value})
    if wanted.assessed:
        found = found.filter(figures__isnull=wanted.assessed == NO)
    if wanted.least is not None:
        found = found.filter(figures__exposure_gross__gte=wanted.least)
    if wanted.most is not None:
        found = found.filter(figures__exposure_gross__lte=wanted.most)
    return _with_findings(found, wanted)


def _with_findings(found: QuerySet[Customer], wanted: Wanted) -> QuerySet[Customer]:
    pairs = [(key, value) for key, value in sorted(wanted.classes.items()) if value != NO_CLASS]
    pairs += [(key, "true") for key in wanted.holding] + [(key, "unknown") for key in wanted.untold]
    sizes = _sizes(pairs)
    for key, value in sorted(pairs, key=lambda pair: sizes.get(pair, 0)):
        span = FindingSpan.objects.filter(key=key, value=value, valid_to__isnull=True)
        if sizes.get((key, value), 0) < RARE:
            found = found.filter(pk__in=span.values("customer"))
        else:
            found = found.filter(Exists(span.filter(customer=OuterRef("pk"))))
    for key in (key for key, value in wanted.classes.items() if value == NO_CLASS):
        stands = FindingSpan.objects.filter(customer=OuterRef("pk"), key=key, valid_to__isnull=True)
        found = found.filter(~Exists(stands), figures__isnull=False)
    return found


def _sizes(pairs: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many customers of the whole book stand in each class: which end to read a list from."""
    if not pairs:
        return {}
    found = ClassTotals.objects.filter(key__in={key for key, _value in pairs})
    return {(one.key, one.value): one.customers for one in found}


def chosen(*, person: Person, wanted: Wanted, at: str = "") -> Part:
    """The visible customers that fit, as a part of the book; kept until the book changes."""
    plain = replace(wanted, order=NAME, descending=False)
    if not plain.is_filtered:
        return Part(numbers_visible_to(person, at))
    question = ("chosen", repr(plain))
    return Part(kept_numbers(person=person, question=question, work=lambda: _found(person, plain).numbers, at=at))


def _found(person: Person, wanted: Wanted) -> Part:
    """Words and plain columns are asked of the database, findings of the arrays."""
    plain = replace(wanted, classes={}, holding=(), untold=())
    if plain.is_filtered:
        part = Part.of(wanted_customers(person=person, wanted=plain))
    else:
        part = Part.visible_to(person)
    return part.only(_standing_so(part, wanted))


def totals(*, person: Person, wanted: Wanted) -> Totals:
    """The count and the sums of what is shown, in whatever order it is shown."""
    return chosen(person=person, wanted=wanted).totals()


def _standing_so(part: Part, wanted: Wanted) -> Mask:
    """Who of a part stands in every class that is wanted."""
    met = np.ones(len(part), np.bool_)
    for key, value in wanted.classes.items():
        met &= part.figures.is_assessed & ~part.stand_in(key) if value == NO_CLASS else part.stand_in(key, value)
    for key in wanted.holding:
        met &= part.stand_in(key, "true")
    for key in wanted.untold:
        met &= part.stand_in(key, "unknown")
    return met


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: its customers in the order of the list, the marks of the pages beside it ('' where none is), and the
    sums of the whole list.
    """

    customers: list[Customer]
    after: str
    before: str
    totals: Totals


def page_of(*, person: Person, wanted: Wanted, after: str = "", before: str = "", size: int = 50) -> Listed:
    """The page after a mark or before one. A mark is the number of a customer; it tells nobody anything, and one whom
    the person may not see begins the list anew.
    """
    book, falling = book_mark(), wanted.descending
    part = chosen(person=person, wanted=wanted, at=book)
    numbers, at = part.numbers, places(wanted.order, part.numbers, falling=falling, at=book)
    marked = _marked(person, after or before)
    backwards = bool(before) and marked is not None
    if marked is not None:
        (last,) = places(wanted.order, np.array([marked]), falling=falling, at=book)
        beside = at < last if backwards else at > last
        numbers, at = numbers[beside], at[beside]
    ids = _first(numbers, -at if backwards else at, size + 1)
    more = len(ids) > size
    ids = ids[:size]
    if backwards:
        ids.reverse()
    first, final = (str(ids[0]), str(ids[-1])) if ids else ("", "")
    if backwards:
        after, before = final, first if more else ""
    else:
        after, before = final if more else "", first if marked is not None else ""
    return Listed(_fetched(person, ids), after, before, part.totals())


def _marked(person: Person, mark: str) -> int | None:
    """The number in a mark; nothing where the reader may not see that customer."""
    seen = mark.isdecimal() and visible_to(person).filter(pk=int(mark)).exists()
    return int(mark) if seen else None


def _first(numbers: Numbers, at: Numbers, count: int) -> list[int]:
    """The numbers of those with the smallest places, in their order."""
    if len(at) > count:
        few = np.argpartition(at, count - 1)[:count]
        numbers, at = numbers[few], at[few]
    return [int(one) for one in numbers[np.argsort(at)]]


def _fetched(person: Person, ids: list[int]) -> list[Customer]:
    """The customers of these numbers in this order, asked for within the scope."""
    related = visible_to(person).order_by().select_related("group", "owner", "figures")
    by_id = related.in_bulk(ids)
    return [by_id[one] for one in ids if one in by_id]


def each(*, person: Person, wanted: Wanted, block: int = 2_000) -> Iterator[list[Customer]]:
    """All that fits, block by block in the order of the list, for exports."""
    numbers = chosen(person=person, wanted=wanted).numbers
    ordered = numbers[np.argsort(places(wanted.order, numbers, falling=wanted.descending))].tolist()
    for start in range(0, len(ordered), block):
        yield _fetched(person, ordered[start : start + block])


def classes() -> dict[str, list[str]]:
    """The classes of each dimension that somebody of the whole book stands in: what a filter can offer."""
    offered: dict[str, list[str]] = {}
    for key, value in ClassTotals.objects.filter(kind="dimension").order_by("key", "value").values_list("key", "value"):
        offered.setdefault(key, []).append(value)
    return offered
