"""The invented book is consistent: it balances, its cash is explained, its defaults follow from its facts."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from stdnum.cn import uscc

from kequn.samples import book
from kequn.samples.statements import ASSETS, LIABILITIES, quarter_ends


@pytest.fixture(scope="module")
def block() -> dict[str, pa.Table]:
    return next(book.make_book(1500))


def column(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table.column(name).to_pylist(), dtype=float)


def test_the_same_seed_gives_the_same_book(block):
    again = next(book.make_book(1500))
    assert all(again[name].equals(block[name]) for name in block)


def test_another_seed_gives_another_book(block):
    assert not next(book.make_book(1500, seed=1))["statements"].equals(block["statements"])


def test_assets_equal_liabilities_and_equity_to_the_cent(block):
    made = block["statements"]
    assert (column(made, "total_assets") == column(made, "total_liabilities") + column(made, "equity")).all()


@pytest.mark.parametrize(("total", "items"), [("total_assets", ASSETS), ("total_liabilities", LIABILITIES)])
def test_totals_are_the_sum_of_their_items(block, total, items):
    made = block["statements"]
    parts = np.array([column(made, name) for name in items])
    whole = ~np.isnan(parts).any(axis=0)
    assert whole.sum() > 1000
    assert (parts[:, whole].sum(axis=0) == column(made, total)[whole]).all()


def test_cash_flows_explain_the_change_in_cash_within_the_year(block):
    made = block["statements"]
    rows = {(r["customer_id"], r["scope"], r["period_end"]): r for r in made.to_pylist() if r["flows"] == "cumulative"}
    checked = 0
    for (customer, scope, end), row in rows.items():
        before = rows.get((customer, scope, date(end.year - 1, 12, 31)))
        if before is None or row["operating_cash_flow"] is None:
            continue
        moved = row["operating_cash_flow"] + row["investing_cash_flow"] + row["financing_cash_flow"]
        assert moved == row["cash"] - before["cash"]
        checked += 1
    assert checked > 1000


def test_interim_flows_are_cumulative_from_january(block):
    rows = {}
    for row in block["statements"].to_pylist():
        if row["flows"] == "cumulative" and row["scope"] == "parent":
            rows[row["customer_id"], row["period_end"]] = row["revenue"]
    pairs = [(rows[c, date(2025, 6, 30)], rows[c, date(2025, 3, 31)]) for c, d in rows
             if d == date(2025, 6, 30) and (c, date(2025, 3, 31)) in rows]  # fmt: skip
    assert len(pairs) > 300
    assert all(half > quarter for half, quarter in pairs)


def test_default_is_likelier_where_debts_are_higher(block):
    customers = dict(
        zip(block["customers"]["customer_id"].to_pylist(), block["customers"]["defaulted"].to_pylist(), strict=True)
    )
    last = {
        r["customer_id"]: r["total_liabilities"] / max(r["total_assets"], 1) for r in block["statements"].to_pylist()
    }
    bad = [ratio for customer, ratio in last.items() if customers[customer]]
    good = [ratio for customer, ratio in last.items() if not customers[customer]]
    assert np.mean(bad) > np.mean(good) + 0.1


def test_every_credit_code_has_its_check_digit_and_every_name_says_it_is_invented(block):
    codes = [code for code in block["customers"]["uscc"].to_pylist() if code]
    assert len(set(codes)) == len(codes) > 1300
    assert all(uscc.is_valid(code) for code in codes)
    assert all("示例" in name for name in block["customers"]["name"].to_pylist())


def test_a_margin_never_exceeds_what_it_backs(block):
    made = block["facilities"]
    assert pc.all(pc.less_equal(made["margin_deposit"], made["off_balance"])).as_py()


def test_the_last_quarters_end_at_the_date_or_before():
    ends = quarter_ends(date(2026, 2, 27))
    assert ends[-1] == date(2025, 12, 31)
    assert ends[-2] == date(2025, 9, 30)
    assert len(set(ends)) == len(ends)


def test_sheets_and_snapshot_hold_the_same_rows(tmp_path):
    sheets = book.write_sheets(tmp_path / "sheets", 300)
    snapshot = book.write_snapshot(tmp_path / "snapshot", 300)
    assert {name: sheets[name] for name in snapshot} == snapshot
    assert "defaulted" not in pa.parquet.read_schema(tmp_path / "snapshot" / "customers.parquet").names
