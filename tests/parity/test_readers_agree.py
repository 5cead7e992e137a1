"""One rule, every reader: the plain reader, the generated one, DuckDB and Spark give the same answers."""

import math
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kequn.domain.facts import Grain
from kequn.domain.rules.plain import evaluate, reader_of
from kequn.domain.rules.reader import HERE
from kequn.engine import build_base, evaluate_frame, refresh_base, run
from kequn.engine.backends import connect

from .conftest import World, differences, read_findings, same
from .random_book import AS_OF, SCHEMAS, Book
from .random_policy import random_plan

SOURCES = str(Path(__file__).resolve().parents[2] / "src")


def test_five_hundred_definitions_are_equal_on_duckdb(world: World) -> None:
    assert len([one for one in world.plan.definitions if one.grain == Grain.CUSTOMER]) >= 500
    assert differences(world.plain, world.findings("out")) == []


def test_a_sixth_or_more_of_the_answers_are_unknown_but_not_all(world: World) -> None:
    answers = [value for found in world.plain.values() for value in found.values()]
    assert 0.15 < sum(value is None for value in answers) / len(answers) < 0.7


@pytest.mark.spark
def test_five_hundred_definitions_are_equal_on_spark(world: World, spark: None) -> None:
    assert differences(world.plain, world.findings("spark", engine="spark")) == []


@pytest.mark.spark
def test_a_few_customers_alone_are_equal_on_spark(small_world: World, spark: None) -> None:
    few = ["C000003", "C000150", "C000399"]
    found = small_world.findings("few", engine="spark", only=few)
    assert found["customer_id"] == few
    assert differences({key: small_world.plain[key] for key in few}, found) == []


def test_the_order_of_rows_never_matters(small_world: World, tmp_path: Path) -> None:
    build_base(
        small_world.book.write(tmp_path / "mixed", shuffled=True), small_world.plan, AS_OF, tmp_path / "b.duckdb"
    )
    run(tmp_path / "b.duckdb", small_world.plan, AS_OF, tmp_path / "out")
    assert differences(small_world.plain, read_findings(tmp_path / "out")) == []


def test_generated_source_reads_as_the_tree_is_defined(small_world: World) -> None:
    ready = reader_of(small_world.plan, AS_OF)
    for key, record in list(small_world.records().items())[:150]:
        reader = ready.reader(record)
        for one in small_world.plan.definitions:
            if one.grain == Grain.CUSTOMER:
                meant = reader.fact(one.name, Grain.CUSTOMER, HERE)
                assert same(small_world.plain[key][one.name], meant), (key, one.name)


def test_logarithms_and_exponentials_agree_to_twelve_places(tmp_path: Path) -> None:
    world = World(random_plan(41, 150, smooth=False), Book(5, 300), tmp_path)
    for key, name, plain, found in differences(world.plain, world.findings("out")):
        assert isinstance(plain, float), (key, name, plain, found)
        assert math.isclose(plain, found, rel_tol=1e-12), (key, name, plain, found)


def test_changed_customers_alone_give_what_a_new_base_gives(tmp_path: Path) -> None:
    world = World(random_plan(9, 80), Book(21, 300), tmp_path)
    run(world.base, world.plan, AS_OF, tmp_path / "before")
    moved = {"C000003", "C000150", "C000299"}
    later = Book(22, 300)
    for name in SCHEMAS:
        kept = [row for row in world.book.tables[name] if row["customer_id"] not in moved]
        world.book.tables[name] = kept + [row for row in later.tables[name] if row["customer_id"] in moved]
    delta = world.book.write(tmp_path / "delta", only=moved)
    build_base(delta, world.plan, AS_OF, world.base, changed=moved)
    partial = run(world.base, world.plan, AS_OF, tmp_path / "partial", previous=tmp_path / "before", only=moved)
    whole = run(world.base, world.plan, AS_OF, tmp_path / "whole", previous=tmp_path / "before")
    assert differences(world.plain, read_findings(tmp_path / "whole")) == []
    assert sorted(read_findings(tmp_path / "partial")["customer_id"]) == sorted(moved)
    assert partial["changes"] == whole["changes"]
    assert set(whole["changes"]) == {"facts"}


