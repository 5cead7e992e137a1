"""`kequn bench load`: a hundred people of all roles at work against a server on this machine, for some minutes.

Each is signed in as one of the demonstration staff, clicks, reads for five to ten seconds, and clicks again. The
server is started here, listens to this machine alone, and ends with the measurement.
"""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.cli.bench_pages import spread
from kequn.cli.bench_web import book, of_largest_group, questions
from kequn.domain.errors import KequnError, Text

ROLES = {"manager": 40, "analyst": 20, "risk": 15, "segment": 8, "head": 7, "administrator": 5, "auditor": 5}
MIX = {  # of a hundred clicks
    "today": 14, "list": 14, "filter": 12, "next page": 8, "search": 16, "customer": 12, "customer tab": 14,
    "segments": 4, "portfolio": 3, "why": 2, "export": 0.3, "report": 0.7,
}  # fmt: skip
THINKING = (5.0, 10.0)  # seconds between two clicks of a person
PATIENCE, STARTS_WITHIN = 60.0, 60.0
P95_MS = 300.0
TABS = ("group", "statements", "facilities", "projects", "findings", "timeline")
FILTERS = ("size=micro&credit_tier=low", "geography=domestic&sort=-exposure", "sort=-signals", "grade=-",
           "industry_family=energy", "size=small&sort=grade")  # fmt: skip


