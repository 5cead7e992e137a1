"""Whose customers a person sees."""

import pytest

from kequn.apps.customers.selectors import find, visible_to
from kequn.apps.search.selectors import matching

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(bring, staff):
    bring(
        "customer_id,name,owner,team\n"
        "C1,甲电力,wang,N1\n"
        "C2,乙交通,li,N1\n"
        "C3,丙水务,sun,N2\n"
        "C4,丁光伏,zhao,S1\n"
        "C5,戊矿业,,\n"
    )
    return staff


@pytest.mark.parametrize(
    ("person", "codes"),
    [
        ("wang", {"C1"}),
        ("li", {"C1", "C2"}),
        ("sun", {"C1", "C2", "C3"}),
        ("zhao", {"C4"}),
        ("zhou", {"C1", "C2", "C3", "C4", "C5"}),
    ],
)
def test_scope(book, person, codes):
    assert {one.code for one in visible_to(book[person])} == codes


def test_a_foreign_customer_is_not_found_by_its_code(book):
    assert find(person=book["zhao"], code="C1") is None
    assert find(person=book["wang"], code="C1").name == "甲电力"


def test_search_keeps_to_the_scope(book):
    assert not matching(person=book["zhao"], words="电力").exists()


def test_a_person_without_team_sees_only_what_is_his(book):
    book["li"].team = None
    assert {one.code for one in visible_to(book["li"])} == {"C2"}
