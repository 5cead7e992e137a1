"""A rating worked by hand: two modules of one line each, a scale of four grades."""

import math

import pytest

from kequn.domain.errors import Text
from kequn.domain.rating.calibration import pd_of_score
from kequn.domain.rating.composing import (
    Ceiling,
    Characteristic,
    Inputs,
    Model,
    Module,
    Override,
    Part,
    Scale,
    Scheme,
    Support,
    compose,
)
from kequn.domain.rating.differing import difference
from kequn.domain.rating.spreading import Check, check, rest_of
from kequn.domain.rating.wording import words_of

WORDS = Text("名", "name")


def line(name, *, is_question=False):
    return Characteristic(name, f"fact_{name}", WORDS, "", 10, float, is_question)


def scheme(*, required=True, **more):
    money = Module("money", "statement", WORDS, 0.5, (line("money"),))
    people = Module("people", "questionnaire", WORDS, 0.5, (line("people", is_question=True),))
    model = Model("firm", WORDS, WORDS, (Part(money, 0.75, required), Part(people, 0.25, False)), 0.6, 12)
    pds = {"A": 0.005, "B": 0.015, "C": 0.05, "E": 0.3, "D": 1.0}
    scale = Scale(("A", "B", "C", "E"), (0.01, 0.02, 0.1, math.inf), pds, "D", -0.84, 0.09)
    group = Support(WORDS, 0.5, 2, 1, "group_default", default_down=2, mark="stands_by", mark_least=3)
    guarantor = Support(WORDS, 0.5, 1, 0, "guarantor_default", covered_least=0.5)
    ceilings = (Ceiling("place", "home", "A"), Ceiling("place", "abroad", "B"))
    return Scheme(scale, {"firm": model}, WORDS, group, guarantor, ceilings, {"red": "E"}, 2, 3)


GOOD = {"rating_model": "firm", "fact_money": 8.0, "fact_people": 4.0, "place": "home", "in_default": False}


def rated(override=None, answers=None, **facts):
    return compose(scheme(), Inputs(GOOD | facts, answers or {}, override))


def test_the_score_is_the_weighted_mean_of_the_modules():
    found = rated()
    assert found.score == 0.75 * 80 + 0.25 * 40
    assert found.pd == pd_of_score(70.0, intercept=-0.84, slope=0.09)
    assert found.grade == "A"


def test_an_answer_goes_before_what_was_handed_in():
    assert rated(answers={"people": 10}).score == 85.0


def test_without_a_module_that_is_not_required_the_others_decide():
    found = rated(fact_people=None)
    assert (found.score, found.missing) == (80.0, ("people",))


def test_without_a_required_module_there_is_no_rating_and_it_is_named():
    found = rated(fact_money=None)
    assert (found.grade, found.pd, found.missing) == (None, None, ("money",))


def test_where_no_model_fits_nothing_is_rated():
    found = rated(rating_model=None)
    assert (found.model, found.grade) == (None, None)
    assert words_of(scheme(), found, found.steps[0]) == WORDS


def test_a_customer_in_default_is_graded_so_whatever_is_known():
    assert rated(in_default=True, fact_money=None).grade == "D"
    assert rated(in_default=True, override=Override(2, "peers")).grade == "D"


@pytest.mark.parametrize(
    ("facts", "grade"),
    [
        ({"parent_grade": "A", "stands_by": 4.0}, "B"),  # half of two notches from C
        ({"parent_grade": "A", "stands_by": 2.0}, "C"),  # not known to stand by
        ({"parent_grade": "A"}, "C"),  # unknown is not yes
        ({"parent_grade": "D"}, "E"),  # in default: down two, and E is the last
        ({"group_default": 1.0, "parent_grade": "A", "stands_by": 5.0}, "E"),
        ({"guarantor_grade": "A", "guarantor_share": 0.5, "guarantor_default": 0.0}, "B"),
        ({"guarantor_grade": "A", "guarantor_share": 0.4, "guarantor_default": 0.0}, "C"),
        ({"guarantor_grade": "A", "guarantor_share": 1.0}, "C"),  # not known to be sound
    ],
)
def test_support_moves_by_a_share_of_the_distance(facts, grade):
    assert rated(fact_money=3.0, fact_people=5.0, **facts).grade == grade


def test_the_ceiling_of_a_place_holds_a_grade_down():
    assert rated(place="abroad").grade == "B"
    assert rated(place="abroad").pd == 0.015


def test_an_override_lifts_no_grade_beyond_ceiling_and_cap():
    assert rated(place="abroad", override=Override(2, "peers")).grade == "B"
    assert rated(warning_level="red", override=Override(2, "peers")).grade == "E"


def test_an_override_downwards_counts_in_notches():
    assert rated(override=Override(-2, "peers")).grade == "C"


def test_the_parts_of_a_difference_add_up_to_the_whole():
    old, new = Inputs(GOOD, {}), Inputs(GOOD | {"fact_money": 4.0, "warning_level": "red"}, {}, Override(-1, "peers"))
    drivers = [
        ("statement", frozenset({"fact_money"})),
        ("signal", frozenset({"warning_level"})),
        ("override", frozenset()),
    ]
    found = difference(scheme(), drivers, old, new)
    assert [(one.driver, one.notches) for one in found] == [("statement", -2), ("signal", -1), ("override", 0)]
    assert (compose(scheme(), old).grade, compose(scheme(), new).grade) == ("A", "E")


def test_a_check_names_the_amount_by_which_two_sides_differ():
    balance = Check("balance", "equal", {"assets": 1}, {"debt": 1, "equity": 1}, 0.001)
    assert check(balance, {"assets": 1_000_000, "debt": 600_000, "equity": 400_500}, {}).outcome == "holds"
    assert check(balance, {"assets": 1_000_000, "debt": 600_000, "equity": 300_000}, {}).gap == 100_000


def test_a_check_without_a_line_is_unknown_and_names_it():
    cash = Check("cash", "equal", {"cash": 1, "opening.cash": -1}, {"flow": 1}, 0.02)
    found = check(cash, {"cash": 5, "flow": 2}, {})
    assert (found.outcome, found.missing) == ("unknown", ("opening.cash",))


def test_the_rest_of_a_sum_holds_what_its_known_lines_do_not():
    assert rest_of("whole", {"a": 1, "b": 1}, {"whole": 10, "a": 3, "b": None}) == 7
    assert rest_of("whole", {"a": 1}, {"whole": 10, "a": None}) is None
