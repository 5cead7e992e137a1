"""Covenants as pages show them: the rule as a sentence, verdict, value against threshold, in the reader's language."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.assessments.explaining import Known, known_of
from kequn.apps.customers.models import Customer
from kequn.apps.ratings.covenants import TestedCovenant, covenants_of, tests_of
from kequn.domain.rating.covenants import facing
from kequn.domain.rules import tree
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import language

SIGNS = {"<=": "≤", ">=": "≥", "<>": "≠"}


def covenants_part(customer: Customer, as_of: date) -> dict[str, Any]:
    """The covenants for a part of the customer's page; nothing is evaluated where there are none."""
    if not customer.covenants.exists():
        return {"covenants": []}
    known = known_of(customer=customer, as_of=as_of, pack=labels.pack())
    return {"covenants": rows_of(known, customer)}


def rows_of(known: Known, customer: Customer) -> list[dict[str, Any]]:
    """The covenants of a customer in words, those in force first."""
    teller = Teller(known.pack, known.plan, language(), unit(language()))
    today = timezone.localdate()
    return [_row(teller, one, today) for one in tests_of(known, covenants_of(customer), today)]


def _row(teller: Teller, one: TestedCovenant, today: date) -> dict[str, Any]:
    found, of = one.found, one.covenant
    words = {True: (_("kept"), "good"), False: (_("breached"), "bad"), None: (_("cannot be told"), "unknown")}
    said, mood = words[found.holds] if one.in_force else (_("not in force"), "unknown")
    left = facing(one.rule).left if isinstance(one.rule, tree.Comparison) else None
    fact = left.name if isinstance(left, tree.FactRef) else ""
    agreed = teller.as_percent(fact, found.threshold)
    return {
        "number": of.pk, "name": of.name, "facility": of.facility.facility_id if of.facility is not None else "",
        "sentence": teller.sentence(one.rule) if one.rule is not None else of.rule, "text": of.rule,
        "problem": one.problem.in_language(language()) if one.problem is not None else "",
        "said": said, "mood": mood, "in_force": one.in_force, "fact": fact,
        "value": teller.as_percent(fact, found.value) if found.sign else "",
        "threshold": f"{SIGNS.get(found.sign, found.sign)} {agreed}" if found.sign else "",
        "headroom": found.headroom, "missing": [teller.name(name) for name in found.missing],
        "from": of.from_date, "to": of.to_date, "source": of.source, "maker": of.maker,
        "may_end": of.to_date is None or of.to_date > max(today, of.from_date),
    }  # fmt: skip
