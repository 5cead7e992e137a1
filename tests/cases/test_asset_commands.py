"""`kequn classify` and `kequn slot` as a banker calls them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from kequn.cli import build
from kequn.domain.errors import Misuse, Refused

SHEET = Path(__file__).resolve().parents[2] / "examples" / "slotting" / "solar.yaml"


def test_classify_keeps_the_order_and_what_is_no_fact(tmp_path):
    file, out = tmp_path / "assets.csv", tmp_path / "tiers.parquet"
    file.write_text("asset,days_past_due\nA2,91\nA1,0\nA3,\n")
    words = ["classify", str(file), "-o", str(out), "--as-of", "2026-06-30"]
    run = CliRunner().invoke(build(), words)
    assert run.exit_code == 0
    assert "classification.yaml" in run.stderr  # from memory, and it says so
    found = pq.read_table(out)
    assert found.column("asset").to_pylist() == ["A2", "A1", "A3"]
    assert found.column("tier").to_pylist() == ["substandard", "normal", None]
    assert found.column("substandard_overdue").to_pylist() == [True, False, None]


def test_classify_by_stage(tmp_path):
    pq.write_table(pa.table({"id": [1, 2], "days_past_due": [31.0, 91.0]}), tmp_path / "a.parquet")
    words = ["classify", str(tmp_path / "a.parquet"), "-o", str(tmp_path / "s.parquet"), "--by", "staging"]
    assert CliRunner().invoke(build(), words).exit_code == 0
    assert pq.read_table(tmp_path / "s.parquet").column("stage").to_pylist() == ["stage_2", "stage_3"]


def test_classify_refuses_a_column_of_another_type_and_writes_nothing(tmp_path):
    (tmp_path / "a.csv").write_text("days_past_due\nmany\n")
    (tmp_path / "o.parquet").write_text("as it was")
    found = CliRunner().invoke(build(), ["classify", str(tmp_path / "a.csv"), "-o", str(tmp_path / "o.parquet")])
    assert isinstance(found.exception, Refused)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "o.parquet"]
    assert (tmp_path / "o.parquet").read_text() == "as it was"


def test_classify_names_the_columns_it_did_not_find_and_refuses_a_file_without_any(tmp_path, monkeypatch):
    monkeypatch.setenv("KEQUN_LANG", "en")
    (tmp_path / "a.csv").write_text("days_past_due\n91\n")
    run = CliRunner().invoke(build(), ["classify", str(tmp_path / "a.csv"), "-o", str(tmp_path / "t.csv")])
    assert run.exit_code == 0
    assert "no such column, so it is not known: " in run.stderr
    assert '"tier"' in (tmp_path / "t.csv").read_text().splitlines()[0]
    (tmp_path / "b.csv").write_text("days\n91\n")
    bad = CliRunner().invoke(build(), ["classify", str(tmp_path / "b.csv"), "-o", str(tmp_path / "o.parquet")])
    assert isinstance(bad.exception, Refused)


def test_classify_writes_no_file_of_a_suffix_that_it_does_not_know(tmp_path):
    (tmp_path / "a.csv").write_text("days_past_due\n91\n")
    odd = CliRunner().invoke(build(), ["classify", str(tmp_path / "a.csv"), "-o", str(tmp_path / "o.xls")])
    assert isinstance(odd.exception, Misuse)


def test_slot_speaks_the_language_of_the_terminal(monkeypatch):
    monkeypatch.setenv("KEQUN_LANG", "zh")
    said = CliRunner().invoke(build(), ["slot", str(SHEET), "--as-of", "2026-06-30"]).stdout
    assert "类别\t良" in said
    assert "good" not in said


def test_slot_says_category_weight_and_the_evidence_of_each_line():
    found = CliRunner().invoke(build(), ["slot", str(SHEET), "--json", "--as-of", "2026-06-30"])
    said = json.loads(found.stdout)
    assert (said["category"], said["risk_weight"], said["expected_loss"]) == ("good", 0.9, 0.008)
    assert said["missing"] == []
    assert said["evidence"]["financial_ratios"] == "dscr_min = 1.32"
    assert {note["status"] for note in said["policy"]["notes"]} == {"verified", "memory"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('in_default: "no"', "in_default"),
        ("figures: {dscr_mim: 1.3}", "figures.dscr_mim"),
        ("figures: {dscr_min: .nan}", "figures.dscr_min"),
        ("figures: [1]", "figures"),
        ('answers: ["a"]', "answers"),
        ("answers: {technology: [strong]}", "answers.technology"),
        ("answers: {technology: {answer: strong, proof: x}}", "answers.technology.proof"),
        ("remaining_years: two", "remaining_years"),
        ("remaining_years: -1", "remaining_years"),
        ("rating: good", "rating"),
        ("- a", ""),
        ("answers: {a: ]", ""),
    ],
)
def test_a_sheet_that_says_what_it_cannot_is_refused_with_its_place(tmp_path, text, place):
    (tmp_path / "sheet.yaml").write_text(text)
    found = CliRunner().invoke(build(), ["slot", str(tmp_path / "sheet.yaml")])
    assert isinstance(found.exception, Refused)
    assert [str(one.place) for one in found.exception.findings] == [", ".join(filter(None, ("sheet.yaml", place)))]


def test_an_unknown_rule_book_is_misuse(tmp_path):
    found = CliRunner().invoke(build(), ["classify", str(SHEET), "-o", str(tmp_path / "o"), "--by", "guess"])
    assert isinstance(found.exception, Misuse)
