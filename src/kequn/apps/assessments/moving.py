"""What made a finding change: the conditions of its rule before and after, read from the records of the two runs.

Each side is judged by the snapshot of its run and by the policy that was in use when it was started, so that what is
shown is what was known then. Where the pack's files were changed since, the policy of today speaks, and that is said.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

from kequn.apps.assessments.models import FindingSpan, Run, RunState
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.rules.explaining import Reason, explain
from kequn.domain.rules.record import Record
from kequn.engine.records import record_from_rows
from kequn.policy import Pack, build_plan

TABLES = ("statements", "facilities", "projects", "account_months", "events")


@dataclass(frozen=True, slots=True)
class Side:
    """One run's view of a finding of one customer; no reason where the customer or the finding was not there."""

    run: Run
    pack: Pack
    plan: Plan
    reason: Reason | None
    is_policy_of_then: bool


def sides_of(span: FindingSpan, *, closing: bool) -> tuple[Side | None, Side]:
    """Before and after the run that opened a span, or the one that closed it."""
    run = span.closed_by if closing and span.closed_by is not None else span.opened_by
    earlier = Run.objects.filter(state=RunState.PUBLISHED, published_at__lt=run.published_at)
    before = earlier.select_related("snapshot").order_by("-published_at").first()
    code = span.customer.code
    return (None if before is None else _side(before, code, span.key)), _side(run, code, span.key)


def _side(run: Run, code: str, key: str) -> Side:
    pack = policy_in_use(known_at=run.started_at)
    plan = build_plan(pack, run.as_of)
    record = _record(run, code, plan)
    defined = key in {one.name for one in plan.definitions}
    reason = explain(plan, record, run.as_of, key) if record is not None and defined else None
    return Side(run, pack, plan, reason, pack.digest == run.policy_digest)


def _record(run: Run, code: str, plan: Plan) -> Record | None:
    """The customer as the snapshot of a run has it."""
    if run.snapshot is None:
        return None
    folder = Path(settings.KEQUN_HOME) / run.snapshot.folder
    with duckdb.connect() as con:
        customers = _rows(con, folder / "customers.parquet", code)
        if not customers:
            return None
        tables = {name: _rows(con, folder / f"{name}.parquet", code) for name in TABLES}
    return record_from_rows(plan, customers[0], as_of=run.as_of, **tables)


def _rows(con: duckdb.DuckDBPyConnection, file: Path, code: str) -> list[dict[str, Any]] | None:
    """The rows of a customer; None where the book had no such table."""
    if not file.is_file():
        return None
    found = con.execute("SELECT * FROM read_parquet(?) WHERE customer_id = ?", [str(file), code])
    names = [column[0] for column in found.description or ()]
    rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return rows
