"""Read the queue."""

from django.db.models import Count
from django.utils import timezone

from kequn.apps.jobs.models import Job, State


def waiting(kind: str) -> int:
    """Jobs of a kind that nobody has finished."""
    return Job.objects.filter(kind=kind, state__in=[State.WAITING, State.LEASED]).count()


def counts_by_state() -> dict[str, int]:
    """How many jobs stand in each state; every state is named."""
    counted = dict(Job.objects.order_by().values_list("state").annotate(jobs=Count("id")))
    return {str(state): counted.get(str(state), 0) for state in State}


def oldest_waiting_seconds() -> float:
    """For how long the oldest due job has been waiting for a worker; 0 where none waits."""
    due = Job.objects.filter(state=State.WAITING, not_before__lte=timezone.now()).order_by("not_before")
    oldest = due.values_list("not_before", flat=True).first()
    return 0.0 if oldest is None else (timezone.now() - oldest).total_seconds()
