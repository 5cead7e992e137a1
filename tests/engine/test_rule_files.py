"""`kequn rules eval`: the door, with the files a bank would bring."""

import datetime as dt
import decimal
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from kequn.cli import build
from kequn.domain.errors import Refused
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.engine.rule_files import evaluate_rules

DICTIONARY = Vocabulary(
    [
        Fact("employees", Grain.CUSTOMER, FactType.NUMBER, "从业人员", "Employees"),
        Fact("revenue", Grain.STATEMENT, FactType.NUMBER, "营业收入", "Revenue", flow=True),
        Fact("assets", Grain.STATEMENT, FactType.NUMBER, "资产总计", "Total assets"),
    ]
)
FIRMS = {
    "id": pa.array([11, 12, 13, 14], pa.uint16()),
    "revenue": pa.array([1.0, None, float("nan"), -0.0]),
    "employees": pa.array([300, 299, None, 0], pa.int32()),
    "amount": pa.array([decimal.Decimal("0.10"), decimal.Decimal("0.20"), None, decimal.Decimal("-1.00")]),
    "行业 代码": pa.array(["C39", "D", "贵", None]),
    "as_at": pa.array([dt.datetime(2024, 1, 1), None, dt.datetime(2025, 1, 1), None], pa.timestamp("us")),
    "flag": pa.array([True, False, None, True]),
    "nothing": pa.nulls(4),
    "class": pa.array(["x", "y", None, "x"]).dictionary_encode(),
    "many": pa.array([[1], [2], None, [3]]),
    "A": pa.array([1, 2, 3, 4]),
    "a": pa.array([9, 9, 9, 9]),
    "Revenue": pa.array([5.0, 5.0, 5.0, 5.0]),
}
MEANT = {
    "R 1": ("revenue / employees > 0", [True, None, None, None]),
    "revenue": ("revenue is null", [False, True, True, False]),
    "listed": ("\"行业 代码\" in ('C39', null)", [True, None, None, None]),
    "decimal": ("amount = 0.1", [True, False, None, False]),
    "label": ("从业人员 >= 300 or flag", [True, False, None, True]),
    "own name first": ("Revenue = 5", [True, True, True, True]),
    "date": ("as_at >= date '2024-06-30'", [False, None, True, None]),
    "empty": ("nothing = 'x' or nothing is null", [True, True, True, True]),
    "class": ("class = 'x'", [True, False, None, True]),
    "case of letters": ("A < a", [True, True, True, True]),
    "history": ("lag(营业收入, 4) is null and ttm(营业收入) = revenue", [True, None, None, True]),
    "unknown": ("null", [None, None, None, None]),
}


def files(folder: Path, rules: Any, columns: dict[str, Any] | None = None) -> tuple[Path, Path]:
    (folder / "rules.json").write_text(
        rules if isinstance(rules, str) else json.dumps(rules, ensure_ascii=False), "utf-8"
    )
    pq.write_table(pa.table(columns or FIRMS), folder / "facts.parquet")
    return folder / "rules.json", folder / "facts.parquet"


@pytest.mark.parametrize("reader", ["plain", "duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def test_verdicts_of_every_kind_of_column(reader: Any, tmp_path: Path) -> None:
    if reader == "spark":
        pytest.importorskip("pyspark")
    rules, facts = files(tmp_path, {name: text for name, (text, _) in MEANT.items()})
    table = evaluate_rules(rules, facts, DICTIONARY, reader)
    assert table.column_names == ["id", *MEANT]
    assert table.schema.field("id").type == pa.uint16()
    assert {name: table.column(name).to_pylist() for name in MEANT} == {
        name: meant for name, (_, meant) in MEANT.items()
    }
    assert all(field.type == pa.bool_() for field in list(table.schema)[1:])


def test_rows_keep_their_order_through_long_lists(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 1000, 400_000)
    wanted = list(range(0, 1000, 7))
    text = f"x in ({', '.join(map(str, wanted))}) or word in ({', '.join(repr(str(one)) for one in wanted)})"
    columns = {"id": np.arange(400_000), "x": values, "word": pa.array(map(str, values))}
    table = evaluate_rules(*files(tmp_path, {"r": text}, columns), DICTIONARY, "duckdb")
    assert (table.column("r").to_numpy() == np.isin(values, wanted)).all()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"good": "employees > 1", "bad one": "employees > ", "worse": "nobody = 1"}, ("bad one", "worse")),
        ({"r": "employees"}, ("boolean",)),
        ({"r": "many = 1"}, ("list",)),
        ({"id": "flag"}, ("rule id",)),
        ({"r": 3}, ("text",)),
        ('{"r": "flag", "r": "flag"}', ("rule id",)),
        ("[1, 2]", ("object",)),
        ("{", ("JSON",)),
        ("[" * 100_000, ("JSON",)),
    ],
)
def test_one_bad_rule_refuses_all_and_each_is_named(rules: Any, said: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        evaluate_rules(*files(tmp_path, rules), DICTIONARY, "duckdb")
    told = refusal.value.text.en + " ".join(one.text.en for one in refusal.value.findings)
    assert all(word in told for word in said)
    assert "good" not in told


@pytest.mark.parametrize("ids", [[1, 1, 2, 3], [1, None, 2, 3]])
def test_repeated_or_missing_ids_are_refused(ids: list[int | None], tmp_path: Path) -> None:
    with pytest.raises(Refused, match="id"):
        evaluate_rules(*files(tmp_path, {"r": "flag"}, {**FIRMS, "id": pa.array(ids)}), DICTIONARY, "duckdb")


def test_the_command_writes_verdicts_or_nothing(tmp_path: Path) -> None:
    rules, facts = files(tmp_path, {"r": "employees > 1", "s": "营业收入 > 0"})
    words = ["rules", "eval", "--rules", str(rules), "--facts", str(facts), "-o", str(tmp_path / "out.parquet")]
    assert CliRunner().invoke(build(), words).exit_code == 0
    assert pq.read_table(tmp_path / "out.parquet").column("r").to_pylist() == [True, True, None, False]
    (tmp_path / "out.parquet").unlink()
    rules.write_text('{"r": "employees >"}', "utf-8")
    assert CliRunner().invoke(build(), words).exit_code != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts.parquet", "rules.json"]
