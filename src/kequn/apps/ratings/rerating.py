"""Re-rating: what new facts would make of the ratings in force, told as suggestions with the cause of each.

Only what changed is written: another grade or model, a rating that is no longer possible, a covenant breached that was
not when the rating was made, or a rating that soon expires. A suggestion whose cause has gone is taken back. What
people are working at is left alone.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.utils import timezone

from kequn.apps.accounts.access import RATE, RUN, Person, may
from kequn.apps.assessments.models import Run
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.assessments.services import AFTER_PUBLISHING
from kequn.apps.audit import bulk
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer, Event, FactValue, Guarantee, Ownership, Statement
from kequn.apps.deals.models import AccountMonth, Facility, Project, ProjectParty
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.jobs.services import Lease, enqueue, handler
from kequn.apps.projects.models import ProjectActual
from kequn.apps.ratings.covenants import FACT as COVENANTS
from kequn.apps.ratings.facts import Facts, facts_of_book, facts_of_customer
from kequn.apps.ratings.kept import inputs_of, keep_policy, policy_of_case
from kequn.apps.ratings.models import LAST_APPROVED, OPEN, RatingCase, RatingState
from kequn.apps.ratings.services import facts_date, fill, policy_at, rating_date
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.composing import Inputs, compose
from kequn.domain.rating.covenants import newly_breached
from kequn.domain.rating.differing import Moved, difference, notches_between
from kequn.policy.rating import RatingPolicy, rating_policy

log = logging.getLogger("kequn.ratings")
POLICY, EXPIRY, FIRST, BREACH = "policy", "expiry", "first", "breach"
CHUNK = 2_000
MACHINE = "system:rerate"
WRITTEN_OVER = (
    "trigger", "as_of", "policy_id", "inputs", "result_digest", "model", "model_grade", "grade", "grade_before",
    "score", "pd", "override_notches", "override_reason", "previous_id", "maker", "made_at",
)  # fmt: skip
WRITTEN: tuple[tuple[Any, str], ...] = (  # the records that ratings rest on, and how each names its customer
    (Customer, "pk"), (Statement, "customer_id"), (FactValue, "customer_id"), (Event, "customer_id"),
    (Ownership, "customer_id"), (Guarantee, "customer_id"), (Facility, "customer_id"), (AccountMonth, "customer_id"),
    (ProjectParty, "customer_id"), (Project, "parties__customer_id"), (ProjectActual, "project__parties__customer_id"),
)  # fmt: skip


@dataclass(slots=True)
class Counts:
    """What a re-rating did: customers looked at, suggestions by cause, those taken back, and why others have none."""

    customers: int = 0
    suggested: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    taken_back: int = 0
    expired: int = 0
    at_work: int = 0
    no_model: int = 0
    too_little_known: int = 0

    def said(self) -> dict[str, Any]:
        return {
            "customers": self.customers, "suggested": sum(self.suggested.values()), "causes": dict(self.suggested),
            "unchanged": self.unchanged, "taken_back": self.taken_back, "expired": self.expired,
            "at_work": self.at_work, "no_model": self.no_model, "too_little_known": self.too_little_known,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """The rating in force or the last that was, as far as re-rating reads it."""

    pk: int
    grade: str
    model: str
    inputs: str
    policy: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What is under way for a customer, as far as re-rating reads it."""

    pk: int
    state: str
    as_of: date
    policy: str
    result: str
    trigger: str
    previous: int | None
    grade: str
    model: str


