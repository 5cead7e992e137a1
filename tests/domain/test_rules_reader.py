"""What rules mean for one customer: three values, the calendar, child rows. Figures worked by hand."""

from datetime import date
from typing import Any

import pytest

from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.periods import cumulated_quarters, last_full_month
from kequn.domain.rules import tree
from kequn.domain.rules.generated import compiled
from kequn.domain.rules.program import Program, program_of
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.policy.rule_text import parse

NUMBER = FactType.NUMBER
WORDS = Vocabulary(
    [
        Fact("employees", Grain.CUSTOMER, NUMBER, "从业人员", "Employees"),
        Fact("debt", Grain.CUSTOMER, NUMBER, "有息负债", "Debt"),
        Fact("industry", Grain.CUSTOMER, FactType.TEXT, "行业", "Industry"),
        Fact("is_listed", Grain.CUSTOMER, FactType.BOOLEAN, "上市", "Listed"),
        Fact("revenue", Grain.STATEMENT, NUMBER, "营业收入", "Revenue", flow=True),
        Fact("equity", Grain.STATEMENT, NUMBER, "净资产", "Equity"),
        Fact("inflow", Grain.ACCOUNT_MONTH, NUMBER, "流入", "Inflow"),
        Fact("drawn", Grain.FACILITY, NUMBER, "已提款", "Drawn"),
        Fact("past_due_days", Grain.FACILITY, NUMBER, "逾期天数", "Days past due"),
    ]
)


def read(text: str, record: Record) -> Any:
    """The answer of the plain reader, which the generated source must share."""
    expr = parse(text, WORDS, "any")
    meant = Reader(record).read(expr)
    kind = tree.type_of(expr) or FactType.BOOLEAN
    from kequn.domain.definitions import Definition

    program = program_of([Definition("it", Grain.CUSTOMER, kind, expr, "flag")])
    assert compiled(program)(record, {})["it"] == meant
    return meant


def firm(**facts: Any) -> Record:
    return Record(facts)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("null and false", False),
        ("null or true", True),
        ("null and true", None),
        ("not null", None),
        ("debt / 0 > 1", None),
        ("debt / 0 is null", True),
        ("1e308 * 10 > 1", None),
        ("exp(1000) is null", True),
        ("ln(0) is null", True),
        ("ln(1) = 0", True),
        ("least(1, employees) is null", True),
        ("coalesce(employees, 7) = 7", True),
        ("employees in (1, 2)", None),
        ("debt in (5, null)", True),
        ("debt in (6, null)", None),
        ("debt not in (6, null)", None),
        ("debt not in (6, 7)", True),
        ("debt between 6 and null", False),
        ("debt between 5 and null", None),
        ("debt not between 6 and null", True),
        ("case when employees > 1 then 1 else 2 end = 2", True),
        ("-0.0 = 0 and debt / -0.0 is null", True),
        ("industry < 'Ａ' and industry > 'Z'", True),
        ("'' = '' and '' is not null", True),
        ("is_listed = true", None),
        ("0.1 + 0.2 = 0.3", False),
    ],
)
def test_three_values_and_the_guards_of_arithmetic(text: str, meant: bool | None) -> None:
    assert read(text, firm(debt=5.0, industry="电")) is meant


def statements(quarters: int | None, **series: list[float | None]) -> Record:
    return Record({}, {Grain.STATEMENT: series}, quarters)


def test_twelve_months_of_a_half_year_report() -> None:
    half_year = statements(2, revenue=[60.0, 25.0, 100.0, 70.0, 45.0])
    assert read("ttm(revenue)", half_year) == 60 + 100 - 45


def test_twelve_months_of_an_annual_report_is_the_year() -> None:
    assert read("ttm(revenue)", statements(4, revenue=[100.0])) == 100.0


def test_twelve_months_of_single_quarters_add_up() -> None:
    assert read("ttm(revenue)", statements(0, revenue=[1.0, 2.0, 3.0, 4.0, 50.0])) == 10.0


def test_the_same_twelve_months_a_year_earlier() -> None:
    first_quarter = statements(1, revenue=[30.0, 100.0, 70.0, 45.0, 20.0, 80.0, 55.0, 35.0, 15.0])
    assert read("ttm(revenue)", first_quarter) == 30 + 100 - 20
    assert read("lag(ttm(revenue), 4)", first_quarter) == 20 + 80 - 15
    assert read("lag(ttm(revenue), 1)", first_quarter) == 100.0


