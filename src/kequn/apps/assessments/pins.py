"""Pins: proposed, approved, in force between two days; laid over what the rules say when a run is published.

A pin speaks of membership alone: rules that read a segment read what its own rule says.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from kequn.apps.accounts.access import DEFINE, Person, may
from kequn.apps.assessments.models import Pin, PinState, Run, StagedChange
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.services import OpenLine, line
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance.approving import propose, register
from kequn.apps.governance.models import Proposal, ProposalState
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.errors import Misuse, Refused, Text
from kequn.policy.planning import build_plan

KIND, END = "pin", "pin_end"  # what is proposed: a pin, and its end before its day
CAUSE = "pin"
CHUNK = 500  # codes in one statement
Pair = tuple[str, str]  # code of a customer, key of a segment


@dataclass(frozen=True, slots=True)
class Wish:
    """One pin as it is asked for; it holds from `valid_from` until the day before `expires_on`."""

    key: str
    is_in: bool
    reason: str
    owner: str
    valid_from: date
    expires_on: date


def ask_for_pin(*, person: Person, customer: Customer, wish: Wish) -> Pin:
    """Propose a pin. The caller has narrowed the customer to the person's scope."""
    if not may(person, DEFINE):
        raise Misuse(Text("没有人工归属的权限", "you may not pin customers"))
    pack = policy_in_use()
    plan = build_plan(pack, timezone.localdate())
    segments = {one.name: one for one in plan.definitions if one.kind == "segment"}
    if wish.key not in segments:
        raise Refused(Text(f"没有客群 {wish.key}", f"there is no segment {wish.key}"))
    if not wish.reason.strip() or not wish.owner.strip():
        raise Refused(Text("须填写理由和负责人", "a reason and an owner are needed"))
    if wish.expires_on <= wish.valid_from:
        raise Refused(Text("到期日须晚于起始日", "it must expire after the day on which it begins"))
    label = segments[wish.key]
    title = Text(
        f"{customer.name}{'归入' if wish.is_in else '排除出'}“{label.zh}”",
        f"{customer.name}: {'into' if wish.is_in else 'out of'} “{label.en}”",
    )
    shown = _shown(customer, wish)
    with line(actor=person.actor_key, action="assessments.pin", subject=f"{customer.code} {wish.key}") as audit:
        try:
            with transaction.atomic():
                made = Pin.objects.create(
                    customer=customer, key=wish.key, is_in=wish.is_in, reason=wish.reason.strip()[:1000],
                    owner=wish.owner.strip()[:200], valid_from=wish.valid_from, expires_on=wish.expires_on,
                    maker=person.actor_key, made_at=timezone.now(),
                )  # fmt: skip
        except IntegrityError as error:
            raise Refused(Text("该客户在此客群已有待审批的人工归属", "a pin of this customer waits already")) from error
        made.proposal = propose(
            person=person, pack=pack, as_of=timezone.localdate(), kind=KIND, record=str(made.pk), title=title,
            shown=shown, amount=_exposure(customer),
        )  # fmt: skip
        made.save(update_fields=["proposal"])
        audit.wrote("assessments.Pin", [[made.pk, customer.code, wish.key, wish.is_in]])
    return made


def _shown(customer: Customer, wish: Wish) -> dict[str, Any]:
    """What checkers see of a pin, whether it is to begin or to end."""
    return {
        "customer": customer.code, "name": customer.name, "segment": wish.key, "in": wish.is_in,
        "reason": wish.reason.strip(), "owner": wish.owner.strip(),
        "valid_from": wish.valid_from.isoformat(), "expires_on": wish.expires_on.isoformat(),
    }  # fmt: skip


def _exposure(customer: Customer) -> int | None:
    figures = getattr(customer, "figures", None)
    return figures.exposure_gross if figures is not None else None


def _approved(proposal: Proposal, audit: OpenLine) -> None:
    _set_state(proposal, PinState.APPROVED, audit)


def _ended(proposal: Proposal, audit: OpenLine) -> None:
    _set_state(proposal, PinState.ENDED, audit)


