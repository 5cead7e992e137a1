"""Codes of industry and person."""

import random

import pytest
from stdnum.cn import uscc as oracle

from kequn.domain.segmentation.industry import longest_prefix, read_industry_code
from kequn.domain.segmentation.uscc import check_character, is_valid_uscc

SECTIONS = {"39": "C", "51": "F"}


@pytest.mark.parametrize("text", ["C39", "C3911", "F51", "C", "T"])
def test_a_letter_with_its_own_digits_is_a_code(text):
    assert read_industry_code(text, SECTIONS).text == text


@pytest.mark.parametrize("text", ["", "F39", "C99", "39", "C3", "C39111", "c39", "U39", "C39 ", "C3x"])
def test_anything_else_is_no_code(text):
    assert read_industry_code(text, SECTIONS) is None


def test_the_longest_prefix_wins():
    assert longest_prefix("G591", {"G": 1, "G59": 2}) == 2
    assert longest_prefix("K70", {"K701": 1}) is None


def test_check_characters_agree_with_another_program():
    draw = random.Random(1)
    for _ in range(500):
        first = f"91{draw.randrange(10**6):06d}" + "".join(
            draw.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(9)
        )
        code = first + check_character(first)
        assert oracle.calc_check_digit(code[:17]) == code[17]
        assert is_valid_uscc(code)
        assert not is_valid_uscc(first + ("0" if code[17] != "0" else "1"))


@pytest.mark.parametrize("text", ["", "91350100M000100Y4", "91350100m000100y43", "91350100I000100Y43"])
def test_a_code_of_the_wrong_shape_is_not_valid(text):
    assert not is_valid_uscc(text)
