"""Read ratings, narrowed to the customers that the person may see."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import sees_every_customer, visible_to
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.facts import kin_at
from kequn.apps.ratings.kept import policy_of_case, replays
from kequn.apps.ratings.models import OPEN, RatingCase, RatingState

Rows = TypeVar("Rows", bound=QuerySet[Any])


def cases(*, person: Person) -> QuerySet[RatingCase]:
    """Every case of a visible customer, the newest first."""
    found = RatingCase.objects.order_by("-id")
    if sees_every_customer(person):
        return found
    return found.filter(customer__in=visible_to(person).order_by().values("pk"))


def find(*, person: Person, number: int) -> RatingCase | None:
    related = ("customer__figures", "proposal", "previous", "policy")
    return cases(person=person).select_related(*related).filter(pk=number).first()


def in_force(customer: Customer) -> RatingCase | None:
    return RatingCase.objects.filter(customer=customer, state=RatingState.APPROVED).first()


def opened(customer: Customer) -> RatingCase | None:
    return RatingCase.objects.filter(customer=customer, state__in=OPEN).first()


def history(customer: Customer) -> QuerySet[RatingCase]:
    """Every case of a customer, the newest first; each knows its customer without another query."""
    return customer.rating_cases.order_by("-id")


def hidden_supporters(*, person: Person, case: RatingCase) -> frozenset[str]:
    """Which of `parent_grade` and `guarantor_grade` is of a customer that the person may not see, then or before.

    Hidden too where the supporter can no longer be told: the grade is kept, and whose it was is not.
    """
    if sees_every_customer(person):
        return frozenset()
    parents, guarantors = set[int](), set[int]()
    for day in {one.as_of for one in (case, case.previous) if one is not None}:
        kin = kin_at(day, policy_in_use(), policy_of_case(case), case.customer_id).get(case.customer_id)
        if kin is not None:
            parents |= {kin.parent} - {None}
            guarantors |= {one for one, _amount in kin.guarantors}
    seen = set(visible_to(person).order_by().filter(pk__in=parents | guarantors).values_list("pk", flat=True))
    of = {"parent_grade": parents, "guarantor_grade": guarantors}
    return frozenset(name for name, some in of.items() if not some or not some <= seen)


def work_list(*, person: Person, part: str, as_of: date, soon: int) -> QuerySet[RatingCase]:
    """One part of the work: `suggested`, `draft`, `proposed`, `expiring` within `soon` days, `expired`, `approved`.

    The largest exposure first, those of whom none is known last.
    """
    found = cases(person=person).select_related("customer__figures").defer("inputs")
    if part == "expiring":
        found = found.filter(state=RatingState.APPROVED, expires_on__lte=as_of + timedelta(days=soon))
    else:
        found = found.filter(state=part)
    return found.order_by(F("customer__figures__exposure_gross").desc(nulls_last=True), "-pk")


def unrated(*, person: Person) -> QuerySet[Customer]:
    """Visible customers without a rating in force, the largest exposure first."""
    rated = RatingCase.objects.filter(customer=OuterRef("pk"), state=RatingState.APPROVED)
    found = visible_to(person).filter(~Exists(rated)).select_related("figures")
    return found.order_by(F("figures__exposure_gross").desc(nulls_last=True), "-pk")


def below(found: Rows, exposure: str, after: tuple[int | None, int]) -> Rows:
    """What comes after a row in the order by exposure; `after` is its exposure and its number."""
    amount, number = after
    unknown, lower = Q(**{f"{exposure}__isnull": True}), Q(**{exposure: amount, "pk__lt": number})
    if amount is None:
        return found.filter(unknown, pk__lt=number)
    return found.filter(unknown | lower | Q(**{f"{exposure}__lt": amount}))


def part_counts(*, person: Person, as_of: date, soon: int) -> dict[str, int]:
    """How many cases stand in each part of the work, and how many customers have no rating in force, in two queries."""
    limit = as_of + timedelta(days=soon)
    states = {state: Count("pk", filter=Q(state=state)) for state in RatingState.values}
    expiring = Count("pk", filter=Q(state=RatingState.APPROVED, expires_on__lte=limit))
    found = cases(person=person).order_by().aggregate(expiring=expiring, **states)
    return found | {"unrated": visible_to(person).order_by().count() - found[RatingState.APPROVED]}


def at_work(*, person: Person) -> dict[str, int]:
    """How many ratings are suggested, wait for approval or ran out, in one query."""
    states = (RatingState.SUGGESTED, RatingState.PROPOSED, RatingState.EXPIRED)
    found = cases(person=person).filter(state__in=states).order_by()
    return dict(found.values_list("state").annotate(n=Count("pk")))


def distribution(*, person: Person) -> dict[tuple[str, str], int]:
    """How many ratings in force stand in each grade of each model."""
    found = cases(person=person).filter(state=RatingState.APPROVED).order_by()
    return {(model, grade): n for model, grade, n in found.values_list("model", "grade").annotate(n=Count("pk"))}


def moves(*, person: Person) -> Counter[tuple[str, str]]:
    """From the grade before to the grade in force, of those rated more than once."""
    found = cases(person=person).filter(state=RatingState.APPROVED).exclude(grade_before="").order_by()
    pairs = found.values_list("grade_before", "grade").annotate(n=Count("pk"))
    return Counter({(before, after): n for before, after, n in pairs})


def overrides(*, person: Person) -> dict[int, int]:
    """How many ratings in force were moved by so many notches by hand; 0 are those left as the model says."""
    found = cases(person=person).filter(state=RatingState.APPROVED).order_by()
    rows = found.values_list("override_notches").annotate(n=Count("pk"))
    counts: Counter[int] = Counter()
    for notches, n in rows:
        counts[notches or 0] += n
    return dict(sorted(counts.items()))


def replayed(found: Iterable[RatingCase]) -> tuple[int, list[RatingCase]]:
    """How many cases were put together anew, and those that did not come out as they are kept."""
    count, wrong = 0, []
    for case in found:
        count += 1
        if not replays(case):
            wrong.append(case)
    return count, wrong
