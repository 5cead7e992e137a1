"""Books and policies made once for all parity tests."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from kequn.domain.definitions import Plan
from kequn.domain.rules.plain import Answers, evaluate
from kequn.domain.rules.record import Record
from kequn.engine import build_base, record_from_rows, run

from .random_book import AS_OF, SCHEMAS, Book
from .random_policy import random_plan

TABLES = tuple(SCHEMAS)[1:]


@dataclass
class World:
    """One plan over one book: as rows, as a snapshot, as a base."""

    plan: Plan
    book: Book
    folder: Path

    @cached_property
    def snapshot(self) -> Path:
        return self.book.write(self.folder / "snapshot")

    @cached_property
    def base(self) -> Path:
        build_base(self.snapshot, self.plan, AS_OF, self.folder / "base.duckdb")
        return self.folder / "base.duckdb"

    @cached_property
    def plain(self) -> dict[str, Answers]:
        """The plain reader's answers by customer."""
        return {key: evaluate(self.plan, record, AS_OF) for key, record in self.records().items()}

    def records(self) -> dict[str, Record]:
        rows: dict[str, dict[str, list[dict[str, Any]]]] = {name: {} for name in SCHEMAS}
        for name, found in self.book.tables.items():
            for row in found:
                rows[name].setdefault(row["customer_id"], []).append(row)
        return {
            key: record_from_rows(
                self.plan, customer, **{name: rows[name].get(key, []) for name in TABLES}, events=None, as_of=AS_OF
            )
            for key, (customer,) in rows["customers"].items()
        }

    def findings(self, out: str, **options: Any) -> dict[str, list[Any]]:
        run(self.base, self.plan, AS_OF, self.folder / out, **options)
        return read_findings(self.folder / out)


def read_findings(folder: Path) -> dict[str, list[Any]]:
    table = pq.read_table(folder / "findings.parquet")
    return {name: table.column(name).to_pylist() for name in table.column_names}


def differences(plain: dict[str, Answers], found: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    """Every answer on which two readers differ: (customer, finding, plain, engine)."""
    keys = found["customer_id"]
    assert sorted(keys) == sorted(plain)
    names = [name for name in next(iter(plain.values())) if name in found]
    assert len(names) > 50
    return [
        (key, name, plain[key][name], found[name][at])
        for at, key in enumerate(keys)
        for name in names
        if not same(plain[key][name], found[name][at])
    ]


def same(one: Any, other: Any) -> bool:
    return (one is None) == (other is None) and one == other


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """At least 500 definitions on 5,000 customers."""
    return World(random_plan(20260930, 500), Book(7, 5_000), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(random_plan(3, 120), Book(11, 400), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def spark() -> None:
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
