"""A small sample book, imported, run at two dates; the cast of people who look at it.

Lin manages every fifth customer; the analyst sees team T01; the risk officer branch B01; the head sees all.
"""

import pytest
from django.test import Client

from tests.sample_book import sample_book


@pytest.fixture(scope="package", autouse=True)
def book(django_db_setup, django_db_blocker):
    with sample_book(django_db_blocker):
        yield


@pytest.fixture
def sign_in(db):
    """A client signed in as the person of a role, reading one language."""
    from kequn.apps.accounts.models import User

    def signed_in(role: str, language: str = "en") -> Client:
        client = Client(headers={"accept-language": language})
        client.force_login(User.objects.get(username=f"demo-{role}"))
        return client

    return signed_in
