"""Reasons name what decided; changes are proved by applying them."""

from datetime import date

import pytest

from kequn.domain.facts import Grain
from kequn.domain.rules.changing import nearest_changes
from kequn.domain.rules.explaining import explain
from kequn.domain.rules.plain import evaluate
from kequn.domain.rules.record import Record
from kequn.policy import build_plan, load_pack
from kequn.policy.telling import Teller

AS_OF = date(2026, 9, 30)
PLAN = build_plan(load_pack("cn"), AS_OF)
STATEMENT = {"revenue": (3e8,), "total_assets": (4e8,), "total_liabilities": (2.4e8,)}


def firm(**changes: object) -> Record:
    """星垂电子, a maker of electronics in Beijing with 350 people and one yearly statement."""
    customer = {"industry_code": "C39", "employees": 350.0, "country": "CN", "province": "110000"} | changes
    return Record(customer=customer, periods={Grain.STATEMENT: STATEMENT}, quarters=4)


def answer(record: Record, name: str) -> object:
    return evaluate(PLAN, record, AS_OF)[name]


def test_a_reason_answers_what_the_reader_answers():
    for name in ("size", "credit_tier", "tech_small_growing", "sig_negative_equity", "strategy_service"):
        assert explain(PLAN, firm(), AS_OF, name).answer == answer(firm(), name)


def test_the_reason_of_a_class_shows_the_bounds_that_decided():
    read = {r.name for c in explain(PLAN, firm(), AS_OF, "size").because for d in c.conditions for r in d.readings}
    assert {"size_employees", "bound_large_employees"} <= read


def test_an_unknown_answer_names_the_fact_to_obtain():
    assert explain(PLAN, firm(employees=None), AS_OF, "size").missing == ("period_employees", "employees")


def test_a_known_answer_lacks_nothing():
    assert explain(PLAN, firm(), AS_OF, "size").missing == ()


def test_a_score_wanting_more_facts_names_them_all():
    missing = explain(PLAN, firm(), AS_OF, "credit_tier").missing
    assert {"management_quality", "interest_expense", "operating_cash_flow"} <= set(missing)
    assert "total_assets" not in missing


def test_the_nearest_change_crosses_the_bound_of_the_standard():
    change = nearest_changes(PLAN, firm(), AS_OF, "size")[0]
    assert (change.fact, change.before, change.after, change.answer) == ("employees", 350.0, 299.0, "small")


@pytest.mark.parametrize("name", ["size", "tech_small_growing", "in_default"])
def test_every_change_was_proved_by_applying_it(name):
    record = firm(is_bankrupt=False)
    before = answer(record, name)
    for change in nearest_changes(PLAN, record, AS_OF, name, most=20):
        if change.grain == Grain.CUSTOMER:
            changed = firm(**{"is_bankrupt": False, change.fact: change.after})
        else:
            series = {**STATEMENT, change.fact: (change.after,)}
            changed = Record(customer=record.customer, periods={Grain.STATEMENT: series}, quarters=4)
        assert answer(changed, name) == change.answer != before


def test_changes_come_nearest_first_and_a_flag_counts_as_one_step():
    changes = nearest_changes(PLAN, firm(is_bankrupt=False), AS_OF, "in_default")
    assert [change.distance for change in changes] == sorted(change.distance for change in changes)
    assert any(change.fact == "is_bankrupt" and change.after is True for change in changes)


def test_an_unknown_fact_is_never_imagined():
    changes = nearest_changes(PLAN, firm(employees=None), AS_OF, "size", most=50)
    assert "employees" not in {change.fact for change in changes}


def test_a_change_of_a_child_row_names_its_row():
    facilities = ({"days_past_due": 0.0, "status": "active"}, {"days_past_due": 95.0, "status": "active"})
    record = Record(customer=firm().customer, children={Grain.FACILITY: facilities})
    change = next(c for c in nearest_changes(PLAN, record, AS_OF, "sig_past_due_90") if c.fact == "days_past_due")
    assert (change.row, change.after, change.answer) == (1, 90.0, False)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("zh", "若从业人员由 350 人 变为 299 人，则企业规模为“小型”"),
        ("en", "If Employees went from 350 persons to 299 persons, Size would be “Small”"),
    ],
)
def test_a_change_is_said_in_both_languages(language, sentence):
    change = nearest_changes(PLAN, firm(), AS_OF, "size")[0]
    assert Teller(load_pack("cn"), PLAN, language).change(change, "size") == sentence