def _set_state(proposal: Proposal, state: PinState, audit: OpenLine) -> None:
    pins = Pin.objects.filter(proposal=proposal)
    audit.wrote("assessments.Pin", [[pk, state] for pk in pins.values_list("pk", flat=True)])
    pins.update(state=state)


def connect() -> None:
    register(KIND, approved=_approved, ended=_ended)
    register(END, approved=_end_approved, ended=_goes_on)


def ask_to_end(*, person: Person, number: int, reason: str) -> Proposal:
    """Propose that a pin end before its day, so that the rule decides again: it moves a customer as the pin did."""
    if not may(person, DEFINE):
        raise Misuse(Text("没有人工归属的权限", "you may not pin customers"))
    if not reason.strip():
        raise Refused(Text("须说明终止的理由", "say why it is to end"))
    pin = _endable().filter(pk=number).select_related("customer__figures").first()
    if pin is None or not visible_to(person).filter(pk=pin.customer_id).exists():
        raise Refused(Text("没有可终止的人工归属", "there is no such pin to end"))
    pack, today = policy_in_use(), timezone.localdate()
    label = next((one.label for one in pack.items(today) if one.name == pin.key), Text(pin.key, pin.key))
    title = Text(
        f"终止{pin.customer.name}在“{label.zh}”的人工归属", f"End the pin of {pin.customer.name} in “{label.en}”"
    )
    held = Wish(pin.key, pin.is_in, reason.strip()[:1000], pin.owner, pin.valid_from, pin.expires_on)
    shown = {"ends": True, **_shown(pin.customer, held)}
    return propose(
        person=person, pack=pack, as_of=today, kind=END, record=str(pin.pk), title=title, shown=shown,
        amount=_exposure(pin.customer),
    )  # fmt: skip


def _endable() -> QuerySet[Pin]:
    return Pin.objects.filter(state=PinState.APPROVED, ended_on=None)


def _end_approved(proposal: Proposal, audit: OpenLine) -> None:
    """It ends as of the last published run, the last date on which it can have decided.

    That is the time in which pins are laid over; the clock may be ahead of it or behind.
    """
    pin = _endable().select_for_update().filter(pk=int(proposal.record)).first()
    if pin is None:
        raise Refused(Text("没有可终止的人工归属", "there is no such pin to end"))
    last = latest_published()
    pin.ended_on = pin.valid_from if last is None else max(pin.valid_from, last.as_of)
    pin.save(update_fields=["ended_on"])
    audit.wrote("assessments.Pin", [[pin.pk, pin.ended_on.isoformat()]])


def _goes_on(_proposal: Proposal, _audit: OpenLine) -> None:
    """Its end refused or withdrawn, a pin holds on as if nothing had been asked."""


# -- read --------------------------------------------------------------------------------------------------------------


def active(when: date) -> QuerySet[Pin]:
    """The approved pins that hold on a day, the latest of one customer and segment last."""
    end = Least(F("expires_on"), Coalesce(F("ended_on"), F("expires_on")))
    held = Pin.objects.filter(state=PinState.APPROVED, valid_from__lte=when).annotate(end=end).filter(end__gt=when)
    return held.select_related("customer").order_by("id")


def pins_of(*, person: Person, key: str) -> QuerySet[Pin]:
    """The pins of a segment that the person may see, those that wait or hold first."""
    mine = visible_to(person).order_by().values("pk")
    return (
        Pin.objects.filter(key=key, customer__in=mine).select_related("customer", "proposal").order_by("state", "-id")
    )


def proposed_in(proposal: Proposal) -> Pin | None:
    """The pin that a proposal asks for, or asks to end."""
    number = int(proposal.record) if proposal.kind in (KIND, END) else None
    return Pin.objects.filter(pk=number).select_related("customer").first()


def ending(pins: Iterable[Pin]) -> set[int]:
    """Those of the pins whose end waits for approval."""
    records = Proposal.objects.filter(kind=END, state=ProposalState.OPEN, record__in=[str(one.pk) for one in pins])
    return {int(record) for record in records.values_list("record", flat=True)}


def holding(*, customer: Customer, key: str, when: date) -> Pin | None:
    """The pin that decides for one customer and segment on a day."""
    return active(when).filter(customer=customer, key=key).last()


