"""Rates of return: all roots, a status, never an exception; and the many at once equal the one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kequn.domain.projectfinance.returns import many_rates_of_return, payback, present_value, rates_of_return
from tests.financing.million_rates import residual, tried

MONEY = st.floats(-1e6, 1e6).map(lambda value: round(value, 2))


def test_random_series_give_no_exception_and_every_root_is_one():
    found, largest = tried(1_000)
    assert largest <= 1e-10
    assert set(found) >= {"ok", "multiple", "no_solution"}


@settings(max_examples=100, deadline=None)
@given(st.lists(MONEY, min_size=0, max_size=15))
def test_no_series_at_all_raises(flows):
    answer = rates_of_return(flows)
    assert all(root > -1.0 and math.isfinite(root) for root in answer.roots)
    assert all(residual(flows, root) <= 1e-6 for root in answer.roots)


@pytest.mark.parametrize("roots", [(0.05,), (0.1, 0.2, 0.3), (-0.5, 0.25), (0.02, 0.5, 1.5, 4.0)])
def test_a_polynomial_of_known_roots_has_exactly_these(roots):
    """prod (1 - x (1 + r_i)) in powers of x = 1 / (1 + r) has the roots r_i and no others."""
    coefficients = np.array([1.0])
    for root in roots:
        coefficients = np.convolve(coefficients, [1.0, -(1.0 + root)])
    assert rates_of_return(coefficients[::-1].tolist()).roots == pytest.approx(
        sorted(1.0 / (1.0 + root) - 1.0 for root in roots), abs=1e-9
    )


def test_a_double_root_touches_and_counts_once():
    assert rates_of_return([1.0, -2.2, 1.21]).roots == pytest.approx((0.1,), abs=1e-6)


def test_flows_nearly_flat_in_the_rate_are_called_ill_conditioned():
    days = [0.0, 366 / 365, 731 / 365, 1096 / 365]
    answer = rates_of_return([-100.0, 360.0, -431.0, 171.6], days)
    assert (answer.status, answer.rate) == ("ill_conditioned", pytest.approx(0.0876007658, abs=1e-9))


def test_payback_is_the_time_from_which_nothing_is_owed_any_more():
    assert payback([-100.0, 50.0, 50.0, -10.0, 20.0], [0.0, 1.0, 2.0, 3.0, 4.0]) == pytest.approx(3.5)
    assert payback([-100.0, 50.0], [0.0, 1.0]) is None


@pytest.mark.parametrize("mixed", [False, True])
def test_many_series_at_once_give_what_each_gives_alone(mixed):
    draw = np.random.default_rng(11)
    flows = np.vstack([-draw.uniform(50, 100, (2, 40)), draw.uniform(0, 30, (20, 40))])
    flows[2:, 0] = 0.0
    if mixed:
        flows[10] = -flows[10]
    times = np.array([0.5, 1.0, *(1.0 + 0.5 * np.arange(1, 21))])
    many = many_rates_of_return(flows, times)
    for column in range(40):
        alone = rates_of_return(flows[:, column].tolist(), times.tolist())
        assert bool(many.known[column]) == (alone.rate is not None)
        if alone.rate is not None:
            assert many.rates[column] == pytest.approx(alone.rate, abs=1e-12)
            value = present_value(flows[:, column].tolist(), (times - 0.5).tolist(), alone.rate)
            assert abs(value) <= 1e-9 * np.abs(flows[:, column]).sum()
