"""Every formula of the room says what it means, in which unit and shape, and where it is from."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

from kequn.domain import projectfinance

FORMULAS = (
    "average_life", "daycounts", "depreciation", "draws", "loan_schedule", "measures", "operation", "plan", "ratios",
    "repayment", "reserves", "returns", "rounding", "run", "sculpting", "simulation", "sizing", "statements",
    "waterfall",
)  # fmt: skip
CHOICES = frozenset({"lowest", "first_period"})  # of a value among given ones: nothing is worked out
MEASURED = re.compile(r"unit|shape|\(periods|\(scenarios|times|fraction|years|periods?\b|days|amount", re.IGNORECASE)


def public(module: str) -> Iterator[tuple[str, Any]]:
    """Functions of a module and methods of its classes that others may call."""
    found = importlib.import_module(f"{projectfinance.__name__}.{module}")
    for name, one in vars(found).items():
        if name.startswith("_") or getattr(one, "__module__", "") != found.__name__:
            continue
        if inspect.isfunction(one):
            yield name, one
        elif inspect.isclass(one):
            for own, member in vars(one).items():
                called = member.fget if isinstance(member, property) else member
                if not own.startswith("_") and inspect.isfunction(called):
                    yield f"{name}.{own}", called


@pytest.mark.parametrize("module", [one.name for one in pkgutil.iter_modules(projectfinance.__path__)])
def test_every_public_function_and_method_has_a_docstring(module):
    assert [name for name, one in public(module) if not inspect.getdoc(one)] == []


@pytest.mark.parametrize("module", FORMULAS)
def test_every_formula_names_its_source_and_its_measures(module):
    for name, one in public(module):
        if "." in name or name in CHOICES:
            continue
        words = inspect.getdoc(one) or ""
        assert "Source:" in words, name
        assert MEASURED.search(words), name
