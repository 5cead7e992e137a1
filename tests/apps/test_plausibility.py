# ruff: noqa: E501 - a header is one line
"""Strange figures are taken and told; the numbers that make them strange are policy."""

import pytest

from kequn.apps.ingest.plausibility import Limits

pytestmark = pytest.mark.django_db
HEAD = "customer_id,period_end,months,flows,scope,standard,version,total_assets（元）,total_liabilities（元）,equity（元）,revenue（元）\n"


def codes(batch) -> list[str]:
    return [one["code"] for row in batch.rows.order_by("id") for one in row.warnings or ()]


@pytest.fixture
def one(bring):
    bring("customer_id,name\nC1,甲\n")
    return lambda rows, name="statements.csv", head=HEAD: bring(head + rows, name=name)


def test_a_balanced_statement_is_believed(one):
    assert codes(one("C1,2024-12-31,12,cumulative,parent,CAS,1,1000000,600000,400000,900000\n")) == []


def test_an_unbalanced_statement_is_taken_and_told(one):
    batch = one("C1,2024-12-31,12,cumulative,parent,CAS,1,1000000,600000,300000,900000\n")
    assert (codes(batch), batch.rows_stored, batch.counts["warned"]) == (["unbalanced"], 1, 1)


@pytest.mark.parametrize("times", [1000, 10_000])
def test_a_period_in_another_unit_than_the_last_is_suspected(one, times):
    one("C1,2024-12-31,12,cumulative,parent,CAS,1,1000000,600000,400000,900000\n")
    later = ",".join(str(amount * times) for amount in (1100000, 650000, 450000, 950000))
    assert codes(one(f"C1,2025-12-31,12,cumulative,parent,CAS,1,{later}\n")) == ["unit_suspected"]


def test_growth_is_not_suspected(one):
    one("C1,2024-12-31,12,cumulative,parent,CAS,1,1000000,600000,400000,900000\n")
    assert codes(one("C1,2025-12-31,12,cumulative,parent,CAS,1,9000000,6000000,3000000,8000000\n")) == []


def test_a_strange_facility_is_told_three_times(one):
    head = "customer_id,facility_id,committed（元）,drawn（元）,rate_pa,start_date,maturity_date\n"
    batch = one("C1,F1,100,200,3.9,2026-01-01,2025-01-01\n", name="facilities.csv", head=head)
    assert codes(batch) == ["drawn_above_committed", "rate_strange", "maturity_before_start"]


def test_the_limits_stand_in_the_policy_pack():
    limits = Limits.in_force()
    assert limits.is_jump(1.2e7, 1e4)
    assert limits.is_jump(1e4, 1.2e7)
    assert not limits.is_jump(20, 1)
    assert not limits.is_jump(0, 5)
