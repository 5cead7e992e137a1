"""One file that holds everything: database, secret key, files of runs, fitted models. Written while the system runs.

A backup is verified as it is made, and again before a restore touches anything.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kequn.cli.in_use import claimed
from kequn.domain.errors import Misuse, Refused, Text
from kequn.version import VERSION

DATABASE_FILE = "kequn.sqlite3"
DUMP_FILE = "database.dump"
FOLDERS = ("runs", "snapshots", "models", "scores")
FILES = ("secret_key", "demo_logins.txt")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make(output: Path) -> dict[str, Any]:
    """Write a backup; what is in it. The database is copied first, so every file that it names is there."""
    from django.conf import settings
    from django.db import connection

    home = Path(settings.KEQUN_HOME)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".backup-") as folder:
        stage = Path(folder)
        if connection.vendor == "sqlite":
            found = _copy_sqlite(Path(connection.settings_dict["NAME"]), stage / DATABASE_FILE)
        else:
            found = _dump_postgres(stage / DUMP_FILE)
        for name in FILES:
            if (home / name).exists():
                shutil.copy2(home / name, stage / name)
        for name in FOLDERS:
            if (home / name).exists():
                shutil.copytree(home / name, stage / name, ignore=shutil.ignore_patterns(".*"))
        files = sorted(one for one in stage.rglob("*") if one.is_file())
        manifest = {
            "kequn": VERSION,
            "made_at": datetime.now(UTC).isoformat(),
            "database": connection.vendor,
            **found,
            "files": {one.relative_to(stage).as_posix(): _digest(one) for one in files},
        }
        (stage / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        fresh = output.with_name(f".{output.name}.part")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz", compresslevel=3) as tar:
            tar.add(stage, arcname=".")
        verify(fresh)
        fresh.rename(output)
    return {"file": str(output), "bytes": output.stat().st_size, **found, "files": len(manifest["files"])}


def _copy_sqlite(source: Path, target: Path) -> dict[str, Any]:
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=60) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    with sqlite3.connect(target) as copy:
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise Refused(Text(f"备份副本损坏：{verdict}", f"the copy of the database is damaged: {verdict}"))
        head = copy.execute("SELECT hash, lines FROM audit_audithead").fetchone() or ("", 0)
    copy.close()
    live.close()
    return {"audit_head": head[0], "audit_lines": head[1]}


def _pg() -> tuple[list[str], dict[str, str]]:
    from django.db import connection

    given = connection.settings_dict
    words = ["-h", given["HOST"] or "localhost", "-U", given["USER"], "-d", given["NAME"]]
    if given["PORT"]:
        words += ["-p", str(given["PORT"])]
    return words, {**os.environ, "PGPASSWORD": given["PASSWORD"] or ""}


def _run(command: list[str], env: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused(Text(f"缺少程序 {command[0]}", f"the program {command[0]} is missing")) from error
    if done.returncode:
        said = done.stderr.strip()[-500:]
        raise Refused(Text(f"{command[0]} 失败：{said}", f"{command[0]} failed: {said}"))


def _dump_postgres(target: Path) -> dict[str, Any]:
    """The head is read before the dump, so the dump holds at least so many lines."""
    from kequn.apps.audit.models import AuditHead

    head = AuditHead.objects.filter(id=1).first()
    words, env = _pg()
    _run(["pg_dump", "--format=custom", "--no-owner", "--file", str(target), *words], env)
    _run(["pg_restore", "--list", str(target)], env)
    return {"audit_head": head.hash if head else "", "audit_lines": head.lines if head else 0}


def verify(file: Path) -> dict[str, Any]:
    """Every file of a backup against its digest; the manifest. Refused at the first that differs."""
    if not file.is_file():
        raise Misuse(Text(f"找不到备份 {file}", f"there is no backup {file}"))
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".verify-") as folder:
        return _unpacked(file, Path(folder))


def _unpacked(file: Path, folder: Path) -> dict[str, Any]:
    """The manifest of a backup whose files now lie in the folder, each as its digest says."""
    try:
        with tarfile.open(file) as tar:
            tar.extractall(folder, filter="data")
        return _verified(folder)
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, zlib.error) as error:
        raise Refused(
            Text(
                f"{file.name} 已损坏，或不是 kequn backup 写出的备份（{error}）",
                f"{file.name} is damaged, or is no backup written by kequn backup ({error})",
            )
        ) from error


def _verified(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in manifest["files"].items():
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise Refused(Text(f"备份中 {name} 缺失或被改动", f"in the backup {name} is missing or was changed"))
    return manifest


def restore(file: Path, *, replace: bool) -> dict[str, Any]:
    """Put a backup in place of an empty home, or of a full one when the person says so. Verified before and after."""
    from django.conf import settings
    from django.db import connection

    from kequn.apps.audit.selectors import verify as verify_chain

    if not file.is_file():
        raise Misuse(Text(f"找不到备份 {file}", f"there is no backup {file}"))
    home = Path(settings.KEQUN_HOME)
    with claimed(home), tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as folder:
        manifest = _unpacked(file, Path(folder))
        if manifest["database"] != connection.vendor:
            found, wanted = manifest["database"], connection.vendor
            raise Refused(Text(f"备份属于 {found}，现用 {wanted}", f"the backup is of {found}, this is {wanted}"))
        if _holds_data() and not replace:
            raise Refused(
                Text(
                    "现有数据不为空；确要覆盖请加 --replace",
                    "there is data already; say --replace to put the backup in its place",
                )
            )
        connection.close()
        with _kept_aside(home, manifest):
            _place(Path(folder), home, manifest)
            verdict = verify_chain()
            if verdict.why is not None:
                raise Refused(verdict.why)
    return {"audit_lines": verdict.lines, "audit_head": verdict.head, "expected_lines": manifest["audit_lines"]}


def _holds_data() -> bool:
    from django.db import connection
    from django.db.utils import DatabaseError

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM audit_auditline")
            return bool(cursor.fetchone()[0])
    except DatabaseError:
        return False


@contextmanager
def _kept_aside(home: Path, manifest: dict[str, Any]) -> Iterator[None]:
    """The embedded database that was there comes back where the restore fails; PostgreSQL rolls back by itself."""
    from django.db import connection

    if manifest["database"] != "sqlite":
        yield
        return
    target = Path(connection.settings_dict["NAME"])
    aside = home / f".{target.name}.before-restore"
    if target.exists():
        with sqlite3.connect(target) as live, sqlite3.connect(aside) as copy:
            live.backup(copy)
        live.close()
        copy.close()
    try:
        yield
    except BaseException:
        connection.close()
        if aside.exists():
            _forget_wal(target)
            aside.replace(target)
        raise
    finally:
        aside.unlink(missing_ok=True)


def _forget_wal(target: Path) -> None:
    for tail in ("-wal", "-shm"):
        target.with_name(target.name + tail).unlink(missing_ok=True)


def _place(folder: Path, home: Path, manifest: dict[str, Any]) -> None:
    from django.db import connection

    if manifest["database"] == "sqlite":
        target = Path(connection.settings_dict["NAME"])
        _forget_wal(target)
        (folder / DATABASE_FILE).replace(target)
    else:
        words, env = _pg()
        options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
        _run(["pg_restore", *options, *words, str(folder / DUMP_FILE)], env)
    for name in FILES:
        if (folder / name).exists():
            (folder / name).replace(home / name)
    for name in FOLDERS:
        if (folder / name).exists():
            shutil.rmtree(home / name, ignore_errors=True)
            (folder / name).replace(home / name)
