"""The validation of ratings on record and the challenger on the book, over the sample book with its overrides."""

import hashlib
import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.models import Run
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.assessments.services import _keep_base_of
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer, FactValue
from kequn.apps.customers.models.facts import ALWAYS
from kequn.apps.customers.selectors import visible_to
from kequn.apps.ratings import validating
from kequn.apps.ratings.challenging import (
    comparison,
    development_sample,
    folder_of,
    run_of,
    score_book,
    scores_file,
    write_sample,
)
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.apps.ratings.standing import Reader, state
from kequn.apps.ratings.validating import Outcome, Window, bad_within, validated
from kequn.domain.errors import Misuse, Refused

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
DAY = date(2026, 6, 30)
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


@pytest.mark.parametrize(
    ("known", "is_bad"),
    [
        (Outcome((date(2027, 6, 30),)), True), (Outcome((date(2027, 7, 1),)), False), (Outcome((DAY,)), None),
        (Outcome(), None), (Outcome(clear_on=date(2027, 6, 29)), None), (Outcome(clear_on=date(2027, 6, 30)), False),
        (Outcome((date(2026, 9, 1),), clear_on=date(2028, 1, 1)), True),
        (Outcome((date(2026, 9, 1), date(2029, 1, 1))), True),
        (Outcome(clear_on=date(2028, 1, 1), undated_by=date(2027, 1, 1)), None),
    ],
)  # fmt: skip
def test_a_default_within_the_year_is_bad_even_if_cured_and_none_is_good_once_the_year_is_over(known, is_bad):
    assert bad_within(known, DAY) is is_bad


def test_a_default_that_was_cured_is_still_in_the_outcomes_and_one_without_a_day_of_knowing_is_of_today():
    first, second = Customer.objects.order_by("pk")[:2]
    FactValue.objects.filter(customer__in=(first, second), name__in=("defaulted", "default_date")).delete()
    for one, name, since, value in (
        (first, "defaulted", date(2024, 2, 1), {"truth": True}),
        (first, "default_date", date(2024, 2, 1), {"day": date(2024, 1, 15)}),
        (first, "defaulted", date(2025, 2, 1), {"truth": False}), (second, "defaulted", ALWAYS, {"truth": False}),
    ):  # fmt: skip
        FactValue.objects.create(customer=one, name=name, known_from=since, **value)
    validating._outcomes.cache_clear()  # beside the audit chain
    found = validating.outcomes_of()
    assert found[first.pk] == Outcome((date(2024, 1, 15),), clear_on=date(2025, 2, 1))
    assert found[second.pk] == Outcome(clear_on=timezone.localdate())
    validating._outcomes.cache_clear()


def test_what_was_worked_out_yesterday_is_no_answer_of_today(rated):
    FactValue.objects.filter(customer=rated, name__in=("defaulted", "default_date")).delete()
    FactValue.objects.create(customer=rated, name="defaulted", known_from=ALWAYS, truth=False)
    validating._outcomes.cache_clear()  # beside the audit chain
    case = RatingCase.objects.get(customer=rated, state=RatingState.APPROVED)
    asked = (Reader.of(ADMIN), Window(case.as_of, case.as_of, case.model), case.as_of)
    known = [
        validating._validated(*asked, day, state(), "x")["population"]["known"]
        for day in (case.as_of + timedelta(days=364), case.as_of + timedelta(days=366))
    ]
    validating._outcomes.cache_clear()
    assert known[1] > known[0]


def test_only_the_newest_rating_of_a_customer_counts_as_withdrawn_whatever_the_window(rated):
    last = RatingCase.objects.get(customer=rated, state=RatingState.APPROVED)
    for days, before, grade in ((900, "", "K04"), (450, "K04", "K05")):
        RatingCase.objects.create(
            customer=rated, state=RatingState.EXPIRED, trigger="person", as_of=last.as_of - timedelta(days=days),
            policy=last.policy, inputs=last.inputs, result_digest="x", model=last.model, model_grade=grade, grade=grade,
            grade_before=before, maker="x", made_at=last.made_at, approved_at=last.approved_at - timedelta(days=days),
        )  # fmt: skip
    narrow = Window(last=last.as_of - timedelta(days=400))
    with line(actor="x", action="ratings.rerate"):
        pass
    found = validated(person=ADMIN, window=narrow)
    assert (found["population"]["ratings"], found["migration"]["withdrawn"]) == (2, 0.0)
    RatingCase.objects.filter(customer=rated, as_of__gt=narrow.last).delete()
    with line(actor="x", action="ratings.rerate"):
        pass
    assert validated(person=ADMIN, window=narrow)["migration"]["withdrawn"] == 0.5  # one of a move and a withdrawal


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


def test_a_sample_written_leaves_its_digest_in_the_chain_and_no_half_file(sun, tmp_path):
    run, file = run_of(None), tmp_path / "sample.parquet"
    found = write_sample(person=ADMIN, run=run, output=file)
    kept = AuditLine.objects.latest("pk")
    said = {"rows": found.num_rows, "digest": hashlib.sha256(file.read_bytes()).hexdigest()}
    assert (kept.action, json.loads(kept.detail)["moved"]["sample"]) == ("ratings.sample", said)
    with pytest.raises(Misuse):
        write_sample(person=sun, run=run, output=tmp_path / "other.parquet")
    assert [one.name for one in tmp_path.iterdir()] == ["sample.parquet"]


def test_scores_of_a_run_stay_when_the_base_of_another_takes_its_place(settings, tmp_path):
    settings.KEQUN_HOME = tmp_path
    base, scores = tmp_path / "base" / "old.duckdb", scores_file(Run(folder="runs/old"), "sample")
    for one in (base, scores):
        one.parent.mkdir(exist_ok=True)
        one.touch()
    _keep_base_of(Run(folder="runs/new"))
    assert (base.exists(), scores.exists()) == (False, True)


def test_what_is_worked_out_stands_until_a_rating_moves():
    before = state()
    for quiet in ("ratings.report", "ratings.begin", "ratings.sample", "ratings.scored", "ratings.submit"):
        with line(actor="x", action=quiet):
            pass
    assert state() == before
    with line(actor="x", action="ratings.rerate"):
        pass
    assert state() != before


def test_the_page_of_the_challenger_names_who_moves_most(signed_in):
    answer = signed_in("administrator").get("/ratings/challengers/").content.decode()
    assert all(said in answer for said in ("Who moves most", "Matrix of grades"))