class _Book:
    """What stands and what is open, read once; suggestions are compared with it and written in chunks."""

    def __init__(self, policy: RatingPolicy, as_of: date, customers: Iterable[int] | None = None) -> None:
        self.policy, self.as_of, self.counts = policy, as_of, Counts()
        self.customers = None if customers is None else list(customers)
        cases = RatingCase.objects.all()
        if self.customers is not None:
            cases = cases.filter(customer__in=self.customers)
        names = ("customer_id", "pk", "grade", "model", "inputs", "policy_id", "expires_on")
        standing = cases.filter(state__in=LAST_APPROVED).order_by("approved_at", "pk").values_list(*names)
        self.standing = {row[0]: Standing(*row[1:]) for row in standing.iterator()}  # the newest of a customer last
        names = ("customer_id", "pk", "state", "as_of", "policy_id", "result_digest", "trigger", "previous_id", "grade",
                 "model")  # fmt: skip
        opened = cases.filter(state__in=OPEN).order_by().values_list(*names)
        self.open = {row[0]: Opened(*row[1:]) for row in opened.iterator()}
        self.copy = keep_policy(policy)
        self.fresh: list[RatingCase] = []
        self.over: list[RatingCase] = []  # suggestions that stand and are written over
        self.gone: list[int] = []

    def look_at(self, customer: int, facts: Facts, *, first: bool, as_of: date | None = None) -> None:
        """Compare what the facts make of a customer with what stands; facts as of the book's day, or of another.

        A suggestion that rests on later facts than these is left alone.
        """
        day = as_of or self.as_of
        self.counts.customers += 1
        opened, before = self.open.get(customer), self.standing.get(customer)
        if opened is not None and (opened.state != RatingState.SUGGESTED or opened.as_of > day):
            self.counts.at_work += opened.state != RatingState.SUGGESTED
            self.counts.unchanged += opened.state == RatingState.SUGGESTED
            return
        if before is None and not first and opened is None:
            self.counts.unchanged += 1
            return
        old = inputs_of(before.inputs) if before is not None else Inputs({}, {})
        new = Inputs(facts, old.answers, old.override)
        trigger = self._trigger(before, old, new, day)
        if trigger:
            self._suggest(opened, self._case(customer, before, new, trigger, day))
        elif opened is not None:
            self.gone.append(opened.pk)
            self.counts.taken_back += 1

    def _case(self, customer: int, before: Standing | None, new: Inputs, trigger: str, day: date) -> RatingCase:
        case = RatingCase(
            customer_id=customer, state=RatingState.SUGGESTED, trigger=trigger, as_of=day, policy=self.copy,
            previous_id=before.pk if before is not None else None,
            grade_before=before.grade if before is not None else "", maker=MACHINE, made_at=timezone.now(),
        )  # fmt: skip
        fill(case, self.policy, new)
        if new.override is not None:
            case.override_notches, case.override_reason = new.override.notches, new.override.reason
        return case

    def _suggest(self, opened: Opened | None, case: RatingCase) -> None:
        """A new suggestion; one that stands is left where it says the same still, and else written over in its place.

        Its number stays, for people have it open. Ages of statements that grow by a day and move nothing are no news.
        """
        if opened is None:
            self.fresh.append(case)
            self.counts.suggested[case.trigger] += 1
            return
        case.pk = opened.pk
        stands = (opened.policy, opened.result, opened.trigger, opened.previous)
        if stands != (case.policy_id, case.result_digest, case.trigger, case.previous_id):
            self.over.append(case)
        if (opened.grade, opened.model, opened.trigger) == (case.grade, case.model, case.trigger):
            self.counts.unchanged += 1
        else:
            self.counts.suggested[case.trigger] += 1

    def _trigger(self, before: Standing | None, old: Inputs, new: Inputs, day: date) -> str:
        """Why a suggestion is due; '' where none is."""
        rated = compose(self.policy.scheme, new)
        if before is None:
            if rated.grade is not None:
                return FIRST
            if rated.model is None:
                self.counts.no_model += 1
            else:
                self.counts.too_little_known += 1
            return ""
        if (rated.grade or "") == before.grade and (rated.model or "") == before.model:
            if newly_breached(old.facts.get(COVENANTS), new.facts.get(COVENANTS)):
                return BREACH
            soon = day + timedelta(days=self.policy.renew_before_days)
            if before.expires_on is not None and before.expires_on <= soon:
                return EXPIRY
            self.counts.unchanged += 1
            return ""
        if before.policy != self.policy.digest:
            return POLICY
        return main_driver(self.policy, old, new)

    def write(self, actor: str) -> Counts:
        """Suggestions taken back, written over or anew, and ratings marked that have expired; one line in the chain.

        Who began to rate a customer meanwhile keeps their work: what the machine would have suggested is dropped.
        """
        with line(actor=actor, action="ratings.rerate", subject=str(self.as_of)) as audit:
            for at in range(0, len(self.gone), CHUNK):
                chunk = self.gone[at : at + CHUNK]
                RatingCase.objects.filter(pk__in=chunk, state=RatingState.SUGGESTED).delete()
            for at in range(0, len(self.over), CHUNK):
                _write_over(self.over[at : at + CHUNK])
            for at in range(0, len(self.fresh), CHUNK):
                RatingCase.objects.bulk_create(self.fresh[at : at + CHUNK], ignore_conflicts=True)
            over = RatingCase.objects.filter(state=RatingState.APPROVED, expires_on__lte=self.as_of)
            if self.customers is not None:
                over = over.filter(customer__in=self.customers)
            self.counts.expired = over.update(state=RatingState.EXPIRED)
            wrote = (*self.over, *self.fresh)
            audit.wrote("ratings.RatingCase", ([one.customer_id, one.grade, one.result_digest] for one in wrote))
            audit.detail.update(self.counts.said())
        return self.counts


