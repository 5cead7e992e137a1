"""`kequn finance solve`: the published cases, and cases of our own with values worked by hand."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kequn.cli import build
from kequn.domain.errors import Refused

ORACLES = Path(__file__).parents[3] / "shared" / "oracles"
LONG = {"principal": 1.0, "frequency": "annual", "mode": "bullet", "annual_rate": 0.03, "day_count": "ACT/365F"}
NOT_ASKED = {"formula", "rule", "pyxirr", "numpy_financial", "one_optimal_balance", "principal_one_optimum"}


def solved(folder: Path, cases: list[dict], refused: bool = False) -> dict:
    (folder / "cases.json").write_text(json.dumps({"cases": cases}), "utf-8")
    words = ["finance", "solve", str(folder / "cases.json"), "-o", str(folder / "out.json")]
    done = CliRunner().invoke(build(), words, env={"KEQUN_LANG": "en"})
    assert isinstance(done.exception, Refused) if refused else done.exception is None, done.exception
    return json.loads((folder / "out.json").read_text("utf-8"))


def one(folder: Path, category: str, **inputs: object) -> dict:
    return solved(folder, [{"id": "own", "category": category, "inputs": inputs}])["own"]


def apart(expected: object, found: object, tolerance: dict, path: str, scale: float = 0.0) -> list[str]:
    """Where an answer leaves the expected one; balances that end at nil are held to the size of their series."""
    if isinstance(expected, dict):
        keys = [key for key in expected if key not in NOT_ASKED and "pyxirr" not in key and key[:6] != "pysam_"]
        return [line for key in keys for line in apart(expected[key], found[key], tolerance, f"{path}.{key}")]
    if isinstance(expected, list):
        if len(expected) != len(found):
            return [f"{path}: {len(expected)} values, found {len(found)}"]
        size = max((abs(one) for one in expected if isinstance(one, int | float)), default=0.0)
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for place, (e, f) in pairs for line in apart(e, f, tolerance, f"{path}[{place}]", size)]
    if isinstance(expected, bool) or not isinstance(expected, int | float):
        return [] if expected == found else [f"{path}: {expected!r}, found {found!r}"]
    room = max(tolerance.get("abs", 0.0), tolerance.get("rel", 0.0) * abs(expected), 1e-12 * scale)
    return [] if abs(expected - found) <= room else [f"{path}: {expected!r}, found {found!r}"]


@pytest.mark.shared
@pytest.mark.skipif(not ORACLES.is_dir(), reason="the worked cases beside the repository are absent")
@pytest.mark.parametrize("file", sorted(ORACLES.glob("*.json")) or [ORACLES / "none.json"], ids=lambda path: path.stem)
def test_every_published_case_is_answered_within_its_tolerance_from_its_inputs_alone(tmp_path, file):
    cases = json.loads(file.read_text("utf-8"))["cases"]
    bare = [{key: case[key] for key in ("id", "category", "inputs")} for case in cases]
    answers = solved(tmp_path, bare)
    wrong = []
    for case in cases:
        expected = case.get("expected_closed") or case.get("expected_no_redraw") or case["expected"]
        wrong += apart(expected, answers[case["id"]], case["tolerance"], case["id"])
    assert wrong == []
    assert [row["period"] for row in answers.get("S07", {"warnings": [{"period": 10}]})["warnings"]] == [10]


def test_two_quarterly_draws_pro_rata_carry_interest_on_the_first(tmp_path):
    """By hand at half debt: 50 drawn, then (100 + 50 x 2 %) / 2 = 50.5."""
    found = one(tmp_path, "construction_idc", costs_million=[100, 100], gearing=0.5, annual_rate=0.08,
                frequency="quarterly", funding="pro_rata")  # fmt: skip
    assert found["draws"] == pytest.approx([50.0, 50.5])
    assert found["idc"] == pytest.approx([0.0, 1.0])
    assert found["total_uses"] == pytest.approx(201.0)


def test_a_project_paid_wholly_by_debt_borrows_its_own_interest(tmp_path):
    found = one(tmp_path, "construction_idc", costs_million=[100, 100], gearing=1.0, annual_rate=0.08,
                frequency="quarterly", funding="pro_rata")  # fmt: skip
    assert found["debt"] == pytest.approx(202.0)


def test_debt_first_draws_the_loan_before_any_equity(tmp_path):
    """D = U / 2, U = 200 + 2 % x D of interest on what the first quarter drew (100, all debt): U = 202, D = 101."""
    found = one(tmp_path, "construction_idc", funding="debt_first", costs_million=[100, 100], gearing=0.5,
                annual_rate=0.08, frequency="quarterly")  # fmt: skip
    assert found["draws"] == pytest.approx([100.0, 1.0])
    assert found["equity_injections"] == pytest.approx([0.0, 101.0])


def test_the_gearing_of_a_loan_with_fee_and_reserve_is_exact(tmp_path):
    """One year, one payment: k = 1.1, D = 0.5 x 100 / (1 - 0.5 (0.01 + 0.5 x 1.1))."""
    found = one(tmp_path, "debt_sizing_vs_pysam", mode="gearing_equal_principal", cfads=[90.0], annual_rate=0.1,
                tenor_years=1, gearing_limit=0.5, uses_before_debt_dependent_items=100.0,
                upfront_fee_rate_on_debt=0.01, dsra_months_of_first_year_debt_service=6)  # fmt: skip
    assert found["debt"] == pytest.approx(50.0 / (1.0 - 0.5 * 0.56), rel=1e-14)
    assert found["gearing"] == pytest.approx(0.5, rel=1e-14)
    assert found["dscr"] == pytest.approx([90.0 / (1.1 * found["debt"])])


def test_a_year_that_cannot_pay_what_is_due_is_named(tmp_path):
    found = one(tmp_path, "debt_sizing_vs_pysam", mode="gearing_annuity", cfads=[30.0, 5.0, 30.0], annual_rate=0.05,
                tenor_years=3, gearing_limit=0.5, uses_before_debt_dependent_items=100.0)  # fmt: skip
    assert [row["period"] for row in found["warnings"]] == [2]


def test_grace_pays_interest_alone_and_half_years_carry_half_the_rate(tmp_path):
    """Two half-years of grace, then 110.25 / 1.05 + 110.25 / 1.05^2 = 205 at 5 % a half-year."""
    found = one(tmp_path, "debt_sizing_vs_pysam", mode="sculpt_to_target_dscr", period="semi-annual",
                cfads=[20.0, 20.0, 110.25, 110.25], annual_rate=0.1, tenor_years=2, target_dscr=1.0,
                grace_years_interest_only=1, uses_before_debt_dependent_items=400.0)  # fmt: skip
    assert found["debt"] == pytest.approx(205.0)
    assert found["debt_service"] == pytest.approx([10.25, 10.25, 110.25, 110.25])


def test_equal_principal_by_months_with_30_360(tmp_path):
    """1,200 over 12 months at 12 %: interest 12, 11, 10 ... 1 = 78."""
    found = one(tmp_path, "repayment_schedule", principal=1200, start="2025-01-10", periods=12, frequency="monthly",
                mode="equal_principal", annual_rate=0.12, day_count="30/360", rate_kind="fixed")  # fmt: skip
    assert found["total_interest"] == pytest.approx(78.0)
    assert [row["end"] for row in found["schedule"]][-1] == "2026-01-10"


def test_a_schedule_in_cents_sums_to_the_loan_and_pays_the_rest_at_the_end(tmp_path):
    found = one(tmp_path, "repayment_schedule", principal=1000, start="2025-01-01", periods=3, frequency="annual",
                mode="equal_principal", annual_rate=0.0, day_count="30/360", rounding="cent")  # fmt: skip
    assert [row["principal"] for row in found["schedule_in_cents"]] == ["333.33", "333.33", "333.34"]


def test_level_payments_before_a_balloon_leave_exactly_the_balloon(tmp_path):
    """1,000 at 10 % a year, half left after two years: A = 1000 x (1 - 0.5 / 1.21) / (1 / 1.1 + 1 / 1.21)."""
    found = one(tmp_path, "repayment_schedule", principal=1000, start="2025-01-01", maturity="2027-01-01",
                frequency="annual", mode="annuity_balloon", balloon_share=0.5, annual_rate=0.1,
                day_count="30/360")  # fmt: skip
    level = 1000 * (1 - 0.5 / 1.21) / (1 / 1.1 + 1 / 1.21)
    assert found["level_payment"] == pytest.approx(level)
    assert [row["payment"] for row in found["schedule"]] == pytest.approx([level, level + 500.0])


def test_a_reset_within_a_month_splits_its_interest(tmp_path):
    """360,000 from 1 to 31 March: 14 days at 3.6 %, 16 days at 3 %, over 360 days."""
    found = one(tmp_path, "repayment_schedule", principal=360_000, start="2025-03-01", maturity="2025-03-31",
                frequency="monthly", mode="bullet", rate_kind="lpr_floating", spread=-0.001, day_count="ACT/360",
                lpr_resets=[["2025-03-15", 0.031], ["2025-01-01", 0.037]])  # fmt: skip
    assert found["schedule"][0]["interest"] == pytest.approx(14 * 36.0 + 16 * 30.0)
    assert [part["days"] for part in found["schedule"][0]["parts"]] == [14, 16]


def test_payment_days_walk_over_the_spring_festival_and_work_on_make_up_days(tmp_path):
    """国办发明电〔2023〕7号: 10 to 17 February 2024 are a holiday, Sunday 18 February is worked."""
    found = one(tmp_path, "repayment_schedule", principal=1, start="2024-01-10", periods=1, frequency="monthly",
                mode="bullet", annual_rate=0.03, day_count="ACT/365F", pay_calendar="china_interbank",
                pay_adjustment="following")  # fmt: skip
    assert found["pay_dates_following_china"] == ["2024-02-18"]


def test_day_counts_of_a_leap_day_to_the_end_of_march(tmp_path):
    row = one(tmp_path, "day_count", pairs=[["2024-02-29", "2024-03-31"]])["rows"][0]
    assert (row["30/360"]["days"], row["30E/360"]["days"]) == (32, 31)
    assert row["ACT/ACT ISDA"]["yf"] == pytest.approx(31 / 366, abs=1e-16)


def test_the_last_year_of_the_calendar_has_a_day_count(tmp_path):
    row = one(tmp_path, "day_count", pairs=[["9998-12-31", "9999-12-31"]])["rows"][0]
    assert row["ACT/ACT ISDA"] == {"days": 365, "yf": pytest.approx(1.0)}


def test_a_sculpted_loan_over_quarters_counts_its_life_in_years(tmp_path):
    found = one(tmp_path, "sculpting", period="quarterly", cfads=[102.0, 104.04], annual_rate=0.08, target_dscr=1.0)
    assert found["debt"] == pytest.approx(200.0)
    assert found["weighted_average_life_years"] == pytest.approx((98.0 * 0.25 + 102.0 * 0.5) / 200.0)


def test_a_given_debt_has_one_dscr_and_a_longer_project_a_higher_plcr(tmp_path):
    found = one(tmp_path, "sculpting", cfads_debt_term=[110.0, 121.0], cfads_tail=[133.1], annual_rate=0.1, debt=100.0)
    assert (found["constant_dscr"], found["plcr"], found["tail_years"]) == (pytest.approx(2.0), pytest.approx(3.0), 1)


def test_tax_and_interest_close_in_one_step(tmp_path):
    """One year: E 100, no depreciation, tau 50 %, r 10 %, DSCR 1: 1.1 B = 100 - 0.5 (100 - 0.1 B), B = 50 / 1.05."""
    found = one(tmp_path, "sculpting_with_tax", ebitda=[100.0], tax_depreciation=[0.0], tax_rate=0.5, annual_rate=0.1,
                target_dscr=1.0)  # fmt: skip
    assert found["debt"] == pytest.approx(50.0 / 1.05)


def test_mezzanine_takes_what_the_senior_cover_leaves(tmp_path):
    found = one(tmp_path, "multi_tranche", cfads=[120.0], senior_rate_per_period=0.0, mezz_rate_per_period=0.25,
                senior_dscr=1.5, total_dscr=1.2)  # fmt: skip
    assert (found["senior_debt"], found["mezz_debt"]) == (pytest.approx(80.0), pytest.approx(16.0))


def test_a_year_without_cash_ends_the_loan_before_it(tmp_path):
    found = one(tmp_path, "sculpting_no_redraw", cfads=[110.0, 0.0, 110.0], annual_rate=0.1, target_dscr=1.0)
    assert found["max_debt"] == pytest.approx(100.0)
    assert found["max_debt_if_redraw_allowed"] == pytest.approx(100.0 + 110.0 / 1.331)
    assert [row["period"] for row in found["warnings"]] == [2]


def test_owners_hold_debt_as_long_as_the_average_life_allows(tmp_path):
    """Rate nil, two periods, 100 each at DSCR 1: a life of 1.75 means 25 and then 75; at 100 % that is 75 / 2 + 25 /
    4."""
    found = one(tmp_path, "curved_dscr", cfads=[100.0, 100.0], annual_rate=0.0, debt=100.0, min_dscr=1.0,
                equity_discount_rate=1.0, max_weighted_average_life_years=1.75)  # fmt: skip
    assert found["principal_one_optimum"] == pytest.approx([25.0, 75.0])
    assert found["max_pv_distributions"] == pytest.approx(43.75)


def test_a_shortfall_takes_the_reserve_and_then_stays_unpaid(tmp_path):
    """Rate nil, two instalments of 100, reserve 30: 60 + 30 leave 10 unpaid; the next year's 150 sweep it."""
    found = one(tmp_path, "waterfall", base_cfads=[100.0, 100.0], scenario_cfads=[60.0, 150.0], annual_rate=0.0,
                sizing_dscr=1.0, dsra_months_of_next_service=0, dsra_initial=30.0, lockup_dscr=1.1)  # fmt: skip
    first, second = found["rows"]
    assert (first["paid_from_dsra"], first["unpaid"], first["distribution"]) == (30.0, 10.0, 0.0)
    assert (second["sweep"], second["closing"], second["distribution"]) == (10.0, 0.0, 40.0)


