"""What re-rating must survive: ratings that run out, dates that move, people beside it, records that break it."""

import hashlib
import json
from datetime import timedelta

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.assessments.services import do_run
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.services import canonical
from kequn.apps.deals.models import Project, ProjectParty
from kequn.apps.governance.approving import decide
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.ingest.models import ImportBatch
from kequn.apps.ingest.services import Wish, import_path
from kequn.apps.ingest.undoing import undo
from kequn.apps.jobs.models import Job, State
from kequn.apps.jobs.services import Lease, work_one
from kequn.apps.ratings.approval import _held_suggestions, first_suggestions, propose_book
from kequn.apps.ratings.facts import facts_of_customer
from kequn.apps.ratings.kept import inputs_of, replays
from kequn.apps.ratings.models import OPEN, RatingCase, RatingState
from kequn.apps.ratings.rerating import MACHINE, _Book, after_import, rerate_customers, rerate_for
from kequn.apps.ratings.services import begin, facts_date, policy_at, rating_date
from kequn.domain.errors import Misuse, Refused

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


@pytest.fixture
def brought_in(rated, tmp_path):
    """A customer that an import made, with the first rating that the system suggests for it."""
    from kequn.apps.customers.models import Customer

    file = tmp_path / "customers.csv"
    file.write_text("customer_id,name\nNEW-1,新客户\n", "utf-8")
    [batch] = import_path(path=file, person=LocalAdministrator(), wish=Wish(source="sample", unit="元"))
    kept = RatingCase.objects.filter(customer=rated, state=RatingState.APPROVED).get()
    kept.pk, kept.customer = None, Customer.objects.get(code="NEW-1")
    kept.state, kept.maker, kept.proposal, kept.trigger = RatingState.SUGGESTED, MACHINE, None, "first"
    kept.save(force_insert=True)
    return batch, kept


def test_an_import_is_undone_with_the_ratings_that_the_system_suggested_on_it(brought_in):
    batch, suggested = brought_in
    undo(batch_id=batch.pk, person=LocalAdministrator())
    assert not RatingCase.objects.filter(pk=suggested.pk).exists()


def test_an_import_is_not_undone_where_a_person_works_at_a_rating(sun, brought_in):
    batch, suggested = brought_in
    RatingCase.objects.filter(pk=suggested.pk).update(state=RatingState.DRAFT, maker=sun.actor_key)
    with pytest.raises(Refused):
        undo(batch_id=batch.pk, person=LocalAdministrator())


@pytest.fixture
def book_of(rated):
    """The book of the rated customer as of a day, read but not written."""

    def read(day, **changed):
        policy = policy_at(rating_date())
        facts = facts_of_customer(customer=rated, as_of=rating_date(), pack=policy_in_use(), policy=policy)
        book = _Book(policy, day, [rated.pk])
        book.look_at(rated.pk, facts | changed, first=False, as_of=day)
        return book

    return read


def test_a_suggestion_keeps_its_number_from_day_to_day(rated, standing, book_of):
    soon = rating_date() + timedelta(days=10)
    RatingCase.objects.filter(pk=standing.pk).update(expires_on=soon)
    book_of(rating_date()).write("test")
    first = RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)
    age = inputs_of(first.inputs).facts["rated_statement_age"] + 1
    counts = book_of(rating_date() + timedelta(days=1), rated_statement_age=age).write("test")
    assert (sum(counts.suggested.values()), counts.unchanged) == (0, 1)
    assert RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED).pk == first.pk


def test_a_suggestion_is_written_over_in_its_place_where_it_says_something_else(rated, standing, book_of):
    RatingCase.objects.filter(pk=standing.pk).update(expires_on=rating_date() + timedelta(days=10))
    book_of(rating_date()).write("test")
    first = RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)
    counts = book_of(rating_date() + timedelta(days=1), in_default=True).write("test")
    again = RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED)
    assert (again.pk, again.grade, again.trigger, counts.suggested["arrears"]) == (first.pk, "D", "arrears", 1)
    assert replays(again)


def test_who_began_to_rate_while_the_book_was_judged_keeps_their_work(sun, rated, standing, book_of):
    RatingCase.objects.filter(pk=standing.pk).update(expires_on=rating_date() + timedelta(days=10))
    book = book_of(rating_date())
    draft = begin(person=sun, customer=rated)
    book.write("test")
    assert RatingCase.objects.get(customer=rated, state__in=OPEN) == draft


