"""Why a finding stands for a customer, and what would change it: read from the records by the plain reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kequn.apps.assessments.records import CustomerRows, customer_rows
from kequn.apps.customers.models import Customer, FactValue
from kequn.apps.customers.selectors import latest_facts
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.facts import Grain
from kequn.domain.rules.changing import Change, nearest_changes
from kequn.domain.rules.explaining import DEEPEST, Reason, explain
from kequn.domain.rules.plain import Answers, evaluate
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Value
from kequn.engine.layout import BASE_FACTS
from kequn.engine.records import record_from_rows
from kequn.policy import Pack, build_plan


@dataclass(frozen=True, slots=True)
class Origin:
    """Whence a value comes: a dated `fact`, the customer's `record`, a `statement`, rows of a grain, a `table`, or
    `derived` by policy; the day from which it is known, and the source that was named with it.
    """

    kind: str
    day: Value | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """One customer as the plain reader sees it at a date, with the policy that judges it."""

    pack: Pack
    plan: Plan
    record: Record
    as_of: date
    rows: CustomerRows
    dated: Mapping[str, FactValue]

    def answers(self) -> Answers:
        """Every finding of the customer, evaluated now."""
        return evaluate(self.plan, self.record, self.as_of)

    def answers_until(self, period_end: date) -> Answers:
        """What follows from the statements up to a period alone: how each ratio of statements stood then."""
        until = [one for one in self.rows.statements or [] if one["period_end"] <= period_end]
        record = _record(self.plan, CustomerRows(self.rows.customer, until, None, None, None, None), self.as_of)
        return evaluate(self.plan, record, self.as_of)

    def reason(self, name: str, *, deepest: int = DEEPEST) -> Reason:
        return explain(self.plan, self.record, self.as_of, name, deepest=deepest)

    def origin(self, name: str) -> Origin:
        """Whence a fact comes and from which day it is known."""
        if name in {one.name for one in self.plan.definitions}:
            return Origin("derived", None)
        if name in {output for lookup in self.plan.lookups for output, _ in lookup.outputs}:
            return Origin("table", None)
        known = self.plan.vocabulary.get(name)
        grain = known.grain if known is not None else Grain.CUSTOMER
        if grain == Grain.STATEMENT or name in BASE_FACTS:
            return Origin("statement", self.record.customer.get("statement_date"))
        if grain != Grain.CUSTOMER:
            return Origin(grain.value, None)
        stored = self.dated.get(name)
        return Origin("fact", stored.known_from, stored.source) if stored is not None else Origin("record", None)

    def changes(self, name: str) -> tuple[Change, ...]:
        return nearest_changes(self.plan, self.record, self.as_of, name)


def known_of(*, customer: Customer, as_of: date, pack: Pack | None = None) -> Known:
    """The customer's facts at a date under the policy in force then. The caller has narrowed the scope.

    `pack` is the policy in use where the caller has read it already.
    """
    pack = pack or policy_in_use()
    plan = build_plan(pack, as_of)
    rows = customer_rows(customer=customer, as_of=as_of, pack=pack)
    return Known(pack, plan, _record(plan, rows, as_of), as_of, rows, latest_facts(customer, as_of))


def _record(plan: Plan, rows: CustomerRows, as_of: date) -> Record:
    return record_from_rows(
        plan,
        rows.customer,
        statements=rows.statements,
        facilities=rows.facilities,
        projects=rows.projects,
        account_months=rows.account_months,
        events=rows.events,
        as_of=as_of,
    )
