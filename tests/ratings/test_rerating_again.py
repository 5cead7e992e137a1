"""What re-rating must survive: ratings that run out, dates that move, people at work beside it, records that break it."""

from datetime import timedelta

import pytest

from kequn.apps.ratings.approval import first_suggestions
from kequn.apps.ratings.kept import inputs_of
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.rerating import rerate_customers
from kequn.apps.ratings.services import begin, rating_date

pytestmark = pytest.mark.django_db


@pytest.fixture
def standing(rated):
    return RatingCase.objects.get(customer=rated, state=RatingState.APPROVED)


@pytest.fixture
def run_out(rated, standing):
    """The rating in force has run out, and the customer was looked at twice since."""
    RatingCase.objects.filter(pk=standing.pk).update(expires_on=rating_date())
    for _ in range(2):
        rerate_customers(actor="test", customers=[rated])
    standing.refresh_from_db()
    assert standing.state == RatingState.EXPIRED


def test_a_rating_that_ran_out_is_renewed_with_its_answers_and_is_no_first_one(rated, standing, run_out):
    made = RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)
    assert (made.trigger, made.previous_id, made.grade_before) == ("expiry", standing.pk, standing.grade)
    assert inputs_of(made.inputs).answers == inputs_of(standing.inputs).answers
    assert not first_suggestions().filter(customer=rated).exists()


def test_a_rating_that_ran_out_is_what_the_next_draft_is_compared_with(rated, sun, standing, run_out):
    RatingCase.objects.filter(customer=rated, state=RatingState.SUGGESTED).delete()
    assert begin(person=sun, customer=rated).previous_id == standing.pk
