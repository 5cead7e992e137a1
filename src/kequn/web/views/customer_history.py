"""What happened to a customer, and by what: imports, changes of findings with their cause, ratings, events."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.accounts.access import sees_imports, sees_runs
from kequn.apps.assessments import selectors as findings
from kequn.apps.assessments.models import FindingSpan, Run
from kequn.apps.customers import selectors as customers
from kequn.apps.customers.models import Customer
from kequn.apps.deals import selectors as deals
from kequn.apps.ingest.models import ImportBatch
from kequn.apps.ingest.selectors import batches
from kequn.web import labels
from kequn.web.templatetags.kequn import language, money

MOST = 120
FIRST = "first"


def touching(customer: Customer) -> list[ImportBatch]:
    """The imports that made or last changed anything of the customer, the latest first."""
    numbers = customers.batches_of(customer) | deals.batches_of(customer)
    return list(batches().filter(pk__in=numbers))


def newer_imports(customer: Customer, run: Run | None) -> list[ImportBatch]:
    """Imports that changed the customer after the facts of the last run were taken: not judged yet."""
    if run is None or run.snapshot is None:
        return []
    return [one for one in touching(customer) if one.made_at > run.snapshot.made_at]


def timeline_part(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    entries = [_import(request, one) for one in touching(customer)]
    entries += _changes(request, list(findings.history_of(customer)[: 4 * MOST]))
    entries += [_rated(one) for one in customer.external_ratings.all()]
    entries += [_event(one) for one in customer.events.all()]
    entries.sort(key=lambda one: (one["day"], one["kind"] == "finding"), reverse=True)
    return {"entries": entries[:MOST], "is_cut": len(entries) > MOST}


def _entry(day: date, kind: str, text: str, cause: str = "", url: str = "", **more: Any) -> dict[str, Any]:
    return {"day": day, "kind": kind, "text": text, "cause": cause, "url": url, **more}


def _import(request: HttpRequest, one: ImportBatch) -> dict[str, Any]:
    day = timezone.localtime(one.made_at).date()
    url = reverse("import", args=[one.pk]) if sees_imports(request.user) else ""
    return _entry(day, "import", one.name, "", url, label=_("Import"))


def _changes(request: HttpRequest, spans: list[FindingSpan]) -> list[dict[str, Any]]:
    """Each change from what stood before to what stands; one that only ended is an entry too."""
    spoken = language()
    before = {(one.key, one.valid_to): one.value for one in spans if one.valid_to}
    followed = {(one.key, one.valid_from) for one in spans}
    made = []
    for one in spans:
        label = labels.fact(one.key, spoken)
        if one.cause != FIRST:
            was = before.get((one.key, one.valid_from))
            said = _moved(one, was) if was is not None else _said(one)
            cause = labels.value("cause", one.cause, spoken)
            made.append(_entry(one.valid_from, "finding", said, cause, _run(request, one.opened_by), label=label))
        if one.valid_to and (one.key, one.valid_to) not in followed:
            said = _("%(value)s ended") % {"value": _said(one)}
            made.append(_entry(one.valid_to, "finding", said, "", _run(request, one.closed_by), label=label))
    return made


def _said(one: FindingSpan) -> str:
    return labels.value(one.key, one.value, language())


def _moved(one: FindingSpan, was: str) -> str:
    return f"{labels.value(one.key, was, language())} → {_said(one)}"


def _run(request: HttpRequest, run: Run | None) -> str:
    return reverse("run", args=[run.pk]) if run is not None and sees_runs(request.user) else ""


def _rated(one: Any) -> dict[str, Any]:
    return _entry(one.rating_date, "rating", f"{one.agency} {one.symbol}", label=_("External rating"))


def _event(one: Any) -> dict[str, Any]:
    said = labels.value("kind", one.kind, language())
    if one.event_amount is not None:
        said += f" {money(labels.in_yuan(one.event_amount, one.currency, one.event_date))}"
    return _entry(one.event_date, "event", said, one.event_source, label=_("Event"))
