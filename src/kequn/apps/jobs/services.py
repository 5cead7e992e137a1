"""Lease, renew, finish, retry. Whoever lost the lease can no longer write: its fence is too low."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from kequn.apps.jobs.models import Job, State
from kequn.domain.errors import KequnError, Text

Handler = Callable[["Lease"], dict[str, Any]]
HANDLERS: dict[str, Handler] = {}


class LeaseLost(KequnError):
    """Another worker holds this job now; nothing may be published by this one."""


@dataclass(frozen=True, slots=True)
class Lease:
    job_id: int
    fence: int
    worker: str
    kind: str
    arguments: dict[str, Any]
    actor: str

    def renew(self) -> None:
        until = timezone.now() + timedelta(seconds=settings.KEQUN_LEASE_SECONDS)
        held = Job.objects.filter(id=self.job_id, fence=self.fence, state=State.LEASED)
        if not held.update(leased_until=until):
            raise _lost(self)

    def hold(self) -> None:
        """Inside the publishing transaction: lock the row and make sure that nobody took the work over."""
        job = Job.objects.select_for_update().get(id=self.job_id)
        if job.fence != self.fence or job.state != State.LEASED:
            raise _lost(self)


@contextmanager
def heartbeat(lease: Lease) -> Iterator[None]:
    """Renew the lease while the work goes on; a lost lease is found out when publishing."""
    if str(connection.settings_dict["NAME"]).startswith("file:memory"):
        yield
        return
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(settings.KEQUN_LEASE_SECONDS / 3):
                with suppress(OperationalError):  # a locked database: the next beat is in time
                    lease.renew()
        except LeaseLost:
            return
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(
        Text(
            f"任务{lease.job_id}已由另一工作进程接手，本次结果作废",
            f"job {lease.job_id} was taken over by another worker; this result is dropped",
        )
    )


def handler(kind: str) -> Callable[[Handler], Handler]:
    def register(function: Handler) -> Handler:
        HANDLERS[kind] = function
        return function

    return register


def enqueue(*, kind: str, arguments: dict[str, Any], actor: str, key: str | None = None, attempts: int = 5) -> Job:
    now = timezone.now()
    values = {
        "kind": kind,
        "arguments": arguments,
        "actor": actor,
        "not_before": now,
        "made_at": now,
        "attempts_allowed": attempts,
    }
    if key is None:
        return Job.objects.create(**values)
    return Job.objects.get_or_create(key=key, defaults=values)[0]


def take(*, worker: str, job_id: int | None = None) -> Lease | None:
    """Lease the oldest due job, or one whose holder stopped renewing. Two workers never get the same fence."""
    now = timezone.now()
    free = Q(state=State.WAITING, not_before__lte=now) | Q(state=State.LEASED, leased_until__lt=now)
    with transaction.atomic():
        due = Job.objects.select_for_update(skip_locked=_skips()).filter(free)
        job = (due.filter(id=job_id) if job_id else due).order_by("id").first()
        if job is None:
            return None
        job.state, job.worker, job.fence, job.attempts = State.LEASED, worker, job.fence + 1, job.attempts + 1
        job.leased_until = now + timedelta(seconds=settings.KEQUN_LEASE_SECONDS)
        if job.attempts > job.attempts_allowed:
            job.state, job.error, job.ended_at = State.FAILED, job.error or "too many attempts", now
            job.save()
            return None
        job.save()
    return Lease(job.id, job.fence, worker, job.kind, job.arguments, job.actor)


def _skips() -> bool:
    return bool(connection.features.has_select_for_update_skip_locked)


def finish(*, lease: Lease, result: dict[str, Any]) -> None:
    done = Job.objects.filter(id=lease.job_id, fence=lease.fence, state=State.LEASED)
    if not done.update(state=State.DONE, result=result, ended_at=timezone.now(), error=""):
        raise _lost(lease)


def fail(*, lease: Lease, error: str, final: bool = False) -> None:
    """Try again later, each time twice as late; or never, when it cannot help."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(id=lease.job_id)
        if job.fence != lease.fence:
            return
        over = final or job.attempts >= job.attempts_allowed
        job.state = State.FAILED if over else State.WAITING
        job.error, now = error[:4000], timezone.now()
        job.ended_at = now if over else None
        job.not_before = now + timedelta(seconds=2**job.attempts)
        job.save()


def work_one(*, worker: str, job_id: int | None = None) -> Job | None:
    """Take one job and do it; the job as it stands afterwards, or None when nothing was due."""
    lease = take(worker=worker, job_id=job_id)
    if lease is None:
        return None
    try:
        finish(lease=lease, result=HANDLERS[lease.kind](lease))
    except LeaseLost:
        pass
    except KequnError as error:
        fail(lease=lease, error=f"{error.text.zh}\n{error.text.en}", final=True)
    except Exception as error:
        fail(lease=lease, error=f"{type(error).__name__}: {error}")
    return Job.objects.get(id=lease.job_id)


def wait_for(*, job: Job, worker: str, patience_seconds: float = 0.2) -> Job:
    """Do this job here and now, or wait until whoever took it is through."""
    while job.state in {State.WAITING, State.LEASED}:
        done = work_one(worker=worker, job_id=job.id)
        if done is None or done.state == State.WAITING:
            time.sleep(patience_seconds)
        job = Job.objects.get(id=job.id)
    return job
