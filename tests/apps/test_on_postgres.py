"""The tests of this folder again, on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import postgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.postgres
@pytest.mark.skipif(not postgres.is_here(), reason="no PostgreSQL server on this machine")
@pytest.mark.skipif("KEQUN_DATABASE_URL" in os.environ, reason="these are the tests on PostgreSQL")
def test_everything_holds_on_postgresql_too():
    with postgres.server() as url:
        env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_XDIST")}
        env |= {"KEQUN_DATABASE_URL": url}
        words = [
            "-m",
            "pytest",
            "tests/apps",
            "-x",
            "-p",
            "no:xdist",
            "-m",
            "not shared",
            "--deselect",
            "tests/apps/test_installation.py",
        ]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
