"""Realised charge-off rates by dimension."""

import math
from datetime import date

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.assessments.outcomes import csv_rows, outcomes_by, wilson
from kequn.apps.customers.models import Customer
from kequn.domain.errors import Misuse

ADMIN = LocalAdministrator()


def test_wilson_agrees_with_the_published_example():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662
    low, high = wilson(rate=81 / 263, size=263)
    assert math.isclose(low, 0.2553, abs_tol=5e-5)
    assert math.isclose(high, 0.3662, abs_tol=5e-5)


def test_wilson_of_none_at_all_starts_at_nought():
    assert wilson(rate=0.0, size=20)[0] == 0.0


@pytest.fixture
def tape(bring):
    bring("customer_id,name\n" + "".join(f"C{one},公司{one}\n" for one in range(4)))
    head = "customer_id,facility_id,product,committed,charged_off,loan_sample_weight,loan_sample_kind\n"
    rows = (
        "C0,F0,term_loan,10,1,5,casecontrol\n"
        "C0,F1,term_loan,10,0,20,both\n"
        "C1,F2,term_loan,10,1,,head\n"
        "C2,F3,term_loan,10,0,20,casecontrol\n"
        "C3,F4,term_loan,10,,20,casecontrol\n"
    )
    bring(head + rows, name="facilities.csv")
    run = Run.objects.create(
        as_of=date(2026, 1, 1), engine="duckdb", program_version="0", actor="t", started_at="2026-01-01T00:00:00Z"
    )
    for code, value in (("C0", "micro"), ("C1", "micro"), ("C2", "small")):
        FindingSpan.objects.create(
            customer=Customer.objects.get(code=code), kind="dimension", key="size", value=value,
            valid_from=date(2026, 1, 1), cause="first", opened_by=run,
        )  # fmt: skip


@pytest.mark.django_db
def test_rates_are_weighted_and_the_natural_rows_stand_apart(tape):
    table = outcomes_by(person=ADMIN, by="size", weight="sample_weight")[0]
    micro = next(one for one in table.rows if one.value == "micro")
    assert micro.weighted.rate == 5 / 25
    assert math.isclose(micro.weighted.effective, 25**2 / (5**2 + 20**2))
    assert (micro.natural.loans, micro.natural.rate) == (2, 0.5)
    assert table.total.outcome_unknown == 1


@pytest.mark.django_db
def test_a_customer_without_the_finding_is_unknown_and_counted(tape):
    table = outcomes_by(person=ADMIN, by="size")[0]
    assert table.rows[-1].value == "unknown"
    assert table.unknown_share == 0.25
    assert table.reconciles
    assert len(list(csv_rows([table]))) == 4


@pytest.mark.django_db
def test_an_unknown_dimension_is_named_with_those_there_are(tape):
    with pytest.raises(Misuse, match="size"):
        outcomes_by(person=ADMIN, by="colour")
