"""`kequn run`: snapshot, evaluate, publish."""

import time
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from kequn.cli.records import answer_json, ready

if TYPE_CHECKING:
    from kequn.apps.assessments.models import Run


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    as_of: Annotated[str, typer.Option("--as-of", help="The date at which the book is judged; else today.")] = "",
    engine: Annotated[str, typer.Option(help="duckdb or spark.")] = "duckdb",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Judge the whole book as of a date and publish what changed, with the cause of each change."""
    person = ready(as_user=as_user)
    from kequn.apps.assessments.models import Run
    from kequn.apps.assessments.services import default_as_of, request_run
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import wait_for
    from kequn.domain.errors import Misuse, Refused, Text

    try:
        when = date.fromisoformat(as_of) if as_of else default_as_of()
    except ValueError as error:
        raise Misuse(
            Text(f"--as-of {as_of}：应为 2026-09-30 这样的日期", f"--as-of {as_of}: expected a date such as 2026-09-30")
        ) from error
    started = time.monotonic()
    job = wait_for(job=request_run(person=person, as_of=when, engine=engine), worker="terminal")
    if job.state != "done":
        zh, _, en = job.error.partition("\n")
        raise Refused(Text(zh, en or zh))
    done = Run.objects.select_related("snapshot").get(id=job.result["run"])
    follow = Job.objects.filter(key=f"rerate-{done.id}").first()  # there where ratings are in force
    suggested = wait_for(job=follow, worker="terminal").result.get("suggested", 0) if follow is not None else None
    answer = {
        "run": done.id,
        "as_of": done.as_of,
        "state": str(done.state),
        "engine": done.engine,
        "policy": done.pack,
        "policy_digest": done.policy_digest,
        "snapshot": done.snapshot.digest if done.snapshot else "",
        "rows": done.snapshot.rows if done.snapshot else {},
        **done.counts,
        **({} if suggested is None else {"ratings_suggested": suggested}),
        "seconds": {**done.seconds, "all": round(time.monotonic() - started, 3)},
    }
    if as_json:
        answer_json(answer)
    else:
        print(_said(done, answer["seconds"]["all"]))


def _said(done: "Run", seconds: float) -> str:
    """What the run did, as a sentence in the language of the terminal."""
    from kequn.cli import language

    counts = done.counts
    if language() == "zh":
        return (
            f"运行 {done.pk} 已发布：基准日 {done.as_of}，{counts.get('customers', 0):,} 户，"
            f"新增结论 {counts.get('opened', 0):,} 条，终止 {counts.get('closed', 0):,} 条；"
            f"政策 {done.pack}，用时 {seconds:.1f} 秒"
        )
    return (
        f"run {done.pk} is published: as of {done.as_of}, {counts.get('customers', 0):,} customers, "
        f"{counts.get('opened', 0):,} findings opened, {counts.get('closed', 0):,} closed; "
        f"policy {done.pack}, {seconds:.1f} s"
    )
