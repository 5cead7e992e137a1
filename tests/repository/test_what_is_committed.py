"""What may never stand in a committed file, and what the README promises."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def locks() -> list[Path]:
    return [*sorted((ROOT / "requirements").glob("*.txt")), ROOT / "package-lock.json"]


def test_locks_carry_no_address():
    assert [lock.name for lock in locks() if "://" in lock.read_text()] == []


def test_every_pinned_package_carries_a_hash():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        pins = re.findall(r"^[a-z0-9][^\s]*==", text, flags=re.MULTILINE)
        blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert pins, lock.name
        assert all("--hash=sha256:" in block for block in blocks), lock.name


def test_no_other_lock_file_is_committed():
    assert [path.name for path in committed() if path.name == "uv.lock"] == []


def test_no_path_of_a_machine_is_committed():
    marks = [str(ROOT.parent) + "/", str(Path.home()) + "/"]
    bad = []
    for path in committed():
        text = path.read_text("utf-8", errors="ignore")
        bad += [f"{path.relative_to(ROOT)}: {mark}" for mark in marks if len(mark) > 3 and mark in text]
    assert bad == []


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_readme_starts_with_the_two_commands(name):
    head = (ROOT / name).read_text("utf-8")[:1500]
    assert head.index("python3 dev.py demo") < head.index("python3 dev.py test")


def test_the_check_before_landing_is_the_readme_s_test_command():
    assert "dev.py test" in (ROOT / ".ci" / "run").read_text()


def test_no_file_holds_too_many_nouns():
    long = {p.relative_to(ROOT): n for p in committed() if p.suffix == ".py" and "migrations" not in p.parts
            and (n := len(p.read_text("utf-8").splitlines())) > 600}  # fmt: skip
    assert long == {}
