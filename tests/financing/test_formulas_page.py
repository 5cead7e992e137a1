"""The formulas as they are written: their examples run, the page says what the code says."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

from kequn.domain import projectfinance, structuring
from kequn.financing.formulas_page import render

MODULES = [
    f"{room.__name__}.{one.name}"
    for room in (projectfinance, structuring)
    for one in pkgutil.iter_modules(room.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_of_a_formula_gives_what_it_says(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_page_of_formulas_is_written_from_the_code():
    page = Path(__file__).parents[2] / "docs" / "project-finance-formulas.md"
    assert page.read_text("utf-8") == render(), "write the page again (see its head)"