def test_dated_flows_a_year_apart_return_what_they_pay(tmp_path):
    found = one(tmp_path, "xirr", dates=["2023-01-01", "2024-01-01"], amounts=[-100.0, 112.0])
    assert found["expected"] == pytest.approx(0.12, abs=1e-12)
    assert found["xnpv_at_8pct"] == pytest.approx(112.0 / 1.08 - 100.0)


def test_two_rates_of_return_are_both_told(tmp_path):
    """(x - 1.1)(x - 2) = x^2 - 3.1 x + 2.2, turned round."""
    found = one(tmp_path, "irr", cashflows=[-1.0, 3.1, -2.2], periodic=True)
    assert found["all_roots_gt_-0.99"] == pytest.approx([0.1, 1.0], abs=1e-12)
    assert (found["expected"], found["status"], found["unique"]) == (None, "multiple", False)


def test_a_price_without_tax_or_vat_is_cost_plus_hurdle_on_capital(tmp_path):
    """0.1 x 0.1 + 0.02 x 0.9 + 0.003 + 0.01 x 0.4 = 0.035."""
    found = one(tmp_path, "pricing", ftp=0.02, opex=0.003, pd=0.01, lgd=0.4, capital_ratio=0.1, risk_weight=1.0,
                hurdle=0.1, lpr=0.03)  # fmt: skip
    assert found["rate_for_hurdle"] == pytest.approx(0.035, abs=1e-15)
    assert found["spread_over_lpr_bp"] == pytest.approx(50.0)


