"""Ratings over the sample book: begun, overridden, approved by another, replayed, suggested anew by what happens."""

import json
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.governance.approving import decide, withdraw
from kequn.apps.ratings.approval import months_after, submit
from kequn.apps.ratings.facts import facts_of_book, facts_of_customer
from kequn.apps.ratings.kept import inputs_of, replays
from kequn.apps.ratings.models import PolicyCopy, RatingCase, RatingState
from kequn.apps.ratings.rerating import parts_of, rerate_book, rerate_customers
from kequn.apps.ratings.services import Said, begin, policy_at, rating_date, revise
from kequn.domain.errors import Misuse, Refused

pytestmark = pytest.mark.django_db
MARKS = {"management": 4, "position": 3, "governance": 3, "information": 4, "outlook": 3}


@pytest.fixture
def proposed(sun, rated):
    """A rating that the analyst has put before the checkers, with or without an override."""

    def make(notches=0):
        said = Said(MARKS, notches, "peers" if notches else "", "同业对照 against its peers")
        case = revise(person=sun, case=begin(person=sun, customer=rated), said=said)
        submit(person=sun, case=case)
        return RatingCase.objects.get(pk=case.pk)

    return make


def approve(person, case):
    return decide(person=person, number=case.proposal_id, approves=True, seen_digest=case.proposal.shown_digest)


def test_an_approved_rating_replaces_the_one_before_and_expires(zhou, proposed):
    case = proposed()
    approve(zhou, case)
    case.refresh_from_db()
    assert case.state == RatingState.APPROVED
    assert case.expires_on == months_after(case.as_of, 12)
    case.previous.refresh_from_db()
    assert case.previous.state == RatingState.REPLACED


def test_the_maker_never_approves_their_own_rating(sun, proposed):
    with pytest.raises(Misuse):
        approve(sun, proposed())


def test_the_risk_officer_may_approve_within_authority_and_only_the_head_beyond(person, proposed):
    within = proposed(-1)
    assert "risk" in within.proposal.roles
    withdraw(person=person("analyst"), number=within.proposal_id)
    beyond = proposed(2)
    assert beyond.proposal.roles == ["head"]
    with pytest.raises(Misuse):
        approve(person("risk"), beyond)


@pytest.mark.parametrize("said", [Said({}, 9, "peers", "x"), Said({}, -1, "", "x"), Said({}, -1, "peers", " "),
                                  Said({"management": 6}), Said({"no_such": 3})])  # fmt: skip
def test_an_override_without_reason_or_beyond_every_limit_and_strange_marks_are_refused(sun, rated, said):
    case = begin(person=sun, customer=rated)
    with pytest.raises(Refused):
        revise(person=sun, case=case, said=said)


def test_what_is_approved_is_what_was_shown(zhou, proposed):
    case = proposed()
    inputs = json.loads(case.inputs)
    inputs["facts"]["debt_ratio"] = 0.01
    RatingCase.objects.filter(pk=case.pk).update(inputs=json.dumps(inputs))
    with pytest.raises(Refused), transaction.atomic():
        approve(zhou, case)
    assert RatingCase.objects.get(pk=case.pk).state == RatingState.PROPOSED


def test_a_withdrawn_rating_is_a_draft_again_and_a_refused_one_is_not(sun, zhou, proposed):
    case = proposed()
    withdraw(person=sun, number=case.proposal_id)
    assert RatingCase.objects.get(pk=case.pk).state == RatingState.DRAFT
    case = proposed()
    decide(person=zhou, number=case.proposal_id, approves=False, seen_digest=case.proposal.shown_digest, comment="不足")
    assert RatingCase.objects.get(pk=case.pk).state == RatingState.REFUSED


def test_every_rating_is_put_together_again_bit_for_bit():
    cases = RatingCase.objects.all()
    assert len(cases) > 20
    assert all(replays(case) for case in cases)


def test_a_rating_replays_by_the_policy_it_keeps_and_not_by_the_one_in_use():
    case = RatingCase.objects.filter(state=RatingState.APPROVED, model="corporate").exclude(grade="D").first()
    body = json.loads(PolicyCopy.objects.get(pk=case.policy_id).body)
    body["intercept"] += 1
    case.policy = PolicyCopy.objects.create(digest="f" * 64, body=json.dumps(body), kept_at=case.made_at)
    assert not replays(case)


def test_one_customer_and_the_whole_book_read_the_same_facts():
    from kequn.apps.assessments.selectors import latest_published
    from kequn.apps.customers.models import Customer
    from kequn.apps.governance.selectors import policy_in_use

    pack, run, policy = policy_in_use(), latest_published(), policy_at(rating_date())
    whole = dict(facts_of_book(run=run, pack=pack, policy=policy))
    assert len(whole) == 60
    for customer in Customer.objects.order_by("code"):
        alone = facts_of_customer(customer=customer, as_of=run.as_of, pack=pack, policy=policy)
        assert alone == pytest.approx(whole[customer.code], nan_ok=True), customer.code


def test_nothing_new_suggests_nothing():
    admin = LocalAdministrator()
    rerate_book(person=admin)
    counts, _ = rerate_book(person=admin)
    assert (sum(counts.suggested.values()), counts.taken_back) == (0, 0)


def test_arrears_suggest_a_worse_rating_and_say_so(rated):
    from kequn.apps.deals.models import Facility

    rated.facilities.all().delete()
    now = rating_date()
    Facility.objects.create(
        customer=rated, facility_id="F-late", currency="CNY", start_date=now - timedelta(days=400), status="active",
        product="working_capital_loan", committed=100_000_00, drawn=90_000_00, days_past_due=120,
        worst_days_past_due_12m=120, times_past_due_12m=4,
    )  # fmt: skip
    counts = rerate_customers(actor="test", customers=[rated])
    made = RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)
    assert made.grade == "D"
    assert counts.suggested["arrears"] == 1
    moved = {name: part for name, part in parts_of(made) if part.notches}
    assert list(moved) == ["arrears"]
    assert moved["arrears"].facts["in_default"] == (False, True)


