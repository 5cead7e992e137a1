"""One cell, one value, or the reason why not."""

from datetime import date
from decimal import Decimal

import pytest

from kequn.apps.ingest import cells
from kequn.apps.ingest.cells import Bad, Percent, Stated
from kequn.apps.ingest.units import amount_unit, split_header
from kequn.reports.sheets import harmless

YUAN = cells.money(Stated(Decimal(1), "CNY"))
OPEN = cells.money(Stated(None, "CNY", is_open=True))  # neither header nor title states a unit
RATE = cells.number(Stated(unit="ratio"))
RATE_IN_PERCENT = cells.number(Stated(Decimal("0.01"), unit="ratio"))


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("1 234 567.5", 123456750),
        ("１，２３４", 123400),
        ("（５００）", -50000),
        ("－３．５", -350),
        ("1,234.56", 123456),
        ("１２３．４５", 12345),
        ("(500)", -50000),
        ("¥1,000", 100000),
        (0.1, 10),
        ("99999999999999.99", 9999999999999999),
        ("-3", -300),
        ("", None),
        ("—", None),
        (float("nan"), None),
    ],
)
def test_amounts_become_whole_fen(written, fen):
    assert YUAN(written) == fen


@pytest.mark.parametrize(
    "written", ["1,23", "12..3", "约100", "1e999", True, "1 00", "#REF!", "九十", "(-5)", "5-", "35%", "$5", "1,234,56"]
)
def test_what_is_no_amount_is_refused(written):
    assert isinstance(YUAN(written), Bad)


@pytest.mark.parametrize("written", ["12345²", "①②", "1,234¹", "3½"])
def test_the_mark_of_a_footnote_is_no_digit_of_the_number(written):
    assert isinstance(YUAN(written), Bad)
    assert isinstance(RATE(written), Bad)


def test_the_mark_of_a_footnote_is_no_digit_of_the_day():
    assert isinstance(cells.date("2026-03-3¹"), Bad)
    assert isinstance(cells.period("2026-1²"), Bad)


def test_ten_thousand_yuan_are_a_million_fen():
    assert cells.money(Stated(Decimal(10_000), "CNY"))("1.5") == 1_500_000


@pytest.mark.parametrize(("written", "fen"), [("5万元", 5_000_000), ("1.2亿", 12_000_000_000), ("(3,000)元", -300_000)])
def test_an_amount_may_carry_its_own_unit(written, fen):
    assert OPEN(written) == fen


def test_a_unit_in_the_cell_must_not_contradict_the_header():
    assert YUAN("300元") == 30_000
    assert YUAN("300万元").code == "unit_conflict"
    assert OPEN("300").code == "unit_unstated"


def test_a_percentage_is_not_divided_twice():
    assert RATE("4.35%") == RATE_IN_PERCENT("4.35%") == RATE_IN_PERCENT("4.35") == 0.0435
    assert RATE_IN_PERCENT(Percent(Decimal("0.0435"))) == 0.0435
    assert isinstance(cells.number(Stated(unit="persons"))("35%"), Bad)


def test_a_percent_format_that_cannot_be_seen_is_refused():
    hidden = cells.number(Stated(Decimal("0.01"), unit="ratio", unclear=True))
    assert hidden(0.0435).code == "percent_unclear"
    assert hidden(4.35) == 0.0435


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("万元", (Decimal(10_000), "CNY")),
        ("million USD", (Decimal(1_000_000), "USD")),
        ("亿元", (Decimal(100_000_000), "CNY")),
        ("10k CNY", (Decimal(10_000), "CNY")),
        ("万吨", None),
    ],
)
def test_units_of_amounts(unit, expected):
    assert amount_unit(unit) == expected


def test_a_header_gives_label_and_unit():
    assert split_header("营业收入（万元）") == ("营业收入", "万元")
    assert split_header("Revenue [million USD] *") == ("Revenue", "million USD")
    assert split_header("股本") == ("股本", "")
    assert split_header("营业收入/万元") == split_header("营业收入（单位：万元）") == ("营业收入", "万元")
    assert split_header("年利率%") == ("年利率", "%")


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-05",
        "2026年3月5日",
        "2026/3/5",
        "20260305",
        date(2026, 3, 5),
        "二〇二六年三月五日",
        "2026.3.5",
        "５ Mar 2026",
        20260305,
    ],
)
def test_days_with_the_year_first(written):
    assert cells.date(written) == date(2026, 3, 5)


@pytest.mark.parametrize(
    "written", ["3/5/2026", "2026-02-30", "45000", "昨天", "26-3-5", "2026-03", "2026年", True, 2026.03]
)
def test_days_that_could_mean_something_else_are_refused(written):
    assert isinstance(cells.date(written), Bad)


@pytest.mark.parametrize(("epoch", "day"), [("1900", date(2023, 3, 15)), ("1904", date(2027, 3, 16))])
def test_a_serial_is_a_day_of_its_epoch(epoch, day):
    assert cells.day_of_serial(45000, epoch) == day
    assert cells.day_of_serial(45000, "") == 45000


def test_a_period_may_be_a_month_or_a_year_and_a_day_may_not():
    assert cells.period("2025年度") == cells.period("2025年12月") == cells.period("二〇二五年末") == date(2025, 12, 31)
    assert isinstance(cells.period("2025"), Bad)
    assert isinstance(cells.month(2025.1), Bad)
    assert isinstance(cells.month("2025.1"), Bad)


def test_a_month_is_its_last_day():
    assert cells.month("2024-02") == date(2024, 2, 29)


def test_a_wrong_check_digit_is_refused_and_the_right_one_named():
    found = cells.uscc("911100006000373410")
    assert isinstance(found, Bad)
    assert "L" in found.text.zh
    assert cells.uscc("91110000600037341l") == "91110000600037341L"


@pytest.mark.parametrize("payload", ["=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "  =1", "＝1+1", "\u3000=1", "\r=1"])
def test_formulas_are_neutralised_also_behind_blanks(payload):
    assert harmless(payload).startswith("'")


@pytest.mark.parametrize("plain", ["-12.5", "+3", "电力公司", "a=b"])
def test_what_is_no_formula_stays(plain):
    assert harmless(plain) == plain
