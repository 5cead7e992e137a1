"""Ages said as dates: `event_age_days <= 365` on 2026-09-30 is `event_date >= 2025-09-30`.

A counted fact changes with every day, so records keep the date and not the age. A comparison of an age with a number
is turned into one of its date, once, when a plan is made for its as-of date. Where a customer's age was supplied and
its date was not, the comparison of the age still stands.
"""

import math
from collections.abc import Mapping
from datetime import date, timedelta

from kequn.domain.facts import CHILD_GRAINS, FactType, Vocabulary
from kequn.domain.rules.tree import Comparison, ComparisonSign, Constant, Expr, FactRef, Function, rebuilt
from kequn.policy.dictionary import Counted

DAYS_IN_YEAR = 365.25
_MIRRORED: Mapping[ComparisonSign, ComparisonSign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def said_as_dates(expr: Expr, counted: Mapping[str, Counted], vocabulary: Vocabulary, as_of: date) -> Expr:
    """The same rule with ages compared as dates wherever an age meets a number."""
    if isinstance(expr, Comparison):
        dated = _dated(expr, counted, vocabulary, as_of)
        if dated is not None:
            return dated
    return rebuilt(expr, lambda part: said_as_dates(part, counted, vocabulary, as_of))


def _dated(expr: Comparison, counted: Mapping[str, Counted], vocabulary: Vocabulary, as_of: date) -> Expr | None:
    sign, left, right = expr.sign, expr.left, expr.right
    if isinstance(left, Constant) and sign in _MIRRORED:
        sign, left, right = _MIRRORED[sign], right, left
    if not isinstance(left, FactRef) or not isinstance(right, Constant) or sign not in _MIRRORED:
        return None
    age = counted.get(left.name)
    source = vocabulary.get(age.date_column) if age is not None else None
    if age is None or source is None or source.source == "machine" or not isinstance(right.value, float):
        return None
    bound = _bound(age, sign, right.value, as_of)
    if bound is None:
        return None
    day_sign, day = bound
    ref = FactRef(source.name, source.grain, source.type)
    dated = Comparison(day_sign, ref, Constant(day, FactType.DATE))
    return dated if source.grain in CHILD_GRAINS else Function("coalesce", (dated, expr))


def _bound(age: Counted, sign: ComparisonSign, limit: float, as_of: date) -> tuple[ComparisonSign, date] | None:
    """The comparison of the date that says what the comparison of the age says.

    Ages are whole days: an age of at least x is one of at least x rounded up; an age over x is one of at least the
    next whole day.
    """
    days = limit * DAYS_IN_YEAR if age.how == "years_from" else limit
    whole = math.ceil(days) if sign in {">=", "<"} else math.floor(days) + 1
    reached = sign in {">=", ">"}
    try:
        if age.how == "days_until":
            return (">=" if reached else "<"), as_of + timedelta(days=whole)
        return ("<=" if reached else ">"), as_of - timedelta(days=whole)
    except OverflowError:
        return None
