"""Runs over a small book: what changed and why, migration that reconciles, nothing half visible."""

import json
from dataclasses import replace
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kequn.domain.definitions import Definition, Plan
from kequn.domain.errors import Misuse
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.engine import build_base, migration, run
from kequn.policy.rule_text import parse

AS_OF = date(2026, 6, 30)
WORDS = Vocabulary(
    [
        Fact("employees", Grain.CUSTOMER, FactType.NUMBER, "从业人员", "Employees"),
        Fact("founded", Grain.CUSTOMER, FactType.DATE, "成立日期", "Founded"),
        Fact("drawn", Grain.FACILITY, FactType.NUMBER, "已提款", "Drawn"),
    ]
)
SIZE = "case when employees >= 300 then 'large' when employees is not null then 'small' end"


def policy(large: str = SIZE, digest: str = "p1") -> Plan:
    def definition(name: str, text: str, kind: Any, answer: FactType) -> Definition:
        return Definition(name, Grain.CUSTOMER, answer, parse(text, WORDS, "any"), kind)

    rules = (
        definition("size", large, "dimension", FactType.TEXT),
        definition("borrows", "sum(drawn) > 0", "segment", FactType.BOOLEAN),
        definition("old", "founded < date '2000-01-01'", "segment", FactType.BOOLEAN),
    )
    return Plan(WORDS, (), rules, (("consolidated", "CAS"),), digest)


class Bank:
    """A book of named firms that can be run again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.firms = {"长江重工": 500.0, "黄河水务": 20.0, "珠江新能": None}
        self.loans = {"长江重工": 3e8}
        self.runs = 0

    def run(self, plan: Plan, *, as_of: date = AS_OF, previous: Path | None = None) -> tuple[Path, dict[str, Any]]:
        self.runs += 1
        here = self.folder / str(self.runs)
        here.mkdir()
        founded = [date(1999, 1, 1)] * len(self.firms)
        columns = {"customer_id": list(self.firms), "employees": list(self.firms.values()), "founded": founded}
        pq.write_table(pa.table(columns), here / "customers.parquet")
        loans = {"customer_id": pa.array(self.loans, pa.string()), "drawn": pa.array(self.loans.values(), pa.float64())}
        pq.write_table(pa.table(loans), here / "facilities.parquet")
        build_base(here, plan, as_of, here / "base.duckdb")
        return here / "out", run(here / "base.duckdb", plan, as_of, here / "out", previous=previous)


def changes(folder: Path) -> set[tuple[Any, ...]]:
    rows = pq.read_table(folder / "changes.parquet").to_pylist()
    return {(row["customer_id"], row["key"], row["old"], row["new"], row["cause"]) for row in rows}


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path)


def test_the_first_run_tells_what_stands(bank: Bank) -> None:
    out, manifest = bank.run(policy())
    assert ("长江重工", "size", None, "large", "first") in changes(out)
    assert ("黄河水务", "borrows", None, "false", "first") not in changes(out)
    assert manifest["customers"] == 3
    assert json.loads((out / "manifest.json").read_text("utf-8"))["policy"] == "p1"


def test_a_second_run_of_the_same_book_changes_nothing(bank: Bank) -> None:
    before, _ = bank.run(policy())
    after, manifest = bank.run(policy(), previous=before)
    assert changes(after) == set()
    assert manifest["changes"] == {}


def test_new_facts_are_the_cause_of_what_they_change(bank: Bank) -> None:
    before, _ = bank.run(policy())
    bank.firms["黄河水务"] = 400.0
    bank.loans["黄河水务"] = 5e6
    after, _ = bank.run(policy(), previous=before)
    assert changes(after) == {
        ("黄河水务", "size", "small", "large", "facts"),
        ("黄河水务", "borrows", "false", "true", "facts"),
    }


def test_new_policy_is_the_cause_where_facts_stayed(bank: Bank) -> None:
    before, _ = bank.run(policy())
    after, _ = bank.run(policy(SIZE.replace("300", "10"), "p2"), previous=before)
    assert changes(after) == {("黄河水务", "size", "small", "large", "policy")}


def test_time_is_the_cause_where_nothing_else_moved(bank: Bank) -> None:
    plan = policy()
    before, _ = bank.run(plan)
    grown = replace(plan, definitions=(replace(plan.definitions[0], expr=parse("'grown'", WORDS, "text")),))
    after, _ = bank.run(grown, as_of=AS_OF + timedelta(days=1), previous=before)
    assert {cause for *_, cause in changes(after)} == {"time"}


def test_a_customer_who_comes_and_one_who_goes_are_both_told(bank: Bank) -> None:
    before, _ = bank.run(policy())
    del bank.firms["长江重工"], bank.loans["长江重工"]
    bank.firms = {"松花江农机": 40.0, **bank.firms}
    after, _ = bank.run(policy(), previous=before)
    assert ("松花江农机", "size", None, "small", "first") in changes(after)
    assert ("长江重工", "size", "large", None, "facts") in changes(after)


def test_migration_reconciles_with_both_books(bank: Bank) -> None:
    before, _ = bank.run(policy())
    bank.firms |= {"黄河水务": 400.0, "松花江农机": 40.0}
    after, _ = bank.run(policy(), previous=before)
    moved = migration(before, after, "size")
    assert sum(count for old, _, count in moved if old != "absent") == 3
    assert sum(count for _, new, count in moved if new != "absent") == 4
    assert ("small", "large", 1) in moved
    assert ("unknown", "unknown", 1) in moved


def test_a_run_that_breaks_leaves_nothing_behind(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_words: Any, **_more: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(import_module("kequn.engine.run"), "write_changes", breaks)
    with pytest.raises(OSError, match="disk"):
        bank.run(policy())
    left = {path.name for path in (bank.folder / "1").iterdir()}
    assert left == {"customers.parquet", "facilities.parquet", "base.duckdb"}


def test_a_base_of_another_date_or_policy_is_refused(bank: Bank) -> None:
    bank.run(policy())
    base = bank.folder / "1" / "base.duckdb"
    with pytest.raises(Misuse, match="as of"):
        run(base, policy(), AS_OF + timedelta(days=1), bank.folder / "never")
    with pytest.raises(Misuse, match="rebuild"):
        run(base, policy("case when max(drawn) > 1 then 'x' end"), AS_OF, bank.folder / "never")


def test_an_empty_book_has_results_without_rows(bank: Bank) -> None:
    bank.firms, bank.loans = {}, {}
    out, manifest = bank.run(policy())
    assert manifest["customers"] == 0
    assert {"size", "old"} <= set(pq.read_schema(out / "findings.parquet").names)
