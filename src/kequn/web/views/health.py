"""For who watches the installation: is it alive, is it ready, and what does it count."""

import hmac
import shutil

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.selectors import lines_written
from kequn.apps.jobs.selectors import counts_by_state, oldest_waiting_seconds

LOOPBACK = {"127.0.0.1", "::1"}


@login_not_required
@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked, so that a slow database never gets it killed."""
    return JsonResponse({"alive": True})


@login_not_required
@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """The database can be reached and has the structure of this version; else 503 and what is wrong."""
    try:
        executor = MigrationExecutor(connection)
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except DatabaseError:
        return JsonResponse({"ready": False, "why": "the database cannot be reached"}, status=503)
    if waiting:
        why = f"{waiting} migrations are waiting; run kequn migrate"
        return JsonResponse({"ready": False, "why": why}, status=503)
    return JsonResponse({"ready": True})


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Counts in the text format that Prometheus reads; for this machine, or for who brings the token."""
    if not _may_read(request):
        raise Http404
    lines = []
    for name, explained, values in _measured():
        lines += [f"# HELP kequn_{name} {explained}", f"# TYPE kequn_{name} gauge"]
        lines += [f"kequn_{name}{label} {value}" for label, value in values]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read(request: HttpRequest) -> bool:
    token = settings.KEQUN_METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not is_forwarded


Measured = tuple[str, str, list[tuple[str, float]]]


def _measured() -> list[Measured]:
    run = latest_published()
    found: list[Measured] = [
        ("jobs", "Background jobs by state.", [(f'{{state="{k}"}}', n) for k, n in counts_by_state().items()]),
        ("oldest_waiting_job_seconds", "How long the oldest due job waits.", [("", oldest_waiting_seconds())]),
        ("audit_lines", "Lines of the audit chain.", [("", lines_written())]),
        ("disk_free_bytes", "Free space below KEQUN_HOME.", [("", shutil.disk_usage(settings.KEQUN_HOME).free)]),
    ]
    if run is not None and run.published_at is not None:
        age = (timezone.now() - run.published_at).total_seconds()
        found += [
            ("last_run", "Number of the last published run.", [("", run.pk)]),
            ("last_run_age_seconds", "Time since the last run was published.", [("", round(age, 1))]),
            ("customers", "Customers that the last run judged.", [("", run.counts.get("customers", 0))]),
        ]
    return found
