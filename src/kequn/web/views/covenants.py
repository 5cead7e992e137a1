"""The covenants of a customer: each tested on its facts, entered and ended by those who rate."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from kequn.apps.accounts.access import RATE, may
from kequn.apps.assessments.explaining import known_of
from kequn.apps.customers.models import Customer
from kequn.apps.deals import selectors as deals
from kequn.apps.ratings import selectors as ratings
from kequn.apps.ratings.agreeing import Wish, end, enter
from kequn.apps.ratings.models import RatingState
from kequn.apps.ratings.services import facts_date
from kequn.domain.errors import KequnError, Refused, Text
from kequn.web import labels
from kequn.web.rule_form import whole_number
from kequn.web.templatetags.kequn import language
from kequn.web.views.covenant_words import rows_of
from kequn.web.views.customer import visible_customer


@require_http_methods(["GET", "HEAD", "POST"])
def covenants(request: HttpRequest, code: str) -> HttpResponse:
    """Every covenant with verdict, value and threshold; by POST one is entered or ended."""
    customer = visible_customer(request, code)
    problem = ""
    if request.method == "POST":
        if not may(request.user, RATE):
            raise PermissionDenied
        try:
            _act(request, customer)
            return redirect("customer-covenants", code)
        except KequnError as error:
            problem = "; ".join([error.text.in_language(language()), *_places(error)])
    as_of = facts_date(customer)
    known = known_of(customer=customer, as_of=as_of, pack=labels.pack())
    opened = ratings.opened(customer)
    context: dict[str, Any] = {
        "customer": customer, "as_of": as_of, "rows": rows_of(known, customer), "problem": problem,
        "may_enter": may(request.user, RATE), "typed": request.POST if problem else {},
        "facilities": [one.facility_id for one in deals.facilities_of(customer)],
        "suggested": opened if opened is not None and opened.state == RatingState.SUGGESTED else None,
    }  # fmt: skip
    return render(request, "kequn/covenants.html", context, status=422 if problem else 200)


def _places(error: KequnError) -> list[str]:
    """What was wrong with a rule, place by place, where the error says more than its first sentence."""
    found = error.findings if isinstance(error, Refused) else ()
    return [one.text.in_language(language()) for one in found if one.text != error.text]


def _act(request: HttpRequest, customer: Customer) -> None:
    posted = request.POST
    if posted.get("act") == "end":
        last = _date(posted, "last", _("Last day"))
        end(person=request.user, customer=customer, number=whole_number(posted.get("number", "")) or 0, last=last)
        messages.success(request, _("The covenant ends."))
        return
    wish = Wish(
        posted.get("name", ""), posted.get("rule", ""), _date(posted, "from", _("Holds from")),
        posted.get("source", ""), posted.get("facility", ""),
        _date(posted, "to", _("Last day")) if posted.get("to") else None,
    )  # fmt: skip
    enter(person=request.user, customer=customer, wish=wish)
    messages.success(request, _("The covenant is kept, and its test stands below."))


def _date(posted: Mapping[str, Any], key: str, label: str) -> date:
    typed = str(posted.get(key, ""))
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        text = Text(f"{label}：“{typed[:40]}”不是日期", f"{label}: “{typed[:40]}” is no date")
        raise Refused(text) from error
