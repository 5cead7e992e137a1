"""The cash of a period, told line by line, adds up; what came is set beside the model without inventing anything."""

from datetime import date
from pathlib import Path

import pytest

from kequn.domain.projectfinance.run import solve
from kequn.financing.actuals import compare
from kequn.financing.explaining import explain_period
from kequn.financing.models import model_of, read_model
from kequn.financing.results import kept_of
from kequn.financing.slotting import completed, remaining_years, slotting_figures
from kequn.financing.words import FIGURES, LINES, LOAN_LINES, shown, word_of
from kequn.policy import load_pack

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "projects").glob("*.yaml"))
AS_OF = date(2026, 9, 30)


@pytest.fixture(scope="module")
def cases():
    """Every scenario of the worked projects, as it is kept."""
    found = {}
    for file in EXAMPLES:
        project = read_model(file, load_pack("cn"), AS_OF).project
        for name in ("base", *project.scenarios):
            found[file.stem, name] = kept_of(solve(project, project.scenario(name)))
    return found


def test_the_steps_of_every_period_end_with_nothing_or_with_the_unpaid_bills(cases):
    for answer in cases.values():
        for place, row in enumerate(answer["periods"]):
            steps = explain_period(answer["periods"], place, answer["rules"], answer["loans"])
            assert steps[-1].left == pytest.approx(-(row["bills_unpaid"] or 0.0), abs=1e-8)


def test_the_sum_of_the_first_steps_is_cfads(cases):
    for answer in cases.values():
        for place, row in enumerate(answer["periods"]):
            steps = explain_period(answer["periods"], place, answer["rules"], answer["loans"])
            assert next(one.amount for one in steps if one.is_sum) == pytest.approx(row["cfads"], abs=1e-8)


def test_a_locked_period_says_which_test_failed(cases):
    answer = cases["toll_road", "stress"]
    place = next(at for at, row in enumerate(answer["periods"]) if row["is_locked_up"] and row["tested_dscr"] < 1.1)
    last = explain_period(answer["periods"], place, answer["rules"], answer["loans"])[-1]
    assert last.label.en == "Held in the lock-up account"
    assert "below lock-up at 1.10" in last.rule.en


def test_every_figure_and_line_of_a_result_has_its_word(cases):
    for answer in cases.values():
        assert set(answer["key_figures"]) <= set(FIGURES)
        loans = answer["loans"]
        named = {name for name in answer["periods"][0] if name not in ("period", "start", "end")}
        unnamed = {name for name in named if word_of(name, loans).label.en == name}
        assert unnamed == set()
        assert named <= {*LINES, *(f"{loan}_{line}" for loan in loans for line in LOAN_LINES)}


def test_what_is_not_defined_is_shown_as_a_dash_in_every_unit():
    assert {shown(None, unit, "zh") for unit in ("times", "share", "years", "date", "amount", "word")} == {"–"}


def test_a_default_year_of_the_stress_case_has_its_words(cases):
    codes = {one["code"]: one["en"] for one in cases["toll_road", "stress"]["warnings"]}
    assert "default first in the period to 2029-06-30: DSCR 0.86 below 1.05" in codes["project.default"]
    assert "project.default" not in {one["code"] for one in cases["toll_road", "base"]["warnings"]}


ROWS = [
    {"start": "2026-01-01", "end": "2026-06-30", "revenue": 100.0, "operating_costs": 20.0, "cfads": 60.0,
     "senior_interest": 10.0, "senior_scheduled": 30.0, "senior_interest_paid": 10.0},
    {"start": "2026-07-01", "end": "2026-12-31", "revenue": 100.0, "operating_costs": 20.0, "cfads": 60.0,
     "senior_interest": 10.0, "senior_scheduled": 30.0, "senior_interest_paid": 10.0},
]  # fmt: skip
NAMED = ("revenue", "operating_costs", "cfads", "interest_paid")


def compared(known):
    return compare(ROWS, ["senior"], known, NAMED, per_year=2)


def test_a_period_that_is_not_known_is_in_no_sum_and_makes_the_cover_unknown():
    found = compared({date(2026, 12, 31): {"revenue": 90.0, "cfads": 50.0}})
    assert found.missing == ("2026-06-30",)
    assert found.periods[1].cumulated["revenue"].difference == -10.0
    assert found.periods[1].dscr.actual is None
    assert found.periods[1].lines["operating_costs"].actual is None


def test_the_cover_that_came_is_twelve_months_of_cash_over_the_service_due():
    found = compared({date(2026, 6, 30): {"cfads": 60.0}, date(2026, 12, 31): {"cfads": 44.0}})
    assert found.periods[1].dscr.actual == pytest.approx((60 + 44) / 80)
    assert found.periods[1].dscr.model == pytest.approx(120 / 80)


def test_a_date_at_no_period_end_is_named_and_not_used():
    found = compared({date(2026, 8, 15): {"cfads": 1.0}})
    assert (found.astray, found.periods) == ((date(2026, 8, 15),), ())


def test_the_factors_carried_on_are_actual_over_model():
    known = {date(2026, 6, 30): {"revenue": 80.0, "operating_costs": 22.0}, date(2026, 12, 31): {"revenue": 100.0}}
    assert compared(known).factors == pytest.approx({"price": 0.9, "opex": 1.1})


def test_slotting_reads_the_model_and_a_person_stands_before_it():
    project = read_model(EXAMPLES[-1], load_pack("cn"), AS_OF).project
    figures = slotting_figures(project)
    assert figures["life_to_tenor"] == pytest.approx(25 / 22)
    assert figures["dscr_min_severe_stress"] < figures["dscr_min"]
    sheet = completed({"figures": {"dscr_min": 2.0, "balloon_share": None}}, project, AS_OF)
    assert (sheet["figures"]["dscr_min"], sheet["figures"]["balloon_share"]) == (2.0, 0.0)
    assert remaining_years(project, date(2050, 12, 31)) == pytest.approx(1 / 365.25)


def test_a_model_without_a_stress_scenario_leaves_severe_stress_unknown():
    text = EXAMPLES[-1].read_text("utf-8").replace("  stress:", "  other:")
    project = model_of(text, "road.yaml", load_pack("cn"), AS_OF).project
    assert slotting_figures(project)["dscr_min_severe_stress"] is None
