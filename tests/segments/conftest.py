"""The sample book, run at two dates; Xu manages segments, Zhou is the head who approves."""

from datetime import date

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.samples.book import AS_OF
from tests.sample_book import sample_book

LATE = {"name": "late_payers", "zh": "逾期客户", "en": "Late payers", "unknown": "out"}


@pytest.fixture(scope="package", autouse=True)
def book(django_db_setup, django_db_blocker):
    with sample_book(django_db_blocker):
        yield


@pytest.fixture
def xu(db):
    from kequn.apps.accounts.models import User

    return User.objects.get(username="demo-segment")


@pytest.fixture
def zhou(db):
    from kequn.apps.accounts.models import User

    return User.objects.get(username="demo-head")


@pytest.fixture
def drafted(xu):
    """A draft of a segment; the rule first, the rest as it is of late payers."""
    from kequn.apps.assessments.segment_policy import Asked, draft_segment

    def make(rule: str, when: date = AS_OF, *, retires: bool = False, **more):
        row = LATE | {"rule": rule} | more
        return draft_segment(person=xu, asked=Asked(row, when, "委员会决议", retires=retires))

    return make


@pytest.fixture
def approved(xu, zhou, drafted):
    """A version drafted by Xu and approved by Zhou."""
    from kequn.apps.assessments.segment_policy import submit_segment
    from kequn.apps.governance.approving import decide
    from kequn.apps.governance.models import DocumentVersion

    def make(*words, **more):
        version = drafted(*words, **more)
        proposal = submit_segment(person=xu, version=version)
        decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
        return DocumentVersion.objects.get(pk=version.pk)

    return make


@pytest.fixture
def judge():
    """Run and publish the book as of a date."""
    from kequn.apps.assessments.models import Run
    from kequn.apps.assessments.services import request_run
    from kequn.apps.jobs.services import work_one

    def run(when: date = AS_OF):
        done = work_one(worker="test", job_id=request_run(person=LocalAdministrator(), as_of=when).id)
        assert done.state == "done", done.error
        return Run.objects.get(id=done.result["run"])

    return run


@pytest.fixture
def members():
    """The codes of those who stand in a segment."""
    from kequn.apps.assessments.selectors import standing

    def of(key: str = "late_payers", when: date | None = None) -> set[str]:
        found = standing(when).filter(key=key, value="true")
        return set(found.values_list("customer__code", flat=True))

    return of
