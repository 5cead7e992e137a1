"""Files become sheets of cells. Guarded, then parsed in a limited child; nothing is interpreted here."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from kequn.apps.ingest.cells import Percent
from kequn.apps.ingest.guards import ZIPPED, Trouble, guard_zip
from kequn.domain.errors import Finding, Misuse, Place, Refused, Text

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".csv.gz", ".parquet")
WAIT_SECONDS = 600
SOURCE = str(Path(__file__).resolve().parents[3])

Cells = list[object]
Rows = list[tuple[int, Cells]]


@dataclass(slots=True)
class RawSheet:
    """One sheet as it stands in the file: filled rows with the numbers a person sees beside them, and its looks."""

    file: str
    name: str
    rows: Rows = field(default_factory=list)
    header: tuple[str, ...] | None = None  # where the file itself says which are its columns
    merges: tuple[tuple[int, int, int, int], ...] = ()  # first row, first column, last row, last column
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: tuple[int, ...] = ()
    unclear: bool = False  # whether a number is a percentage cannot be told
    epoch: str = ""  # of dates that stand as numbers: 1900, 1904, or not known
    visible: bool = True
    left: int = 0  # empty columns before the first
    strict: bool = False  # a row has as many cells as the header


def suffix(path: Path) -> str:
    name = path.name.lower()
    return next((one for one in SUFFIXES if name.endswith(one)), "")


def files_of(path: Path) -> list[Path]:
    """The file itself, or the readable files of a folder in the order of their names."""
    if not path.exists():
        raise Misuse(Text(f"找不到文件 {path.name}", f"there is no file {path.name}"))
    found = sorted(one for one in path.iterdir() if suffix(one)) if path.is_dir() else [path]
    if not found or not all(suffix(one) for one in found):
        wanted, name = ", ".join(SUFFIXES), path.name
        raise Misuse(Text(f"{name}：需要 {wanted} 文件", f"{name}: expected a file of {wanted}, or a folder of them"))
    return found


def digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# --- the child ----------------------------------------------------------------------------------------------

_server: ContextVar["subprocess.Popen[str] | None"] = ContextVar("kequn_parsing_server", default=None)


@contextmanager
def served() -> Iterator[None]:
    """Parse many files through one waiting process that forks a limited child for each of them."""
    words = [sys.executable, "-W", "ignore", "-m", "kequn.apps.ingest.child", "--serve"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env={"PYTHONPATH": SOURCE}) as server:
        token = _server.set(server)
        try:
            yield
        finally:
            _server.reset(token)
            assert server.stdin is not None  # noqa: S101 - a pipe was asked for
            server.stdin.close()


def _child(path: Path, out: Path, encoding: str) -> int:
    words = [str(path), str(out), suffix(path), encoding]
    server = _server.get()
    if server is not None and server.stdin is not None and server.stdout is not None:
        server.stdin.write("\t".join(words) + "\n")
        server.stdin.flush()
        return int(server.stdout.readline() or 1)
    command = [sys.executable, "-W", "ignore", "-m", "kequn.apps.ingest.child", *words]
    try:
        done = subprocess.run(
            command, stderr=subprocess.DEVNULL, check=False, timeout=WAIT_SECONDS, env={"PYTHONPATH": SOURCE}
        )
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


@contextmanager
def sheets_of(path: Path, encoding: str = "") -> Iterator[Iterator[RawSheet]]:
    """The sheets of one file, to be read one after the other."""
    try:
        if suffix(path) in ZIPPED:
            guard_zip(path)
    except Trouble as trouble:
        raise refusal(path, trouble) from trouble
    with tempfile.TemporaryDirectory(prefix="kequn-cells-") as folder:
        out = Path(folder) / "cells"
        if _child(path, out, encoding) or not out.is_file():
            zh, en = (
                "文件无法读取，或超出允许的内存或时间",
                "the file cannot be read, or takes more memory or time than allowed",
            )
            raise refusal(path, Trouble("file_unreadable", zh, en))
        with out.open(encoding="utf-8") as stream:
            yield _sheets(path, stream)


def refusal(path: Path, trouble: Trouble) -> Refused:
    """What was wrong with a file, told by its name and never by its path."""
    text = Text(f"{path.name}：{trouble.zh}", f"{path.name}: {trouble.en}")
    place = Place(path.name, trouble.sheet, trouble.row)
    return Refused(text, (Finding(trouble.code, Text(trouble.zh, trouble.en), place, trouble.found, trouble.expected),))


def _sheets(path: Path, lines: Iterator[str]) -> Iterator[RawSheet]:
    """The child's lines again as sheets. The whole of one sheet is held while it is read."""
    sheet: RawSheet | None = None
    for text in lines:
        line = json.loads(text)
        if isinstance(line, list):
            assert sheet is not None  # noqa: S101 - the child names the sheet before its rows
            cells = line[1]
            if '": ' in text:
                cells = [_cell(one) for one in cells]
            sheet.rows.append((line[0], cells))
        elif "refused" in line:
            raise refusal(path, Trouble(**line["refused"]))
        else:
            if sheet is not None:
                yield sheet
            sheet = _opened(path, line)
    if sheet is not None:
        yield sheet


def _opened(path: Path, line: dict[str, Any]) -> RawSheet:
    header = line.get("header")
    return RawSheet(
        path.name,
        line["sheet"],
        header=tuple(header) if header is not None else None,
        merges=tuple(tuple(one) for one in line.get("merges", ())),
        hidden_rows=frozenset(line.get("hidden_rows", ())),
        hidden_columns=tuple(line.get("hidden_columns", ())),
        unclear=line.get("unclear", False),
        epoch=line.get("epoch", ""),
        visible=line.get("visible", True),
        left=line.get("left", 0),
        strict=line.get("strict", False),
    )


def _cell(cell: object) -> object:
    if not isinstance(cell, dict):
        return cell
    if "d" in cell:
        return dt.date.fromisoformat(cell["d"])
    return Percent(Decimal(repr(cell["p"]))) if "p" in cell else Decimal(cell["n"])
