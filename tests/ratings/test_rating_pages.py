"""The pages of ratings: what is typed is read or refused in words, and nobody reads what lies outside their scope."""

import pytest

from kequn.apps.ratings.models import RatingCase, RatingState

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["1.5", "-1级", "++1", "²", "-", "9" * 30])
def test_an_override_that_cannot_be_read_is_refused_and_changes_nothing(signed_in, rated, typed):
    analyst = signed_in("analyst", "zh-hans")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    given = {"act": "save", "reason": "peers", "text": "x"}
    analyst.post(began.url, given | {"notches": "-1"})
    answer = analyst.post(began.url, given | {"notches": typed})
    assert answer.status_code == 422
    assert "不是整数级数" in answer.content.decode()
    assert RatingCase.objects.get(customer=rated, state=RatingState.DRAFT).override_notches == -1


@pytest.mark.parametrize(("typed", "read"), [("+1", 1), ("－1", -1), (" -2 ", -2), ("0", None), ("", None)])
def test_an_override_is_read_with_one_sign_of_either_keyboard(signed_in, rated, typed, read):
    analyst = signed_in("analyst")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    analyst.post(began.url, {"act": "save", "reason": "peers", "text": "x", "notches": typed})
    assert RatingCase.objects.get(customer=rated, state=RatingState.DRAFT).override_notches == read


def test_strange_digits_in_marks_and_addresses_break_no_page(signed_in, rated):
    analyst = signed_in("analyst")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    assert analyst.post(began.url, {"act": "save", "mark-management": "²"}).status_code == 422
    assert analyst.get("/ratings/?after=²").status_code == 200
