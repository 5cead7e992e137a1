"""CPU seconds, wall seconds and peak memory of one piece of work."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """What a piece of work cost. CPU counts every thread of the process and of its children."""

    cpu_seconds: float
    wall_seconds: float
    answer: Any


def measured(work: Callable[[], Any]) -> Measured:
    cpu, wall = _cpu(), time.perf_counter()
    answer = work()
    return Measured(_cpu() - cpu, time.perf_counter() - wall, answer)


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    running = sum(_cpu_of(child) for child in descendants())
    return sum(one.ru_utime + one.ru_stime for one in used) + running


def descendants() -> list[int]:
    """The processes that this one started and that still run, such as the JVM of Spark; Linux only."""
    found: list[int] = []
    asked = [os.getpid()]
    while asked:
        for tasks in Path(f"/proc/{asked.pop()}/task").glob("*/children"):
            children = [int(word) for word in _read(tasks).split()]
            found += children
            asked += children
    return found


def _cpu_of(process: int) -> float:
    fields = _read(Path(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if len(fields) > 12 else 0.0


def _peak_of(process: int) -> float:
    lines = [line.split() for line in _read(Path(f"/proc/{process}/status")).splitlines() if line.startswith("VmHWM")]
    return int(lines[0][1]) / 2**20 if lines else 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def peak_gib() -> float:
    """The most memory this process and those it still runs have held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20 + sum(map(_peak_of, descendants()))


def said(one: Measured) -> dict[str, float]:
    """The figures as they are published."""
    return {
        "cpu_seconds": round(one.cpu_seconds, 3),
        "wall_seconds": round(one.wall_seconds, 3),
        "peak_gib": round(peak_gib(), 3),
    }


def steady_threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
