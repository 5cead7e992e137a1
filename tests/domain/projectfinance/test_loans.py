"""Dated loans: forms, rates, calendars and cents, against values worked by hand."""

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kequn.domain.errors import Misuse
from kequn.domain.projectfinance.accruals import accrual_dates, add_months
from kequn.domain.projectfinance.calendars import Calendar
from kequn.domain.projectfinance.loan_schedule import LoanTerms, loan_schedule
from kequn.domain.projectfinance.rates import RatePlan, fixed, reset_on
from kequn.domain.projectfinance.repayment import FORMS, repayment_shares
from kequn.domain.projectfinance.rounding import rounded, to_cents

MARGIN = ((date(2024, 1, 1), 0.01), (date(2026, 1, 1), 0.012))


def terms(form: str = "equal_principal", **changes: object) -> LoanTerms:
    known = {"principal": 1000.0, "start": date(2024, 1, 15), "frequency": "quarterly", "form": form,
             "rates": fixed(0.04), "day_count": "30/360", "periods": 8}  # fmt: skip
    return LoanTerms(**{**known, **changes})


@given(
    st.sampled_from([form for form in FORMS if form != "custom"]), st.integers(2, 40), st.floats(0.0, 0.05),
    st.sampled_from([0.0, 0.3]), st.integers(0, 1),
)  # fmt: skip
def test_every_form_repays_the_whole_loan_and_never_draws_again(form, periods, growth, balloon, grace):
    shares = repayment_shares(form, growth, periods, grace_periods=grace, balloon_share=balloon, step=0.02)
    assert shares.sum() == pytest.approx(1.0, abs=1e-12)
    assert shares.min() >= 0.0


def test_custom_shares_must_sum_to_one():
    assert repayment_shares("custom", 0.0, 2, custom=[0.25, 0.75]).tolist() == [0.25, 0.75]
    with pytest.raises(Misuse, match="sum to 1"):
        repayment_shares("custom", 0.0, 2, custom=[0.25, 0.5])


@pytest.mark.parametrize("form", ["equal_principal", "annuity", "bullet", "annuity_balloon"])
def test_a_loan_discounted_at_its_own_rate_is_par(form):
    rows = loan_schedule(terms(form, balloon_share=0.2 if form == "annuity_balloon" else 0.0))
    worth, discount = 0.0, 1.0
    for row in rows:
        discount /= 1.0 + row.interest / row.opening
        worth += row.payment * discount
    assert worth == pytest.approx(1000.0, rel=1e-14)


def test_a_margin_that_steps_and_a_floor_are_in_force_from_their_day():
    plan = RatePlan(((date(2024, 1, 1), 0.03),), MARGIN, floor=0.0405)
    assert (plan.at(date(2025, 12, 31)), plan.at(date(2026, 1, 1))) == (0.0405, pytest.approx(0.042))
    with pytest.raises(Misuse, match="2023-12-31"):
        plan.at(date(2023, 12, 31))


def test_a_rate_reset_on_1_january_ignores_what_is_published_within_the_year():
    published = ((date(2024, 2, 20), 0.0395), (date(2024, 7, 22), 0.0385), (date(2023, 6, 20), 0.042))
    base = reset_on(published, date(2023, 9, 21), date(2025, 9, 21), "1_january")
    assert [value for _, value in base] == [0.042, 0.042, 0.0385]
    anniversary = reset_on(published, date(2023, 9, 21), date(2025, 9, 21), "anniversary")
    assert [value for _, value in anniversary] == [0.042, 0.0385, 0.0385]


def test_a_level_payment_is_reckoned_again_when_the_rate_is_reset():
    """24 months from 5 January 2024 at 4 %, from 5 January 2025 at 3 %: each half pays level at its own rate."""
    base = ((date(2024, 1, 1), 0.04), (date(2025, 1, 5), 0.03))
    rows = loan_schedule(
        terms("annuity", start=date(2024, 1, 5), periods=24, frequency="monthly", rates=RatePlan(base))
    )
    first = 1000 * (0.04 / 12) / (1 - (1 + 0.04 / 12) ** -24)
    second = rows[12].opening * 0.0025 / (1 - 1.0025**-12)
    assert [row.payment for row in rows] == pytest.approx([first] * 12 + [second] * 12)


def test_settlement_on_the_20th_runs_from_the_21st_to_the_21st_with_stubs():
    dates = accrual_dates(
        date(2024, 2, 8), frequency="quarterly", maturity=date(2024, 7, 1), settlement="20th_of_quarter_month"
    )
    assert dates == [date(2024, 2, 8), date(2024, 3, 21), date(2024, 6, 21), date(2024, 7, 1)]


def test_a_month_end_stays_one_only_where_it_is_agreed():
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert add_months(date(2025, 2, 28), 1, end_of_month=True) == date(2025, 3, 31)


def test_modified_following_does_not_leave_the_month():
    calendar = Calendar("own", frozenset({date(2024, 5, 31)}), frozenset({date(2024, 6, 1)}), date(2024, 12, 31))
    assert calendar.adjusted(date(2024, 5, 31), "following") == date(2024, 6, 1)
    assert calendar.adjusted(date(2024, 5, 31), "modified_following") == date(2024, 5, 30)
    assert calendar.unknown([date(2025, 1, 1)]) == [date(2025, 1, 1)]


@pytest.mark.parametrize("form", ["equal_principal", "annuity", "bullet", "balloon"])
@given(cents=st.integers(100, 10_000_000))
def test_cents_of_principal_sum_to_the_loan_exactly(form, cents):
    principal = Decimal(cents) / 100
    rows = rounded(loan_schedule(terms(form, principal=float(principal), periods=7)))
    assert sum(row.principal for row in rows) == principal
    assert rows[-1].closing == 0
    assert all(row.payment == row.interest + row.principal for row in rows)


def test_a_thousand_in_three_parts_pays_the_cent_at_the_end():
    rows = rounded(loan_schedule(terms(periods=3, rates=fixed(0.0))))
    assert [row.principal for row in rows] == [Decimal("333.33"), Decimal("333.33"), Decimal("333.34")]


def test_half_a_cent_goes_up_in_size():
    assert (to_cents(0.125), to_cents(-0.125)) == (Decimal("0.13"), Decimal("-0.13"))


def test_the_vector_face_of_a_form_is_its_scalar_face():
    growth = np.random.default_rng(2).uniform(0.0, 0.03, (12, 5))
    many = repayment_shares("annuity", growth, 12, balloon_share=0.1)
    for column in range(5):
        alone = repayment_shares("annuity", growth[:, column], 12, balloon_share=0.1)
        assert np.abs(alone - many[:, column]).max() <= 1e-12
