"""How a segment does: by cohort of entry, from date to date, today; before and after a change of its strategy.

Formation is the share of those not in default at one date who are in default at the next. A cohort is who was in the
segment at a date and not at the date before; the first holds all who were in it then. Rates below policy's fewest
customers are not said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.portfolio import herfindahl
from kequn.apps.audit.bulk import Numbers
from kequn.apps.governance.models import DocumentVersion
from kequn.apps.governance.selectors import HIERARCHY, SEGMENT, STRATEGY, policy_in_use, published
from kequn.apps.strategies.books import MINOR, Mask, RunBook, books, visible
from kequn.apps.strategies.rates import Apart, Rate, apart, pooled, rate_of
from kequn.policy.pack import Pack
from kequn.policy.words import words_of

IN_DEFAULT, GRADE, EXPOSURE = "in_default", "grade", "exposure_gross"
LARGEST = 5


@dataclass(frozen=True, slots=True)
class Today:
    """The members at the last date. Amounts in minor units; `index` is Herfindahl's over their exposures."""

    customers: int
    exposure: int
    without: int
    index: float | None
    largest_share: float | None
    default: Rate


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who entered between two dates, and where they are at the last; the rates are over the whole time since.

    The exposure of `without` of them is not known.
    """

    entered: date
    is_first: bool
    customers: int
    still: int
    exposure: int
    without: int
    default: Rate
    worse: Rate
    better: Rate


@dataclass(frozen=True, slots=True)
class Step:
    """Formation from one date to the next, in the segment and in the rest of what the reader sees."""

    since: date
    to: date
    inside: Rate
    outside: Rate


@dataclass(frozen=True, slots=True)
class Performance:
    as_of: date
    today: Today
    cohorts: tuple[Cohort, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Effect:
    """Formation before and after a version of the strategy took effect, in the segment and outside it.

    `others` are the versions that took effect between the first date that is read and the last.
    """

    version: DocumentVersion
    before: Rate
    after: Rate
    apart: Apart | None
    outside: Apart | None
    days_before: float | None
    days_after: float | None
    others: tuple[DocumentVersion, ...]


def fewest(pack: Pack, as_of: date) -> int:
    """The fewest customers of whom a rate is said."""
    return int(pack.constant("performance_rows_min", as_of))


def read_books(pack: Pack, as_of: date) -> list[RunBook]:
    return books(int(pack.constant("performance_dates_max", as_of)))


def performance(*, person: Person, segment: str, unknown_means: str, as_of: date) -> Performance | None:
    """How a segment of the reader's customers does; None before the first run."""
    pack = policy_in_use()
    read, mine = read_books(pack, as_of), visible(person)
    if not read:
        return None
    least, last = fewest(pack, as_of), read[-1]
    inside = [_mine(book, segment, unknown_means, mine) for book in read]
    order = _order(pack)
    cohorts = [_cohort(read, inside, at, order, least) for at in range(len(read))]
    steps = tuple(step(one, two, in_one, mine, least) for one, two, in_one in zip(read, read[1:], inside, strict=False))
    return Performance(last.as_of, today(last, inside[-1], least), tuple(cohorts), steps)


def _mine(book: RunBook, segment: str, unknown_means: str, mine: Numbers) -> Mask:
    found: Mask = book.members(segment, unknown_means) & book.seen_by(mine)
    return found


def today(book: RunBook, members: Mask, least: int) -> Today:
    """What the members sum up to at the date of a run."""
    amounts = book.column(EXPOSURE)[members]
    known = amounts[np.isfinite(amounts)]
    whole = float(known.sum())
    verdict = book.verdict(IN_DEFAULT)[members]
    largest = float(np.sort(known)[-LARGEST:].sum()) / whole if whole else None
    return Today(
        int(members.sum()), round(whole * MINOR), int(members.sum() - len(known)), herfindahl(known.tolist()), largest,
        rate_of(int((verdict == 1).sum()), int((verdict >= 0).sum()), least),
    )  # fmt: skip


