"""Taxes, depreciation, reserves and draws, worked by hand."""

import numpy as np
import pytest

from kequn.domain.errors import Misuse
from kequn.domain.projectfinance.arithmetic import ONE
from kequn.domain.projectfinance.depreciation import depreciation_shares
from kequn.domain.projectfinance.draws import FacilityTerms, funded_at_gearing, funded_with_debt
from kequn.domain.projectfinance.reserves import mra_targets
from kequn.domain.projectfinance.sizing import smallest_cap
from kequn.domain.projectfinance.taxes import TaxLedger, TaxRules


def tax_of_years(profits: list[float], rules: TaxRules, first_income_year: int = 0) -> np.ndarray:
    ledger = TaxLedger(rules)
    return np.array([ledger.assess(np.array(p), year - first_income_year) for year, p in enumerate(profits)])


THREE_AND_THREE = TaxRules(0.25, 5, (0.0, 0.0, 0.0, 0.5, 0.5, 0.5))


def test_three_years_free_and_three_at_half_count_from_the_first_income():
    assert tax_of_years([100.0] * 7, THREE_AND_THREE).tolist() == [0, 0, 0, 12.5, 12.5, 12.5, 25.0]
    assert tax_of_years([100.0] * 4, THREE_AND_THREE, first_income_year=1).tolist() == [25.0, 0, 0, 0]


def test_a_loss_is_set_off_for_five_years_and_then_lost():
    """-100, then five years of 10 use 50; the other 50 expire."""
    rules = TaxRules(0.25, loss_years=5)
    assert tax_of_years([-100.0, *[10.0] * 5, 10.0], rules).tolist() == [0.0] * 6 + [2.5]


def test_the_oldest_loss_is_used_first():
    """Two years to set off: the loss of year 1 serves year 3, that of year 2 still serves year 4."""
    assert tax_of_years([-10.0, -10.0, 10.0, 10.0], TaxRules(0.25, loss_years=2)).tolist() == [0.0, 0.0, 0.0, 0.0]


def test_a_small_firm_pays_the_small_rate_up_to_the_limit_only():
    rules = TaxRules(0.25, small_limit=3.0, small_rate=0.05)
    assert tax_of_years([3.0, 3.01], rules).tolist() == pytest.approx([0.15, 0.7525])


@pytest.mark.parametrize("rules", [THREE_AND_THREE, TaxRules(0.25, 3, (), 40.0, 0.05)])
def test_one_case_and_many_are_taxed_alike_and_prepay_what_is_assessed(rules):
    profits = np.random.default_rng(4).normal(10.0, 40.0, (12, 6))
    many, plain = TaxLedger(rules), [TaxLedger(rules, ONE) for _ in range(6)]
    for year, profit in enumerate(profits):
        prepaid, tax = many.due(profit, year), many.assess(profit, year)
        assert prepaid == pytest.approx(tax, abs=1e-12)
        alone = [one.assess(float(p), year) for one, p in zip(plain, profit, strict=True)]
        assert tax == pytest.approx(alone, abs=1e-12)


def test_double_declining_balance_turns_straight_in_its_last_two_years():
    """准则第4号的常用例：四年、残值 5 %：50 %, 25 %, then (25 % - 5 %) / 2 twice."""
    shares = depreciation_shares("double_declining", 4, 4, 1, salvage=0.05)
    assert shares.tolist() == pytest.approx([0.5, 0.25, 0.1, 0.1])


def test_depreciation_by_quarter_spreads_a_year_and_ends_with_the_life():
    shares = depreciation_shares("straight_line", 2, 12, 4)
    assert shares.tolist() == pytest.approx([0.125] * 8 + [0.0] * 4)


@pytest.mark.parametrize("funding", ["pro_rata", "equity_first", "debt_first"])
@pytest.mark.parametrize("gearing", [0.2, 0.7, 0.95])
def test_sources_equal_uses_and_the_gearing_is_exact_however_it_is_funded(funding, gearing):
    terms = FacilityTerms(0.004, upfront_fee=0.01, commitment_fee=0.0003, uses_at_end=0.05)
    found = funded_at_gearing([30.0, 50.0, 40.0, 10.0], terms, gearing=gearing, funding=funding)
    assert found.debt / found.total_uses == pytest.approx(gearing, rel=1e-13)
    uses = found.costs + found.interest + found.commitment_fees
    uses[0] += 0.01 * found.debt
    uses[-1] += 0.05 * found.debt
    assert found.draws + found.equity == pytest.approx(uses, rel=1e-13)
    assert min(found.draws.min(), found.equity.min()) >= -1e-12
    again = funded_with_debt([30.0, 50.0, 40.0, 10.0], terms, debt=found.debt, funding=funding)
    assert again.draws == pytest.approx(found.draws, rel=1e-10, abs=1e-10)


def test_a_loan_larger_than_everything_is_refused():
    with pytest.raises(Misuse, match="more than all uses"):
        funded_with_debt([100.0], FacilityTerms(0.0), debt=101.0)
    with pytest.raises(Misuse, match="no costs"):
        funded_at_gearing([], FacilityTerms(0.0), gearing=0.5)


def test_an_overhaul_is_saved_up_in_equal_parts():
    assert mra_targets(np.array([0.0, 0.0, 0.0, 80.0, 0.0]), 4).tolist() == [20.0, 40.0, 60.0, 0.0, 0.0]


def test_the_binding_limit_is_named_with_what_lifting_it_is_worth():
    found = smallest_cap({"dscr": 100.0, "gearing": 90.0, "llcr": 95.0})
    assert (found.debt, found.binding, found.headroom) == (90.0, "gearing", 5.0)
