"""Why a finding stands for a customer, and what would change it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.assessments import pins
from kequn.apps.assessments.explaining import Known, Origin, known_of
from kequn.apps.assessments.selectors import latest_published
from kequn.domain.facts import FactType
from kequn.domain.rules.explaining import Reason
from kequn.domain.rules.plain import Answers
from kequn.domain.rules.tree import Value
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language
from kequn.web.views.customer import visible_customer
from kequn.web.wording import definition_of, source_of, standards_of

MOODS = {True: "good", False: "", None: "unknown"}
SHOWN_LEVELS = 1  # deeper reasons stand on pages of their own
POINTS, SCORE = "points", "score"
SCORED = ("score", "pd", "grade", "credit_tier")


def why(request: HttpRequest, code: str, key: str) -> HttpResponse:
    customer = visible_customer(request, code)
    run = latest_published()
    known = known_of(customer=customer, as_of=run.as_of if run else timezone.localdate(), pack=labels.pack())
    teller = Teller(known.pack, known.plan, language(), unit(language()))
    if key in {name for lookup in known.plan.lookups for name in lookup.dimensions}:
        return render(request, "kequn/why.html", _looked_up(known, teller, key) | {"customer": customer})
    if key not in {one.name for one in known.plan.definitions}:
        raise Http404
    reason = known.reason(key, deepest=SHOWN_LEVELS)
    context = {
        "customer": customer,
        "key": key,
        "label": teller.name(key),
        "answer": teller.value(key, reason.answer),
        "as_of": known.as_of,
        "reason": _told(reason, teller, known),
        "is_number": known.plan.definition(key).type == FactType.NUMBER,
        "missing": teller.missing(reason),
        "changes": [teller.change(change, key) for change in known.changes(key)],
        "points": _points(known, teller) if key in SCORED else {},
        "pin": pins.holding(customer=customer, key=key, when=known.as_of),
    }
    return render(request, "kequn/why.html", context | definition_of(key))


def _looked_up(known: Known, teller: Teller, key: str) -> dict[str, Any]:
    """A class read from a standard table: which keys were looked up, and in which table."""
    lookup = next(one for one in known.plan.lookups if key in one.dimensions)
    facts = [(name, known.record.customer.get(name)) for name in lookup.keys]
    answer = known.answers().get(key)
    missing = [teller.name(name) for name, value in facts if value is None] if answer in {None, "unknown"} else []
    found = [
        {"said": f"{teller.name(name)} {teller.value(name, value)}", "origin": _origin(known.origin(name))}
        for name, value in facts
        if value is not None
    ]
    condition = {"sentence": teller.name(key), "found": found, "verdict": teller.value(key, answer), "mood": ""}
    return {
        "key": key,
        "label": teller.name(key),
        "answer": teller.value(key, answer),
        "as_of": known.as_of,
        "sentence": _("Read from a standard table by these facts."),
        "reason": {"conditions": [condition], "because": []},
        "missing": missing,
        "sources": [source_of(heading) for heading in standards_of(lookup.name)],
    }


def _told(reason: Reason, teller: Teller, known: Known) -> dict[str, Any]:
    """The reason as the page shows it; below it the reasons of what it read, and what has a page of its own."""
    defined = {one.name for one in known.plan.definitions}
    below = {one.name for one in reason.because} | {reason.name}
    further = dict.fromkeys(
        reading.name for one in reason.conditions for reading in one.readings
        if reading.name in defined and reading.name not in below and reading.rows is None
    )  # fmt: skip
    return {
        "label": teller.name(reason.name),
        "answer": teller.value(reason.name, reason.answer),
        "conditions": [
            {
                "sentence": teller.condition(one),
                "found": [{"said": teller.reading(reading), "origin": _origin(known.origin(reading.name))}
                          for reading in one.readings],
                "verdict": teller.verdict(reason.name, one.answer),
                "mood": MOODS.get(one.answer, "") if one.answer is None or isinstance(one.answer, bool) else "",
            }
            for one in reason.conditions
        ],
        "because": [_told(one, teller, known) for one in reason.because],
        "further": [{"key": name, "label": teller.name(name)} for name in further],
    }  # fmt: skip


def _origin(found: Origin) -> str:
    """Whence a value comes, in words."""
    said = {
        "derived": _("by policy's formula"), "table": _("standard table"), "record": _("customer record"),
        "fact": _("fact known from %(day)s") % {"day": found.day},
        "statement": _("statement of %(day)s") % {"day": found.day} if found.day else _("statement"),
        "facility": _("facilities on record"), "project": _("projects on record"), "event": _("events on record"),
        "account_month": _("account months"),
    }[found.kind]  # fmt: skip
    return f"{said} ({found.source})" if found.source else said


def _points(known: Known, teller: Teller) -> dict[str, Any]:
    """The scorecard of a customer: what was found, what it earned, the most it could earn, and the sums."""
    answers, rows = known.answers(), []
    items = labels.names(known.as_of).items
    for one in known.plan.definitions:
        if one.kind != POINTS:
            continue
        table = (items[one.name].table if one.name in items else None) or {}
        most = max((float(row["then"]) for row in table.get("rows", ())), default=None)
        fact = str((table.get("inputs") or [""])[0])
        value = known_value(known, answers, fact)
        found = teller.value(fact, value) if value is not None else None
        rows.append({"label": teller.name(fact), "found": found, "points": answers.get(one.name), "most": most})
    earned = sum(row["points"] for row in rows if isinstance(row["points"], float))
    possible = sum(row["most"] or 0 for row in rows if row["points"] is not None)
    return {"rows": rows, "earned": earned, "possible": possible, "score": answers.get(SCORE)} if rows else {}


def known_value(known: Known, answers: Answers, fact: str) -> Value | None:
    """The value of a fact, whether policy derives it or the customer or its newest statement has it."""
    if fact in answers:
        return answers[fact]
    if fact in known.record.customer:
        return known.record.customer[fact]
    series = next((found[fact] for found in known.record.periods.values() if fact in found), ())
    return series[0] if series else None
