"""Every answer of the API is as its description says, for requests that nobody would think of by hand."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from kequn.apps.accounts.models import User
from kequn.apps.accounts.tokens import make_token
from kequn.apps.customers.models import Customer
from kequn.config.wsgi import application

pytestmark = pytest.mark.django_db
CASES = 60


@pytest.fixture
def described(db):
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def token(db) -> str:
    return make_token(user=User.objects.get(username="demo-head"), name="all")


CUSTOMER = "/api/v1/customers/{code}"
PARTS = ["", "/statements", "/facilities", "/findings"]
ADDRESSES = ["/api/v1/customers", *(f"{CUSTOMER}{part}" for part in PARTS)]


def test_the_description_is_openapi_3_1_and_names_every_address(described):
    assert described.raw_schema["openapi"].startswith("3.1")
    assert set(described.raw_schema["paths"]) == set(ADDRESSES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_is_as_described(described, token, address):
    made = 0

    @given(case=described[address]["GET"].as_strategy())
    @settings(max_examples=CASES, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck)
    def one(case):
        nonlocal made
        made += 1
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    one()
    assert made >= CASES


@pytest.mark.parametrize("part", PARTS)
def test_answers_about_real_customers_are_as_described(described, token, part):
    operation = described[f"{CUSTOMER}{part}"]["GET"]
    for code in Customer.objects.order_by("pk").values_list("code", flat=True)[:20]:
        case = operation.Case(path_parameters={"code": code})
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
