"""Search, within what the person may see: every number and every row has passed `visible_to`."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL
from numpy.typing import NDArray

from kequn.apps.accounts.access import Person
from kequn.apps.audit.bulk import numbers_of
from kequn.apps.customers.keeping import kept, numbers_visible_to
from kequn.apps.customers.models import Customer, Group, Ownership
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import Project, ProjectParty
from kequn.apps.search.matching import Answer, answers
from kequn.apps.search.models import Kind
from kequn.apps.search.postings import without
from kequn.apps.search.tokens import Numbers, once

SHOWN = 20  # customers on the page of results
GATHERED = 10  # groups, parents, projects on it
RELATED = 8  # customers named beneath each of them
FEW = 500  # so many numbers are handed over one by one
WALKED = 2_000  # more hits than this are found by walking the customers from the largest exposure down
CONSIDERED = 300  # of groups and projects so many are looked at, the best first
PARENTS = 60  # of the customers found, so many are looked at as parents of others


@dataclass(frozen=True, slots=True)
class Gathered:
    """A group, a parent or a project with those of its customers whom the reader may see."""

    name: str
    code: str
    customers: list[Customer]
    count: int


@dataclass(frozen=True, slots=True)
class Results:
    customers: list[Customer]
    count: int
    groups: list[Gathered]
    parents: list[Gathered]
    projects: list[Gathered]

    @property
    def is_empty(self) -> bool:
        return not (self.count or self.groups or self.parents or self.projects)


def search(*, person: Person, question: str) -> Results:
    """What the box finds: customers by their own names and codes, then what belongs to groups, parents, projects."""
    found = answers(question)
    seen = numbers_visible_to(person)
    mine = _visible(found[Kind.CUSTOMER], seen)
    best = _best(mine, PARENTS)
    return Results(
        customers=_customers(person, best[:SHOWN]),
        count=len(mine.all),
        groups=_groups(person, found[Kind.GROUP], seen),
        parents=_parents(person, best, seen),
        projects=_projects(person, found[Kind.PROJECT], seen),
    )


def matching(*, person: Person, words: str = "") -> QuerySet[Customer]:
    """The visible customers that answer the words by their own names and codes, or through their group, a visible
    parent, or a project.
    """
    found = visible_to(person)
    if not words.strip():
        return found
    every, seen = answers(words), numbers_visible_to(person)
    mine = _visible(every[Kind.CUSTOMER], seen)
    if len(mine.all) > WALKED and len(mine.all) == len(seen):
        return found
    numbers = [mine.all]
    groups, projects = every[Kind.GROUP].all, every[Kind.PROJECT].all
    if len(groups):
        numbers.append(numbers_of(found.filter(_among("group_id", groups)), "pk")[0])
    if len(projects):
        numbers.append(numbers_of(ProjectParty.objects.filter(_among("project_id", projects)), "customer_id")[0])
    if 0 < len(mine.all) <= WALKED:
        numbers.append(numbers_of(Ownership.objects.filter(_among("parent_id", mine.all)), "customer_id")[0])
    return found.filter(_among("pk", once(np.concatenate(numbers))))


# --- scope --------------------------------------------------------------------------------------------------


def _visible(answer: Answer, seen: Numbers) -> Answer:
    """The answer without the customers whom the person may not see."""
    return Answer(*(np.sort(one[_are_in(one, seen)]) for one in (answer.all, answer.begins, answer.exact)))


def _are_in(numbers: Numbers, seen: Numbers) -> NDArray[np.bool_]:
    """Which of the numbers are among those seen, which stand in their order."""
    if not len(seen):
        return np.zeros(len(numbers), np.bool_)
    at = np.minimum(np.searchsorted(seen, numbers), len(seen) - 1)
    return seen[at] == numbers


def _among(column: str, numbers: Numbers) -> Q:
    """Rows whose column is among the numbers, however many they are."""
    values = numbers.tolist()
    if len(values) <= FEW:
        return Q(**{f"{column}__in": values})
    if connection.vendor == "sqlite":
        return Q(**{f"{column}__in": RawSQL("SELECT value FROM json_each(%s)", [json.dumps(values)])})
    array = RawSQL("%s::bigint[]", [values])  # hashed once; a sub-select would be joined, four times slower
    return Q(Func(F(column), array, template="%(expressions)s", arg_joiner=" = ANY", output_field=BooleanField()))


# --- order --------------------------------------------------------------------------------------------------


def _best(answer: Answer, wanted: int) -> list[int]:
    """The first of an answer: exact before beginning before fragment, in each the largest exposure first."""
    ordered: list[int] = []
    seen = np.zeros(0, np.int64)
    for some in (answer.exact, answer.begins, answer.all):
        fresh = without(some, seen)
        seen = once(np.concatenate([seen, fresh]))
        ordered += _largest(fresh, wanted - len(ordered))
        if len(ordered) >= wanted:
            break
    return ordered


def _largest(numbers: Numbers, wanted: int) -> list[int]:
    """The customers of largest exposure among these; those without a known exposure last."""
    if wanted < 1 or not len(numbers):
        return []
    known = Customer.objects.filter(figures__exposure_gross__isnull=False)  # as the last run published it
    known = known.order_by("-figures__exposure_gross", "-figures__customer_id")  # as the index stands, read backwards
    if len(numbers) <= WALKED:
        found = list(known.filter(_among("pk", numbers)).values_list("pk", flat=True)[:wanted])
    else:
        found = _walked(known.values_list("figures__customer_id", flat=True), numbers, wanted)
    if len(found) < wanted:
        there = set(found)
        found += [one for one in numbers[: wanted + len(there)].tolist() if one not in there][: wanted - len(found)]
    return found


def _walked(from_the_largest: Any, numbers: Numbers, wanted: int) -> list[int]:
    mask = np.zeros(int(numbers[-1]) + 1, np.bool_)
    mask[numbers] = True
    found: list[int] = []
    for first, last in ((0, WALKED), (WALKED, 10 * WALKED), (10 * WALKED, None)):
        some = from_the_largest[first:last]
        walked = kept(person=None, question=("largest", first), work=partial(np.fromiter, some, np.int64))
        walked = walked[walked < len(mask)]
        found += walked[mask[walked]].tolist()
        if len(found) >= wanted:
            break
    return found[:wanted]


def _customers(person: Person, numbers: list[int]) -> list[Customer]:
    if not numbers:
        return []
    rows = visible_to(person).filter(pk__in=numbers).select_related("group", "owner", "figures")
    by_number = {one.pk: one for one in rows}
    return [by_number[one] for one in numbers if one in by_number]


# --- what customers belong to -------------------------------------------------------------------------------


def _considered(answer: Answer) -> list[int]:
    ordered = dict.fromkeys([*answer.exact.tolist(), *answer.begins.tolist(), *answer.all[:CONSIDERED].tolist()])
    return list(ordered)[:CONSIDERED]


def _groups(person: Person, answer: Answer, seen: Numbers) -> list[Gathered]:
    numbers = _considered(answer)
    if not numbers:
        return []
    members = _beneath(seen, Customer.objects.filter(group_id__in=numbers).values_list("group_id", "pk"))
    first = {one: numbers.index(one) for one in members if one in answer.exact}
    chosen = sorted(members, key=lambda one: (first.get(one, len(numbers)), -len(members[one]), one))[:GATHERED]
    names = {one.pk: one for one in Group.objects.filter(pk__in=chosen)}
    rows = [(names[one].name, names[one].code, len(members[one]), members[one]) for one in chosen]
    return _gathered(person, rows)


def _parents(person: Person, numbers: list[int], seen: Numbers) -> list[Gathered]:
    """Of visible customers that answer, those who own or control others; the others as far as they are visible."""
    if not numbers:
        return []
    held = Ownership.objects.filter(parent_id__in=numbers).exclude(relation="family")
    members = _beneath(seen, held.values_list("parent_id", "customer_id"))
    chosen = [one for one in numbers if one in members][:GATHERED]
    names = {one.pk: one for one in Customer.objects.filter(pk__in=chosen)}
    rows = [(names[one].name, names[one].code, len(members[one]), members[one]) for one in chosen]
    return _gathered(person, rows)


def _projects(person: Person, answer: Answer, seen: Numbers) -> list[Gathered]:
    numbers = _considered(answer)
    if not numbers:
        return []
    parts = ProjectParty.objects.filter(project_id__in=numbers)
    members = _beneath(seen, parts.values_list("project_id", "customer_id"))
    chosen = [one for one in numbers if one in members][:GATHERED]
    names = {one.pk: one for one in Project.objects.filter(pk__in=chosen)}
    rows = [(str(names[one]), names[one].project_id, len(members[one]), members[one]) for one in chosen]
    return _gathered(person, rows)


def _beneath(seen: Numbers, pairs: Any) -> dict[int, list[int]]:
    """What stands above -> its customers that the person may see."""
    found: dict[int, list[int]] = {}
    linked = sorted(pairs.order_by().distinct())
    visible = _are_in(np.array([below for _above, below in linked], np.int64), seen)
    for (above, below), is_seen in zip(linked, visible.tolist(), strict=True):
        if is_seen:
            found.setdefault(above, []).append(below)
    return found


def _gathered(person: Person, rows: list[tuple[str, str, int, list[int]]]) -> list[Gathered]:
    shown = {one.pk: one for one in _customers(person, [one for row in rows for one in row[3][:RELATED]])}
    return [
        Gathered(name, code, [shown[one] for one in members[:RELATED] if one in shown], count)
        for name, code, count, members in rows
    ]
