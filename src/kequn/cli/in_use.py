"""Whether a home is in use: a server and a worker hold it, a restore wants it for itself.

The lock is the operating system's and goes away with the process, however that ends. It knows the processes of this
machine; where several machines share one PostgreSQL, stop the others by hand.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kequn.domain.errors import Refused, Text

NAME = ".in_use"
_held: list[IO[str]] = []


def hold(home: Path) -> None:
    """Say that this process uses the home, until it ends."""
    stream = (home / NAME).open("w")
    if _lock(stream, alone=False):
        _held.append(stream)
    else:
        stream.close()
        raise Refused(Text("正在恢复备份；完成后再启动", "a backup is being restored; start again when it is done"))


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Nobody else uses the home meanwhile; refused while a server or a worker does."""
    with (home / NAME).open("w") as stream:
        if not _lock(stream, alone=True):
            raise Refused(
                Text(
                    "服务或工作进程正在使用这些数据；请先停止 kequn serve 与 kequn worker",
                    "a server or a worker is using this data; stop kequn serve and kequn worker first",
                )
            )
        yield


def _lock(stream: IO[str], *, alone: bool) -> bool:
    if os.name == "nt":
        return True
    import fcntl

    try:
        fcntl.flock(stream, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
