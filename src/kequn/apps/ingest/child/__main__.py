"""Read one file in a limited process; write its cells as JSON lines.

    python -m kequn.apps.ingest.child FILE OUT SUFFIX [ENCODING]
    python -m kequn.apps.ingest.child --serve      (the same words, tab-separated, one file a line of standard input)

A line is {"sheet": name, ...} or [row number, [cells]]; a file that is not taken ends with {"refused": {...}}. Dates
are {"d": "YYYY-MM-DD"}, cells of a percent format {"p": fraction}, decimals {"n": "text"}. Empty rows are left out.
"""

import dataclasses
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from kequn.apps.ingest.guards import ZIPPED, Trouble, guard_zip

MEMORY_BYTES = 3 * 1024**3
OUTPUT_BYTES = 6 * 1024**3
CPU_SECONDS = 300
UNREADABLE = ("file_unreadable", "文件无法读取", "the file cannot be read")


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_BYTES, OUTPUT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def reader_of(suffix: str) -> Callable[[Path, str], Iterator[Any]]:
    """The reader of a kind of file; each yields the lines described above."""
    found: ModuleType
    if suffix in {".csv", ".csv.gz"}:
        from kequn.apps.ingest.child import text as found
    elif suffix == ".parquet":
        from kequn.apps.ingest.child import parquet as found
    else:
        from kequn.apps.ingest.child import workbook as found
    return found.read  # type: ignore[no-any-return]


def parse(path: Path, out: Path, suffix: str, encoding: str) -> None:
    with out.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        try:
            if suffix in ZIPPED:
                guard_zip(path)
            for line in reader_of(suffix)(path, encoding):
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        except Trouble as trouble:
            stream.write(json.dumps({"refused": dataclasses.asdict(trouble)}, ensure_ascii=False) + "\n")
        except MemoryError:
            code, zh, en = "memory", "文件太大，内存不够", "the file is too large to be read within the memory allowed"
            stream.write(json.dumps({"refused": {"code": code, "zh": zh, "en": en}}, ensure_ascii=False) + "\n")
        except Exception:  # whatever a foreign reader says of a broken file: it is refused, with its place
            code, zh, en = UNREADABLE
            stream.write(json.dumps({"refused": {"code": code, "zh": zh, "en": en}}, ensure_ascii=False) + "\n")


def serve() -> None:
    """Many files, each in a fork of its own: for those who would otherwise start a thousand processes."""
    import python_calamine  # noqa: F401 - loaded once, before the forks

    from kequn.apps.ingest.child import text, workbook  # noqa: F401

    for line in sys.stdin:
        path, out, suffix, encoding = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            limit()
            signal.alarm(CPU_SECONDS)
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 2)
            parse(Path(path), Path(out), suffix, encoding)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    else:
        limit()
        parse(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else "")
