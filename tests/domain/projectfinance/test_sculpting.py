"""Sculpting against linear programmes solved by another package, and against identities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from kequn.domain.errors import Misuse
from kequn.domain.projectfinance.average_life import average_life_years, curved, fast_principal, fastest_life
from kequn.domain.projectfinance.sculpting import sculpted, two_tranches, with_tax, without_redraw

MONEY = st.floats(-20.0, 120.0).map(lambda value: round(value, 2))
FLOWS = st.lists(MONEY, min_size=2, max_size=12)
RATES = st.one_of(st.just(0.0), st.floats(0.001, 0.15))


def largest_debt(cfads: np.ndarray, rate: float, dscr: float, balloon: float) -> float | None:
    """max B[0] by the balances: B[t] <= B[t-1], (1 + r) B[t-1] - B[t] <= max(CFADS, 0) / DSCR, B[n] = balloon."""
    n = len(cfads)
    rows, right = [], []
    for t in range(n):
        fall, service = np.zeros(n + 1), np.zeros(n + 1)
        fall[t + 1], fall[t] = 1.0, -1.0
        service[t], service[t + 1] = 1.0 + rate, -1.0
        rows += [fall, service]
        right += [0.0, max(cfads[t], 0.0) / dscr]
    aim = np.zeros(n + 1)
    aim[0] = -1.0
    bounds = [(0, None)] * n + [(balloon, balloon)]
    found = linprog(aim, A_ub=np.array(rows), b_ub=right, bounds=bounds, method="highs")
    return -found.fun if found.success else None


@settings(max_examples=60, deadline=None)
@given(FLOWS, RATES, st.sampled_from([1.0, 1.3]), st.sampled_from([0.0, 5.0]))
def test_the_debt_without_redraw_is_the_optimum_of_the_linear_programme(flows, rate, dscr, balloon):
    cfads = np.array(flows)
    best = largest_debt(cfads, rate, dscr, balloon)
    if best is None:
        with pytest.raises(Misuse):
            without_redraw(cfads, rate, dscr, balloon)
        return
    found = without_redraw(cfads, rate, dscr, balloon)
    assert float(found.debt) == pytest.approx(best, rel=1e-7, abs=1e-7)
    assert found.principal.min() >= -1e-9
    assert (found.service <= np.maximum(cfads, 0.0) / dscr + balloon + 1e-9).all()


def best_for_owners(
    cfads: np.ndarray, rate: float, debt: float, dscr: float, equity: float, life: float
) -> float | None:
    n = len(cfads)
    v = (1.0 + equity) ** -np.arange(1, n + 1)
    left = np.tril(np.ones((n, n)), -1)  # principal paid before each period
    interest_of = -rate * left  # interest = rate (D - paid before)
    service = np.eye(n) + interest_of
    capacity = np.maximum(cfads, 0.0) / dscr - rate * debt
    times = np.arange(1, n + 1)
    found = linprog(
        v @ service, A_ub=np.vstack([service, times]), b_ub=[*capacity, life * debt], A_eq=np.ones((1, n)), b_eq=[debt],
        bounds=[(0, None)] * n, method="highs",
    )  # fmt: skip
    return float(v @ (cfads - rate * debt) - found.fun) if found.success else None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(5.0, 120.0), min_size=3, max_size=12), st.floats(0.0, 0.1), st.floats(0.2, 1.0),
    st.floats(0.0, 0.2), st.floats(0.3, 1.0),
)  # fmt: skip
def test_the_schedule_best_for_owners_is_the_optimum_of_the_linear_programme(flows, rate, share, equity, life):
    cfads = np.array(flows)
    debt = share * float(without_redraw(cfads, rate, 1.2).debt)
    best = best_for_owners(cfads, rate, debt, 1.2, equity, life * len(cfads))
    try:
        found = curved(cfads, rate, debt=debt, min_dscr=1.2, max_life=life * len(cfads), equity_rate=equity)
    except Misuse:
        fastest = fast_principal(debt, cfads / 1.2, np.full(len(cfads), rate))
        assert best is None or average_life_years(fastest) >= life * len(cfads) * (1 - 1e-6)
        return
    assert best is not None
    assert found.present_value == pytest.approx(best, rel=1e-7, abs=1e-6)


def test_the_largest_debt_of_an_average_life_lives_exactly_that_long():
    capacity, rates = np.full(10, 20.0), np.full(10, 0.05)
    debt = fastest_life(capacity, rates, 4.0)
    assert average_life_years(fast_principal(debt, capacity, rates)) == pytest.approx(4.0, rel=1e-12)


def test_constant_cover_makes_debt_the_value_of_cash_over_cover():
    cfads = np.array([50.0, 80.0, 60.0])
    value = 50 / 1.06 + 80 / 1.06**2 + 60 / 1.06**3
    assert float(sculpted(cfads, 0.06, 1.3).debt) == pytest.approx(value / 1.3, rel=1e-15)


def test_one_case_and_its_column_among_many_are_the_same():
    flows = np.random.default_rng(3).uniform(-10.0, 100.0, (20, 50))
    for work in (sculpted, without_redraw):
        many = work(flows, 0.05, 1.3).balance
        for column in range(50):
            alone = work(flows[:, column], 0.05, 1.3).balance
            assert np.abs(alone - many[:, column]).max() <= 1e-12 * np.abs(many[:, column]).max()


def test_debt_with_tax_leaves_nothing_between_its_own_equations():
    earned = np.linspace(100.0, 130.0, 12)
    found, tax, cfads = with_tax(earned, np.full(12, 50.0), 0.05, 1.3, 0.25)
    assert tax == pytest.approx(0.25 * np.maximum(0.0, earned - 50.0 - found.interest), rel=1e-15)
    assert found.service == pytest.approx(cfads / 1.3, rel=1e-13)


def test_both_tranches_together_use_the_total_cover():
    cfads = np.array([60.0, 70.0, 80.0])
    senior, mezzanine = two_tranches(cfads, 0.03, 0.06, 1.5, 1.2)
    assert senior.service + mezzanine.service == pytest.approx(cfads / 1.2)