def test_a_missing_quarter_makes_the_twelve_months_unknown() -> None:
    assert read("ttm(revenue)", statements(2, revenue=[60.0, 25.0, None, 70.0, 45.0])) is None
    assert read("ttm(revenue)", statements(None, revenue=[60.0] * 5)) is None


def test_history_follows_the_calendar_and_not_the_rows() -> None:
    gap = statements(4, equity=[5.0, None, 3.0])
    assert read("lag(equity, 1)", gap) is None
    assert read("lag(equity, 2)", gap) == 3.0
    assert read("mean(equity, 3)", gap) is None
    assert read("mean(equity, 1)", gap) == 5.0


def test_a_trend_is_the_slope_of_least_squares() -> None:
    assert read("trend(equity, 4)", statements(4, equity=[10.0, 8.0, 6.0, 4.0])) == pytest.approx(2.0, abs=1e-12)


def test_a_streak_counts_from_the_newest_period() -> None:
    losses = statements(4, equity=[-1.0, -2.0, 3.0, -4.0])
    assert read("streak(equity < 0, 4)", losses) == 2.0
    assert read("streak(equity < 0, 2)", losses) == 2.0
    assert read("streak(equity > 0, 4)", losses) == 0.0
    assert read("streak(equity < 0, 3)", statements(4, equity=[-1.0, None, 1.0])) is None


def test_twelve_months_of_account_flows_are_twelve_months() -> None:
    record = Record({}, {Grain.ACCOUNT_MONTH: {"inflow": [float(month) for month in range(12)]}})
    assert read("ttm(inflow)", record) == 66.0


def loans(*rows: dict[str, Any]) -> Record:
    return Record({}, children={Grain.FACILITY: rows})


def test_sums_of_child_rows_are_exact_in_any_order() -> None:
    amounts = [0.1, 0.2, 0.3, 1e12]
    forward = read("sum(drawn)", loans(*({"drawn": one} for one in amounts)))
    backward = read("sum(drawn)", loans(*({"drawn": one} for one in reversed(amounts))))
    assert forward == backward == 1000000000000.6


def test_a_customer_without_facilities_owes_nothing_and_is_never_late() -> None:
    none = loans()
    assert read("sum(drawn)", none) == 0.0
    assert read("count(past_due_days > 0)", none) == 0.0
    assert read("any(past_due_days > 0)", none) is False
    assert read("max(past_due_days)", none) is None


def test_a_book_without_facilities_says_nothing_of_them() -> None:
    assert read("sum(drawn) > 0", firm()) is None
    assert read("any(past_due_days > 0)", firm()) is None


def test_one_unknown_row_makes_a_sum_unknown_but_not_a_certain_any() -> None:
    rows = loans({"drawn": None, "past_due_days": None}, {"drawn": 1.0, "past_due_days": 90.0})
    assert read("sum(drawn)", rows) is None
    assert read("count(drawn)", rows) == 1.0
    assert read("any(past_due_days > 30)", rows) is True
    assert read("any(past_due_days > 100)", rows) is None
    assert read("count(past_due_days > 30)", rows) is None


def test_a_decision_table_stops_at_an_unknown_condition() -> None:
    big = tree.Comparison(">", tree.FactRef("employees", Grain.CUSTOMER, NUMBER), tree.number(300))
    table = tree.FirstHit(((big, tree.text("large")), (tree.TRUE, tree.text("other"))), tree.NULL)
    assert Reader(firm(employees=5.0)).read(table) == "other"
    assert Reader(firm()).read(table) is None


def test_a_long_sum_needs_no_deep_stack() -> None:
    assert read("+".join(["debt"] * 2_000) + " = 4000", firm(debt=2.0)) is True


def test_what_two_definitions_share_is_computed_once() -> None:
    from kequn.domain.definitions import Definition

    texts = ("debt / employees > 2", "debt / employees > 3")
    rules = [Definition(text, Grain.CUSTOMER, FactType.BOOLEAN, parse(text, WORDS), "flag") for text in texts]
    program: Program = program_of(rules)
    assert sum(isinstance(step, tree.Arithmetic) for step in program.steps) == 1


def test_the_last_full_month_ends_by_the_day() -> None:
    assert last_full_month(date(2026, 2, 28)) == 2026 * 12 + 2
    assert last_full_month(date(2026, 3, 30)) == 2026 * 12 + 2


def test_flows_of_odd_lengths_have_no_place_in_twelve_months() -> None:
    assert cumulated_quarters(9, "cumulative") == 3
    assert cumulated_quarters(12, "discrete") == 4
    assert cumulated_quarters(6, "discrete") is None
    assert cumulated_quarters(5, "cumulative") is None