def test_an_import_stays_stored_where_its_re_rating_breaks_and_a_job_tries_again(rated, standing, tmp_path):
    RatingCase.objects.filter(pk=standing.pk).update(inputs="{")
    file = tmp_path / "events.csv"
    file.write_text(f"customer_id,event_date,kind\n{rated.code},{rating_date()},dishonest_list\n", "utf-8")
    [batch] = import_path(path=file, person=LocalAdministrator(), wish=Wish(source="sample", unit="元"))
    assert (batch.state, batch.rows_stored) == ("stored", 1)
    assert rated.events.filter(changed_by=batch.pk).exists()
    RatingCase.objects.filter(pk=standing.pk).update(inputs=standing.inputs)
    job = Job.objects.get(key=f"rerate-import-{batch.pk}")
    assert work_one(worker="test", job_id=job.pk).state == State.DONE
    assert RatingCase.objects.get(customer=rated, state=RatingState.SUGGESTED).trigger == "signal"


def test_a_run_whose_worker_was_killed_after_publishing_is_followed_once():
    run = latest_published()
    run.job_id = run.job_id or Job.objects.order_by("pk").last().pk + 1_000
    run.save(update_fields=["job_id"])
    lease = Lease(run.job_id, 1, "test", "run", {"as_of": run.as_of.isoformat(), "engine": "duckdb"}, run.actor)
    Job.objects.filter(key=f"rerate-{run.pk}").delete()
    for _ in range(2):
        do_run(lease)
    assert Job.objects.filter(key=f"rerate-{run.pk}").count() == 1


def test_an_account_month_after_the_last_run_moves_the_day_of_a_rating(rated):
    later = rating_date() + timedelta(days=20)
    rated.account_months.create(account_id="A-late", month=later, currency="CNY", inflow=1)
    assert facts_date(rated) == later


def test_an_import_of_a_project_re_rates_its_parties(rated, standing, tmp_path):
    project = Project.objects.create(project_id="P-RATED", currency="CNY")
    ProjectParty.objects.create(project=project, customer=rated, role="borrower")
    RatingCase.objects.filter(pk=standing.pk).update(expires_on=rating_date() + timedelta(days=10))
    batch = ImportBatch.objects.order_by("pk").last()
    Project.objects.filter(pk=project.pk).update(changed_by=batch.pk + 1_000)
    assert after_import(actor="test", batch=batch.pk + 1_000).suggested["expiry"] == 1


def test_only_who_may_rate_or_run_re_rates_a_customer(person, rated):
    with pytest.raises(Misuse):
        rerate_for(person=person("auditor"), customers=[rated])
    assert rerate_for(person=person("analyst"), customers=[rated]).customers == 1


def test_a_book_of_first_ratings_holds_those_that_were_shown_and_no_later_one(rated, standing):
    RatingCase.objects.filter(pk=standing.pk).update(state=RatingState.SUGGESTED, trigger="first", previous=None)
    held = _held_suggestions()
    made = propose_book(person=LocalAdministrator())
    assert {row[0] for row in held} == set(made.ratings.values_list("pk", flat=True))
    assert json.loads(made.shown)["rating_book"]["ratings"] == len(held)


@pytest.mark.parametrize(("approves", "state"), [(True, RatingState.APPROVED), (False, RatingState.SUGGESTED)])
def test_the_chain_takes_what_a_word_on_the_whole_book_really_wrote(person, brought_in, approves, state):
    _, suggested = brought_in
    RatingCase.objects.filter(pk=suggested.pk).update(previous=None, expires_on=None)
    made = propose_book(person=LocalAdministrator())
    decide(person=person("head"), number=made.pk, approves=approves, seen_digest=made.shown_digest, comment="x")
    whole = hashlib.sha256()
    suggested.refresh_from_db()
    until = suggested.expires_on.isoformat() if approves else None
    whole.update(f"{canonical([suggested.pk, suggested.result_digest, state, until])}\n".encode())
    wrote = json.loads(AuditLine.objects.latest("pk").detail)["wrote"]["ratings.RatingCase"]
    assert (suggested.state, wrote) == (state, {"rows": 1, "digest": whole.hexdigest()})
