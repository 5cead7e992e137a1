"""The page of approvals for who sees a part of the book: the ratings they may decide on, and no policy."""

import pytest

from kequn.apps.assessments.pins import Wish, ask_for_pin
from kequn.apps.governance.models import Proposal
from kequn.apps.ratings.approval import submit
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.services import begin, rating_date

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(sun, rated):
    """A rating of the analyst's customer that waits for its checker."""
    case = begin(person=sun, customer=rated)
    submit(person=sun, case=case)
    return RatingCase.objects.select_related("proposal").get(pk=case.pk)


def test_a_branch_officer_finds_the_rating_to_decide_and_comes_to_its_page(signed_in, waiting):
    risk = signed_in("risk")
    row = listed(risk)[f"/ratings/{waiting.pk}/"]
    assert row["is_mine_to_check"]
    assert risk.get(f"/approvals/{waiting.proposal_id}/").url == row["url"]
    assert risk.post(row["url"], {"act": "approve", "digest": waiting.proposal.shown_digest}).status_code == 302
    assert Proposal.objects.get(pk=waiting.proposal_id).state == "approved"
    assert row["url"] not in listed(risk)
    assert row["url"] in listed(risk, "ended")


def test_the_maker_reads_there_that_it_waits_for_others(signed_in, waiting):
    assert not listed(signed_in("analyst"))[f"/ratings/{waiting.pk}/"]["is_mine_to_check"]


def test_a_rating_of_another_s_customer_is_neither_listed_nor_opened(signed_in, person, waiting):
    manager = person("manager")
    RatingCase.objects.filter(pk=waiting.pk).update(customer=_foreign(manager))
    client = signed_in("manager")
    assert f"/ratings/{waiting.pk}/" not in listed(client)
    assert client.get(f"/approvals/{waiting.proposal_id}/").status_code == 403


def test_nothing_is_decided_on_the_page_of_the_proposal_by_who_sees_a_part(signed_in, waiting):
    posted = {"act": "approve", "digest": waiting.proposal.shown_digest}
    assert signed_in("risk").post(f"/approvals/{waiting.proposal_id}/", posted).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == RatingState.PROPOSED


def test_policy_is_not_for_who_sees_a_part_of_the_book(signed_in, person, rated):
    day = rating_date()
    wish = Wish("late_payers", True, "示例", "王芳", day, day.replace(year=day.year + 1))
    pin = ask_for_pin(person=person("segment"), customer=rated, wish=wish)
    risk = signed_in("risk")
    assert all(address.startswith("/ratings/") for address in listed(risk))
    assert risk.get(f"/approvals/{pin.proposal_id}/").status_code == 403
    assert f"/approvals/{pin.proposal_id}/" in listed(signed_in("head"))


def listed(client, part="waiting"):
    return {one["url"]: one for one in client.get("/approvals/").context[part]}


def _foreign(person):
    from kequn.apps.customers.models import Customer
    from kequn.apps.customers.selectors import visible_to

    free = Customer.objects.exclude(pk__in=visible_to(person).values("pk")).filter(rating_cases=None)
    return free.order_by("pk").first()
