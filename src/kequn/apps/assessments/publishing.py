"""Publish a computed run: one transaction moves its changes from the staging tables into the spans.

What the pages read is the spans. Until the transaction commits they show the run before; afterwards this one.
"""

from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from kequn.apps.assessments.models import ClassTotals, CustomerFigures, FindingSpan, Run, RunState
from kequn.apps.assessments.selectors import RANK_STEP
from kequn.apps.assessments.staging import unstage
from kequn.apps.audit import faults
from kequn.apps.audit.services import line
from kequn.apps.jobs.services import Lease
from kequn.domain.errors import Refused, Text


def publish(
    *, run: Run, lease: Lease | None, keys: list[str], levels: dict[str, int], whole: bool, after: Run | None
) -> dict[str, int]:
    """One transaction: spans closed and opened, figures put right, the run marked as published, one audit line.

    `keys` are the findings that the policy defines; those it no longer defines are closed. `levels` says how grave
    each signal is, the mildest 1. `whole` says that all
    findings were staged, so that a standing span which is not among them is closed too. `after` is the run that the
    changes were taken against: when another was published meanwhile, they no longer fit and nothing is published.
    """
    if not faults.planted("publish_without_fence"):
        _refuse_stale(run)
    with line(actor=run.actor, action="run.publish", subject=f"{run.id} {run.as_of}") as audit:
        if lease is not None and not faults.planted("publish_without_fence"):
            lease.hold()
        locked = Run.objects.select_for_update().get(id=run.id)
        if locked.state == RunState.PUBLISHED:
            return dict(locked.counts)
        _refuse_stale(run)
        _refuse_overtaken(run, after)
        faults.point("publish.before_move")
        if faults.planted("published_before_finished"):
            Run.objects.filter(id=run.id).update(state=RunState.PUBLISHED)
            faults.commit_too_early("published_before_finished")
        counts = {
            "closed": _close(run, keys, whole=whole, otherwise=_whole_cause(run)),
            "opened": _open(run),
            "figures": _move_figures(run),
        }
        _count_signals(run, levels)
        counts["customers"] = CustomerFigures.objects.count()
        _total(run)
        if whole:
            _name_causes(run)
        faults.point("publish.moved")
        run.state, run.published_at, run.counts = RunState.PUBLISHED, timezone.now(), counts
        run.save(update_fields=["state", "published_at", "counts"])
        unstage(run)
        audit.wrote_digest("assessments.FindingSpan", rows=counts["opened"], digest=run.results_digest)
        audit.detail.update(counts, snapshot=run.snapshot.digest if run.snapshot else "", policy=run.policy_digest)
        faults.point("publish.before_commit")
    faults.point("publish.after_commit")
    return counts


def last_published(run: Run) -> Run | None:
    """The run before this one, whose findings stand now."""
    return Run.objects.filter(state=RunState.PUBLISHED).exclude(id=run.id).order_by("-published_at", "-id").first()


def _refuse_overtaken(run: Run, after: Run | None) -> None:
    stands = last_published(run)
    if (stands.id if stands else None) != (after.id if after else None):
        raise Refused(
            Text(
                "计算期间另一次运行已发布，本次结果不发布；请重新运行",
                "another run was published while this one was computed; it is not published. Run it again",
            )
        )


def _refuse_stale(run: Run) -> None:
    later = Run.objects.filter(state=RunState.PUBLISHED, as_of__gt=run.as_of).order_by("-as_of").first()
    if later is not None:
        raise Refused(
            Text(
                f"{later.as_of} 的结果已发布，更早日期 {run.as_of} 的结果只计算、不发布",
                f"findings as of {later.as_of} are published; those as of {run.as_of} are computed, not published",
            )
        )


