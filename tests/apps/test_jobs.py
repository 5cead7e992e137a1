"""Leases: one holder at a time, an older fence is worth nothing, a killed worker's job is taken up again."""

import pytest

from kequn.apps.jobs import services
from kequn.apps.jobs.models import Job, State
from kequn.apps.jobs.services import LeaseLost, enqueue, finish, take, work_one

pytestmark = pytest.mark.django_db


@pytest.fixture
def kinds(monkeypatch):
    made = {"good": lambda lease: {"said": lease.arguments["word"]}, "bad": lambda _lease: 1 / 0}
    monkeypatch.setattr(services, "HANDLERS", made)


def ask(kind="good", **more):
    return enqueue(kind=kind, arguments={"word": "好"}, actor="local:test", **more)


def lapse(job):
    Job.objects.filter(id=job.id).update(leased_until="2020-01-01T00:00:00Z")


def test_a_job_is_done_once(kinds):
    job = ask()
    assert work_one(worker="a").result == {"said": "好"}
    assert work_one(worker="b") is None
    assert Job.objects.get(id=job.id).state == State.DONE


def test_two_workers_never_hold_one_job(kinds):
    ask()
    assert take(worker="a") is not None
    assert take(worker="b") is None


def test_a_killed_workers_job_is_taken_up_with_a_higher_fence(kinds):
    job = ask()
    dead = take(worker="a")
    lapse(job)
    alive = take(worker="b")
    assert alive.fence == dead.fence + 1
    with pytest.raises(LeaseLost):
        finish(lease=dead, result={})
    with pytest.raises(LeaseLost):
        dead.renew()
    finish(lease=alive, result={"by": "b"})


def test_a_failing_job_is_tried_again_later_and_at_last_given_up(kinds):
    job = ask("bad", attempts=2)
    assert work_one(worker="a").state == State.WAITING
    assert work_one(worker="a") is None
    Job.objects.filter(id=job.id).update(not_before="2020-01-01T00:00:00Z")
    assert work_one(worker="a").state == State.FAILED


def test_the_same_work_asked_twice_is_one_job(kinds):
    assert ask(key="night 2026-11-23").id == ask(key="night 2026-11-23").id