def test_a_suggestion_is_taken_back_when_its_cause_is_gone(rated):
    from kequn.apps.ratings.models import RatingCase as Case

    standing = Case.objects.get(customer=rated, state=RatingState.APPROVED)
    before = standing.expires_on
    Case.objects.filter(pk=standing.pk).update(expires_on=rating_date() + timedelta(days=10))
    assert rerate_customers(actor="test", customers=[rated]).suggested["expiry"] == 1
    Case.objects.filter(pk=standing.pk).update(expires_on=before)
    assert rerate_customers(actor="test", customers=[rated]).taken_back == 1
    assert not Case.objects.filter(customer=rated, state=RatingState.SUGGESTED).exists()


def test_what_a_person_works_at_is_left_alone(sun, rated):
    case = begin(person=sun, customer=rated)
    RatingCase.objects.filter(customer=rated, state=RatingState.APPROVED).update(expires_on=rating_date())
    counts = rerate_customers(actor="test", customers=[rated])
    assert (counts.at_work, counts.expired) == (1, 1)
    assert RatingCase.objects.get(pk=case.pk).state == RatingState.DRAFT


def test_the_answers_of_people_stay_with_the_customer(sun, zhou, rated, proposed):
    approve(zhou, proposed())
    again = begin(person=sun, customer=rated)
    assert inputs_of(again.inputs).answers == MARKS


def test_the_database_holds_one_rating_in_force_for_a_customer(rated):
    standing = RatingCase.objects.get(customer=rated, state=RatingState.APPROVED)
    standing.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        standing.save(force_insert=True)


@pytest.fixture
def dishonest(rated, tmp_path):
    """An event of the rated customer, brought in as a file."""
    from kequn.apps.ingest.services import Wish, import_path

    def bring(day):
        file = tmp_path / "events.csv"
        file.write_text(f"customer_id,event_date,kind\n{rated.code},{day},dishonest_list\n", "utf-8")
        import_path(path=file, person=LocalAdministrator(), wish=Wish(source="sample", unit="元"))
        return RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)

    return bring


def test_an_import_of_an_event_suggests_a_rating_at_once(dishonest):
    made = dishonest(rating_date() - timedelta(days=3))
    assert made.trigger == "signal"
    assert made.grade in {"K11", "K12"}


def test_an_event_after_the_last_run_counts_and_the_run_before_it_takes_nothing_back(dishonest):
    day = rating_date() + timedelta(days=20)
    made = dishonest(day)
    assert (made.as_of, made.grade in {"K11", "K12"}) == (day, True)
    rerate_book(person=LocalAdministrator())
    assert RatingCase.objects.filter(pk=made.pk).exists()


def test_months_end_on_the_last_day_where_there_is_no_such_day():
    assert months_after(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert months_after(date(2026, 12, 15), 12) == date(2027, 12, 15)


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_of_ratings_open_in_both_languages(signed_in, proposed, language):
    case = proposed(-1)
    client = signed_in("head", language)
    suggested = RatingCase.objects.filter(state=RatingState.SUGGESTED).first()
    code = case.customer.code
    for address in ("/ratings/", "/ratings/?part=approved", "/ratings/portfolio/", "/ratings/models/",
                    f"/ratings/{case.pk}/", f"/ratings/{suggested.pk}/", f"/customers/{code}/rating/",
                    f"/customers/{code}/spread/", f"/approvals/{case.proposal_id}/"):  # fmt: skip
        assert client.get(address).status_code == 200, address


def test_an_analyst_rates_on_the_page_and_the_risk_officer_approves_there(signed_in, rated):
    analyst, risk = signed_in("analyst"), signed_in("risk")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    marks = {f"mark-{name}": mark for name, mark in MARKS.items()}
    over = {"notches": "-1", "reason": "peers", "text": "peers"}
    assert analyst.post(began.url, marks | over | {"act": "submit"}).status_code == 302
    case = RatingCase.objects.get(customer=rated, state=RatingState.PROPOSED)
    assert case.override_notches == -1
    posted = {"act": "approve", "digest": case.proposal.shown_digest}
    assert analyst.post(began.url, posted).status_code == 422
    assert risk.post(began.url, posted).status_code == 302
    case.refresh_from_db()
    assert case.state == RatingState.APPROVED


def test_an_override_beyond_every_limit_is_told_beside_the_form_and_kept(signed_in, rated):
    analyst = signed_in("analyst")
    began = analyst.post(f"/customers/{rated.code}/rating/")
    answer = analyst.post(began.url, {"act": "save", "notches": "9", "reason": "peers", "text": "as typed"})
    assert answer.status_code == 422
    assert b"at most 3 notches up" in answer.content
    assert b"as typed" in answer.content


def test_who_may_not_see_a_customer_sees_none_of_its_ratings(signed_in):
    hidden = RatingCase.objects.exclude(customer__owner__username="demo-manager").first()
    manager = signed_in("manager")
    assert manager.get(f"/ratings/{hidden.pk}/").status_code == 404
    page = manager.get("/ratings/?part=approved").content.decode()
    assert hidden.customer.name not in page


def test_the_list_takes_as_many_queries_however_many_ratings_there_are(signed_in, django_assert_max_num_queries):
    client = signed_in("head")
    client.get("/ratings/?part=approved")
    with django_assert_max_num_queries(12):
        client.get("/ratings/?part=approved")
