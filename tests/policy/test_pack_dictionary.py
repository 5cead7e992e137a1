"""The fact dictionary and the sheets of the import workbook."""

import pytest

from kequn.domain.facts import CHILD_GRAINS, Fact, FactType, Grain
from kequn.policy import load_pack

PACK = load_pack("cn")
SHEETS = (
    "customers",
    "groups",
    "contacts",
    "statements",
    "facilities",
    "projects",
    "project_actuals",
    "account_months",
    "events",
    "ratings",
)


def test_the_sheets_of_the_workbook_are_all_there():
    assert tuple(sheet.name for sheet in PACK.dictionary.sheets) == SHEETS


@pytest.mark.parametrize("name", SHEETS)
def test_a_header_names_one_column_in_either_language(name):
    columns = PACK.dictionary.columns(PACK.dictionary.sheet(name))
    for words in (
        [column.name for column in columns],
        [column.zh if isinstance(column, Fact) else column.label.zh for column in columns],
        [column.en if isinstance(column, Fact) else column.label.en for column in columns],
    ):
        assert all(words)
        assert len(words) == len(set(words))


def test_a_person_is_not_asked_for_what_a_machine_counts():
    for sheet in PACK.dictionary.sheets:
        names = {column.name for column in PACK.dictionary.columns(sheet)}
        assert not names & {one.fact.name for one in PACK.dictionary.counted}


def test_counted_facts_name_a_date_that_exists():
    for counted in PACK.dictionary.counted:
        assert PACK.vocabulary[counted.date_column].type == FactType.DATE


def test_facts_that_age_name_the_date_that_ages_them():
    for limit in PACK.dictionary.age_limits:
        assert PACK.vocabulary[limit.dated_by].type == FactType.DATE, limit


def test_statement_flows_are_what_adds_up_over_time():
    flows = {fact.name for fact in PACK.vocabulary.of_grain(Grain.STATEMENT) if fact.flow}
    assert {"revenue", "net_profit", "operating_cash_flow", "depreciation", "rd_expense"} <= flows
    assert not flows & {"cash", "total_assets", "equity", "period_employees", "audit_opinion"}


def test_every_account_month_fact_says_how_accounts_combine():
    assert all(fact.combine for fact in PACK.vocabulary.of_grain(Grain.ACCOUNT_MONTH))


def test_outcomes_are_marked_and_no_rule_reads_them():
    outcomes = {fact.name for fact in PACK.vocabulary if fact.outcome}
    assert {"defaulted", "default_date", "charged_off", "charged_off_amount"} <= outcomes
    assert all(fact.grain == Grain.CUSTOMER or fact.grain in CHILD_GRAINS for fact in PACK.vocabulary if fact.outcome)
