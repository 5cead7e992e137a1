"""A covenant tested for one customer: kept, breached, or not told; how far from the threshold, and what is missing."""

import pytest

from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rating import covenants
from kequn.domain.rating.covenants import headroom_of, newly_breached, told
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.policy.rule_text import parse

WORDS = Vocabulary([Fact("leverage", Grain.CUSTOMER, FactType.NUMBER), Fact("cover", Grain.CUSTOMER, FactType.NUMBER)])


def of(text, **facts):
    return covenants.tested(parse(text, WORDS), Reader(Record(facts, {}, {})))


@pytest.mark.parametrize(
    ("leverage", "holds", "headroom"), [(0.63, True, 0.1), (0.7, True, 0.0), (0.77, False, -0.1), (None, None, None)]
)
def test_a_single_comparison_says_value_threshold_and_headroom(leverage, holds, headroom):
    found = of("leverage <= 0.7", leverage=leverage)
    assert (found.holds, found.value, found.sign, found.threshold) == (holds, leverage, "<=", 0.7)
    assert found.headroom == (None if headroom is None else pytest.approx(headroom))
    assert found.missing == (() if leverage is not None else ("leverage",))


def test_a_rule_of_two_terms_is_breached_by_one_of_them_whatever_the_other_is():
    assert of("leverage <= 0.7 and cover >= 2", leverage=0.9, cover=None).holds is False
    assert of("leverage <= 0.7 and cover >= 2", leverage=0.6, cover=None).holds is None


def test_a_comparison_written_the_other_way_round_shows_figure_and_threshold_the_right_way():
    assert of("0.7 >= leverage", leverage=0.63) == of("leverage <= 0.7", leverage=0.63)
    assert of("0.7 = leverage", leverage=0.63).threshold == 0.7


def test_no_headroom_against_nothing_and_none_without_direction():
    assert headroom_of("<=", 1.0, 0.0) is None
    assert headroom_of("=", 1.0, 2.0) is None
    assert headroom_of(">=", None, 2.0) is None


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        (None, "a; b", {"a", "b"}), ("a", "a; b", {"b"}), ("a; b", "a", set()), ("unknown", "none", set()),
        ("none", "unknown", set()), (None, None, set()),
    ],
)  # fmt: skip
def test_only_what_was_not_breached_before_is_newly_breached(before, after, names):
    assert newly_breached(before, after) == names


def test_a_breach_is_told_even_where_another_covenant_cannot_be():
    assert told({"a": None, "b": False, "c": True}) == "b"
