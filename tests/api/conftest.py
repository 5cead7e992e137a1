"""The sample book, and programs that read it with a token of a person."""

import pytest
from django.test import Client

from tests.sample_book import sample_book


@pytest.fixture(scope="package", autouse=True)
def book(django_db_setup, django_db_blocker):
    with sample_book(django_db_blocker):
        yield


@pytest.fixture
def program(db):
    """A client that brings a token of the person of a role."""
    from kequn.apps.accounts.models import User
    from kequn.apps.accounts.tokens import make_token

    def as_role(role: str) -> Client:
        token = make_token(user=User.objects.get(username=f"demo-{role}"), name="test")
        return Client(headers={"authorization": f"Bearer {token}"})

    return as_role
