"""Run the book: snapshot, evaluate, publish. A killed run leaves nothing half visible and is taken up again."""

import hashlib
import secrets
import shutil
import time
from collections.abc import Callable
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from kequn.apps.accounts.access import RUN, Person, may
from kequn.apps.assessments import causes
from kequn.apps.assessments.models import (
    CustomerFigures,
    FindingSpan,
    Run,
    RunState,
    Snapshot,
    StagedChange,
    StagedFigures,
)
from kequn.apps.assessments.pins import lay_over
from kequn.apps.assessments.publishing import last_published, publish
from kequn.apps.assessments.snapshots import take_snapshot
from kequn.apps.assessments.staging import span_keys, stage
from kequn.apps.audit import faults
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import Lease, LeaseLost, enqueue, handler, heartbeat
from kequn.domain.errors import KequnError, Misuse, Text
from kequn.domain.monitoring.levels import Level
from kequn.engine import build_base, refresh_base
from kequn.engine import run as run_engine
from kequn.policy import Pack
from kequn.policy.planning import build_plan
from kequn.version import VERSION

ENGINES = ("duckdb", "spark")
DAILY = "system:daily"  # who asks for the run of the day
HALF_WRITTEN_SECONDS = 24 * 3600
AFTER_PUBLISHING: list[Callable[[Run], None]] = []  # what apps above this one do when a run has been published


def request_run(*, person: Person, as_of: date, engine: str = "duckdb") -> Job:
    """Ask for a run; whoever is free does it."""
    if not may(person, RUN):
        raise Misuse(Text("没有运行权限", "you may not start a run"))
    if as_of > timezone.localdate():
        today = f"{timezone.localdate():%Y-%m-%d}"
        raise Misuse(
            Text(
                f"基准日 {as_of} 在将来；最晚为今天 {today}",
                f"the as-of date {as_of} lies in the future; the latest is today, {today}",
            )
        )
    if engine not in ENGINES:
        raise Misuse(Text(f"没有引擎 {engine}", f"no engine {engine}; there are {', '.join(ENGINES)}"))
    arguments = {"as_of": as_of.isoformat(), "engine": engine}
    return enqueue(kind="run", arguments=arguments, actor=person.actor_key)


def request_daily_run(*, hour: time_of_day, now: datetime) -> Job | None:
    """Ask for the run of the day once its hour has come; None where it is not due.

    The facts and rules that read the date can change from one day to the next and not within a day. A day whose run
    was started after that hour needs none; one started before may have missed what came in the night.
    """
    local = timezone.localtime(now)
    day, key = local.date(), f"daily-run-{local:%Y-%m-%d}"
    if local.time() < hour or Job.objects.filter(key=key).exists() or not Customer.objects.exists():
        return None
    due = datetime.combine(day, hour, local.tzinfo)
    if Run.objects.filter(state=RunState.PUBLISHED, as_of__gte=day, started_at__gte=due).exists():
        return None
    return enqueue(kind="run", arguments={"as_of": day.isoformat(), "engine": "duckdb"}, actor=DAILY, key=key)


def request_replay(*, person: Person, as_of: date) -> Job:
    """Ask that an earlier date be judged again by what is known now. Nothing is published."""
    if not may(person, RUN):
        raise Misuse(Text("没有运行权限", "you may not start a run"))
    if as_of > timezone.localdate():
        raise Misuse(Text("不能重放将来的日期", "a date in the future cannot be replayed"))
    return enqueue(kind="replay", arguments={"as_of": as_of.isoformat()}, actor=person.actor_key)


