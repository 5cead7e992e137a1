"""Read ratings, narrowed to the customers that the person may see."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet

from kequn.apps.accounts.access import Person
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import sees_every_customer, visible_to
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.facts import kin_at
from kequn.apps.ratings.kept import policy_of_case, replays
from kequn.apps.ratings.models import OPEN, RatingCase, RatingState


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
    """One part of the work: `suggested`, `draft`, `proposed`, `expiring` within `soon` days, `expired`, `approved`."""
    found = cases(person=person).select_related("customer__figures").defer("inputs")
    if part == "expiring":
        return found.filter(state=RatingState.APPROVED, expires_on__lte=as_of + timedelta(days=soon))
    return found.filter(state=part)


def part_counts(*, person: Person, as_of: date, soon: int) -> dict[str, int]:
    """How many cases stand in each part of the work, in one query."""
    limit = as_of + timedelta(days=soon)
    states = {state: Count("pk", filter=Q(state=state)) for state in RatingState.values}
    expiring = Count("pk", filter=Q(state=RatingState.APPROVED, expires_on__lte=limit))
    return cases(person=person).order_by().aggregate(expiring=expiring, **states)


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
