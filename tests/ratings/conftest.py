"""The sample book with ratings in force; Sun the analyst rates, Zhou the head and Wu the risk officer decide."""

import pytest

from tests.sample_book import sample_book


@pytest.fixture(scope="package", autouse=True)
def book(django_db_setup, django_db_blocker):
    with sample_book(django_db_blocker):
        yield


@pytest.fixture
def person(db):
    from kequn.apps.accounts.models import User

    return lambda role: User.objects.get(username=f"demo-{role}")


@pytest.fixture
def sun(person):
    return person("analyst")


@pytest.fixture
def zhou(person):
    return person("head")


@pytest.fixture
def rated(sun):
    """A customer of the analyst's team with a corporate rating in force, no covenant, and nothing open."""
    from kequn.apps.ratings.models import OPEN, RatingCase, RatingState

    found = RatingCase.objects.filter(state=RatingState.APPROVED, model="corporate", customer__team=sun.team)
    found = found.exclude(customer__rating_cases__state__in=OPEN).exclude(grade__in=("D", "K10", "K11", "K12"))
    found = found.exclude(customer__covenants__isnull=False)
    return found.select_related("customer").order_by("pk").first().customer


@pytest.fixture
def signed_in(person):
    from django.test import Client

    def client(role: str, language: str = "en") -> Client:
        made = Client(headers={"accept-language": language})
        made.force_login(person(role))
        return made

    return client
