"""What a page costs: queries, bytes, processor and waiting, asked as a browser asks, without the network between.

Processor time counts this process, the processes that answer for a local PostgreSQL, and children that are over.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPEATS = 9


@dataclass(frozen=True, slots=True)
class Goal:
    """The most that may be asked for; None: nothing is promised."""

    queries: int | None = None
    kilobytes: float | None = None
    cpu_ms: float | None = None
    wall_ms: float | None = None
    least_per_second: float | None = None

    def holds(self, row: dict[str, Any]) -> bool:
        """Whether a measured row keeps every promise."""
        most = ((self.queries, "queries"), (self.kilobytes, "kilobytes"), (self.cpu_ms, "cpu_ms"),
                (self.wall_ms, "wall_ms"))  # fmt: skip
        if any(goal is not None and _worst(row[name]) > goal for goal, name in most):
            return False
        return self.least_per_second is None or row["per_second"] >= self.least_per_second

    def said(self) -> str:
        units = ((self.queries, "queries"), (self.kilobytes, "kB"), (self.cpu_ms, "ms CPU"), (self.wall_ms, "ms"))
        parts = [f"<= {goal:g} {unit}" for goal, unit in units if goal is not None]
        parts += [f">= {self.least_per_second:g} a second"] if self.least_per_second is not None else []
        return ", ".join(parts)


def _worst(value: Any) -> float:
    """Of repeated times the middle one counts (the machine is shared); of all else the value."""
    return float(value["p50"] if isinstance(value, dict) else value)


LIST = Goal(queries=15, kilobytes=150, cpu_ms=100)
SEARCH = Goal(cpu_ms=200)
CUSTOMER = Goal(queries=25, cpu_ms=300)
WHY = Goal(queries=25, cpu_ms=50)
BUILDER = Goal(queries=6, cpu_ms=150)
EXPORT = Goal(wall_ms=60_000)
REPORT = Goal(cpu_ms=100)
FREE = Goal()


@dataclass(slots=True)
class Clock:
    """Milliseconds of processor and of waiting since it was made, this process and its database server together."""

    servers: list[int] = field(default_factory=list)
    cpu: float = 0.0
    wall: float = 0.0

    def __post_init__(self) -> None:
        self.servers = serving_processes()
        self.cpu, self.wall = self._spent(), time.perf_counter()

    def _spent(self) -> float:
        spent = os.times()
        return time.process_time() + spent.children_user + spent.children_system + sum(map(_run_time, self.servers))

    def read(self) -> tuple[float, float]:
        return (self._spent() - self.cpu) * 1000, (time.perf_counter() - self.wall) * 1000


def _run_time(process: int) -> float:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def serving_processes() -> list[int]:
    """The processes of a PostgreSQL on this machine that answer our connection; none for SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend: int = cursor.fetchone()[0]
    return [backend]


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = {"p50": len(ordered) // 2, "p95": min(len(ordered) - 1, int(len(ordered) * 0.95)), "worst": -1}
    return {name: round(ordered[place], 1) for name, place in at.items()}


def page(client: Any, address: str, *, repeats: int = REPEATS) -> dict[str, Any]:
    """One address, asked again and again; queries are counted in a round of their own."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    size = whole(client, address)
    with CaptureQueriesContext(connection) as counted:
        whole(client, address)
        queries = len(counted)
    cpu, wall = [], []
    for _round in range(repeats):
        clock = Clock()
        whole(client, address)
        spent, waited = clock.read()
        cpu.append(spent)
        wall.append(waited)
    return {
        "queries": queries, "kilobytes": round(size / 1000, 1), "cpu_ms": spread(cpu), "wall_ms": spread(wall),
    }  # fmt: skip


def whole(client: Any, address: str) -> int:
    """Ask, and read the answer to its end as it comes."""
    answer = client.get(address)
    if answer.status_code != 200:
        raise AssertionError(f"{address}: {answer.status_code}")
    return sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)


def once(work: Any, things: int | None = None) -> dict[str, Any]:
    """A piece of work done once, with how many things a second where there are many."""
    clock = Clock()
    work()
    spent, waited = clock.read()
    row: dict[str, Any] = {"cpu_ms": round(spent, 1), "wall_ms": round(waited, 1)}
    if things is not None:
        row["per_second"] = round(things / waited * 1000, 1)
    return row
