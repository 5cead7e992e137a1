"""Covenants entered and ended by those who rate; what that means for the rating is looked at in one transaction."""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
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
    if BETWEEN.strip() in name or name in (NONE_BREACHED, NOT_TOLD) or len(name) > 60:
        raise Refused(Text("名称最多60字，不能含分号", "a name has at most 60 characters and no semicolon"))
    if wish.to_date is not None and wish.to_date < wish.from_date:
        raise Refused(Text("终止日早于起始日", "it ends before it begins"))
    rule = render_text(rule_of(policy_in_use(), wish.from_date, wish.rule))
    if len(rule) > LONGEST_RULE:
        raise Refused(Text(f"规则最长 {LONGEST_RULE} 个字符", f"a rule has at most {LONGEST_RULE} characters"))
    facility = customer.facilities.filter(facility_id=wish.facility).first() if wish.facility else None
    if wish.facility and facility is None:
        raise Refused(Text(f"该客户没有授信 {wish.facility}", f"the customer has no facility {wish.facility}"))
    with line(actor=person.actor_key, action="ratings.covenant", subject=f"{customer.code} {name}") as audit:
        try:
            with transaction.atomic():
                made = Covenant.objects.create(
                    customer=customer, facility=facility, name=name, rule=rule, from_date=wish.from_date,
                    to_date=wish.to_date, source=source[:LONGEST_SOURCE], maker=person.actor_key,
                    made_at=timezone.now(),
                )  # fmt: skip
        except IntegrityError as error:
            raise Refused(Text(f"该客户已有契约“{name}”", f"the customer has a covenant “{name}” already")) from error
        audit.wrote("deals.Covenant", [[made.pk, customer.code, name, rule, wish.from_date, wish.to_date, source]])
        rerate_customers(actor=person.actor_key, customers=[customer])
    return made


def end(*, person: Person, customer: Customer, number: int, last: date) -> Covenant:
    """Let a covenant end: `last` is the last day on which it holds."""
    _refuse_who_may_not(person)
    with line(actor=person.actor_key, action="ratings.covenant_ended", subject=customer.code) as audit:
        held = Covenant.objects.select_for_update().filter(pk=number, customer=customer, to_date=None).first()
        if held is None:
            raise Refused(Text("没有可终止的契约", "there is no such covenant to end"))
        if last < held.from_date:
            raise Refused(Text("终止日早于起始日", "it ends before it begins"))
        held.to_date, held.ended_by = last, person.actor_key
        held.save(update_fields=["to_date", "ended_by"])
        audit.wrote("deals.Covenant", [[held.pk, customer.code, held.name, last]])
        rerate_customers(actor=person.actor_key, customers=[customer])
    return held


def _refuse_who_may_not(person: Person) -> None:
    if not may(person, RATE):
        raise Misuse(Text("没有登记契约的权限", "you may not enter covenants"))
