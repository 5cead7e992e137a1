"""Why a finding stands for a customer, and what would change it: read from the records by the plain reader."""

from dataclasses import dataclass
from datetime import date

from kequn.apps.assessments.records import CustomerRows, customer_rows
from kequn.apps.customers.models import Customer
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.rules.changing import Change, nearest_changes
from kequn.domain.rules.explaining import Reason, explain
from kequn.domain.rules.plain import Answers, evaluate
from kequn.domain.rules.record import Record
from kequn.engine.records import record_from_rows
from kequn.policy import Pack, build_plan


@dataclass(frozen=True, slots=True)
class Known:
    """One customer as the plain reader sees it at a date, with the policy that judges it."""

    pack: Pack
    plan: Plan
    record: Record
    as_of: date
    rows: CustomerRows

    def answers(self) -> Answers:
        """Every finding of the customer, evaluated now."""
        return evaluate(self.plan, self.record, self.as_of)

    def answers_until(self, period_end: date) -> Answers:
        """What follows from the statements up to a period alone: how each ratio of statements stood then."""
        until = [one for one in self.rows.statements or [] if one["period_end"] <= period_end]
        record = _record(self.plan, CustomerRows(self.rows.customer, until, None, None, None, None), self.as_of)
        return evaluate(self.plan, record, self.as_of)

    def reason(self, name: str) -> Reason:
        return explain(self.plan, self.record, self.as_of, name)

    def changes(self, name: str) -> tuple[Change, ...]:
        return nearest_changes(self.plan, self.record, self.as_of, name)


def known_of(*, customer: Customer, as_of: date) -> Known:
    """The customer's facts at a date under the policy in force then. The caller has narrowed the scope."""
    pack = policy_in_use()
    plan = build_plan(pack, as_of)
    rows = customer_rows(customer=customer, as_of=as_of, pack=pack)
    return Known(pack, plan, _record(plan, rows, as_of), as_of, rows)


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
