"""What is kept about a part of the book: never that of another scope, of another reader, or from before a change."""

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.sessions import note_sign_out
from kequn.apps.assessments import listing
from kequn.apps.assessments.selectors import value_counts
from kequn.apps.assessments.services import request_run
from kequn.apps.audit.services import line
from kequn.apps.customers.assigning import assign
from kequn.apps.customers.keeping import QUIET, book_mark, kept, numbers_visible_to
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.ingest.undoing import undo
from kequn.apps.jobs.services import work_one
from kequn.samples.book import AS_OF
from kequn.web.acts import ACTS

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
CHANGE_THE_BOOK = {
    "accounts.demo", "customers.assign", "governance.approve", "import", "import.undo", "projects.model",
    "ratings.book", "run.publish", "search.rebuild",
}  # fmt: skip
FACTS = "customer_id,name,owner,team,employees\nC1,甲电力,wang,N1,20\nC2,乙交通,li,N1,500\nC3,丙水务,sun,N2,9\n"


@pytest.fixture
def book(staff, bring):
    return staff, bring(FACTS)


def seen(person, **wanted):
    return listing.totals(person=person, wanted=listing.Wanted(**wanted)).customers


def count_answers(person, question=("anything",)):
    """How often the work is done when the question is asked twice."""
    done = []
    for _time in range(2):
        kept(person=person, question=question, work=lambda: done.append(1))
    return len(done)


def test_every_act_of_the_chain_is_said_to_change_the_book_or_to_leave_it():
    assert set(ACTS) == QUIET | CHANGE_THE_BOOK
    assert not QUIET & CHANGE_THE_BOOK


def test_a_question_is_answered_once_until_the_book_changes(book, bring):
    assert count_answers(ADMIN) == 1
    assert count_answers(ADMIN) == 0
    bring("customer_id,name\nC4,丁光伏\n")
    assert count_answers(ADMIN) == 1


def test_every_scope_gets_its_own_answer(book):
    people, _batch = book
    counts = {name: seen(person) for name, person in people.items()}
    assert counts == {"wang": 1, "li": 2, "sun": 3, "zhao": 0, "zhou": 3}
    assert {name: len(numbers_visible_to(one)) for name, one in people.items()} == counts


def test_two_readers_of_one_team_do_not_share_what_either_owns_elsewhere(book):
    people, _batch = book
    people["sun"].scope, people["sun"].team = "team", people["li"].team
    assert seen(people["li"]) == 2
    assert seen(people["sun"]) == 3  # both of the team, and C3, which is of another team and Sun's own


def test_a_customer_given_to_another_leaves_and_enters_at_once(book):
    people, _batch = book
    assert (seen(people["wang"]), seen(people["zhao"])) == (1, 0)
    assign(person=ADMIN, codes=["C1"], manager="zhao")
    assert (seen(people["wang"]), seen(people["zhao"])) == (0, 1)


def test_an_import_that_is_undone_is_gone_at_once(book, bring):
    batch = bring("customer_id,name\nC4,丁光伏\n")
    assert seen(ADMIN) == 4
    undo(batch_id=batch.pk, person=ADMIN)
    assert seen(ADMIN) == 3


def test_a_new_publication_is_seen_at_once(book):
    assert value_counts(person=ADMIN, kind="dimension") == []
    assert seen(ADMIN, assessed="yes") == 0
    assert work_one(worker="test", job_id=request_run(person=ADMIN, as_of=AS_OF).id).state == "done"
    assert value_counts(person=ADMIN, kind="dimension") != []
    assert seen(ADMIN, assessed="yes") == 3


def test_an_act_that_leaves_the_book_as_it_is_leaves_the_mark(book):
    people, _batch = book
    before = book_mark()
    note_sign_out(user=people["wang"], why="asked")
    assert book_mark() == before


def test_an_act_that_nobody_has_named_changes_the_mark(book):
    before = book_mark()
    with line(actor="test", action="something.new"):
        pass
    assert book_mark() != before


def test_what_a_transaction_has_written_is_not_kept_for_others_before_its_line_stands(book):
    with line(actor="test", action="import"):
        Customer.objects.filter(code="C1").delete()
        assert seen(ADMIN) == 2
    assert seen(ADMIN) == 2
    assert count_answers(ADMIN) == 1


def test_without_a_line_in_the_chain_nothing_is_kept(staff):
    assert count_answers(ADMIN) == 2


def test_the_numbers_kept_are_those_of_the_query(book):
    people, _batch = book
    for person in people.values():
        for _time in range(2):
            assert set(numbers_visible_to(person).tolist()) == set(visible_to(person).values_list("pk", flat=True))