def _execute(sql: str, parameters: list[object]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


_STAGED = """SELECT 1 FROM assessments_stagedchange s JOIN customers_customer c ON c.code = s.customer_code
    WHERE s.run_id = %s AND c.id = assessments_findingspan.customer_id AND s.key = assessments_findingspan.key"""


def _close(run: Run, keys: list[str], *, whole: bool, otherwise: str) -> int:
    """Spans that end, with the cause of what was staged in their place; `otherwise` where nothing was."""
    cause = f"coalesce(({_STAGED.replace('SELECT 1', 'SELECT max(s.cause)')}), %s)"
    closing = f"""UPDATE assessments_findingspan SET valid_to = %s, closed_by_id = %s, closed_cause = {cause}
        WHERE valid_to IS NULL AND """
    day = connection.ops.adapt_datefield_value(run.as_of)
    differs = "(s.value IS NULL OR s.value <> assessments_findingspan.value)"
    closed = _execute(f"{closing} EXISTS ({_STAGED} AND {differs})", [day, run.id, run.id, otherwise, run.id])
    gone = FindingSpan.objects.filter(valid_to__isnull=True).exclude(key__in=keys)
    closed += gone.update(valid_to=run.as_of, closed_by=run, closed_cause="policy")
    if whole:
        closed += _execute(f"{closing} NOT EXISTS ({_STAGED})", [day, run.id, run.id, otherwise, run.id])
    return closed


def _open(run: Run) -> int:
    day = connection.ops.adapt_datefield_value(run.as_of)
    return _execute(
        """INSERT INTO assessments_findingspan
           (customer_id, kind, key, value, valid_from, valid_to, cause, closed_cause, opened_by_id, closed_by_id)
           SELECT c.id, s.kind, s.key, s.value, %s, NULL, s.cause, '', %s, NULL
           FROM assessments_stagedchange s JOIN customers_customer c ON c.code = s.customer_code
           WHERE s.run_id = %s AND s.value IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM assessments_findingspan o
             WHERE o.customer_id = c.id AND o.key = s.key AND o.valid_to IS NULL)
           ORDER BY c.id, s.key""",
        [day, run.id, run.id],
    )


def _total(run: Run) -> None:
    """The totals of the whole book, so that a page need not add up a million findings."""
    ClassTotals.objects.all().delete()
    _execute(
        """INSERT INTO assessments_classtotals (kind, key, value, customers, exposure_gross, exposure_net, run_id)
           SELECT s.kind, s.key, s.value, count(*), sum(f.exposure_gross), sum(f.exposure_net), %s
           FROM assessments_findingspan s
           LEFT JOIN assessments_customerfigures f ON f.customer_id = s.customer_id
           WHERE s.valid_to IS NULL GROUP BY s.kind, s.key, s.value""",
        [run.id],
    )


def _whole_cause(run: Run) -> str:
    """Why anything changed where everything was staged anew and nothing closer is known."""
    last = last_published(run)
    return "facts" if last is not None and last.policy_digest == run.policy_digest else "policy"


def _name_causes(run: Run) -> None:
    """Where everything was staged anew, a customer who had another value before is not seen for the first time."""
    before = FindingSpan.objects.filter(closed_by=run, customer=OuterRef("customer"), key=OuterRef("key"))
    FindingSpan.objects.filter(Exists(before), opened_by=run, cause="first").update(cause=_whole_cause(run))


def _count_signals(run: Run, levels: dict[str, int]) -> None:
    """How many signals hold for a customer and how grave the gravest is, for those whose signals changed."""
    grave = "".join(" WHEN %s THEN %s" for _ in levels)
    rank = f"max(CASE s.key {grave} ELSE 1 END)" if levels else "max(1)"
    holding = """FROM assessments_findingspan s WHERE s.customer_id = assessments_customerfigures.customer_id
        AND s.kind = 'signal' AND s.value = 'true' AND s.valid_to IS NULL"""
    touched = """signals IS NULL
        OR customer_id IN (SELECT o.customer_id FROM assessments_findingspan o WHERE o.kind = 'signal'
                           AND o.opened_by_id = %s)
        OR customer_id IN (SELECT o.customer_id FROM assessments_findingspan o WHERE o.kind = 'signal'
                           AND o.closed_by_id = %s)"""
    _execute(
        f"""UPDATE assessments_customerfigures SET signals = (SELECT count(*) {holding}),
            signal_rank = (SELECT coalesce({rank}, 0) * {RANK_STEP} + count(*) {holding}) WHERE {touched}""",
        [part for pair in levels.items() for part in pair] + [run.id, run.id],
    )


def _move_figures(run: Run) -> int:
    return _execute(
        """INSERT INTO assessments_customerfigures (customer_id, score, pd, exposure_gross, exposure_net, run_id)
           SELECT c.id, s.score, s.pd, s.exposure_gross, s.exposure_net, %s
           FROM assessments_stagedfigures s JOIN customers_customer c ON c.code = s.customer_code
           WHERE s.run_id = %s
           ON CONFLICT (customer_id) DO UPDATE SET score = excluded.score, pd = excluded.pd,
             exposure_gross = excluded.exposure_gross, exposure_net = excluded.exposure_net,
             run_id = excluded.run_id""",
        [run.id, run.id],
    )