def load(
    users: Annotated[int, typer.Option(min=1, max=500, help="How many people.")] = 100,
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="For how long.")] = 10,
    customers: Annotated[int, typer.Option(min=1_000, help="How many customers the book has.")] = 100_000,
    database: Annotated[str, typer.Option(help="sqlite or postgresql; a local server is started for it.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where to keep the book that was made; else temporary.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes of the web server.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let people work against a local server and tell how long they waited; exit 1 on any error."""
    work = folder or Path(tempfile.mkdtemp(prefix="kequn-bench-"))
    try:
        with book(work, customers, database) as made:
            cast = signed_in(users)
            known = Known.of_the_book()
            told = measured_at_work(workers, cast, known, minutes * 60)
            report = {"database": made["database"], "customers": customers, "users": users, "minutes": minutes, **told}
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(report, indent=1, ensure_ascii=False) if as_json else as_text(report))
    if report["errors"]:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Known:
    """Addresses that people of every scope may open, and words to search for."""

    codes: dict[str, list[str]]  # role -> customers within its scope
    words: list[str]

    @classmethod
    def of_the_book(cls) -> "Known":
        from kequn.apps.accounts.models import User
        from kequn.apps.customers.selectors import visible_to

        codes = {
            role: list(
                visible_to(User.objects.get(username=f"demo-{role}"))
                .order_by("pk")
                .values_list("code", flat=True)[:500]
            )
            for role in ROLES
        }
        codes["head"].append(of_largest_group())
        return cls(codes, list(questions().values()))


@dataclass(slots=True)
class Told:
    """What everybody waited for, by kind of click; errors by what went wrong."""

    waited: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    by_minute: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class User:
    """One person at a browser."""

    role: str
    cookie: str
    draw: random.Random
    page: str = "/customers/"


def signed_in(users: int) -> list[User]:
    """So many people, dealt out among the roles, each with a session of its own."""
    from django.conf import settings
    from django.test import Client

    from kequn.apps.accounts.models import User as Account

    roles = [role for role, share in ROLES.items() for _one in range(share)]
    cast = []
    for number in range(users):
        role = roles[number * len(roles) // users]
        client = Client()
        client.force_login(Account.objects.get(username=f"demo-{role}"))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        language = ("zh-hans", "en")[number % 4 == 3]
        cookie = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.LANGUAGE_COOKIE_NAME}={language}"
        cast.append(User(role, cookie, random.Random(number)))
    return cast


@contextmanager
def served(workers: int) -> Iterator[int]:
    """A server on a free port of this machine."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    words = [sys.executable, "-m", "kequn", "serve", "--port", str(port), "--workers", str(workers)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(words, env=dict(os.environ), **quiet)  # type: ignore[call-overload]
    try:
        _await(port)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=PATIENCE)


def _await(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        try:
            if _asked(port, "/health/live/", "")[0] == 200:
                return
        except OSError:
            time.sleep(0.3)
    raise KequnError(Text("服务未能启动", "the server did not start"))


def _asked(port: int, address: str, cookie: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", address, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def measured_at_work(workers: int, cast: list[User], known: Known, seconds: float) -> dict[str, Any]:
    """What everybody waited for, and the processor time of a request: of the server with its start, and of the people
    who are played here on the same cores.
    """
    others, own = _children_spent(), time.process_time()
    with served(workers) as port:
        told = at_work(port, cast, known, seconds)
        played = time.process_time() - own
    spent = {"server": _children_spent() - others, "people": played}
    return {**told, "cpu_ms_a_request": {name: round(1000 * one / max(1, told["requests"]), 1)
                                         for name, one in spent.items()}}  # fmt: skip


def _children_spent() -> float:
    """Seconds of processor of the child processes that are over."""
    spent = os.times()
    return spent.children_user + spent.children_system


def at_work(port: int, cast: list[User], known: Known, seconds: float) -> dict[str, Any]:
    """Everybody clicks until the time is over."""
    told, until = Told(), time.monotonic() + seconds
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    begun = until - seconds
    threads = [threading.Thread(target=_works, args=(port, one, known, told, (begun, until)), daemon=True)
               for one in cast]  # fmt: skip
    for one in threads:
        one.start()
    for one in threads:
        one.join(seconds + 2 * PATIENCE)
    kinds = {kind: _row(waited) for kind, waited in sorted(told.waited.items())}
    every = [one for waited in told.waited.values() for one in waited]
    return {
        "load_before": round(before, 1), "requests": len(every), "errors": sum(told.errors.values()),
        "per_second": round(len(every) / seconds, 1), "all": _row(every), "kinds": kinds,
        "p95_by_minute": [_row(waited)["p95"] for _minute, waited in sorted(told.by_minute.items())],
        "wrong": dict(told.errors), "goal_p95_ms": P95_MS, "holds": _row(every)["p95"] <= P95_MS,
    }  # fmt: skip


def _row(waited: list[float]) -> dict[str, float]:
    ordered = sorted(waited) or [0.0]
    return {"requests": len(waited), **spread(ordered), "p99": round(ordered[int(len(ordered) * 0.99)], 1)}


def _works(port: int, user: User, known: Known, told: Told, span: tuple[float, float]) -> None:
    begun, until = span
    time.sleep(min(user.draw.uniform(0, THINKING[1]), max(0.0, until - time.monotonic())))
    while time.monotonic() < until:
        kind = user.draw.choices(list(MIX), list(MIX.values()))[0]
        address = _address(kind, user, known)
        started, wrong = time.perf_counter(), ""
        try:
            status, body = _asked(port, address, user.cookie)
            wrong = "" if status == 200 else f"{kind}: {status}"
            _remember(user, kind, body)
        except OSError as error:
            wrong = f"{kind}: {type(error).__name__}"
        waited = (time.perf_counter() - started) * 1000
        with told.lock:
            told.waited[kind].append(waited)
            told.by_minute[int((time.monotonic() - begun) // 60)].append(waited)
            if wrong:
                told.errors[wrong] += 1
        time.sleep(max(0.0, min(user.draw.uniform(*THINKING), until - time.monotonic())))


def _address(kind: str, user: User, known: Known) -> str:
    from urllib.parse import quote

    draw = user.draw
    code = draw.choice(known.codes[user.role])
    return {
        "today": "/",
        "list": "/customers/",
        "filter": f"/customers/?{draw.choice(FILTERS)}",
        "next page": user.page,
        "search": f"/search/?q={quote(draw.choice(known.words))}",
        "customer": f"/customers/{code}/",
        "customer tab": f"/customers/{code}/?tab={draw.choice(TABS)}",
        "segments": "/segments/",
        "portfolio": "/portfolio/",
        "why": f"/customers/{code}/why/grade/",
        "export": "/customers.csv?size=micro&credit_tier=low",
        "report": f"/customers/{code}/report.pdf",
    }[kind]


def _remember(user: User, kind: str, body: bytes) -> None:
    """The address of the next page, as the list names it."""
    if kind in {"list", "filter", "next page"}:
        head, _, rest = body.decode().partition("after=")
        mark = rest[: len(rest) - len(rest.lstrip("0123456789"))] if head else ""
        user.page = f"/customers/?after={mark}" if mark else "/customers/"


def as_text(report: dict[str, Any]) -> str:
    book = f"{report['customers']:,} customers, {report['database']}, load before {report['load_before']}"
    wrong = f"{report['errors']} errors {report['wrong'] or ''}".rstrip()
    lines = [
        f"{report['users']} people, {report['minutes']} min, {book}",
        f"{report['requests']:,} requests, {report['per_second']} a second, {wrong}",
        "CPU ms a request: " + ", ".join(f"{name} {one}" for name, one in report["cpu_ms_a_request"].items()),
        "",
        f"{'':<16}{'requests':>9}{'p50 ms':>10}{'p95 ms':>10}{'p99 ms':>10}{'worst ms':>10}",
    ]
    for kind, row in [*report["kinds"].items(), ("all", report["all"])]:
        lines.append(
            f"{kind:<16}{row['requests']:>9}{row['p50']:>10}{row['p95']:>10}{row['p99']:>10}{row['worst']:>10}"
        )
    lines.append(f"p95 <= {report['goal_p95_ms']:g} ms: {'holds' if report['holds'] else 'FALLS SHORT'}")
    return "\n".join(lines)
