"""Every number of a model, one after another, replaced by an absurd one: a plain refusal or a finite answer."""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kequn.domain.errors import KequnError
from kequn.domain.projectfinance.checking import findings_of
from kequn.domain.projectfinance.run import solve
from kequn.financing.models import read_model
from kequn.financing.results import answer_of
from kequn.policy import load_pack

ROAD = Path(__file__).parents[2] / "examples" / "projects" / "toll_road.yaml"
PARTS = ("timeline", "capital", "revenues", "costs", "maintenance", "loans", "limits", "shareholder_loan", "covenants",
         "working_capital", "tax", "vat_facility_rate", "discount_rate")  # fmt: skip


@pytest.fixture(scope="module")
def road():
    return read_model(ROAD, load_pack("cn"), date(2026, 9, 30)).project


def numbers(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the numbers of a model stand."""
    if is_dataclass(value):
        for one in fields(value):
            yield from numbers(getattr(value, one.name), (*path, one.name))
    elif isinstance(value, tuple):
        for place, one in enumerate(value[:2]):
            yield from numbers(one, (*path, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def put(value: Any, path: tuple[str | int, ...], number: float) -> Any:
    if not path:
        return int(number) if isinstance(value, int) else number
    first, *rest = path
    if isinstance(value, tuple):
        place = int(first)
        return (*value[:place], put(value[place], tuple(rest), number), *value[place + 1 :])
    return replace(value, **{str(first): put(getattr(value, str(first)), tuple(rest), number)})


def is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(is_finite(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(is_finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("number", [-1.0, 0.0, 2.5, 1e9])
@pytest.mark.parametrize("part", PARTS)
def test_an_absurd_number_is_refused_or_answered_with_finite_figures(road, part, number):
    for path in numbers(getattr(road, part), (part,)):
        changed = put(road, path, number)
        if not any(findings_of(changed)):
            with suppress(KequnError):  # refused where it is worked out, in words
                assert is_finite(answer_of(solve(changed), "en")), path


@pytest.mark.parametrize(
    ("path", "number", "said"),
    [
        (("maintenance", 0, "years", 0), 40, "resurfacing: year 41, there are 25 years of operation"),
        (("maintenance", 0, "saved_years"), 10**9, "resurfacing: saved up over 1000000000 years; from 0 to 25"),
        (("limits", "min_llcr"), 0.0, "min_llcr: above nil; found 0"),
        (("loans", 0, "rates", "margin", 0, 1), 4.5, "senior: rate is a fraction between -1 and 1"),
        (("capital", 0, "life_years"), 10**9, "road: a life of 1000000000 years; from 1 to 200"),
        (("capital", 1, "salvage"), 1.5, "toll stations: salvage from 0 to 1; found 1.5"),
        (("revenues", 0, "growth"), -1.0, "tolls: growth above -1; found -1"),
        (("tax", "holiday", 4), 5.0, "tax: year 5, a share from 0 to 1; 5"),
        (("timeline", "operation_months"), 10**9, "operation: goes beyond the year 9999"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_line_and_year(road, path, number, said):
    found = [one.text.en for one in findings_of(put(road, path, number))]
    assert any(one.startswith(said) for one in found), found
