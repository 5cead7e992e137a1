"""The list of customers: what is asked for, what is counted, one page of it, and the way forward and back.

Everything starts from what the person may see. A page is found by the place of its first row in the order of the
list (its value and its id), never by counting rows, so that page 2,000 costs what the first one costs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from django.db.models import Count, Exists, OuterRef, QuerySet, Sum

from kequn.apps.accounts.access import Person
from kequn.apps.accounts.models import Scope
from kequn.apps.assessments.models import ClassTotals, CustomerFigures, FindingSpan
from kequn.apps.assessments.selectors import totals_stand
from kequn.apps.assessments.tallies import Mask, Part, Totals
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.search.selectors import matching

NO_CLASS = "-"  # assessed, but no class of this dimension stands
YES, NO = "yes", "no"
RARE = 5_000  # a class with fewer customers is read from its own end
NAME = "name"
ORDERS: dict[str, str] = {
    NAME: "name",
    "exposure": "figures__exposure_gross",
    "grade": "figures__pd",
    "signals": "figures__signal_rank",
}


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


Among = QuerySet[Customer] | None  # what `matching` answered to the words, where it was asked already


def wanted_customers(*, person: Person, wanted: Wanted, among: Among = None) -> QuerySet[Customer]:
    """The visible customers that fit, unordered. Findings are those that stand now."""
    found = (matching(person=person, words=wanted.words) if among is None else among).order_by()
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


def totals(*, person: Person, wanted: Wanted, among: Among = None) -> Totals:
    """The count and the sums of what is shown. Of the whole book, and of one class of it, the last run wrote them."""
    if person.scope == Scope.ALL and not wanted.is_filtered:
        return _whole_book()
    ready = _one_class(wanted) if person.scope == Scope.ALL else None
    if ready is not None:
        return ready
    plain = replace(wanted, classes={}, holding=(), untold=())
    part = Part.of(wanted_customers(person=person, wanted=plain, among=among))
    return part.only(_standing_so(part, wanted)).totals()


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


def _whole_book() -> Totals:
    row = CustomerFigures.objects.aggregate(
        gross=Sum("exposure_gross"), net=Sum("exposure_net"), known=Count("exposure_gross")
    )
    customers = Customer.objects.count()
    return Totals(customers, row["gross"] or 0, row["net"] or 0, customers - row["known"])


def _one_class(wanted: Wanted) -> Totals | None:
    """One class, or the lack of one, and nothing else: the run has added it up, and nobody went away since."""
    pairs = [*wanted.classes.items(), *((key, "true") for key in wanted.holding)]
    pairs += [(key, "unknown") for key in wanted.untold]
    alone = replace(wanted, classes={}, holding=(), untold=())
    if len(pairs) != 1 or alone.is_filtered or not totals_stand():
        return None
    key, value = pairs[0]
    rows = ClassTotals.objects.filter(key=key)
    rows = rows if value == NO_CLASS else rows.filter(value=value)
    row = rows.aggregate(customers=Sum("customers"), gross=Sum("exposure_gross"), net=Sum("exposure_net"))
    found = Totals(row["customers"] or 0, row["gross"] or 0, row["net"] or 0, 0)
    if value != NO_CLASS:
        return found
    whole, assessed = _whole_book(), CustomerFigures.objects.count()
    return Totals(
        assessed - found.customers, whole.exposure_gross - found.exposure_gross,
        whole.exposure_net - found.exposure_net, 0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: its customers in the order of the list, and the marks of the pages beside it ('' where none is)."""

    customers: list[Customer]
    after: str
    before: str


def page_of(
    *, person: Person, wanted: Wanted, after: str = "", before: str = "", size: int = 50, among: Among = None
) -> Listed:
    """The page after a mark or before one. A mark is the id of a customer; it tells nobody anything."""
    found = wanted_customers(person=person, wanted=wanted, among=among)
    mark = after or before
    last = _place_of(person, wanted, mark) if mark.isdecimal() else None
    backwards = bool(before) and last is not None
    ids = _ids(found, wanted, last, backwards=backwards, size=size + 1)
    more = len(ids) > size
    ids = ids[:size]
    if backwards:
        ids.reverse()
    by_id = Customer.objects.select_related("group", "owner", "figures").in_bulk(ids)
    customers = [by_id[one] for one in ids if one in by_id]
    first, final = (str(ids[0]), str(ids[-1])) if ids else ("", "")
    if backwards:
        return Listed(customers, final, first if more else "")
    return Listed(customers, final if more else "", first if last is not None else "")


def _place_of(person: Person, wanted: Wanted, mark: str) -> "Place | None":
    """Where the marked customer stands in the order; nothing where the reader may not see it."""
    seen = visible_to(person).filter(pk=int(mark))
    row = seen.order_by().values_list(ORDERS[wanted.order], "pk").first()
    return Place(row[0], row[1]) if row else None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of a list: the value that it is ordered by, then the id."""

    value: object
    id: int


def _ids(found: QuerySet[Customer], wanted: Wanted, last: Place | None, *, backwards: bool, size: int) -> list[int]:
    """The next ids in the order of the list: rows of the same value, then of the next values; unknown values last."""
    key, ids = ORDERS[wanted.order], []
    for part in _parts(found, key, last, falling=wanted.descending != backwards, backwards=backwards):
        ids += part[: size - len(ids)].values_list("pk", flat=True)
        if len(ids) >= size:
            break
    return ids


def _parts(
    found: QuerySet[Customer], key: str, last: Place | None, *, falling: bool, backwards: bool
) -> Iterator[QuerySet[Customer]]:
    id_key = "figures__customer_id" if key.startswith("figures") else "pk"
    ties = f"-{id_key}" if falling else id_key
    order = (f"-{key}", ties) if falling else (key, ties)
    known = found.filter(**{f"{key}__isnull": False}) if key != NAME else found
    nulls = found.filter(**{f"{key}__isnull": True}).order_by("-pk" if falling else "pk") if key != NAME else None
    beyond, after = ("lt", "lt") if falling else ("gt", "gt")
    if last is not None and last.value is None:
        assert nulls is not None  # noqa: S101 - a name is never null
        yield nulls.filter(**{f"pk__{after}": last.id})
        if backwards:
            yield known.order_by(*order)
        return
    if backwards and last is None and nulls is not None:
        yield nulls
    if last is not None:
        yield known.filter(**{key: last.value, f"{id_key}__{after}": last.id}).order_by(ties)
        known = known.filter(**{f"{key}__{beyond}": last.value})
    yield known.order_by(*order)
    if nulls is not None and not backwards:
        yield nulls


def each(*, person: Person, wanted: Wanted, block: int = 2_000) -> Iterator[list[Customer]]:
    """All that fits, block by block in the order of the list, for exports."""
    mark, among = "", matching(person=person, words=wanted.words)
    while True:
        listed = page_of(person=person, wanted=wanted, after=mark, size=block, among=among)
        if listed.customers:
            yield listed.customers
        mark = listed.after
        if not mark:
            return


def classes() -> dict[str, list[str]]:
    """The classes of each dimension that somebody of the whole book stands in: what a filter can offer."""
    offered: dict[str, list[str]] = {}
    for key, value in ClassTotals.objects.filter(kind="dimension").order_by("key", "value").values_list("key", "value"):
        offered.setdefault(key, []).append(value)
    return offered
