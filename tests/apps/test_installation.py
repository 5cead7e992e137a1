"""One installation from nothing to a restored backup, by its commands, on both databases."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kequn.samples.book import AS_OF, write_sheets
from tests import postgres

ROOT = Path(__file__).resolve().parents[2]


class Installation:
    """The `kequn` command on a home of its own."""

    def __init__(self, home: Path, url: str = "") -> None:
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("KEQUN_", "DJANGO_"))}
        self.env |= {"KEQUN_HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "KEQUN_LANG": "en"}
        if url:
            self.env["KEQUN_DATABASE_URL"] = url

    def run(self, *words: object, code: int = 0) -> str:
        command = [sys.executable, "-m", "kequn", *map(str, words)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *words: object, code: int = 0):
        return json.loads(self.run(*words, "--json", code=code))


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    write_sheets(folder, 60)
    return folder


def live(one: Installation, other: Installation, book: Path, folder: Path) -> None:
    one.run("migrate")
    assert not one.run("user", "add", "wang", "--role", "manager", "--team", "N1").startswith("\t")
    batch = one.json("import", book, "--unit", "元")
    assert batch["rows_read"] == batch["rows_stored"] + batch["rows_refused"] > 500
    first = one.json("run", "--as-of", AS_OF)
    assert first["opened"] > 60
    assert one.json("run", "--as-of", AS_OF)["opened"] == 0
    assert one.json("audit", "verify")["whole"]
    one.run("check")
    saved = one.json("backup", "-o", folder / "saved.tar.gz")
    other.run("migrate")
    restored = other.json("restore", folder / "saved.tar.gz")
    assert restored["audit_head"] == saved["audit_head"]
    assert other.json("import", book, "--unit", "元")["rows"]["unchanged"] == batch["rows_read"]
    assert other.json("run", "--as-of", AS_OF)["opened"] == 0
    other.run("restore", folder / "saved.tar.gz", code=1)
    one.run("import", book, "--as", "wang", "--unit", "元", code=2)


def test_an_installation_on_the_embedded_database(tmp_path, book):
    live(Installation(tmp_path / "one"), Installation(tmp_path / "other"), book, tmp_path)


def test_a_damaged_backup_is_refused_before_anything_is_touched(tmp_path):
    one = Installation(tmp_path / "one")
    one.run("migrate")
    one.run("backup", "-o", tmp_path / "saved.tar.gz")
    file = tmp_path / "saved.tar.gz"
    file.write_bytes(file.read_bytes()[:-200])
    one.run("restore", file, "--replace", code=1)
    one.run("check")


@pytest.mark.postgres
@pytest.mark.skipif(not postgres.is_here(), reason="no PostgreSQL server on this machine")
def test_an_installation_on_postgresql(tmp_path, book):
    with postgres.server() as url:
        other = url.rsplit("/", 1)[0] + "/postgres"
        live(Installation(tmp_path / "one", url), Installation(tmp_path / "other", other), book, tmp_path)


def test_a_restore_that_fails_at_the_end_leaves_the_old_book(tmp_path):
    """The backup's chain is broken though every file is as its digest says: what was there comes back."""
    one = Installation(tmp_path / "one")
    one.run("migrate")
    one.run("user", "add", "wang", "--role", "manager")
    one.run("backup", "-o", tmp_path / "saved.tar.gz")
    folder = tmp_path / "unpacked"
    with tarfile.open(tmp_path / "saved.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    with sqlite3.connect(folder / "kequn.sqlite3") as database:
        database.execute("UPDATE audit_auditline SET actor = 'nobody'")
    database.close()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["kequn.sqlite3"] = hashlib.sha256((folder / "kequn.sqlite3").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with tarfile.open(tmp_path / "forged.tar.gz", "w:gz") as tar:
        tar.add(folder, arcname=".")
    before = one.json("audit", "verify")
    one.run("restore", tmp_path / "forged.tar.gz", "--replace", code=1)
    assert one.json("audit", "verify") == before


def test_a_worker_can_do_every_kind_of_work_that_is_asked_for(tmp_path):
    """In a process of its own: in this one the pages have read every module."""
    asked = (
        "import django; django.setup(); from kequn.cli.operation import learn_jobs; learn_jobs();"
        "from kequn.apps.jobs.services import HANDLERS; print(*sorted(HANDLERS))"
    )
    env = Installation(tmp_path).env | {"DJANGO_SETTINGS_MODULE": "kequn.config.settings"}
    done = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "discovery", "import", "projects.simulate", "replay", "report-batch", "rerate", "rerate_import", "run",
        "score_challenger",
    ]  # fmt: skip
