"""Slotting: hand-worked sheets, what does not apply, what is missing, and the two other weightings."""

import itertools
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kequn.domain.errors import Refused
from kequn.domain.rating.slotting import drivers, slot
from kequn.policy import load_pack
from kequn.policy.slotting import read_sheet, read_slotting

POLICY = read_slotting(load_pack("cn").folder, date(2026, 6, 30))
SCHEME = POLICY.scheme
NAMES = [one.name for one in SCHEME.sub_factors]


def sheet(answer, **changes):
    answers = dict.fromkeys(NAMES, answer)
    answers["off_take_merchant"] = "n/a"
    return {**answers, **changes}


def factor(name, answer):
    return {one.name: answer for one in SCHEME.sub_factors if one.factor == name and one.name != "off_take_merchant"}


CATEGORIES = [
    (1, "strong", 0.70, 0.004),
    (2, "good", 0.90, 0.008),
    (3, "satisfactory", 1.15, 0.028),
    (4, "weak", 2.5, 0.08),
]


@pytest.mark.parametrize(("answer", "category", "weight", "loss"), CATEGORIES)
def test_a_sheet_of_one_answer_is_of_its_category(answer, category, weight, loss):
    found = slot(SCHEME, sheet(answer))
    assert (found.category, found.score) == (category, pytest.approx(answer))
    assert (found.risk_weight, found.expected_loss) == (weight, loss)
    assert (found.equal_weights, found.worst_factor) == (category, category)


@pytest.mark.parametrize(
    ("name", "weight", "base", "answer"),
    [(name, weight, base, answer) for (name, weight), (base, answer) in
     itertools.product(SCHEME.factors.items(), itertools.permutations((1, 2, 3, 4), 2))],
)  # fmt: skip
def test_a_factor_moves_the_score_by_its_weight(name, weight, base, answer):
    found = slot(SCHEME, sheet(base, **factor(name, answer)))
    score = base + weight * (answer - base)
    assert found.score == pytest.approx(score)
    assert found.category == (
        "strong" if score <= 1.5 else "good" if score <= 2.5 else "satisfactory" if score <= 3.5 else "weak"
    )
    worst = max(base, answer)
    assert found.worst_factor == CATEGORIES[worst - 1][1]


def test_what_does_not_apply_is_shared_among_the_rest():
    """Amortisation (0.10) out: ratios count 0.30 of 0.90. By hand: 1 + 0.30 * (0.30 / 0.90) * 3 = 1.3."""
    found = slot(SCHEME, sheet(1, amortisation="n/a", financial_ratios=4))
    assert found.score == pytest.approx(1.3)


def test_one_of_two_that_exclude_one_another_is_enough():
    answers = sheet(2)
    del answers["off_take_merchant"]
    assert slot(SCHEME, answers).missing == ()
    merchant = sheet(2, off_take_contracted=None, off_take_merchant=2)
    assert slot(SCHEME, merchant).category == "good"


def test_a_missing_answer_leaves_open_what_it_could_change():
    found = slot(SCHEME, sheet(2, financial_ratios=None))
    assert found.missing == ("financial_ratios",)
    assert found.category == "good"  # 2 - 0.09 to 2 + 0.18: nothing else is possible
    undecided = slot(SCHEME, {**sheet(2), **dict.fromkeys(factor("financial_strength", 1))})
    assert (undecided.category, undecided.possible) == (None, ("good", "satisfactory"))
    assert undecided.risk_weight is None


def test_default_stands_above_every_answer():
    found = slot(SCHEME, sheet(1), in_default=True)
    assert (found.category, found.risk_weight, found.expected_loss) == ("default", 0.0, 0.5)


def test_preferential_weights_are_a_national_choice_that_the_pack_does_not_make():
    assert slot(SCHEME, sheet(1), remaining_years=1.0).risk_weight == 0.70
    from dataclasses import replace

    chosen = replace(SCHEME, preferential_below_years=2.5)
    assert slot(chosen, sheet(1), remaining_years=2.4).risk_weight == 0.50
    assert slot(chosen, sheet(1), remaining_years=2.5).risk_weight == 0.70
    assert slot(chosen, sheet(3), remaining_years=1.0).preferential is False


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([1, 2, 3, 4, "n/a", None]), min_size=29, max_size=29), st.integers(0, 28))
def test_a_better_answer_never_gives_a_worse_score(answers, at):
    given_answers = dict(zip(NAMES, answers, strict=True))
    before = slot(SCHEME, given_answers)
    if isinstance(answers[at], int) and answers[at] > 1 and before.score is not None:
        after = slot(SCHEME, {**given_answers, NAMES[at]: answers[at] - 1})
        assert after.score <= before.score + 1e-12


def test_drivers_add_up_to_the_distance_from_strong():
    answers = sheet(1, financial_ratios=4, pledge=3)
    moved = dict(drivers(SCHEME, answers))
    assert list(moved) == ["financial_ratios", "pledge"]
    assert sum(moved.values()) == pytest.approx(slot(SCHEME, answers).score - 1)


@pytest.mark.parametrize(("dscr", "answer"), [(1.5, 1), (1.499, 2), (1.3, 2), (1.15, 3), (1.149, 4)])
def test_a_figure_of_the_model_answers_its_line(dscr, answer):
    read = read_sheet({"figures": {"dscr_min": dscr}}, POLICY)
    assert read.answers["financial_ratios"] == answer
    assert read.evidence["financial_ratios"] == f"dscr_min = {dscr}"


def test_a_person_s_answer_stands_before_a_figure_and_keeps_its_evidence():
    body = {"figures": {"dscr_min": 2.0}, "answers": {"1.2": {"answer": "weak", "evidence": "audit letter"}}}
    read = read_sheet(body, POLICY)
    assert (read.answers["financial_ratios"], read.evidence["financial_ratios"]) == (4, "audit letter")


def test_a_bad_sheet_is_refused_with_every_line():
    body = {
        "answers": {"dream": "good", "pledge": "superb", "off_take_contracted": "good", "off_take_merchant": "weak"}
    }
    with pytest.raises(Refused) as refused:
        read_sheet(body, POLICY)
    assert len(refused.value.findings) == 3


def test_every_line_has_four_descriptors_in_both_languages():
    assert len(POLICY.lines) == 29
    assert all(
        len(one.descriptors) == 4 and text.zh and text.en for one in POLICY.lines for text in one.descriptors.values()
    )
    assert {one.factor for one in SCHEME.sub_factors} == set(SCHEME.factors)