@handler("replay")
def do_replay(lease: Lease) -> dict[str, Any]:
    """The job: snapshot and findings of the date as they are known now, into a folder of their own."""
    as_of, home, pack = date.fromisoformat(lease.arguments["as_of"]), Path(settings.KEQUN_HOME), policy_in_use()
    defaults = {
        "as_of": as_of, "engine": "duckdb", "program_version": VERSION, "actor": lease.actor,
        "started_at": timezone.now(),
    }  # fmt: skip
    run, _ = Run.objects.get_or_create(job_id=lease.job_id, defaults=defaults)
    if run.state == RunState.REPLAYED:
        return {"run": run.id}
    with heartbeat(lease):
        clock = _Clock()
        folder = _take_facts(run, pack, clock)
        results = _evaluate(run, pack, folder, None, clock)
        (home / "base" / f"{results.name}.duckdb").unlink(missing_ok=True)
    run.folder, run.results_digest = str(results.relative_to(home)), _results_digest(results)
    lease.renew()  # who lost the lease writes nothing more
    run.state, run.seconds = RunState.REPLAYED, clock.laps
    with line(actor=run.actor, action="run.replay", subject=f"{run.id} {run.as_of}") as audit:
        run.save()
        audit.wrote_digest("assessments.Run", rows=1, digest=run.results_digest)
    return {"run": run.id}


@handler("run")
def do_run(lease: Lease) -> dict[str, Any]:
    """The job: the same run row is taken up again when an earlier worker was killed in the middle of it."""
    as_of, engine = date.fromisoformat(lease.arguments["as_of"]), str(lease.arguments["engine"])
    defaults = {
        "as_of": as_of,
        "engine": engine,
        "program_version": VERSION,
        "actor": lease.actor,
        "started_at": timezone.now(),
    }
    run, _ = Run.objects.get_or_create(job_id=lease.job_id, defaults=defaults)
    if run.state == RunState.PUBLISHED:  # killed between publishing and saying so
        _follow(run)
        return {"run": run.id, **run.counts}
    try:
        with heartbeat(lease):
            counts = execute(run=run, lease=lease)
    except LeaseLost:
        raise
    except KequnError as error:
        Run.objects.filter(id=run.id).exclude(state=RunState.PUBLISHED).update(
            state=RunState.FAILED, error=f"{error.text.zh}\n{error.text.en}"
        )
        raise
    _follow(run)
    return {"run": run.id, **counts}


def _follow(run: Run) -> None:
    """What comes after a published run. A worker that was killed comes here again: each must bear being told twice."""
    for follow in AFTER_PUBLISHING:
        follow(run)


def execute(*, run: Run, lease: Lease | None) -> dict[str, int]:
    """Snapshot, base, evaluation, staging, publication; the seconds of each are kept."""
    clock = _Clock()
    _sweep(Path(settings.KEQUN_HOME))
    pack = policy_in_use()
    plan = build_plan(pack, run.as_of)
    folder, home = _take_facts(run, pack, clock), Path(settings.KEQUN_HOME)
    last = last_published(run)
    previous = _previous_results(last)
    results = _evaluate(run, pack, folder, previous, clock, earlier=_base_of(last, run))
    run.folder, run.state = str(results.relative_to(home)), RunState.COMPUTED
    run.results_digest = _results_digest(results)
    if lease is not None:
        lease.renew()  # who lost the lease writes nothing more
    run.save()
    faults.point("run.computed")
    before = last.as_of if last is not None else None
    stage(run=run, plan=plan, results=results, previous=previous, same_date=before == run.as_of)
    lay_over(run=run, plan=plan, results=results, after=before, whole=previous is None)
    clock.lap("stage")
    faults.point("run.staged")
    counts = publish(
        run=run, lease=lease, keys=span_keys(plan), levels=_levels(pack, run.as_of), whole=previous is None, after=last
    )
    clock.lap("publish")
    _keep_base_of(run)
    Run.objects.filter(id=run.id).update(seconds=clock.laps)
    run.seconds = clock.laps
    return counts


def _take_facts(run: Run, pack: Pack, clock: "_Clock") -> Path:
    """The snapshot of the run's date; the run names it, and the policy that judges it."""
    folder, digest, rows = take_snapshot(pack=pack, as_of=run.as_of)
    clock.lap("snapshot")
    home = Path(settings.KEQUN_HOME)
    values = {"as_of": run.as_of, "folder": str(folder.relative_to(home)), "rows": rows, "made_at": timezone.now()}
    run.snapshot = Snapshot.objects.get_or_create(digest=digest, defaults=values)[0]
    plan = build_plan(pack, run.as_of)
    run.pack, run.policy_digest, run.plan_digest = f"{pack.id} {pack.version}", pack.digest, plan.digest
    return folder


