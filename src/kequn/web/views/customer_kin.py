"""Group of a customer: the tree of owners and subsidiaries, the rest of the group, who guarantees whom."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from kequn.apps.customers import selectors as customers
from kequn.apps.customers.kinship import Family, family_of
from kequn.apps.customers.models import Customer
from kequn.web import labels
from kequn.web.templatetags.kequn import language, money, percent

DEEPEST_INDENT = 4


def group_part(request: HttpRequest, customer: Customer, as_of: date) -> dict[str, Any]:
    family = family_of(person=request.user, customer=customer, as_of=as_of)
    guarantees = list(customer.guarantees_received.select_related("guarantor").order_by("id"))
    given = list(customer.guarantees_given.select_related("customer").order_by("id"))
    seen = _named(request, [one.guarantor for one in guarantees] + [one.customer for one in given])
    return {
        "tree": [_member(one.customer, one) for one in family.tree],
        "others": [_member(one) for one in family.others],
        "is_cut": family.is_cut,
        "group_total": _total(family, customer),
        "guarantees": [_guarantee(one, one.guarantor, seen, as_of) for one in guarantees],
        "given": [_guarantee(one, one.customer, seen, as_of) for one in given],
        "ratings": [_rating(one) for one in customer.external_ratings.order_by("-rating_date")],
        "contacts": list(customer.contacts.order_by("id")),
    }


def _member(found: Customer | None, kin: Any = None) -> dict[str, Any]:
    figures = getattr(found, "figures", None)
    return {
        "name": found.name if found else _("A customer outside your scope"),
        "code": found.code if found else "",
        "exposure": figures.exposure_gross if figures else None,
        "is_self": bool(kin and kin.is_self),
        "indent": min(kin.depth, DEEPEST_INDENT) if kin else 0,
        "depth": kin.depth + 1 if kin else 1,
        "share": percent(float(kin.share)) if kin and kin.share is not None else "",
        "relation": labels.value("relation", kin.relation, language()) if kin and kin.relation else "",
    }


def _total(family: Family, customer: Customer) -> dict[str, int]:
    """Members that the reader may see and the sum of their exposure."""
    members = {one.pk: one for one in (*(kin.customer for kin in family.tree), *family.others, customer) if one}
    figures = [getattr(one, "figures", None) for one in members.values()]
    return {"members": len(members), "exposure": sum((one.exposure_gross or 0) for one in figures if one)}


def _named(request: HttpRequest, others: list[Customer]) -> dict[int, str]:
    """The names of other customers; one outside the reader's scope stays unnamed."""
    seen = customers.visible_to(request.user).filter(pk__in=[one.pk for one in others])
    return dict(seen.values_list("pk", "name"))


def _guarantee(one: Any, other: Customer, seen: dict[int, str], as_of: date) -> dict[str, Any]:
    return {
        "name": seen.get(other.pk, _("A customer outside your scope")),
        "code": other.code if other.pk in seen else "",
        "amount": money(labels.in_yuan(one.amount, one.currency, as_of)),
        "until": one.to_date,
    }


def _rating(one: Any) -> str:
    words = {
        "agency": one.agency,
        "symbol": one.symbol,
        "scale": labels.value("scale", one.scale, language()),
        "day": f"{one.rating_date:%Y-%m-%d}",
    }
    return _("%(agency)s: %(symbol)s on its %(scale)s scale, %(day)s") % words
