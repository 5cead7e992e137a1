"""What must hold of the records whenever a process was killed: nothing lost, doubled or half visible."""

import hashlib
import json
from dataclasses import dataclass, field

TABLES = {
    "customers.Customer": ("code", "name", "country", "province", "industry_code"),
    "customers.Identifier": ("customer__code", "source", "value"),
    "customers.FactValue": ("customer__code", "name", "known_from", "number", "minor", "text", "truth", "day"),
    "customers.Statement": (
        "customer__code",
        "period_end",
        "scope",
        "standard",
        "version",
        "revenue",
        "cash",
        "equity",
    ),
    "customers.ExternalRating": ("customer__code", "agency", "rating_date", "symbol"),
    "deals.Facility": ("customer__code", "facility_id", "drawn", "committed", "days_past_due"),
    "deals.ProjectParty": ("customer__code", "project__project_id", "role"),
    "deals.AccountMonth": ("customer__code", "account_id", "month", "inflow", "outflow"),
}


@dataclass
class Known:
    """The whole states: digest of the records after an import, and of the findings of each snapshot."""

    records: dict[str, str] = field(default_factory=dict)  # digest -> state
    findings: dict[str, str] = field(default_factory=dict)  # snapshot digest -> digest of standing findings


def _digest(rows) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row, default=str).encode())
    return digest.hexdigest()


def records_digest() -> str:
    from django.apps import apps

    parts = []
    for label, columns in TABLES.items():
        found = apps.get_model(label).objects.order_by(*columns).values_list(*columns)
        parts.append(_digest(found.iterator(chunk_size=5000)))
    return _digest(parts)


def findings_digest() -> str:
    from kequn.apps.assessments.models import FindingSpan

    found = FindingSpan.objects.filter(valid_to__isnull=True).order_by("customer__code", "key")
    return _digest(found.values_list("customer__code", "kind", "key", "value").iterator(chunk_size=5000))


def broken(known: Known) -> list[str]:
    """Every invariant that does not hold, in words."""
    return [*_chain(), *_imports(known), *_runs(known)]


def _chain() -> list[str]:
    from kequn.apps.audit.selectors import verify

    verdict = verify()
    return [] if verdict.is_whole else [f"audit chain: {verdict.why}"]


def _lines(action: str) -> list[dict]:
    from kequn.apps.audit.models import AuditLine

    return [json.loads(one) for one in AuditLine.objects.filter(action=action).values_list("detail", flat=True)]


def _imports(known: Known) -> list[str]:
    from django.apps import apps
    from django.db.models import Count

    from kequn.apps.ingest.models import BatchState, ImportBatch

    wrong = []
    batches = ImportBatch.objects.annotate(results=Count("rows")).values_list("id", "state", "rows_read", "results")
    stored = {pk for pk, state, _, _ in batches if state == BatchState.STORED}
    for pk, _, read, results in batches:
        if read != results or not read:
            wrong.append(f"batch {pk}: {read} rows read, {results} results")
    audited = [one["batch"] for one in _lines("import") if "batch" in one]
    if sorted(audited) != sorted(stored):
        wrong.append(f"batches {sorted(stored)[-3:]} but audit lines for {sorted(audited)[-3:]}")
    strangers = {label: apps.get_model(label).objects.exclude(changed_by__in=stored).count() for label in TABLES}
    wrong += [f"{label}: {number} rows of no stored batch" for label, number in strangers.items() if number]
    if records_digest() not in known.records:
        wrong.append("the records are in none of the whole states")
    return wrong


def _runs(known: Known) -> list[str]:
    from django.db.models import Count

    from kequn.apps.assessments.models import FindingSpan, Run, RunState

    wrong = []
    published = list(Run.objects.filter(state=RunState.PUBLISHED).order_by("published_at", "id"))
    lines = _lines("run.publish")
    if len(lines) != len(published):
        wrong.append(f"{len(published)} published runs, {len(lines)} audit lines")
    opened = dict(FindingSpan.objects.order_by().values_list("opened_by").annotate(spans=Count("id")))
    wrong += [
        f"run {run.id} says {run.counts.get('opened')} opened, there are {opened.get(run.id, 0)}"
        for run in published
        if opened.get(run.id, 0) != run.counts.get("opened", -1)
    ]
    strangers = opened.keys() - {run.id for run in published}
    if strangers:
        wrong.append(f"spans of unpublished runs {sorted(strangers)}")
    if published:
        last = published[-1].snapshot.digest if published[-1].snapshot else ""
        if known.findings.get(last) != findings_digest():
            wrong.append("the standing findings are not those of the last published run")
    elif FindingSpan.objects.exists():
        wrong.append("findings stand though no run is published")
    return wrong
