"""Covenants entered and ended by those who rate; what that means for the rating is looked at in one transaction."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from kequn.apps.accounts.access import RATE, Person, may
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.deals.models import Covenant
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ratings.rerating import rerate_customers
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.covenants import BETWEEN, NONE_BREACHED, NOT_TOLD
from kequn.domain.rules.rendering import render_text
from kequn.policy.planning import rule_of

LONGEST_NAME, LONGEST_RULE, LONGEST_SOURCE = 60, 2000, 300


@dataclass(frozen=True, slots=True)
class Wish:
    """A covenant as it is asked for; `facility` is the number of one of the customer's, or nothing."""

    name: str
    rule: str
    from_date: date
    source: str
    facility: str = ""
    to_date: date | None = None


def enter(*, person: Person, customer: Customer, wish: Wish) -> Covenant:
    """Write a covenant down, and look whether the rating in force knew of it. The caller has narrowed the scope."""
    _refuse_who_may_not(person)
    name, source = wish.name.strip(), wish.source.strip()
    if not name or not source:
        raise Refused(Text("须填写名称和出处", "a name and a source are needed"))
    if BETWEEN.strip() in name or name in (NONE_BREACHED, NOT_TOLD) or len(name) > LONGEST_NAME:
        zh = f"名称最多 {LONGEST_NAME} 字，不能含分号，也不能是 {NONE_BREACHED} 或 {NOT_TOLD}"
        en = f"a name has at most {LONGEST_NAME} characters, no semicolon, and is not {NONE_BREACHED} or {NOT_TOLD}"
        raise Refused(Text(zh, en))
    if len(source) > LONGEST_SOURCE:
        zh, en = f"出处最多 {LONGEST_SOURCE} 字", f"a source has at most {LONGEST_SOURCE} characters"
        raise Refused(Text(zh, en))
    if wish.to_date is not None and wish.to_date < wish.from_date:
        raise Refused(Text("终止日早于起始日", "it ends before it begins"))
    rule = render_text(rule_of(policy_in_use(), wish.from_date, wish.rule))
    if len(rule) > LONGEST_RULE:
        raise Refused(Text(f"规则最长 {LONGEST_RULE} 个字符", f"a rule has at most {LONGEST_RULE} characters"))
    facility = customer.facilities.filter(facility_id=wish.facility).first() if wish.facility else None
    if wish.facility and facility is None:
        raise Refused(Text(f"该客户没有授信 {wish.facility}", f"the customer has no facility {wish.facility}"))
    with line(actor=person.actor_key, action="ratings.covenant", subject=f"{customer.code} {name}") as audit:
        _refuse_overlap(customer, name, wish)
        made = Covenant.objects.create(
            customer=customer, facility=facility, name=name, rule=rule, from_date=wish.from_date, to_date=wish.to_date,
            source=source, maker=person.actor_key, made_at=timezone.now(),
        )  # fmt: skip
        audit.wrote("deals.Covenant", [_stored(made)])
        rerate_customers(actor=person.actor_key, customers=[customer])
    return made


def end(*, person: Person, customer: Customer, number: int, last: date) -> Covenant:
    """Let a covenant end, or end earlier than was agreed: `last` is the last day on which it holds."""
    _refuse_who_may_not(person)
    with line(actor=person.actor_key, action="ratings.covenant_ended", subject=customer.code) as audit:
        held = Covenant.objects.select_for_update().filter(pk=number, customer=customer).first()
        if held is None:
            raise Refused(Text("没有可终止的契约", "there is no such covenant to end"))
        if held.to_date is not None and held.to_date <= last:
            ends = held.to_date
            raise Refused(
                Text(f"该契约已于 {ends} 终止，只能提前", f"it ends on {ends} already, and only earlier ends it")
            )
        if last < held.from_date:
            raise Refused(Text("终止日早于起始日", "it ends before it begins"))
        held.to_date, held.ended_by = last, person.actor_key
        held.save(update_fields=["to_date", "ended_by"])
        audit.wrote("deals.Covenant", [_stored(held)])
        rerate_customers(actor=person.actor_key, customers=[customer])
    return held


def _refuse_overlap(customer: Customer, name: str, wish: Wish) -> None:
    """One agreed anew keeps its name, from the day after the one before it has ended; two never hold on one day."""
    Customer.objects.select_for_update().get(pk=customer.pk)  # who enters another meanwhile waits
    others = customer.covenants.filter(Q(to_date__isnull=True) | Q(to_date__gte=wish.from_date), name=name)
    if wish.to_date is not None:
        others = others.filter(from_date__lte=wish.to_date)
    if others.exists():
        zh = f"该客户在这些日子已有契约“{name}”；先终止它"
        raise Refused(Text(zh, f"the customer has a covenant “{name}” on those days already; end it first"))


def _stored(one: Covenant) -> list[object]:
    """What the audit chain takes of a covenant: what is stored of it."""
    return [one.pk, one.customer_id, one.facility_id, one.name, one.rule, one.from_date, one.to_date, one.source]


def _refuse_who_may_not(person: Person) -> None:
    if not may(person, RATE):
        raise Misuse(Text("没有登记契约的权限", "you may not enter covenants"))
