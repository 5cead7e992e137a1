"""Reports: one at once for a customer or the book, many as an archive made in the background."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kequn.apps.assessments import listing
from kequn.apps.briefings import selectors
from kequn.apps.briefings.models import BatchState, ReportBatch
from kequn.apps.briefings.services import (
    cancel_batch,
    file_name,
    format_of,
    make_customer_report,
    make_portfolio_report,
    request_batch,
)
from kequn.domain.errors import KequnError
from kequn.reports.writing import FORMATS, MEDIA_TYPES
from kequn.web import filters
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import visible_customer

MOODS = {BatchState.DONE: "good", BatchState.FAILED: "bad", BatchState.CANCELLED: "unknown"}
SHOWN = 50


@require_safe
def customer_report(request: HttpRequest, code: str, form: str) -> HttpResponse:
    if form not in FORMATS:
        raise Http404
    customer = visible_customer(request, code)
    chosen = format_of(form)
    made = make_customer_report(
        person=request.user, customer=customer, form=chosen, language=language(), money_unit=unit(language()).code
    )
    answer = HttpResponse(made, content_type=MEDIA_TYPES[chosen])
    answer["Content-Disposition"] = _attachment(file_name(customer.code, chosen))
    return answer


@require_safe
def portfolio_report(request: HttpRequest, form: str) -> HttpResponse:
    if form not in FORMATS:
        raise Http404
    chosen = format_of(form)
    made = make_portfolio_report(
        person=request.user, form=chosen, language=language(), money_unit=unit(language()).code
    )
    answer = HttpResponse(made, content_type=MEDIA_TYPES[chosen])
    answer["Content-Disposition"] = _attachment(file_name("kequn-portfolio", chosen))
    return answer


def _attachment(name: str) -> str:
    from django.utils.http import content_disposition_header

    return content_disposition_header(True, name) or "attachment"


@require_http_methods(["GET", "HEAD", "POST"])
def reports(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _ask(request)
    batches = list(selectors.batches_of(request.user)[:SHOWN])
    context = {
        "batches": [_row(one) for one in batches],
        "is_working": any(one.state in {BatchState.WAITING, BatchState.RUNNING} for one in batches),
        "keep_days": settings.KEQUN_KEEP_REPORT_DAYS,
    }
    return render(request, "kequn/reports.html", context)


def _ask(request: HttpRequest) -> HttpResponse:
    """The reports of the list that the address in `query` shows, in its order."""
    wanted = filters.wanted_of(QueryDict(request.POST.get("query", "")[:2000]))
    try:
        request_batch(
            person=request.user,
            customers=listing.wanted_customers(person=request.user, wanted=wanted).order_by("name", "id"),
            form=format_of(request.POST.get("format", "pdf")),
            language=language(),
            money_unit=unit(language()).code,
        )
        messages.success(request, _("The reports are being made; this page shows how far they are."))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect("reports")


def _row(one: ReportBatch) -> dict[str, Any]:
    return {
        "batch": one,
        "state": one.get_state_display(),
        "mood": MOODS.get(BatchState(one.state), ""),
        "may_cancel": one.state in {BatchState.WAITING, BatchState.RUNNING},
        "error": one.error.partition("\n")[0 if language() == "zh" else 2],
    }


@require_POST
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    try:
        cancel_batch(person=request.user, number=number)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect("reports")


@require_safe
def archive(request: HttpRequest, number: int) -> FileResponse:
    found = selectors.batches_of(request.user).filter(pk=number, state=BatchState.DONE).exclude(file="").first()
    if found is None:
        raise Http404
    path = settings.KEQUN_HOME / found.file
    if not path.is_file():  # aged away meanwhile, or the data came back from a backup, which holds no archives
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"kequn-reports-{found.pk}.zip")