def _order(pack: Pack) -> dict[Any, int]:
    """The place of each grade on the master scale, the best first."""
    return {grade: place for place, grade in enumerate(words_of(pack).texts.get(GRADE, {}))}


def _cohort(read: Sequence[RunBook], inside: Sequence[Mask], at: int, order: dict[Any, int], least: int) -> Cohort:
    book, last = read[at], read[-1]
    entered = inside[at].copy()
    if at:
        before = read[at - 1].at(book.numbers)
        was_in = np.where(before >= 0, inside[at - 1][np.maximum(before, 0)], False)
        entered &= ~was_in
    places = last.at(book.numbers)
    there = entered & (places >= 0)
    now = np.maximum(places, 0)
    amounts = last.column(EXPOSURE)[now][there]
    healthy = there & (book.verdict(IN_DEFAULT) == 0) & (last.verdict(IN_DEFAULT)[now] >= 0)
    fallen = healthy & (last.verdict(IN_DEFAULT)[now] == 1)
    then, since = _ranks(book.column(GRADE), order), _ranks(last.column(GRADE)[now], order)
    graded = there & (then >= 0) & (since >= 0)
    is_last = at == len(read) - 1
    enough = least if not is_last else len(book.numbers) + 1  # no time has passed yet
    return Cohort(
        book.as_of, at == 0, int(entered.sum()), int((there & inside[-1][now]).sum()),
        round(float(np.nansum(amounts)) * MINOR), int(np.isnan(amounts).sum()),
        rate_of(int(fallen.sum()), int(healthy.sum()), enough),
        rate_of(int((graded & (since > then)).sum()), int(graded.sum()), enough),
        rate_of(int((graded & (since < then)).sum()), int(graded.sum()), enough),
    )  # fmt: skip


def _ranks(grades: Any, order: dict[Any, int]) -> Numbers:
    if grades.dtype != object:
        return np.full(len(grades), -1)
    return np.array([order.get(one, -1) for one in grades], dtype=np.int64)


def step(one: RunBook, two: RunBook, inside: Mask, mine: Numbers, least: int) -> Step:
    """Formation between two runs, of the members at the first and of the others that the reader sees."""
    places = two.at(one.numbers)
    later = np.where(places >= 0, two.verdict(IN_DEFAULT)[np.maximum(places, 0)], -1)
    at_risk = (one.verdict(IN_DEFAULT) == 0) & (later >= 0) & one.seen_by(mine)
    counted = [
        rate_of(int((at_risk & part & (later == 1)).sum()), int((at_risk & part).sum()), least)
        for part in (inside, ~inside)
    ]
    return Step(one.as_of, two.as_of, *counted)


# -- before and after --------------------------------------------------------------------------------------------------


def effects(found: Performance, segment: str, least: int) -> list[Effect]:
    """For each published version of the strategy but the first: formation before its day and after it."""
    every = published(SEGMENT, HIERARCHY, STRATEGY)
    own = sorted((one for one in every if one.kind == STRATEGY and one.key == segment), key=lambda one: one.number)
    return [_effect(found.steps, one, every, least) for one in own[1:]]


def _effect(steps: Sequence[Step], version: DocumentVersion, every: Sequence[DocumentVersion], least: int) -> Effect:
    """Steps that the day falls into are neither before nor after."""
    before = [one for one in steps if one.to <= version.effective_from]
    after = [one for one in steps if one.since >= version.effective_from]
    inside = [pooled([one.inside for one in part], least) for part in (before, after)]
    outside = [pooled([one.outside for one in part], least) for part in (before, after)]
    span = (steps[0].since, steps[-1].to) if steps else (version.effective_from, version.effective_from)
    others = tuple(one for one in every if one.pk != version.pk and span[0] < one.effective_from <= span[1])
    return Effect(version, *inside, apart(*inside), apart(*outside), _days(before), _days(after), others)


def _days(steps: Sequence[Step]) -> float | None:
    """The mean length of the steps."""
    whole = sum((one.to - one.since for one in steps), timedelta())
    return whole.days / len(steps) if steps else None
