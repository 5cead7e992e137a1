"""Ages of facts."""

from datetime import date, timedelta

import pytest

from kequn.domain.monitoring.staleness import AgeLimit, stale_facts

LIMIT = AgeLimit("revenue", "statement_date", 549)
DAY = date(2026, 9, 30)


@pytest.mark.parametrize(("age", "stale"), [(0, ()), (549, ()), (550, ("revenue",))])
def test_a_fact_is_stale_past_its_limit(age, stale):
    known = {"revenue": 1.0, "statement_date": DAY - timedelta(days=age)}
    assert stale_facts(known, [LIMIT], DAY) == stale


def test_what_is_not_known_or_not_dated_is_not_stale():
    assert stale_facts({"revenue": None, "statement_date": date(2000, 1, 1)}, [LIMIT], DAY) == ()
    assert stale_facts({"revenue": 1.0, "statement_date": None}, [LIMIT], DAY) == ()
