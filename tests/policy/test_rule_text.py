"""What rule text means, and what is refused at which place."""

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kequn.domain.errors import Refused
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.policy.rule_text import parse, render_sentence, render_text

WORDS = Vocabulary(
    [
        Fact("employees", Grain.CUSTOMER, FactType.NUMBER, "从业人员", "Employees"),
        Fact("province", Grain.CUSTOMER, FactType.TEXT, "省份", "Province"),
        Fact("is_listed", Grain.CUSTOMER, FactType.BOOLEAN, "是否上市", "Listed"),
        Fact("founded", Grain.CUSTOMER, FactType.DATE, "成立日期", "Founded"),
        Fact("charged_off", Grain.CUSTOMER, FactType.BOOLEAN, "已核销", "Charged off", outcome=True),
        Fact("revenue", Grain.STATEMENT, FactType.NUMBER, "营业收入", "Revenue", flow=True),
        Fact("total_assets", Grain.STATEMENT, FactType.NUMBER, "资产总计", "Total assets"),
        Fact("drawn", Grain.FACILITY, FactType.NUMBER, "已提款", "Drawn"),
        Fact("past due days", Grain.FACILITY, FactType.NUMBER, "逾期天数", "Days past due"),
        Fact("inflow", Grain.ACCOUNT_MONTH, FactType.NUMBER, "流入", "Inflow"),
    ]
)

PIECES = (
    "employees", "is_listed", "and", "or", "not", "(", ")", "=", "<", "3", "'a'", "in", "between", "null", "case",
    "when", "then", "end", "+", "-", ",", "sum", "lag",
)  # fmt: skip

ACCEPTED = (
    "employees >= 300",
    "从业人员 >= 300 and not is_listed",
    "province in ('11', '12', null) or province is null",
    "employees not between 10 and 20",
    "lag(ttm(revenue), 4) > 0 and ttm(revenue) / lag(ttm(revenue), 4) - 1 < -0.3",
    "case when is_listed then 1 when employees > 3 then 2 else 3 end = 2",
    'sum(drawn) > 1e6 and any("past due days" > 90) and count("past due days" > 0) >= 2',
    "streak(revenue < 0, 3) >= 2 or trend(inflow, 6) < 0 or min(inflow, 3) < least(1, 2)",
    "founded >= date '2024-02-29'",
    "-(employees) < -.5e-3",
    "is_listed = (employees > 3)",
    "null",
    "coalesce(employees, 0) = 0 and abs(employees) = ln(exp(employees))",
    "province = 'it''s -- not; a comment'",
)

