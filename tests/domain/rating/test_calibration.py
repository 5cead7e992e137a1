"""Scores and probabilities of default."""

import pytest

from kequn.domain.rating.calibration import pd_of_score, score_of_pd


@pytest.mark.parametrize("score", [0.0, 12.5, 50.0, 78.4, 100.0])
def test_the_score_of_a_scores_pd_is_the_score(score):
    pd = pd_of_score(score, intercept=-0.84, slope=0.09)
    assert score_of_pd(pd, intercept=-0.84, slope=0.09) == pytest.approx(score, abs=1e-9)  # logarithm of a logarithm


def test_a_higher_score_is_safer():
    pds = [pd_of_score(float(score), intercept=-0.84, slope=0.09) for score in range(101)]
    assert pds == sorted(pds, reverse=True)
    assert 0 < pds[-1] < pds[0] < 1