def _write_over(cases: list[RatingCase]) -> None:
    """Put these into the suggestions of the same number, where they are suggestions still."""
    numbers = [one.pk for one in cases]
    held = RatingCase.objects.select_for_update().filter(pk__in=numbers, state=RatingState.SUGGESTED).order_by()
    still = set(held.values_list("pk", flat=True))
    rows = ([*(getattr(one, name) for name in WRITTEN_OVER), one.pk] for one in cases if one.pk in still)
    bulk.update(RatingCase, WRITTEN_OVER, rows)


def main_driver(policy: RatingPolicy, old: Inputs, new: Inputs) -> str:
    """The driver that moved the grade furthest; of equals the first."""
    parts = difference(policy.scheme, [(name, facts) for name, _, facts in policy.drivers], old, new)
    known = [one for one in parts if one.notches != 0]
    if not known:
        return "model"
    return max(known, key=lambda one: 99 if one.notches is None else abs(one.notches)).driver


def rerate_book(*, person: Person, first: bool = False) -> tuple[Counts, dict[str, float]]:
    """Re-rate every customer on the results of the last published run; `first` also those never rated.

    Answers the counts and the seconds of each part.
    """
    if not may(person, RUN):
        raise Misuse(Text("没有重新评级的权限", "you may not re-rate the book"))
    return _rerate(person.actor_key, first=first)


def _rerate(actor: str, *, first: bool) -> tuple[Counts, dict[str, float]]:
    run = latest_published()
    if run is None:
        raise Refused(Text("尚无已发布的运行", "no run is published yet"))
    started = time.monotonic()
    policy, pack = policy_at(run.as_of), policy_in_use()
    with transaction.atomic():
        book = _Book(policy, run.as_of)
        read = time.monotonic()
        ids = dict(Customer.objects.values_list("code", "pk"))
        for code, facts in facts_of_book(run=run, pack=pack, policy=policy):
            if code in ids:
                book.look_at(ids[code], facts, first=first)
        judged = time.monotonic()
        counts = book.write(actor)
    seconds = {"read": read - started, "judge": judged - read, "write": time.monotonic() - judged}
    return counts, {name: round(value, 3) for name, value in seconds.items()}


def rerate_for(*, person: Person, customers: Iterable[Customer]) -> Counts:
    """Re-rate some customers at a person's word; the caller has narrowed the scope."""
    if not (may(person, RUN) or may(person, RATE)):
        raise Misuse(Text("没有重新评级的权限", "you may not re-rate customers"))
    return rerate_customers(actor=person.actor_key, customers=customers)


