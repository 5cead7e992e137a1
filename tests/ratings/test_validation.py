"""The validation of ratings on record and the challenger on the book, over the sample book with its overrides."""

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.customers.selectors import visible_to
from kequn.apps.ratings.challenging import comparison, development_sample, folder_of, run_of, score_book, scores_file
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.validating import Window, bad_within, validated
from kequn.domain.errors import Misuse, Refused

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
DECIDED = (RatingState.APPROVED, RatingState.REPLACED, RatingState.EXPIRED)


def test_every_approved_rating_is_counted_once_and_overrides_are_those_on_record():
    found, on_record = validated(person=ADMIN), RatingCase.objects.filter(state__in=DECIDED)
    assert found["population"]["ratings"] == on_record.count()
    moved = on_record.exclude(override_notches=None).exclude(override_notches=0).count()
    assert found["overrides"]["overridden"]["count"] == moved > 0
    assert found["overrides"]["by_authority"][0]["authority"] in {"rating", "rating_beyond"}


def test_a_colleague_counts_only_the_ratings_of_customers_in_scope(sun):
    found = validated(person=sun)["population"]["ratings"]
    mine = RatingCase.objects.filter(state__in=DECIDED, customer__in=visible_to(sun).order_by().values("pk"))
    assert found == mine.count() < validated(person=ADMIN)["population"]["ratings"]


def test_who_may_not_see_outcomes_gets_no_validation(person, signed_in):
    with pytest.raises(Misuse):
        validated(person=person("manager"))
    assert signed_in("manager").get("/ratings/validation/").status_code == 403


def test_a_window_before_the_first_rating_says_in_a_word_that_there_is_nothing(signed_in):
    answer = signed_in("head").get("/ratings/validation/?to=2001-01-01").content.decode()
    assert "nothing to validate" in answer
    with pytest.raises(Refused):
        validated(person=ADMIN, window=Window(latest_published().as_of, latest_published().as_of.replace(year=2000)))


def test_default_counts_within_a_year_and_one_before_the_rating_is_unknown():
    from datetime import date

    day = date(2026, 6, 30)
    assert bad_within((True, date(2027, 6, 30)), day) is True
    assert bad_within((True, date(2027, 7, 1)), day) is False
    assert bad_within((True, day), day) is None
    assert bad_within((None, None), day) is None
    assert bad_within((False, None), day) is False


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_page_and_file_of_the_validation_are_there_in_both_languages(signed_in, language):
    client = signed_in("risk", language)
    said = {"zh-hans": "调整与未调整的结果", "en": "How overridden and untouched ended"}[language]
    assert said in client.get("/ratings/validation/").content.decode()
    assert client.get("/ratings/validation.xlsx").content.startswith(b"PK")


def test_the_challenger_is_compared_on_the_customers_in_scope(sun):
    run = run_of(None)
    whole, mine = (comparison(person=one, name="sample", run=run) for one in (ADMIN, sun))
    assert mine.figures["customers"] == visible_to(sun).count() < whole.figures["customers"] == 60
    assert whole.figures["both"] == sum(map(sum, whole.figures["matrix"]))
    assert not whole.is_stale


def test_a_manager_sees_the_grades_of_both_and_no_outcome(person):
    assert comparison(person=person("manager"), name="sample", run=run_of(None)).figures["ranking"]["rows"] == 0


def test_scores_made_again_are_the_same_and_only_who_runs_the_book_may_make_them(sun, tmp_path):
    run = run_of(None)
    before = scores_file(run, "sample").read_bytes()
    assert score_book(person=ADMIN, name="sample", run=run) == 60
    assert scores_file(run, "sample").read_bytes() == before
    with pytest.raises(Misuse):
        score_book(person=sun, name="sample", run=run)
    with pytest.raises(Refused):
        folder_of("../sample")


def test_the_rows_to_fit_on_leave_out_who_is_in_default_already(sun):
    found = development_sample(person=ADMIN, run=run_of(None))
    assert "D" not in found.column("grade").to_pylist()
    assert "defaulted" not in found.column_names
    with pytest.raises(Misuse):
        development_sample(person=sun, run=run_of(None))


def test_the_page_of_the_challenger_names_who_moves_most(signed_in):
    answer = signed_in("administrator").get("/ratings/challengers/").content.decode()
    assert all(said in answer for said in ("Who moves most", "Matrix of grades"))
