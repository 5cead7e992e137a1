"""Bent files: no crash, no partial import, every refusal with its place. More: `python -m tests.faults.mutants`."""

import pytest

from tests.faults.mutants import run


@pytest.mark.django_db
def test_two_hundred_bent_files_break_nothing(tmp_path):
    (tmp_path / "files").mkdir()
    answer = run(200, 7, tmp_path / "files")
    assert answer["broken"] == []
    assert sum(answer["ends"].values()) == 200
