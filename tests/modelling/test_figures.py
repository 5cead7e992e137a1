"""The figures of validation against scipy, scikit-learn and published examples."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.linalg import expm
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from kequn.modelling.agreement import (
    brier,
    calibration_error,
    correlated_p_value,
    hosmer_lemeshow,
    jeffreys,
    spiegelhalter,
)
from kequn.modelling.calibration import Calibration, central_tendency, prior_shift, shift_to, upper_bounds
from kequn.modelling.discrimination import accuracy_ratio, auc, auc_interval, average_precision, cap, ks
from kequn.modelling.distributions import beta_cdf, beta_quantile, binomial_at_least, chi_squared_above
from kequn.modelling.migration import Spell, cohort_counts, generator, mobility, over_years
from kequn.modelling.scorecard import logistic
from kequn.modelling.stability import herfindahl, psi, psi_by_chance


@pytest.fixture(params=[3, 17])
def sample(request):
    draw = np.random.default_rng(request.param)
    risk = np.round(draw.normal(0, 1, 800), 1)  # rounded, so that there are ties
    event = (draw.random(800) < 1 / (1 + np.exp(2 - risk))).astype(float)
    return event, risk, draw.uniform(0.5, 20, 800)


def test_ranking_equals_scikit_learn_with_ties_and_weights(sample):
    event, risk, weight = sample
    assert auc(event, risk, weight) == pytest.approx(roc_auc_score(event, risk, sample_weight=weight), abs=1e-12)
    wanted = average_precision_score(event, risk, sample_weight=weight)
    assert average_precision(event, risk, weight) == pytest.approx(wanted, abs=1e-12)
    assert accuracy_ratio(event, risk, weight) == pytest.approx(2 * auc(event, risk, weight) - 1, abs=1e-12)


def test_ks_equals_scipy(sample):
    event, risk, _ = sample
    wanted = stats.ks_2samp(risk[event == 1], risk[event == 0]).statistic
    assert ks(event, risk) == pytest.approx(wanted, abs=1e-12)


def test_auc_interval_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(5)
    truth = stats.norm.cdf(1 / math.sqrt(2))  # two normal classes one apart
    hits = 0
    for _ in range(200):
        risk = np.concatenate([draw.normal(1, 1, 60), draw.normal(0, 1, 200)])
        event = np.repeat([1.0, 0.0], [60, 200])
        found = auc_interval(event, risk, confidence=0.95)
        hits += found.low <= truth <= found.high
    assert 180 <= hits <= 199


def test_cap_of_a_perfect_model_catches_all_events_at_their_share():
    event = np.repeat([1.0, 0.0], [10, 90])
    assert {round(share, 2): caught for share, caught in cap(event, event)}[0.1] == pytest.approx(1.0)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0.01, 0.99), st.floats(0.5, 400), st.floats(0.5, 400))
def test_beta_equals_scipy(x, a, b):
    assert beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), abs=1e-11)
    assert beta_quantile(0.975, a, b) == pytest.approx(stats.beta.ppf(0.975, a, b), abs=1e-9)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 300), st.integers(1, 60))
def test_chi_squared_equals_scipy(value, degrees):
    assert chi_squared_above(value, degrees) == pytest.approx(stats.chi2.sf(value, degrees), abs=1e-11)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 40), st.integers(40, 2000), st.floats(1e-4, 0.3))
def test_binomial_equals_scipy(events, rows, rate):
    assert binomial_at_least(events, rows, rate) == pytest.approx(stats.binom.sf(events - 1, rows, rate), abs=1e-10)


def test_jeffreys_equals_the_quantiles_of_its_beta():
    found = jeffreys(3, 250, 0.95)
    assert (found.low, found.high) == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], 3.5, 247.5)), abs=1e-10)
    assert jeffreys(0, 250, 0.95).low == 0.0


def test_correlation_makes_the_binomial_test_milder():
    alone, together = binomial_at_least(10, 500, 0.01), correlated_p_value(10, 500, 0.01, 0.15)
    assert alone < 0.05 < together
    assert correlated_p_value(10, 500, 0.01, 1e-9) == pytest.approx(alone, abs=1e-4)


def test_brier_and_its_parts(sample):
    event, risk, weight = sample
    pd = 1 / (1 + np.exp(2 - risk))
    found = brier(event, pd, weight)
    assert found.score == pytest.approx(brier_score_loss(event, pd, sample_weight=weight), abs=1e-12)
    assert found.reliability - found.resolution + found.uncertainty + found.within == pytest.approx(found.score)
    assert calibration_error(event, np.full_like(pd, np.average(event, weights=weight)), weight) < 1e-12


def test_hosmer_lemeshow_equals_its_sum_of_squares():
    rows, events, stated = [200, 300], [3, 18], [0.01, 0.05]
    statistic, degrees, p = hosmer_lemeshow(rows, events, stated)
    wanted = (3 - 2) ** 2 / (200 * 0.01 * 0.99) + (18 - 15) ** 2 / (300 * 0.05 * 0.95)
    assert statistic == pytest.approx(wanted)
    assert p == pytest.approx(stats.chi2.sf(wanted, degrees))


def test_no_grade_of_a_calibrated_book_leaves_its_interval_too_often():
    draw = np.random.default_rng(11)
    outside = 0
    for stated in draw.uniform(0.005, 0.2, 600):
        found = jeffreys(int(draw.binomial(500, stated)), 500, 0.95)
        outside += not found.low <= stated <= found.high
    assert outside / 600 <= 0.06


def test_spiegelhalter_is_small_where_calibrated(sample):
    event, _, _ = sample
    z, p = spiegelhalter(event, np.full_like(event, event.mean()))
    assert abs(z) < 1e-9
    assert p == pytest.approx(1.0)


def test_psi_is_the_sum_of_both_divergences():
    expected, actual = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    wanted = stats.entropy(actual, expected) + stats.entropy(expected, actual)
    assert psi(expected, actual) == pytest.approx(wanted)
    assert psi_by_chance(10, 100, 100) == pytest.approx(stats.chi2.ppf(0.95, 9) * 0.02, rel=1e-6)
    assert herfindahl([1, 0, 0, 0]) == (1.0, 1.0)


def test_low_default_bounds_equal_the_published_example():
    """Pluto and Tasche 2005, table 1: grades of 100, 400 and 300 without a default."""
    without = upper_bounds([100, 400, 300], [0, 0, 0], 0.95)
    assert [round(one, 4) for one in without] == [0.0037, 0.0043, 0.0099]


def test_low_default_bounds_pool_a_grade_with_all_worse_ones():
    found = upper_bounds([100, 400, 300], [0, 2, 1], 0.75)
    assert found == pytest.approx(
        [stats.beta.ppf(0.75, d + 1, n - d) for n, d in ((800, 3), (700, 3), (300, 1))], abs=1e-9
    )


def test_prior_shift_brings_a_balanced_sample_to_its_population():
    logit = math.log(0.5 / 0.5) + prior_shift(sample_rate=0.5, population_rate=0.02)
    assert 1 / (1 + math.exp(-logit)) == pytest.approx(0.02)


def test_central_tendency_counts_years_alike():
    event, year = np.array([1.0, 0.0, 0.0, 0.0]), np.array([2020, 2020, 2021, 2021])
    assert central_tendency(event, np.array([1.0, 1.0, 5.0, 5.0]), year) == 0.25


def test_a_shifted_calibration_meets_its_rate_and_keeps_the_order():
    scores, weight = np.linspace(400, 700, 50), np.ones(50)
    moved = shift_to(Calibration(-8.0, 0.02), scores, weight, 0.11)
    pds = moved.pds(scores)
    assert pds.mean() == pytest.approx(0.11, abs=1e-12)
    assert (np.diff(pds) < 0).all()


def test_logistic_equals_scikit_learn(sample):
    from sklearn.linear_model import LogisticRegression

    event, risk, weight = sample
    x = np.column_stack([risk, risk**2])
    ours = logistic(x, event, weight, ridge=1e-3)
    theirs = LogisticRegression(C=1 / (1e-3 * weight.sum()), tol=1e-10, max_iter=500).fit(
        x, event, sample_weight=weight
    )
    assert ours == pytest.approx([theirs.intercept_[0], *theirs.coef_[0]], abs=1e-4)


def test_withdrawn_debtors_are_no_stayers():
    found = cohort_counts([("A", "A"), ("A", "B"), ("A", ""), ("B", "B")], ("A", "B"))
    assert found.shares() == [[0.5, 0.5], [0.0, 1.0]]
    assert found.withdrawn == (1, 0)
    assert mobility(found)["withdrawn"] == pytest.approx(0.25)


def test_duration_gives_a_chance_to_what_was_never_seen_in_one_step():
    spells = [Spell("1", "A", 0, 2, "B"), Spell("2", "A", 0, 2), Spell("3", "B", 0, 1, "D"), Spell("4", "B", 0, 3)]
    intensity = generator(spells, ("A", "B", "D"))
    assert intensity[0].tolist() == [-0.25, 0.25, 0.0]
    assert over_years(intensity, 3.0) == pytest.approx(expm(3.0 * intensity), abs=1e-12)
    assert over_years(intensity, 1.0)[0, 2] > 0
