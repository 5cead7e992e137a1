"""Covenants tested: on the facts of one customer, and over the whole book at once.

A breach that the rating in force does not know of is a cause to rate anew. What cannot be told is never a breach.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db.models import F, Q, QuerySet

from kequn.apps.assessments.explaining import Known
from kequn.apps.assessments.standing_book import StandingBook, standing_book
from kequn.apps.customers.models import Customer
from kequn.apps.deals.models import Covenant
from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType
from kequn.domain.rating.covenants import Tested, facing, tested, told
from kequn.domain.rules.plain import reader_of
from kequn.domain.rules.reader import Truth, compared
from kequn.domain.rules.tree import Comparison, Constant, Expr
from kequn.policy.pack import Pack
from kequn.policy.planning import rule_of
from kequn.policy.rating import COVENANTS

FACT = COVENANTS  # of the inputs of a rating


@dataclass(frozen=True, slots=True)
class TestedCovenant:
    """`rule` None: its words cannot be read under the policy in use, and `problem` says why."""

    covenant: Covenant
    in_force: bool
    rule: Expr | None
    found: Tested
    problem: Text | None = None


def in_force(as_of: date) -> QuerySet[Covenant]:
    """The covenants that hold on a day."""
    still = Q(to_date__isnull=True) | Q(to_date__gte=as_of)
    return Covenant.objects.filter(still, from_date__lte=as_of).order_by("customer", "name")


def covenants_of(customer: Customer) -> QuerySet[Covenant]:
    """Every covenant of a customer, those that have not ended first."""
    return customer.covenants.select_related("facility").order_by(F("to_date").desc(nulls_first=True), "name")


def tests_of(known: Known, covenants: Iterable[Covenant], today: date) -> list[TestedCovenant]:
    """Each covenant tested on the facts of its customer, with whether it is in force today."""
    reader = reader_of(known.plan, known.as_of).reader(known.record)
    found = []
    for one in covenants:
        holds_then = one.from_date <= today and (one.to_date is None or one.to_date >= today)
        rule = _rule(known.pack, known.as_of, one.rule)
        if isinstance(rule, Text):
            found.append(TestedCovenant(one, holds_then, None, Tested(None), rule))
        else:
            found.append(TestedCovenant(one, holds_then, rule, tested(rule, reader)))
    return found


def _rule(pack: Pack, as_of: date, text: str) -> Expr | Text:
    """The tree of a covenant; what is wrong where policy no longer has a word of it."""
    try:
        return rule_of(pack, as_of, text)
    except Refused as refused:
        return refused.findings[0].text if refused.findings else refused.text


def fact_of_customer(known: Known, customer: Customer, today: date) -> str | None:
    """What a rating of one customer keeps of its covenants."""
    held = in_force(today).filter(customer=customer)
    return told({one.covenant.name: one.found.holds for one in tests_of(known, held, today)})


def fact_of_book(pack: Pack, as_of: date, today: date) -> dict[str, str | None]:
    """The same of every customer with a covenant, by code, on the facts of the last run."""
    rows = list(in_force(today).values_list("customer__code", "name", "rule"))
    if not rows:
        return {}
    standing = standing_book()
    place = {str(code): at for at, code in enumerate(standing.codes)}
    verdicts: dict[str, dict[str, Truth]] = defaultdict(dict)
    figures: dict[Expr, Any] = {}
    rules = {text: _rule(pack, as_of, text) for text in {rule for _, _, rule in rows}}
    said = {text: asked(standing, pack, one, figures) for text, one in rules.items() if not isinstance(one, Text)}
    for code, name, text in rows:
        at = place.get(code)
        verdicts[code][name] = said[text](at) if text in said and at is not None else None
    return {code: told(of) for code, of in verdicts.items()}


def asked(standing: StandingBook, pack: Pack, rule: Expr, figures: dict[Expr, Any]) -> Callable[[int], Truth]:
    """What a rule says of the customer at a place of the book; each rule is one question to the engine.

    Of a comparison with a number only the figure is asked, once for all thresholds, and kept in `figures`.
    """
    match facing(rule) if isinstance(rule, Comparison) else rule:
        case Comparison(sign, left, Constant(threshold, FactType.NUMBER)):
            if left not in figures:
                figures[left] = standing.values(pack, left)
            of = figures[left]
            return lambda at: compared(sign, None if np.isnan(of[at]) else float(of[at]), threshold)
        case _:
            found = standing.verdicts(pack, rule)
            return lambda at: None if found[at] < 0 else bool(found[at] == 1)