REFUSED = {
    "": "empty",
    "employees": "boolean",
    "employees > ": "ends",
    "employees > 3 -- and more": "comment",
    "employees > 3 /* and more */": "comment",
    "employees > 3 # more": "comment",
    "employees > 3; drop table customers": "';'",
    "(select 1) = 1": "select",
    "exists (select 1)": "exists",
    "employees in (select 1)": "select",
    "read_csv('/etc/passwd') = 1": "read_csv",
    "pg_sleep(10) = 1": "pg_sleep",
    "cast(employees as text) = '3'": "cast",
    "employees::text = '3'": "':'",
    "employees % 2 = 0": "'%'",
    "employees ^ 2 > 0": "'^'",
    "province || 'x' = 'x'": "'|'",
    "province like '1%'": "like",
    "province ilike '1%'": "ilike",
    "10 < employees < 300": "chained",
    "is_listed = true = true": "chained",
    "employees != 3": "'!'",
    "employees == 3": "found =",
    "employees = '3'": "fit",
    "province = 3": "fit",
    "province > 3": "fit",
    "founded > '2024-01-01'": "date '",
    "founded > date '2024-02-30'": "not a date",
    "founded + 1 > founded": "number",
    "is_listed > false": "order",
    "not employees": "boolean",
    "employees and is_listed": "boolean",
    "employees is true": "null",
    "employees in ()": "expected",
    "employees in 3": "expected",
    "unheard_of > 3": "unknown fact",
    "employes > 3": "did you mean `employees`",
    "charged_off": "outcome",
    "drawn > 3": "sum, max",
    "lag(employees, 1) > 3": "period",
    "lag(revenue, -1) > 3": "whole number",
    "lag(revenue, 1.5) > 3": "whole number",
    "lag(revenue, employees) > 3": "whole number",
    "lag(revenue + inflow, 1) > 3": "exactly one",
    "mean(mean(mean(revenue, 40), 40), 40) > 1": "back at most",
    "ttm(total_assets) > 1": "balance",
    "sum(sum(drawn)) > 1": "cannot",
    "employees > 1_000": "missing",
    "employees > 0x1F": "missing",
    "employees > 1e999": "too large",
    "province = 'open": "closing",
    'province = "open': "closing",
    "province = 'a' 'b'": "expected",
    "employees ＞ 3": "full-width",
    "employees > 3\x00": "control",
    "province = '\ud800'": "control",
    "+employees > 3": "expected",
    "employees > 3 is_listed": "end of the rule",
    "case when is_listed then 1 else 'a' end = 1": "fit",
    "case end = 1": "expected",
    "coalesce() = 1": "expected",
    "abs(employees, 2) = 1": "argument",
    "@@version = 1": "'@'",
    "$1 = 1": "'$'",
    "employees[1] = 1": "'['",
    "{'a': 1} = 1": "'{'",
    "employees -> 1": "expected",
    "* = 1": "expected",
    "employees between 1": "expected",
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_rule_reads_back_as_the_same_rule(text: str) -> None:
    expr = parse(text, WORDS)
    assert parse(render_text(expr), WORDS) == expr


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_rule_can_be_said_in_both_languages(text: str) -> None:
    expr = parse(text, WORDS)
    assert render_sentence(expr, WORDS, "zh")
    assert render_sentence(expr, WORDS, "en")


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_is_outside_the_grammar_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(text, WORDS)
    assert said in refusal.value.text.en
    assert refusal.value.text.en.startswith("line ")
    assert refusal.value.text.zh.startswith("第 ")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000 + "is_listed" + ")" * 50_000,
        "not " * 25_000 + "is_listed",
        "employees > 3 and " * 6_000 + "is_listed",
        "- " * 9_000 + "employees > 1",
        "'" * 100_000,
        '"' * 99_999,
        "a" * 100_000,
        "1" * 100_000,
        "/" * 100_000,
        "case when " * 2_000,
        "abs(" * 4_000,
        "employees in (" + "1, " * 6_000 + "1)",
    ],
)
def test_a_monstrous_text_is_refused_in_bounded_time(text: str) -> None:
    started = time.process_time()
    with pytest.raises(Refused):
        parse(text, WORDS)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("opening", "closing"), [("(", ")"), ("not ", ""), ("- ", " < 1"), ("case when is_listed then ", " end")]
)
def test_thirty_two_levels_are_the_most(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        if opening == "- ":
            return opening * depth + "employees" + closing
        return opening * depth + "is_listed" + closing * depth

    parse(nested(32), WORDS)
    with pytest.raises(Refused, match="nested"):
        parse(nested(33), WORDS)


def test_chains_of_and_and_or_do_not_count_as_depth() -> None:
    expr = parse(" or ".join(["is_listed and employees > 3"] * 500), WORDS)
    assert isinstance(expr, tree.Or)
    assert len(expr.parts) == 500


def test_twenty_thousand_characters_are_the_most() -> None:
    text = "employees > " + " " * (20_000 - 13) + "3"
    parse(text, WORDS)
    with pytest.raises(Refused, match="20000"):
        parse(text + " ", WORDS)


def test_a_message_names_line_and_character() -> None:
    with pytest.raises(Refused, match="line 2, character 5"):
        parse("employees > 3\nand unheard = 1", WORDS)


def test_a_formula_of_a_statement_reads_statement_facts_only() -> None:
    parse("revenue / total_assets", WORDS, "number", grain=Grain.STATEMENT)
    with pytest.raises(Refused, match="only facts of the statement"):
        parse("revenue / employees", WORDS, "number", grain=Grain.STATEMENT)


def test_and_binds_before_or_and_not_before_and() -> None:
    expr = parse("is_listed or not is_listed and employees > 3", WORDS)
    assert render_text(expr) == "is_listed or not is_listed and employees > 3"
    assert isinstance(expr, tree.Or)
    assert isinstance(expr.parts[1], tree.And)


def test_a_date_and_a_number_are_what_they_say() -> None:
    expr = parse("founded = date '2025-12-31' and employees = 1e3", WORDS)
    values = [part.right.value for part in expr.parts]  # type: ignore[union-attr]
    assert values == [date(2025, 12, 31), 1000.0]


@given(st.text(max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        parse(text, WORDS)
    except Refused:
        return


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_any_mixture_of_the_words_is_either_read_or_refused(words: list[str]) -> None:
    try:
        expr = parse(" ".join(words), WORDS)
    except Refused:
        return
    assert parse(render_text(expr), WORDS) == expr