def rerate_customers(*, actor: str, customers: Iterable[Customer]) -> Counts:
    """Re-rate some customers from the records as they are now: the live path of an event, a statement, an import."""
    chosen = list(customers)
    pack = policy_in_use()
    policy = policy_at(rating_date())
    book = _Book(policy, rating_date(), [one.pk for one in chosen])
    for customer in chosen:
        day = facts_date(customer)
        facts = facts_of_customer(customer=customer, as_of=day, pack=pack, policy=policy)
        book.look_at(customer.pk, facts, first=False, as_of=day)
    return book.write(actor)


def after_import(*, actor: str, batch: int) -> Counts | None:
    """Re-rate the rated customers whose records an import wrote; None where they are so many that the next run does it.

    The import is stored already and stays so whatever goes wrong here: that is logged, and a job tries again.
    """
    try:
        return _rerate_written(actor, batch)
    except Exception:  # as the docstring says
        log.exception("re-rating after import %s failed and is tried again", batch)
        with suppress(OperationalError):  # a database locked for long: then the next run re-rates
            enqueue(kind="rerate_import", arguments={"batch": batch}, actor=actor, key=f"rerate-import-{batch}")
        return None


def _rerate_written(actor: str, batch: int) -> Counts | None:
    """In a book that was never rated it is one query."""
    if not RatingCase.objects.filter(state__in=LAST_APPROVED).exists():
        return None
    policy = rating_policy(policy_in_use(), rating_date())
    if policy is None:
        return None
    rated = Customer.objects.filter(pk__in=RatingCase.objects.filter(state__in=LAST_APPROVED).values("customer"))
    touched: set[int] = set()
    for model, name in WRITTEN:
        wrote = model.objects.filter(changed_by=batch).order_by().values_list(name, flat=True).distinct()
        touched.update(one for one in wrote[: policy.live_customers_most + 1] if one is not None)
        if len(touched) > policy.live_customers_most:
            return None
    return rerate_customers(actor=actor, customers=rated.filter(pk__in=touched).order_by("pk")) if touched else None


@handler("rerate_import")
def do_rerate_import(lease: Lease) -> dict[str, Any]:
    """The job: what could not be re-rated when an import was stored is tried again."""
    counts = _rerate_written(lease.actor, int(lease.arguments["batch"]))
    return counts.said() if counts is not None else {}


@handler("rerate")
def do_rerate(lease: Lease) -> dict[str, Any]:
    """The job: the book is re-rated on the run that was published last."""
    counts, _ = _rerate(lease.actor, first=False)
    return counts.said()


def _after_publishing(run: Run) -> None:
    """A new run: the last ratings are compared with it. Without any, there is nothing to do."""
    if RatingCase.objects.filter(state__in=(*LAST_APPROVED, RatingState.SUGGESTED)).exists():
        enqueue(kind="rerate", arguments={"run": run.pk}, actor=run.actor, key=f"rerate-{run.pk}")


def connect() -> None:
    AFTER_PUBLISHING.append(_after_publishing)


def parts_of(case: RatingCase) -> Iterator[tuple[str, Moved]]:
    """The difference of a case from the rating before it, driver by driver; a change of policy is told first."""
    if case.previous is None:
        return
    policy = policy_of_case(case)
    old, new = inputs_of(case.previous.inputs), inputs_of(case.inputs)
    if case.previous.policy_id != case.policy_id:
        before = compose(policy_of_case(case.previous).scheme, old)
        after = compose(policy.scheme, old)
        yield POLICY, Moved(POLICY, before.grade, after.grade, notches_between(policy.scheme, before, after), {})
    for one in difference(policy.scheme, [(name, facts) for name, _, facts in policy.drivers], old, new):
        yield one.driver, one