def counts(*, person: Person, key: str, when: date) -> tuple[int, int]:
    """How many visible customers are pinned in and out on a day."""
    mine = visible_to(person).order_by().values("pk")
    held = active(when).filter(key=key, customer__in=mine)
    return held.filter(is_in=True).count(), held.filter(is_in=False).count()


# -- laid over a run ---------------------------------------------------------------------------------------------------


def lay_over(*, run: Run, plan: Plan, results: Path, after: date | None, whole: bool) -> int:
    """Put what pins say in the place of what rules say among the staged changes; how many customers that touches.

    Where an approved pin no longer holds, the rule's own verdict is staged again: in the place of the rule's change
    where the pin held at the run before, else only where the rule staged none of its own, so that a change of facts
    long after keeps its cause. It goes by pins and not by spans, for a pin that keeps out leaves no span. A run that
    stages everything (`whole`) needs nothing again for the pins of long ago.
    """
    segments = {one.name: one for one in plan.definitions if one.kind == "segment"}
    holds = {(one.customer.code, one.key): "true" if one.is_in else None
             for one in active(run.as_of).filter(key__in=segments)}  # fmt: skip
    just_ended: set[Pair] = set() if after is None else _pairs(active(after), segments) - set(holds)
    long_ended: set[Pair] = set()
    if not whole:
        long_ended = _pairs(Pin.objects.filter(state=PinState.APPROVED), segments) - set(holds) - just_ended
        long_ended -= _staged(run, long_ended)
    ended = just_ended | long_ended
    said = (_by_rule(results, sorted(ended), segments) if ended else {}) | holds
    if not said:
        return 0
    with transaction.atomic():
        for key, codes in _in_chunks(said):
            StagedChange.objects.filter(run_id=run.pk, key=key, customer_code__in=codes).delete()
        StagedChange.objects.bulk_create(
            StagedChange(run_id=run.pk, customer_code=code, kind="segment", key=key, value=value, cause=CAUSE)
            for (code, key), value in said.items()
        )
    return len(said)


def _pairs(found: QuerySet[Pin], segments: Iterable[str]) -> set[Pair]:
    return set(found.filter(key__in=segments).order_by().values_list("customer__code", "key"))


def _staged(run: Run, pairs: Iterable[Pair]) -> set[Pair]:
    """Those of the pairs of which the rules staged a change."""
    staged: set[Pair] = set()
    for key, codes in _in_chunks(pairs):
        found = StagedChange.objects.filter(run_id=run.pk, key=key, customer_code__in=codes)
        staged.update((code, key) for code in found.values_list("customer_code", flat=True))
    return staged


def _in_chunks(pairs: Iterable[Pair]) -> Iterator[tuple[str, list[str]]]:
    """The codes of each segment, few enough at a time for any database to take in one statement."""
    by_key: dict[str, list[str]] = {}
    for code, key in sorted(pairs):
        by_key.setdefault(key, []).append(code)
    for key, codes in by_key.items():
        for at in range(0, len(codes), CHUNK):
            yield key, codes[at : at + CHUNK]


def _by_rule(results: Path, pairs: list[Pair], segments: Mapping[str, object]) -> dict[Pair, str | None]:
    """What the rules of some segments say of some customers, in the words of the spans."""
    keys = sorted({key for _, key in pairs})
    columns = ", ".join(f'"{key}"' for key in keys)
    with duckdb.connect() as con:
        con.register("asked", pa.table({"customer_id": pa.array(sorted({code for code, _ in pairs}), pa.string())}))
        rows = con.execute(
            f"SELECT customer_id, {columns} FROM read_parquet(?) SEMI JOIN asked USING (customer_id)",
            [str(results / "findings.parquet")],
        ).fetchall()
    verdicts = {row[0]: dict(zip(keys, row[1:], strict=True)) for row in rows}
    stands: dict[bool | None, str | None] = {True: "true", False: None}
    by_rule: dict[Pair, str | None] = {}
    for code, key in pairs:
        if code in verdicts:
            means = getattr(segments[key], "unknown_means", "out")
            unknown = {"in": "true", "list": "unknown"}.get(means)
            verdict = verdicts[code][key]
            by_rule[code, key] = unknown if verdict is None else stands[verdict]
    return by_rule
