"""Overrides and champion against challenger: shares and ranks equal to scipy, intervals that hold what they promise."""

import numpy as np
import pytest
from scipy import stats

from kequn.modelling.comparing import Side, compared, rank_correlation
from kequn.modelling.discrimination import auc_difference
from kequn.modelling.overriding import Moved, overriding

ROWS = [
    Moved(0, is_bad=False), Moved(0, is_bad=True), Moved(0), Moved(-1, "peers", "own", True),
    Moved(-2, "peers", "above", False), Moved(1, "one_off", "own"),
]  # fmt: skip


def test_shares_of_overrides_have_the_jeffreys_interval_of_scipy():
    found = overriding(ROWS, 0.95)["overridden"]
    low, high = stats.beta.ppf([0.025, 0.975], 3 + 0.5, 3 + 0.5)
    assert (found["count"], found["of"]) == (3, 6)
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-9)


def test_an_unknown_outcome_is_never_counted_as_a_good_one():
    groups = {one["group"]: one for one in overriding(ROWS, 0.95)["outcomes"]}
    assert (groups["as_model"]["rows"], groups["as_model"]["unknown"], groups["as_model"]["value"]) == (3, 1, 0.5)
    assert (groups["up"]["of"], groups["up"]["value"]) == (0, None)


def test_overrides_by_reason_and_authority_add_up_to_all_of_them():
    found = overriding(ROWS, 0.95)
    for key in ("by_reason", "by_authority", "by_notches"):
        assert sum(one["count"] for one in found[key]) == 3
    assert found["by_reason"][0] | {"low": 0, "high": 0} == {
        "reason": "peers", "upgraded": 0, "downgraded": 2, "count": 2, "of": 3, "value": 2 / 3, "low": 0, "high": 0,
    }  # fmt: skip


def test_no_ratings_are_no_overrides_and_no_share():
    assert overriding([], 0.95)["overridden"]["value"] is None


def test_rank_correlation_equals_that_of_scipy():
    draw = np.random.default_rng(7)
    first, second = draw.integers(0, 20, 300).astype(float), draw.normal(size=300)
    assert rank_correlation(first, second) == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-9)


def test_the_paired_interval_holds_nil_for_a_model_beside_itself_and_covers_as_often_as_it_says():
    draw, held = np.random.default_rng(11), 0
    event = np.repeat([1.0, 0.0], [60, 240])
    assert auc_difference(event, event, event, confidence=0.95).value == 0
    for _ in range(300):  # two risks of one strength with noise in common: the true difference is nil
        common = event + draw.normal(size=300)
        found = auc_difference(event, common + draw.normal(size=300), common + draw.normal(size=300), confidence=0.95)
        held += found.low <= 0 <= found.high
    assert 0.91 <= held / 300 <= 0.985


def test_agreement_counts_only_who_has_a_grade_of_both():
    champion = Side(np.array([0, 1, 2, -1]), np.array([9.0, 8.0, 7.0, np.nan]))
    challenger = Side(np.array([0, 2, 0, 1]), np.array([9.0, 7.0, 8.0, 6.0]))
    found = compared(champion, challenger, np.array([0.0, np.nan, 1.0, 1.0]), 3, 0.95)
    assert found["matrix"] == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]
    assert (found["both"], found["only_challenger"], found["within_one"]["count"]) == (3, 1, 2)
    assert (found["safer"]["count"], found["worse"]["count"], found["ranking"]["rows"]) == (1, 1, 2)
