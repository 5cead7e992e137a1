"""Pins: proposed, approved, in force between two days; laid over what the rules say when a run is published.

A pin speaks of membership alone: rules that read a segment read what its own rule says.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from kequn.apps.accounts.access import DEFINE, Person, may
from kequn.apps.assessments.models import Pin, PinState, Run, StagedChange
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance.approving import propose, register
from kequn.apps.governance.models import Proposal
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.errors import Misuse, Refused, Text
from kequn.policy.planning import build_plan

KIND = "pin"
CAUSE = "pin"


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
    shown = {
        "customer": customer.code, "name": customer.name, "segment": wish.key, "in": wish.is_in,
        "reason": wish.reason.strip(), "owner": wish.owner.strip(),
        "valid_from": wish.valid_from.isoformat(), "expires_on": wish.expires_on.isoformat(),
    }  # fmt: skip
    figures = getattr(customer, "figures", None)
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
            shown=shown, amount=figures.exposure_gross if figures is not None else None,
        )  # fmt: skip
        made.save(update_fields=["proposal"])
        audit.wrote("assessments.Pin", [[made.pk, customer.code, wish.key, wish.is_in]])
    return made


def _approved(proposal: Proposal) -> None:
    Pin.objects.filter(proposal=proposal).update(state=PinState.APPROVED)


def _ended(proposal: Proposal) -> None:
    Pin.objects.filter(proposal=proposal).update(state=PinState.ENDED)


def connect() -> None:
    register(KIND, approved=_approved, ended=_ended)


def end_pin(*, person: Person, number: int) -> Pin:
    """End a pin before its day: from today the rule decides again, at the next run."""
    if not may(person, DEFINE):
        raise Misuse(Text("没有人工归属的权限", "you may not pin customers"))
    with line(actor=person.actor_key, action="assessments.pin_ended", subject=str(number)) as audit:
        pin = Pin.objects.select_for_update().filter(pk=number, state=PinState.APPROVED, ended_on=None).first()
        if pin is None or not visible_to(person).filter(pk=pin.customer_id).exists():
            raise Refused(Text("没有可终止的人工归属", "there is no such pin to end"))
        pin.ended_on = timezone.localdate()
        pin.save(update_fields=["ended_on"])
        audit.wrote("assessments.Pin", [[pin.pk, pin.ended_on.isoformat()]])
    return pin


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


def holding(*, customer: Customer, key: str, when: date) -> Pin | None:
    """The pin that decides for one customer and segment on a day."""
    return active(when).filter(customer=customer, key=key).last()


def counts(*, person: Person, key: str, when: date) -> tuple[int, int]:
    """How many visible customers are pinned in and out on a day."""
    mine = visible_to(person).order_by().values("pk")
    held = active(when).filter(key=key, customer__in=mine)
    return held.filter(is_in=True).count(), held.filter(is_in=False).count()


# -- laid over a run ---------------------------------------------------------------------------------------------------


def lay_over(*, run: Run, plan: Plan, results: Path, after: date | None) -> int:
    """Put what pins say in the place of what rules say among the staged changes; how many customers that touches.

    Where a pin ended since the run before, the rule's own verdict is staged again.
    """
    segments = {one.name: one for one in plan.definitions if one.kind == "segment"}
    said: dict[tuple[str, str], str | None] = {}
    ended = [] if after is None else [one for one in active(after) if one.key in segments]
    if ended:
        said |= _by_rule(results, [(one.customer.code, one.key) for one in ended], segments)
    said |= {(one.customer.code, one.key): "true" if one.is_in else None for one in active(run.as_of)
             if one.key in segments}  # fmt: skip
    if not said:
        return 0
    with transaction.atomic():
        wanted = Q()
        for code, key in said:
            wanted |= Q(customer_code=code, key=key)
        StagedChange.objects.filter(wanted, run_id=run.pk).delete()
        StagedChange.objects.bulk_create(
            StagedChange(run_id=run.pk, customer_code=code, kind="segment", key=key, value=value, cause=CAUSE)
            for (code, key), value in said.items()
        )
    return len(said)


def _by_rule(
    results: Path, pairs: list[tuple[str, str]], segments: dict[str, object]
) -> dict[tuple[str, str], str | None]:
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
    by_rule: dict[tuple[str, str], str | None] = {}
    for code, key in pairs:
        if code in verdicts:
            means = getattr(segments[key], "unknown_means", "out")
            unknown = {"in": "true", "list": "unknown"}.get(means)
            verdict = verdicts[code][key]
            by_rule[code, key] = unknown if verdict is None else stands[verdict]
    return by_rule
