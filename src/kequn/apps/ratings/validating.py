"""The validation of the ratings on record: what people overrode, how grades are spread, and what became of the rated.

Read are ratings that were approved, in force still or no longer, of the customers that the person may see. An outcome
counts within `HORIZON_MONTHS` of the day that a rating was made as of: a default then is bad, cured later or not, and
none is good once the months were over when that was known; everything else is unknown.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from django.utils import timezone

from kequn.apps.accounts.access import SEE_OUTCOMES, Person, may
from kequn.apps.customers.models import FactValue
from kequn.apps.customers.models.facts import ALWAYS
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.approval import months_after
from kequn.apps.ratings.models import RatingState
from kequn.apps.ratings.selectors import cases
from kequn.apps.ratings.services import policy_at, rating_date
from kequn.apps.ratings.standing import Reader, state
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.composing import Scale
from kequn.modelling.agreement import FEW_EVENTS, check_grade
from kequn.modelling.discrimination import auc_interval, ks
from kequn.modelling.migration import cohort_counts, mobility
from kequn.modelling.overriding import Moved, overriding, share
from kequn.modelling.settings import settings_of
from kequn.modelling.stability import herfindahl

DECIDED = (RatingState.APPROVED, RatingState.REPLACED, RatingState.EXPIRED)
HORIZON_MONTHS = 12  # a PD of the master scale is that of one year
DEFAULTED, DEFAULT_DATE = "defaulted", "default_date"  # outcome facts of the dictionary


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one customer's defaults: their days, whatever became of them since.

    `clear_on`: the newest day on which it was known that there was none. `undated_by`: the day by which there was one
    whose own day nobody recorded.
    """

    defaults: tuple[date, ...] = ()
    clear_on: date | None = None
    undated_by: date | None = None


NOTHING = Outcome()


@dataclass(frozen=True, slots=True)
class Window:
    """Ratings made as of a day between two, the ends included, of one model or of all."""

    first: date | None = None
    last: date | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    customer: int
    state: str
    model: str
    model_grade: str
    grade: str
    before: str
    notches: int
    reason: str
    authority: str
    as_of: date


def validated(*, person: Person, window: Window = Window()) -> dict[str, Any]:
    """Every figure with its population, window, size and interval; plain values with the words of policy beside."""
    if not may(person, SEE_OUTCOMES):
        raise Misuse(Text("没有查看结果的权限", "you may not see outcomes"))
    day = rating_date()
    policy = policy_at(day)
    if window.model and window.model not in policy.scheme.models:
        there = ", ".join(policy.scheme.models)
        raise Misuse(
            Text(f"没有评级模型 {window.model}；现有：{there}", f"no model {window.model}; there are: {there}")
        )
    if window.first and window.last and window.first > window.last:
        raise Refused(Text("起始日晚于截止日", "the first day is after the last"))
    return _validated(Reader.of(person), window, day, timezone.localdate(), state(), policy_in_use().digest)


@lru_cache(maxsize=32)
def _validated(person: Reader, window: Window, day: date, today: date, mark: str, _policy: str) -> dict[str, Any]:
    """Worked out once a state, a policy in use and a day."""
    policy = policy_at(day)
    limits = settings_of(policy_in_use(), day).limits
    scale, rows = policy.scheme.scale, _rows(person, window)
    known = _outcomes(mark, today)
    bad = [bad_within(known.get(one.customer, NOTHING), one.as_of) for one in rows]
    confidence = limits["confidence"]
    return {
        "population": _population(rows, bad, window, person),
        "overrides": overriding(
            [Moved(one.notches, one.reason, one.authority, is_bad) for one, is_bad in zip(rows, bad, strict=True)],
            confidence,
        ),
        "concentration": {
            name: _concentration([getattr(one, name) for one in rows], scale, confidence)
            for name in ("grade", "model_grade")
        },
        "discrimination": _discrimination(rows, bad, scale, confidence),
        "calibration": _by_grade(rows, bad, scale, confidence, limits["grade_rows_min"]),
        "migration": _migration(rows, _newest(person), scale),
        "words": {
            "reason": {key: asdict(text) for key, text in policy.reasons.items()},
            "model": {key: asdict(one.label) for key, one in policy.scheme.models.items()},
        },
    }


def _rows(person: Person, window: Window) -> list[_Row]:
    found = cases(person=person).filter(state__in=DECIDED).order_by("pk")
    if window.first is not None:
        found = found.filter(as_of__gte=window.first)
    if window.last is not None:
        found = found.filter(as_of__lte=window.last)
    if window.model:
        found = found.filter(model=window.model)
    names = ("pk", "customer_id", "state", "model", "model_grade", "grade", "grade_before", "override_notches",
             "override_reason", "proposal__kind", "as_of")  # fmt: skip
    return [_Row(*row[:7], row[7] or 0, row[8], row[9] or "", row[10]) for row in found.values_list(*names)]


def _newest(person: Person) -> frozenset[int]:
    """The number of the rating that was approved last of every customer, whatever the window or the model."""
    found = cases(person=person).filter(state__in=DECIDED).order_by("approved_at", "pk")
    return frozenset(dict(found.values_list("customer_id", "pk")).values())