def _keep_base_of(run: Run) -> None:
    """The base of what stands answers questions about rules not yet in force; those of earlier runs may go."""
    kept = Path(run.folder).name
    for one in (Path(settings.KEQUN_HOME) / "base").iterdir():
        if not one.name.startswith((".", kept)):
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink(missing_ok=True)


def _levels(pack: Pack, as_of: date) -> dict[str, int]:
    """How grave each signal of the policy is, the mildest 1."""
    order = list(Level)
    return {one.name: order.index(one.level) + 1 for one in pack.items(as_of) if one.level is not None}


def _sweep(home: Path) -> None:
    """Throw away what killed runs left half written: hidden files older than a day, staged rows of runs that ended."""
    for name in ("runs", "base", "snapshots", "scores"):
        for one in (home / name).glob(".*") if (home / name).is_dir() else ():
            if one.stat().st_mtime < time.time() - HALF_WRITTEN_SECONDS:
                shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink(missing_ok=True)
    ended = Run.objects.filter(state__in=(RunState.PUBLISHED, RunState.REPLAYED, RunState.FAILED)).values("id")
    for model in (StagedChange, StagedFigures):
        model.objects.filter(run_id__in=ended).delete()


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name], self._last = round(now - self._last, 3), now


def _previous_results(last: Run | None) -> Path | None:
    """The files of the run whose findings stand now; None when they are gone, when nothing stands, when another
    program made them, or when customers went away since: then everything is staged anew.
    """
    if last is None or not FindingSpan.objects.filter(valid_to__isnull=True).exists():
        return None
    if last.program_version != VERSION or last.counts.get("customers") != CustomerFigures.objects.count():
        return None
    folder = Path(settings.KEQUN_HOME) / last.folder
    return folder if (folder / "findings.parquet").exists() else None


def _base_of(last: Run | None, run: Run) -> Path | None:
    """The base of the run that stands, where its day, its policy and its program are those of the new run."""
    if last is None or (last.as_of, last.plan_digest, last.program_version) != (run.as_of, run.plan_digest, VERSION):
        return None
    base = Path(settings.KEQUN_HOME) / "base" / f"{Path(last.folder).name}.duckdb"
    return base if base.is_file() else None


def _evaluate(
    run: Run, pack: Pack, snapshot: Path, previous: Path | None, clock: _Clock, *, earlier: Path | None = None
) -> Path:
    """The engine's part. Everything is written beside and renamed when whole; an older half is never read."""
    home, plan = Path(settings.KEQUN_HOME), build_plan(pack, run.as_of)
    (home / "base").mkdir(exist_ok=True)
    (home / "runs").mkdir(exist_ok=True)
    mark = secrets.token_hex(6)
    base = home / "base" / f".{run.id}-{mark}.duckdb"
    fresh = home / "runs" / f".{run.id}-{mark}"
    final = home / "runs" / f"{run.id}-{mark}"
    try:
        if earlier is None:
            build_base(snapshot, plan, run.as_of, base)
        else:
            refresh_base(snapshot, plan, run.as_of, base, earlier=earlier)
        clock.lap("base")
        run_engine(base, plan, run.as_of, fresh, previous=previous, engine=run.engine)  # type: ignore[arg-type]
        causes.keep(fresh, pack, plan, run.as_of)
        fresh.rename(final)
        base.rename(home / "base" / f"{final.name}.duckdb")
        clock.lap("evaluate")
    finally:
        base.unlink(missing_ok=True)
        for left in (".duckdb.wal", ".duckdb.fresh", ".duckdb.fresh.wal"):
            base.with_suffix(left).unlink(missing_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
    return final


def _results_digest(results: Path) -> str:
    """SHA-256 over what the run wrote: its findings, then its changes."""
    whole = hashlib.sha256()
    for name in ("findings.parquet", "changes.parquet"):
        with (results / name).open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()


def default_as_of() -> date:
    return timezone.localdate()
