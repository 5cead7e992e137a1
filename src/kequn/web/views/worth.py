"""What customers are worth: by segment and by tier, and line by line for one customer and its group."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from kequn.apps.assessments.selectors import latest_published
from kequn.apps.strategies.overview import looked_after
from kequn.apps.strategies.worth import LINES, Worth, worth_of_segments, worth_of_values
from kequn.web import labels
from kequn.web.templatetags.kequn import language
from kequn.web.wording import definition_of

TIER = "value_tier"


@require_safe
def worth_page(request: HttpRequest) -> HttpResponse:
    """Contribution, capital and managers' time by segment and by value tier, of the customers the reader sees."""
    spoken = language()
    items = looked_after(labels.pack(), timezone.localdate())
    rows = worth_of_segments(person=request.user, items=items)
    tiers = worth_of_values(person=request.user, dimension=TIER)
    whole = rows[-1] if rows else None
    context: dict[str, Any] = {
        "run": latest_published(),
        "heads": [{"key": name, "label": labels.fact(name, spoken), "sign": "+" if sign > 0 else "−"}
                  for name, sign in LINES],
        "rows": [_row(one, labels.fact(one.key, spoken), whole) for one in rows[:-1]],
        "tiers": [_row(one, labels.value(TIER, one.key, spoken), whole)
                  for one in sorted(tiers, key=lambda one: labels.place(TIER, one.key))],
        "whole": _row(whole, "", whole) if whole is not None else None,
        "sources": definition_of("worth_contribution").get("sources", ()),
    }  # fmt: skip
    return render(request, "kequn/worth.html", context)


def _row(one: Worth, label: str, whole: Worth | None) -> dict[str, Any]:
    """A line, with its share of the whole contribution, capital and time."""
    amounts = [amount for _name, _sign, amount in one.lines]
    return {"one": one, "label": label, "amounts": amounts, "unknown": one.customers - one.known, "whole": whole}