def test_changed_rows_find_their_columns_in_whatever_order_a_base_has_them(tmp_path: Path) -> None:
    world = World(random_plan(9, 80), Book(21, 300), tmp_path)
    with connect(world.base) as connection:
        columns = [row[0] for row in connection.execute("DESCRIBE base").fetchall()]
        connection.execute(f"CREATE TABLE turned AS SELECT {', '.join(reversed(columns))} FROM base ORDER BY rowid")
        connection.execute("DROP TABLE base")
        connection.execute("ALTER TABLE turned RENAME TO base")
    moved = {"C000003", "C000150", "C000299"}
    build_base(world.book.write(tmp_path / "delta", only=moved), world.plan, AS_OF, world.base, changed=moved)
    run(world.base, world.plan, AS_OF, tmp_path / "out")
    assert differences(world.plain, read_findings(tmp_path / "out")) == []


def test_a_policy_says_its_definitions_in_one_order_in_every_process() -> None:
    asked = (
        "from datetime import date; from kequn.policy import build_plan, load_pack;"
        "print(*(one.name for one in build_plan(load_pack('cn'), date(2026, 9, 30)).definitions))"
    )
    said = set()
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONPATH": SOURCES, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", asked], env=env, capture_output=True, text=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1


@pytest.mark.parametrize("seed", range(6))
def test_a_base_made_from_the_one_before_gives_what_a_new_base_gives(seed: int, tmp_path: Path) -> None:
    world, draw, later = World(random_plan(60 + seed, 60), Book(31, 200), tmp_path), random.Random(seed), Book(32, 220)
    run(world.base, world.plan, AS_OF, tmp_path / "before")
    keys = sorted({row["customer_id"] for row in world.book.tables["customers"]})
    moved, gone = set(draw.sample(keys, draw.choice((0, 1, 25)))), set(draw.sample(keys, draw.choice((0, 2))))
    new = {row["customer_id"] for row in later.tables["customers"]} - set(keys)
    for name in SCHEMAS:
        kept = [row for row in world.book.tables[name] if row["customer_id"] not in moved | gone]
        come = [row for row in later.tables[name] if row["customer_id"] in (moved - gone) | new]
        world.book.tables[name] = kept + come
    again = world.book.write(tmp_path / "again")
    laid_out = refresh_base(again, world.plan, AS_OF, tmp_path / "refreshed.duckdb", earlier=world.base)
    run(tmp_path / "refreshed.duckdb", world.plan, AS_OF, tmp_path / "out", previous=tmp_path / "before")
    build_base(again, world.plan, AS_OF, tmp_path / "anew.duckdb")
    run(tmp_path / "anew.duckdb", world.plan, AS_OF, tmp_path / "whole", previous=tmp_path / "before")
    assert laid_out is not None
    assert len(new | gone) <= laid_out <= len(moved | gone | new)
    found, whole = (read_findings(tmp_path / one) for one in ("out", "whole"))
    rows, wanted = ({row[0]: row for row in zip(*one.values(), strict=True)} for one in (found, whole))
    assert rows == wanted
    assert changes_of(tmp_path / "out") == changes_of(tmp_path / "whole")


def test_a_base_of_another_day_is_built_anew(small_world: World, tmp_path: Path) -> None:
    next_day = AS_OF + timedelta(days=1)
    made = refresh_base(
        small_world.snapshot, small_world.plan, next_day, tmp_path / "next.duckdb", earlier=small_world.base
    )
    assert made is None
    run(tmp_path / "next.duckdb", small_world.plan, next_day, tmp_path / "out")


def changes_of(folder: Path) -> list[dict[str, str | None]]:
    return sorted(pq.read_table(folder / "changes.parquet").to_pylist(), key=repr)


@pytest.mark.parametrize("reader", ["plain", "duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_a_bare_table_reads_alike_by_every_reader(reader: str, request: pytest.FixtureRequest) -> None:
    if reader == "spark":
        request.getfixturevalue("spark")
    plan, draw = random_plan(15, 60), random.Random(4)
    book = Book(8, 200)
    rows = [{**row, "revenue": draw.choice((None, 0.0, 5e6)), "assets": draw.choice((None, 1.0, -0.0)),
             "opinion": draw.choice((None, "A", "贵州"))} for row in book.tables["customers"]]  # fmt: skip
    table = pa.Table.from_pylist(rows).drop_columns(["customer_id"])
    plain = evaluate_frame(table, plan, AS_OF, "plain")
    found = evaluate_frame(table, plan, AS_OF, reader)  # type: ignore[arg-type]
    assert found.column_names == plain.column_names
    for name in plain.column_names:
        assert plain.column(name).to_pylist() == found.column(name).to_pylist(), name


def test_the_live_path_and_the_run_cannot_disagree(small_world: World) -> None:
    key, record = next(iter(small_world.records().items()))
    assert evaluate(small_world.plan, record, AS_OF) == small_world.plain[key]
