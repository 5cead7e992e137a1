"""docs/api.md names every address, and what it says of methods and tokens holds."""

import re
from pathlib import Path

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")


def test_every_address_is_in_the_table():
    described = Client().get("/api/v1/openapi.json").json()["paths"]
    said = set(re.findall(r"^\| `(/api/v1/\S+)` \|", PAGE, flags=re.MULTILINE))
    assert said == {*described, "/api/v1/openapi.json"}


def test_other_methods_are_answered_405(program):
    assert program("head").post("/api/v1/customers").status_code == 405


@pytest.mark.parametrize(
    ("query", "status", "code"), [("", 200, ""), ("?after=999999999", 404, "after"), ("?limit=0", 422, "parameter")]
)
def test_refusals_carry_the_codes_of_the_table(program, query, status, code):
    answer = program("head").get(f"/api/v1/customers{query}")
    assert answer.status_code == status
    assert answer.json().get("code", "") == code
    assert not code or f"| {status} | `{code}` |" in PAGE


def test_every_field_of_an_origin_and_a_page_is_told(program):
    answer = program("head").get("/api/v1/customers").json()
    assert {"items", "next", "total"} == set(answer)
    assert all(f"`{name}`" in PAGE for name in ("next", "total"))
