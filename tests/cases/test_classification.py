"""Five tiers and stages: every case by the plain reader with its article, and all of them at once by the set reader."""

from datetime import date

import pyarrow as pa
import pytest

from kequn.domain.errors import Misuse, Refused
from kequn.engine.classification import classify
from kequn.policy import load_pack
from kequn.policy.classification import checked_asset, read_rule_book
from tests.cases.classification_cases import STAGES, TIERS

DAY = date(2026, 6, 30)
ARROW = {"number": pa.float64(), "text": pa.string(), "boolean": pa.bool_()}


def book(name):
    return read_rule_book(load_pack("cn").folder, name, DAY)


@pytest.mark.parametrize(("name", "cases"), [("classification", TIERS), ("staging", STAGES)])
def test_every_case_has_its_answer_and_its_article(name, cases):
    rules = book(name)
    wrong = []
    for facts, answer, article in cases:
        found = rules.judge(checked_asset(facts, rules, "case"))
        named = [one.article.name for one in found.reasons if one.holds or answer is None]
        if found.answer != answer or (article and article not in named) or bool(found.missing) != (answer is None):
            wrong.append((facts, answer, found))
    assert wrong == []
    assert len(TIERS) + len(STAGES) >= 60


@pytest.mark.parametrize(("name", "cases"), [("classification", TIERS), ("staging", STAGES)])
def test_the_set_reader_answers_every_case_alike(name, cases):
    rules = book(name)
    table = pa.table({fact.name: pa.array([facts.get(fact.name) for facts, _, _ in cases], ARROW[fact.type])
                      for fact in rules.facts})  # fmt: skip
    assert classify(table, rules).column(rules.answer).to_pylist() == [answer for _, answer, _ in cases]


def test_more_than_a_tenth_of_a_debtor_in_arrears_takes_all_its_claims_along():
    table = pa.table({
        "debtor_id": ["A", "A", "B", "B", "C"], "balance": [11.0, 89.0, 10.0, 90.0, 5.0],
        "days_past_due": [120.0, 0.0, 120.0, 0.0, 0.0],
    })  # fmt: skip
    found = classify(table, book("classification"))
    assert found.column("tier").to_pylist() == ["substandard"] * 3 + ["special_mention", "normal"]
    assert found.column("substandard_contaminated").to_pylist() == [True, True, False, False, False]


def test_claims_without_a_debtor_do_not_take_one_another_along():
    table = pa.table({"debtor_id": pa.array([None, None, " "], pa.string()), "balance": [1.0] * 3,
                      "days_past_due": [0.0, 400.0, 0.0]})  # fmt: skip
    assert classify(table, book("classification")).column("tier").to_pylist() == ["normal", "loss", "normal"]


@pytest.mark.parametrize("reader", ["plain", "duckdb"])
def test_an_unknown_claim_that_could_pass_the_limit_makes_the_debtor_s_other_claims_unknown(reader):
    """A: half of it may not perform. B: 5 of 100 may not, below a tenth, yet some claim would be non-performing.
    C: over a tenth already. D: retail, where nothing takes another claim along."""
    table = pa.table({
        "debtor_id": ["A", "A", "B", "B", "C", "C", "C", "D", "D"],
        "balance": [50.0, 50.0, 5.0, 95.0, 20.0, 5.0, 75.0, 50.0, 50.0],
        "days_past_due": [None, 0.0, None, 0.0, 120.0, None, 0.0, None, 0.0],
        "is_retail": [None] * 7 + [True, True],
    })  # fmt: skip
    found = classify(table, book("classification"), reader)
    assert found.column("tier").to_pylist() == [None, None, None, None, "substandard", None, "substandard", None,
                                                "normal"]  # fmt: skip
    assert found.column("substandard_contaminated").to_pylist()[1:5:2] == [None, False]


def test_an_unknown_balance_leaves_open_what_it_could_change():
    """A: the claim in arrears may be of any size. B: nothing is in arrears. C: the whole of it is."""
    table = pa.table({
        "debtor_id": ["A", "A", "B", "B", "C"], "balance": [None, 90.0, None, 10.0, None],
        "days_past_due": [120.0, 0.0, 0.0, 0.0, 120.0],
    })  # fmt: skip
    found = classify(table, book("classification"))
    assert found.column("tier").to_pylist() == ["substandard", None, "normal", "normal", "substandard"]
    assert found.column("substandard_contaminated").to_pylist() == [None, None, False, False, True]


def test_before_the_rule_began_there_is_none():
    with pytest.raises(Misuse):
        read_rule_book(load_pack("cn").folder, "classification", date(2023, 6, 30))


def test_an_article_that_was_not_read_says_so():
    assert {one.checked for one in book("classification").articles.values()} == {False}
    assert all(one.text for one in book("classification").articles.values())


def test_a_fact_of_another_type_is_refused():
    with pytest.raises(Refused):
        checked_asset({"days_past_due": "many"}, book("classification"), "asset 1")
    with pytest.raises(Refused, match="do not fit"):
        classify(pa.table({"days_past_due": ["x"]}), book("classification"))
