"""The waterfall: who is paid from what, and that no cash is lost."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kequn.domain.errors import Misuse
from kequn.domain.projectfinance.ratios import dscr_backward, dscr_forward, lowest
from kequn.domain.projectfinance.waterfall import DebtTerms, WaterfallRules, WaterfallRun, run_waterfall

TWO = [DebtTerms("senior", 100.0, 0.0, np.array([50.0, 50.0]))]


def paid(cfads, rules, loans=TWO, mra=None):
    return run_waterfall(np.array(cfads), loans, rules, mra)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-50.0, 150.0), min_size=6, max_size=6), st.floats(0.0, 1.0), st.floats(0.0, 2.0),
    st.floats(0.0, 40.0), st.integers(0, 2),
)  # fmt: skip
def test_every_period_conserves_cash_whatever_comes(cfads, sweep, ahead, standby, cures):
    rules = WaterfallRules(
        order=("service:senior", "dsra", "service:junior", "mra", "sweep", "distribution"), dsra_periods=ahead,
        dsra_initial=10.0, dsrf_limit=standby, dsrf_rate=0.03, sweep_share=sweep, lockup_dscr=1.1, default_dscr=1.0,
        cure_dscr=1.0, cure_limit=30.0, cures=cures, tested_periods=2,
    )  # fmt: skip
    loans = [DebtTerms("senior", 200.0, 0.03, np.full(6, 200 / 6)), DebtTerms("junior", 40.0, 0.05, np.full(6, 40 / 6))]
    flow = paid(cfads, rules, loans, mra=np.array([5.0, 10.0, 0.0, 5.0, 10.0, 0.0]))
    assert np.abs(flow.imbalance(10.0)).max() <= 1e-8
    for account in (flow.dsra, flow.mra, flow.lockup_account, flow.bills_unpaid, flow.distribution, flow.dsrf_balance):
        assert account.min() >= -1e-9


def test_the_reserve_facility_lends_before_anything_stays_unpaid_and_is_repaid_next():
    flow = paid([30.0, 80.0], WaterfallRules(("service:senior", "dsra", "sweep", "distribution"), dsrf_limit=25.0))
    assert flow.dsrf_drawn.tolist() == [20.0, 0.0]
    assert flow.dsrf_repaid.tolist() == [0.0, 20.0]
    assert flow.distribution.tolist() == [0.0, 10.0]


def test_owners_cure_a_default_within_limit_and_number():
    rules = WaterfallRules(default_dscr=1.0, cure_dscr=1.0, cure_limit=15.0, cures=1)
    flow = paid([40.0, 40.0], rules)
    assert flow.cure.tolist() == [10.0, 0.0]
    assert flow.is_in_default.tolist() == [False, True]


def test_locked_up_cash_waits_and_is_paid_out_when_the_cover_is_back():
    flow = paid([52.0, 60.0], WaterfallRules(lockup_dscr=1.1))
    assert flow.lockup_account.tolist() == [2.0, 0.0]
    assert flow.distribution.tolist() == [0.0, 12.0]


def test_a_maintenance_reserve_pays_for_its_outlay():
    flow = paid([60.0, 45.0], WaterfallRules(("service:senior", "mra", "distribution")), mra=np.array([8.0, 0.0]))
    assert flow.from_mra.tolist() == [0.0, 8.0]
    assert flow.dscr.tolist() == pytest.approx([1.2, 1.06])


def test_bills_that_nobody_can_pay_come_first_in_the_next_period():
    flow = paid([-5.0, 120.0], WaterfallRules())
    assert flow.bills_unpaid.tolist() == [5.0, 0.0]
    assert flow.loans["senior"].principal_paid.tolist() == [0.0, 50.0]
    assert flow.loans["senior"].sweep.tolist() == [0.0, 50.0]


@pytest.mark.parametrize(
    "order", [("distribution", "service:senior"), ("service:senior",), ("service:other", "distribution")]
)
def test_an_order_that_forgets_or_invents_a_step_is_refused(order):
    with pytest.raises(Misuse, match="order of payment"):
        paid([1.0, 1.0], WaterfallRules(order))


def test_a_run_is_gone_when_nobody_holds_it_so_that_many_chunks_need_the_room_of_one():
    gc.disable()
    try:
        engine = WaterfallRun(np.full((2, 3), 60.0), TWO, WaterfallRules(), None)
        engine.run(0)
        seen = weakref.ref(engine)
        del engine
        assert seen() is None
    finally:
        gc.enable()


def test_twelve_month_covers_look_back_and_ahead():
    cfads, service = np.array([10.0, 30.0, 20.0]), np.array([10.0, 10.0, 10.0])
    assert dscr_backward(cfads, service, 2).tolist() == pytest.approx([1.0, 2.0, 2.5])
    assert dscr_forward(cfads, service, 2).tolist() == pytest.approx([2.0, 2.5, 2.0])
    assert lowest(np.array([np.inf, np.inf])).value is None