def test_pledged_things_bind_where_they_are_to(tmp_path):
    found = one(tmp_path, "limit", collateral=[[100.0, 0.5], [50.0, 0.2]], collateral_binding=True, requested=80.0)
    assert (found["caps"], found["binding"]) == ({"collateral": 60.0, "request": 80.0}, "collateral")


@pytest.mark.parametrize(
    ("category", "inputs", "code", "word"),
    [
        ("sculpting", {"cfads": [1.0], "annual_rate": 0.1}, "missing_input", "target_dscr"),
        ("sculpting", {"cfads": [1.0, None], "annual_rate": 0.1, "target_dscr": 1.2}, "bad_input", "cfads[1]"),
        ("astrology", {}, "unknown_category", "astrology"),
        ("curved_dscr", {"cfads": [10.0], "annual_rate": 0.0, "debt": 90.0, "min_dscr": 1.0,
                         "equity_discount_rate": 0.1, "max_weighted_average_life_years": 1.0}, "unsolvable", "90"),
        ("debt_sizing_vs_pysam", {"cfads": [1.0], "tenor_years": 2, "mode": "any"}, "tenor_beyond_life", "2"),
        ("construction_idc", {"costs_million": [0.0], "gearing": 0.5, "annual_rate": 0.1}, "unsolvable", "no costs"),
        ("sculpting", {"cfads": [1e308, 1e308, 1e308], "annual_rate": 0, "target_dscr": 0.5}, "out_of_range", "range"),
        ("repayment_schedule", {**LONG, "start": "2026-01-10", "periods": 9000}, "out_of_range", "10000"),
        ("repayment_schedule", {**LONG, "start": "9990-01-10", "periods": 20}, "out_of_range", "10000"),
        ("xirr", {"dates": ["2024-02-30"], "amounts": [1.0]}, "bad_input", "dates[0]"),
    ],
)  # fmt: skip
def test_a_case_without_an_answer_says_why_and_the_others_are_still_written(tmp_path, category, inputs, code, word):
    good = {"id": "good", "category": "irr", "inputs": {"cashflows": [-1.0, 1.1]}}
    answers = solved(tmp_path, [{"id": "bad", "category": category, "inputs": inputs}, good], refused=True)
    assert answers["bad"]["error"]["code"] == code
    assert word in answers["bad"]["error"]["message"]
    assert answers["good"]["expected"] == pytest.approx(0.1)
