"""The API says what the records say, to who brings a token, within that person's scope."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import ApiToken, User
from kequn.apps.accounts.people import new_password
from kequn.apps.accounts.tokens import make_token, remove_token
from kequn.apps.customers.models import Customer
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db
BASE = "/api/v1"


def mine() -> Customer:
    return Customer.objects.filter(owner__username="demo-manager", facilities__isnull=False).order_by("pk").first()


def foreign() -> Customer:
    return Customer.objects.exclude(owner__username="demo-manager").order_by("pk").first()


def test_without_a_token_nothing_is_said():
    answer = Client().get(f"{BASE}/customers")
    assert (answer.status_code, answer["WWW-Authenticate"], answer.json()["code"]) == (401, "Bearer", "token")


def test_a_session_of_the_pages_is_no_token():
    client = Client()
    client.force_login(User.objects.get(username="demo-head"))
    assert client.get(f"{BASE}/customers").status_code == 401


def test_pages_of_customers_hold_each_visible_one_once(program):
    client, codes, after = program("manager"), [], ""
    while True:
        page = client.get(f"{BASE}/customers", {"limit": 5, "after": after}).json()
        codes += [one["code"] for one in page["items"]]
        after = page["next"]
        if not after:
            break
    expected = Customer.objects.filter(owner__username="demo-manager").values_list("code", flat=True)
    assert sorted(codes) == sorted(expected)
    assert page["total"] == len(codes)


@pytest.mark.parametrize("part", ["", "/statements", "/facilities", "/findings"])
def test_a_customer_outside_the_scope_is_not_there(program, part):
    assert program("manager").get(f"{BASE}/customers/{foreign().code}{part}").status_code == 404
    assert program("head").get(f"{BASE}/customers/{foreign().code}{part}").status_code == 200


def test_amounts_are_exact_texts_and_unknown_is_null(program):
    facility = mine().facilities.exclude(committed=None).first()
    found = program("manager").get(f"{BASE}/customers/{mine().code}/facilities").json()["items"]
    said = next(one for one in found if one["facility_id"] == facility.facility_id)
    assert said["terms"]["committed"] == f"{facility.committed / 100:.2f}"
    assert all(value is None or value != "" for value in said["terms"].values())


def test_findings_name_the_run_policy_and_program_they_follow_from(program):
    from kequn.apps.assessments.selectors import latest_published

    run = latest_published()
    origin = program("manager").get(f"{BASE}/customers/{mine().code}/findings").json()["origin"]
    assert origin["run"] == run.pk
    assert origin["policy_digest"] == run.policy_digest


def test_findings_of_an_earlier_date_are_those_that_stood_then(program):
    found = program("manager").get(f"{BASE}/customers/{mine().code}/findings", {"on": "2000-01-01"}).json()
    assert found["items"] == []


def test_an_outcome_is_never_told(program):
    text = program("head").get(f"{BASE}/customers/{mine().code}/facilities").content.decode()
    assert "charged_off" not in text


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=abc"])
def test_a_wrong_parameter_is_named(program, query):
    answer = program("manager").get(f"{BASE}/customers?{query}")
    assert answer.status_code == 422
    assert answer.json()["zh"]


def test_a_place_that_no_list_gave_is_not_there(program):
    answer = program("manager").get(f"{BASE}/customers?after=999999999")
    assert (answer.status_code, answer.json()["code"]) == (404, "after")


def test_a_token_ends_when_it_is_removed_expires_or_its_person_leaves():
    user = User.objects.get(username="demo-manager")
    token = make_token(user=user, name="one")
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert client.get(f"{BASE}/customers").status_code == 200
    ApiToken.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    assert client.get(f"{BASE}/customers").status_code == 401
    ApiToken.objects.update(expires_on=timezone.localdate())
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(f"{BASE}/customers").status_code == 401
    User.objects.filter(pk=user.pk).update(is_active=True)
    remove_token(user=user, number=ApiToken.objects.get(name="one").pk)
    assert client.get(f"{BASE}/customers").status_code == 401


def test_a_token_is_kept_as_a_hash_and_named_once():
    user = User.objects.get(username="demo-manager")
    token = make_token(user=user, name="one")
    assert token not in str(ApiToken.objects.values_list("digest", flat=True))
    with pytest.raises(Refused):
        make_token(user=user, name="one")
    with pytest.raises(Refused):
        make_token(user=user, name="two", days=3650)


def test_nothing_can_be_written_through_the_api(program):
    client = program("administrator")
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"{BASE}/customers/{mine().code}").status_code == 405


def test_a_person_makes_sees_once_and_ends_a_token_on_the_page():
    page = Client(headers={"accept-language": "en"})
    page.force_login(User.objects.get(username="demo-manager"))
    shown = page.post("/settings/tokens/", {"name": "excel", "days": "30"}).content.decode()
    token = ApiToken.objects.get(name="excel")
    assert "kq_" in shown
    assert "kq_" not in page.get("/settings/tokens/").content.decode()
    page.post(f"/settings/tokens/{token.pk}/remove/")
    assert not ApiToken.objects.filter(name="excel").exists()


def test_nobody_ends_the_token_of_somebody_else():
    make_token(user=User.objects.get(username="demo-head"), name="theirs")
    page = Client(headers={"accept-language": "en"})
    page.force_login(User.objects.get(username="demo-manager"))
    page.post(f"/settings/tokens/{ApiToken.objects.get(name='theirs').pk}/remove/")
    assert ApiToken.objects.filter(name="theirs").exists()


def test_a_new_password_from_an_administrator_ends_the_keys_too(program):
    client = program("manager")
    assert client.get(f"{BASE}/customers").status_code == 200
    new_password(person=LocalAdministrator(), user=User.objects.get(username="demo-manager"))
    assert client.get(f"{BASE}/customers").status_code == 401
