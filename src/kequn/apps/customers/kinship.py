"""Parents and subsidiaries: the tree that a customer stands in, as far as the reader may see its members.

The tree starts at the owner furthest up along the largest holdings. Who stands outside the reader's scope keeps a
place and no name, so that the shape is true and nothing is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.customers.models import Customer, Ownership
from kequn.apps.customers.selectors import visible_to

HIGHEST, DEEPEST, MOST = 4, 4, 200


@dataclass(frozen=True, slots=True)
class Kin:
    """One member of a tree. `customer` is empty where the reader may not see it."""

    id: int
    depth: int
    customer: Customer | None
    share: Decimal | None  # held by the member above, a fraction of 1
    relation: str
    is_self: bool


@dataclass(frozen=True, slots=True)
class Family:
    """The tree in the order it is read, and the members of the same group that no holding ties to it."""

    tree: tuple[Kin, ...]
    others: tuple[Customer, ...]
    is_cut: bool  # there are more members than are shown


def family_of(*, person: Person, customer: Customer, as_of: date) -> Family:
    root = _root(customer, as_of)
    edges = _below(root, as_of)
    ids = {root} | {one.customer_id for one in edges}
    seen = visible_to(person).select_related("figures").in_bulk(list(ids))
    tree = tuple(_walk(root, edges, seen, customer.pk)) if len(ids) > 1 else ()
    others: list[Customer] = []
    if customer.group_id is not None:
        members = visible_to(person).filter(group_id=customer.group_id).exclude(pk__in=ids)
        others = list(members.select_related("figures")[: MOST + 1])
    return Family(tree, tuple(others[:MOST]), len(others) > MOST or len(edges) >= MOST)


def _standing(as_of: date) -> QuerySet[Ownership]:
    still = Q(to_date__isnull=True) | Q(to_date__gt=as_of)
    return Ownership.objects.filter(still, from_date__lte=as_of).exclude(relation="family")


def _root(customer: Customer, as_of: date) -> int:
    """Up along the largest holdings; a ring of owners ends where it began."""
    at, passed = customer.pk, {customer.pk}
    for _step in range(HIGHEST):
        owners = _standing(as_of).filter(customer_id=at).exclude(parent_id__in=passed)
        above = max(owners, key=lambda one: (one.share or Decimal(0), -one.pk), default=None)
        if above is None:
            break
        at = above.parent_id
        passed.add(at)
    return at


def _below(root: int, as_of: date) -> list[Ownership]:
    """The holdings under a root, level by level; each member is reached once."""
    found: list[Ownership] = []
    level, reached = {root}, {root}
    for _step in range(HIGHEST + DEEPEST):
        new = []
        for one in _standing(as_of).filter(parent_id__in=level).order_by("-share", "id")[:MOST]:
            if one.customer_id not in reached:
                reached.add(one.customer_id)
                new.append(one)
        found += new
        level = {one.customer_id for one in new}
        if not level or len(found) >= MOST:
            break
    return found[:MOST]


def _walk(root: int, edges: Iterable[Ownership], seen: dict[int, Customer], self_id: int) -> list[Kin]:
    below: dict[int, list[Ownership]] = {}
    for one in edges:
        below.setdefault(one.parent_id, []).append(one)
    found: list[Kin] = []

    def visit(at: int, depth: int, by: Ownership | None) -> None:
        share, relation = (by.share, by.relation) if by is not None else (None, "")
        found.append(Kin(at, depth, seen.get(at), share, relation, at == self_id))
        for one in below.get(at, ()):
            visit(one.customer_id, depth + 1, one)

    visit(root, 0, None)
    return found