def outcomes_of() -> dict[int, Outcome]:
    """What is known of every customer of whom anybody recorded an outcome, by its number.

    No page may see these singly: they are for counts and for who may see outcomes.
    """
    return _outcomes(state(), timezone.localdate())


@lru_cache(maxsize=1)
def _outcomes(_state: str, today: date) -> dict[int, Outcome]:
    """Read once a state and a day. What an import gave no day for is known of today."""
    found: dict[int, Outcome] = {}
    rows = FactValue.objects.filter(name__in=(DEFAULTED, DEFAULT_DATE)).order_by("name", "known_from", "pk")
    for customer, name, truth, day, known_from in rows.values_list(
        "customer_id", "name", "truth", "day", "known_from"
    ).iterator():  # the days of defaults come first
        before, known = found.get(customer, NOTHING), today if known_from == ALWAYS else min(known_from, today)
        if name == DEFAULT_DATE:
            found[customer] = replace(before, defaults=(*before.defaults, day))
        elif truth is False:
            found[customer] = replace(before, clear_on=max(known, before.clear_on or known))
        elif truth and not before.defaults:
            found[customer] = replace(before, undated_by=max(known, before.undated_by or known))
    return found


def bad_within(known: Outcome, as_of: date) -> bool | None:
    """Whether there was a default within the horizon after a day; None where that cannot be told.

    None too for a customer that was in default before and of whom nothing is known since.
    """
    end = months_after(as_of, HORIZON_MONTHS)
    if any(as_of < day <= end for day in known.defaults):
        return True
    if known.undated_by is not None and known.undated_by > as_of:
        return None
    is_over = known.clear_on is not None and known.clear_on >= end
    return False if is_over or any(day > end for day in known.defaults) else None


def _population(rows: Sequence[_Row], bad: Sequence[bool | None], window: Window, person: Person) -> dict[str, Any]:
    return {
        "ratings": len(rows), "customers": len({one.customer for one in rows}), "scope": person.scope,
        "model": window.model, "first": window.first, "last": window.last,
        "earliest": min((one.as_of for one in rows), default=None),
        "latest": max((one.as_of for one in rows), default=None),
        "horizon_months": HORIZON_MONTHS, "known": sum(one is not None for one in bad),
        "bad": sum(one is True for one in bad),
    }  # fmt: skip


def _concentration(grades: Iterable[str], scale: Scale, confidence: float) -> dict[str, Any]:
    counts = Counter(grades)
    order = [*scale.grades, scale.default]
    total = sum(counts[one] for one in order)
    if not total:
        return {"ratings": 0}
    index, adjusted = herfindahl([counts[one] for one in order])
    largest = max(order, key=lambda one: counts[one])
    return {"ratings": total, "herfindahl": index, "adjusted": adjusted, "largest_grade": largest,
            "largest": share(counts[largest], total, confidence),
            "grades_used": sum(counts[one] > 0 for one in order)}  # fmt: skip


def _judged(rows: Sequence[_Row], bad: Sequence[bool | None], scale: Scale) -> list[tuple[_Row, bool]]:
    """The ratings whose outcome is known and that were not in default already, graded by the model as well."""
    return [(one, is_bad) for one, is_bad in zip(rows, bad, strict=True)
            if is_bad is not None and one.grade in scale.grades and one.model_grade in scale.grades]  # fmt: skip


def _discrimination(rows: Sequence[_Row], bad: Sequence[bool | None], scale: Scale, confidence: float
                    ) -> dict[str, Any]:  # fmt: skip
    """How the grade in force and that of the model alone rank the outcome, on the same ratings."""
    judged = _judged(rows, bad, scale)
    event = np.array([is_bad for _, is_bad in judged], dtype=np.float64)
    found: dict[str, Any] = {
        "ratings": len(judged),
        "bad": int(event.sum()),
        "confidence": confidence,
        "is_few": bool(event.sum() < FEW_EVENTS),
    }
    if len(np.unique(event)) < 2:
        return found
    for name in ("grade", "model_grade"):
        risk = np.array([scale.place(getattr(one, name)) for one, _ in judged], dtype=np.float64)
        found[name] = {**asdict(auc_interval(event, risk, confidence=confidence)), "ks": ks(event, risk)}
    return found


def _by_grade(rows: Sequence[_Row], bad: Sequence[bool | None], scale: Scale, confidence: float, least: float
              ) -> list[dict[str, Any]]:  # fmt: skip
    """The PD that each grade stands for against what happened to the ratings of it."""
    judged = _judged(rows, bad, scale)
    many, gone = Counter(one.grade for one, _ in judged), Counter(one.grade for one, is_bad in judged if is_bad)
    return [
        asdict(check_grade(grade, many[grade], gone[grade], scale.pds[grade], confidence, least))
        for grade in scale.grades if many[grade]
    ]  # fmt: skip


def _migration(rows: Sequence[_Row], newest: Collection[int], scale: Scale) -> dict[str, Any]:
    """Moves from the rating before; a rating that ran out counts as withdrawn where it is the customer's newest."""
    pairs = [(one.before, one.grade) for one in rows if one.before]
    pairs += [(one.grade, "") for one in rows if one.state == RatingState.EXPIRED and one.number in newest]
    return mobility(cohort_counts(pairs, [*scale.grades, scale.default]))
