"""A PostgreSQL server of one's own on this machine, for tests and measurements: made, used and thrown away.

It never runs as root, listens to this machine alone, and does not wait for the disk (`fsync=off`).
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def program(name: str) -> str | None:
    """Where a program of the server is: on the path, or in Debian's folder of versions."""
    found = shutil.which(name)
    if found:
        return found
    return next((str(one) for one in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None)


def is_here() -> bool:
    return program("initdb") is not None and program("pg_ctl") is not None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def server(kept: Path | None = None) -> Iterator[str]:
    """The address of a server, as KEQUN_DATABASE_URL takes it; with `kept` its folder stays for the next time."""
    person = {"user": "nobody", "group": "nogroup"} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}
    folder = kept or Path(tempfile.mkdtemp(prefix="kequn-pg-", dir="/tmp"))
    folder.mkdir(parents=True, exist_ok=True)
    if person:
        shutil.chown(folder, **person)
    port, data = _free_port(), folder / "data"
    quiet: dict[str, Any] = {
        "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **person,
    }  # fmt: skip
    control, is_new = [str(program("pg_ctl")), "-D", str(data)], not data.exists()
    if is_new:
        made = [str(program("initdb")), "-D", str(data), "-U", "kequn", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, **quiet)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    subprocess.run([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"], **quiet)
    try:
        if is_new:
            where = ["-h", "127.0.0.1", "-p", str(port), "-U", "kequn", "kequn"]
            subprocess.run([str(program("createdb")), *where], **quiet)
        yield f"postgresql://kequn@127.0.0.1:{port}/kequn"
    finally:
        ending = "fast" if kept else "immediate"
        subprocess.run([*control, "-m", ending, "stop"], **{**quiet, "check": False})
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
