"""Running an installation: check, backup, restore, serve, worker, users, the audit chain, the demonstration."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from kequn.cli.records import answer_json, ready, say

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def register(app: typer.Typer) -> None:
    for name, command in (
        ("migrate", migrate),
        ("check", check),
        ("backup", backup),
        ("restore", restore),
        ("serve", serve),
        ("worker", worker),
        ("demo", demo),
    ):
        app.command(name)(command)
    audit = typer.Typer(help="The audit chain.", no_args_is_help=True)
    audit.command("verify")(audit_verify)
    audit.callback()(lambda: None)
    app.add_typer(audit, name="audit")


def migrate() -> None:
    """Bring the database to the structure of this version."""
    ready()
    _migrate()


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def check(as_json: AsJson = False) -> None:
    """Say what is wrong with this installation and how to mend it; exit 1 when something is."""
    ready()
    from kequn.cli import language
    from kequn.cli.checking import run_checks

    results = run_checks()
    if as_json:
        answer_json(
            [
                {
                    "check": one.name,
                    "good": one.is_good,
                    "warning": one.is_warning,
                    "zh": one.text.zh,
                    "en": one.text.en,
                }
                for one in results
            ]
        )
    else:
        for one in results:
            mark = "ok " if one.is_good else "?  " if one.is_warning else "X  "
            print(f"{mark} {one.name}: {one.text.in_language(language())}")
    if any(not one.is_good and not one.is_warning for one in results):
        raise typer.Exit(1)


def backup(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; else one in KEQUN_HOME/backups.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write everything to one verified file, while the system runs."""
    ready()
    from django.conf import settings

    from kequn.cli.backups import make

    name = time.strftime("kequn-%Y%m%d-%H%M%S.tar.gz")
    answer = make(output or Path(settings.KEQUN_HOME) / "backups" / name)
    if as_json:
        answer_json(answer)
    else:
        print(answer["file"])


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `kequn backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the data that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in place; it is verified before anything is touched, and the audit chain afterwards."""
    ready()
    from kequn.cli.backups import restore as put_back

    answer = put_back(file, replace=replace)
    if as_json:
        answer_json(answer)
    else:
        print(f"audit lines: {answer['audit_lines']}")


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes of the web server.")] = 2,
    jobs: Annotated[bool, typer.Option("--jobs/--no-jobs", help="Also do background work.")] = True,
) -> None:
    """Serve the pages, and do the background work beside them."""
    ready()
    from django.conf import settings
    from django.core.management import call_command

    from kequn.cli.backups import VERSION
    from kequn.cli.in_use import hold

    hold(Path(settings.KEQUN_HOME))
    _migrate()
    call_command("collectstatic", verbosity=0, interactive=False, skip_checks=True)
    say(f"Kequn {VERSION}: http://{host}:{port}/")
    _tell_logins()
    helper = subprocess.Popen([sys.executable, "-m", "kequn", "worker"]) if jobs else None
    words = ["-m", "gunicorn", "--config", "python:kequn.config.serving", "kequn.config.wsgi"]
    words += ["--bind", f"{host}:{port}", "--workers", str(workers)]
    server = subprocess.Popen([sys.executable, *words])

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        code = server.wait()
    finally:
        if helper is not None:
            helper.terminate()
            helper.wait()
    raise typer.Exit(code)


def _tell_logins() -> None:
    from django.conf import settings

    from kequn.apps.accounts.services import DEMO_LOGINS

    file = Path(settings.KEQUN_HOME) / DEMO_LOGINS
    if file.exists():
        for row in file.read_text(encoding="utf-8").splitlines():
            role, name, password = row.split("\t")
            say(f"  {role}: {name} / {password}")


class _Stop:
    asked = False


def learn_jobs() -> None:
    """Every kind of background work registers itself when its module is read."""
    import kequn.apps.assessments.services
    import kequn.apps.briefings.services
    import kequn.apps.discoveries.services
    import kequn.apps.ingest.background  # noqa: F401


def worker(
    once: Annotated[bool, typer.Option("--once", help="Stop when nothing is waiting.")] = False,
) -> None:
    """Do background work: runs, and what else is queued. A killed worker's job is taken up again."""
    ready()
    from django.conf import settings
    from django.db import close_old_connections
    from django.db.utils import OperationalError
    from django.utils import timezone

    from kequn.apps.assessments.services import request_daily_run
    from kequn.apps.jobs.services import work_one
    from kequn.cli.in_use import hold

    learn_jobs()
    hold(Path(settings.KEQUN_HOME))
    name, patience = f"{socket.gethostname()}:{os.getpid()}", 1.0

    def stop(_signal: int, _frame: FrameType | None) -> None:
        _Stop.asked = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not _Stop.asked:
        try:
            close_old_connections()
            if settings.KEQUN_DAILY_RUN is not None and not once:
                request_daily_run(hour=settings.KEQUN_DAILY_RUN, now=timezone.now())
            done = work_one(worker=name)
            patience = 1.0
        except OperationalError as error:  # the database is away: come back later
            say(f"database: {error}; again in {patience:.0f} s")
            done, patience = None, min(patience * 2, 180.0)
        if done is None:
            if once:
                break
            time.sleep(patience)


def audit_verify(as_json: AsJson = False) -> None:
    """Walk the whole audit chain; name the first line that is wrong."""
    ready()
    from kequn.apps.audit.selectors import verify
    from kequn.cli import language

    verdict = verify()
    if as_json:
        why = {"zh": verdict.why.zh, "en": verdict.why.en} if verdict.why else None
        answer_json(
            {
                "whole": verdict.is_whole,
                "lines": verdict.lines,
                "head": verdict.head,
                "bad_line": verdict.bad_line,
                "why": why,
            }
        )
    elif verdict.why is None:
        print(f"{verdict.lines} ok, head {verdict.head}")
    else:
        print(verdict.why.in_language(language()))
    if not verdict.is_whole:
        raise typer.Exit(1)


def demo(
    customers: Annotated[int, typer.Option(help="Size of the sample book.")] = 2000,
) -> None:
    """Make the sample book, bring it in by the ordinary importer, run it, and make one login per role."""
    person = ready()
    from kequn.cli.demonstration import prepare

    _migrate()
    for line in prepare(person, customers):
        say(line)
    _tell_logins()
