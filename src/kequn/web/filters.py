"""The parameters of the customer list: read from the address into what is wanted, said as chips, offered as fields."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from kequn.apps.accounts.selectors import managers_seen_by, teams_seen_by
from kequn.apps.assessments.listing import NAME, NO, NO_CLASS, ORDERS, YES, Wanted, classes
from kequn.apps.customers.selectors import group_named
from kequn.domain.money import UNITS
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import grouped, language

FIRST = ("industry_family", "size", "geography", "credit_tier", "grade")  # the dimensions that are always in sight
SEGMENT, SIGNAL, UNKNOWN = "segment", "signal", "unknown"
PLACES = ("after", "before")
PLAIN = ("group", "manager", "team", "branch")


def wanted_of(query: QueryDict) -> Wanted:
    """What an address asks for; a parameter that makes no sense is left aside."""
    known = labels.dimensions()
    sort = query.get("sort", "")
    order = sort.removeprefix("-")
    return Wanted(
        words=query.get("q", "").strip(),
        classes={key: value for key in known if (value := query.get(key, ""))},
        holding=tuple(value for kind in (SEGMENT, SIGNAL) for value in query.getlist(kind) if value),
        untold=tuple(value for value in query.getlist(UNKNOWN) if value),
        assessed=query.get("assessed", "") if query.get("assessed", "") in {YES, NO} else "",
        least=_minor(query, "least"),
        most=_minor(query, "most"),
        order=order if order in ORDERS else NAME,
        descending=sort.startswith("-") and order in ORDERS,
        **{name: query.get(name, "") for name in PLAIN},
    )


def _minor(query: QueryDict, name: str) -> int | None:
    """A bound of the exposure in fen: the address carries the number and the unit that it was typed in."""
    used = UNITS.get(query.get("unit", "")) or unit(language())
    try:
        value = Decimal(query.get(name, "").replace(",", "").strip())
        return int(value * used.minor) if value.is_finite() and abs(value) < 10**12 else None
    except InvalidOperation:
        return None


def address(query: QueryDict, *, page: str = "customers", **changes: str | list[str]) -> str:
    """The address of the list with some parameters changed; an empty one is left out, and so is the place."""
    copied = query.copy()
    for key in PLACES:
        copied.pop(key, None)
    for key, value in changes.items():
        if isinstance(value, list):
            copied.setlist(key, value)
        elif value:
            copied[key] = value
        else:
            copied.pop(key, None)
    for key in [key for key in copied if not any(copied.getlist(key))]:
        copied.pop(key)
    return f"{reverse(page)}?{copied.urlencode()}" if copied else reverse(page)


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str  # the list without this filter


def chips(query: QueryDict, wanted: Wanted) -> list[Chip]:
    """Every filter in force, each with the address of the list without it."""
    spoken, made = language(), []
    if wanted.words:
        made.append(Chip(_("Name: %(words)s") % {"words": wanted.words}, address(query, q="")))
    for key, value in wanted.classes.items():
        made.append(Chip(f"{labels.fact(key, spoken)}: {class_label(key, value)}", address(query, **{key: ""})))
    for kind in (SEGMENT, SIGNAL, UNKNOWN):
        for value in query.getlist(kind):
            rest = [one for one in query.getlist(kind) if one != value]
            label = labels.fact(value, spoken)
            said = _("%(name)s: cannot be told") % {"name": label} if kind == UNKNOWN else label
            if value:
                made.append(Chip(said, address(query, **{kind: rest})))
    made += [Chip(label, address(query, **{name: ""})) for name, label in _plain_labels(wanted)]
    return made


def _plain_labels(wanted: Wanted) -> list[tuple[str, str]]:
    used = unit(language())
    word = used.zh if language() == "zh" else used.en
    made = []
    if wanted.assessed:
        made.append(("assessed", _("Assessed") if wanted.assessed == YES else _("Not assessed yet")))
    if wanted.group:
        made.append(("group", f"{_('Group')}: {group_named(wanted.group) or wanted.group}"))
    for name, label in (("manager", _("Manager")), ("team", _("Team")), ("branch", _("Branch"))):
        if getattr(wanted, name):
            made.append((name, f"{label}: {getattr(wanted, name)}"))
    for name, sign, bound in (("least", "≥", wanted.least), ("most", "≤", wanted.most)):
        if bound is not None:
            made.append((name, f"{_('Exposure')} {sign} {_number(Decimal(bound) / used.minor)} {word}"))
    return made


def _number(value: Decimal) -> str:
    return grouped(value, 0 if value == int(value) else 2)


def class_label(key: str, value: str) -> str:
    return _("no class") if value == NO_CLASS else labels.value(key, value, language())


@dataclass(frozen=True, slots=True)
class Field:
    """A filter with a closed list of choices."""

    key: str
    label: str
    options: list[tuple[str, str]]
    chosen: str


def fields(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """The filters that are always in sight, and the others; people and teams only as far as the scope allows."""
    offered = classes()
    every = {key: _dimension(key, offered.get(key, []), wanted) for key in labels.dimensions()}
    first = [every[key] for key in FIRST if key in every]
    rest = [one for key, one in every.items() if key not in FIRST]
    rest += [_items(kind, request.GET.get(kind, "")) for kind in (SEGMENT, SIGNAL)]
    state = [(YES, _("Assessed")), (NO, _("Not assessed yet"))]
    rest.append(Field("assessed", _("Assessment"), state, wanted.assessed))
    teams = teams_seen_by(request.user)
    branches = sorted({(one.branch.code, one.branch.name) for one in teams})  # a branch acts through its teams
    people = (
        ("manager", _("Manager"), [(one.username, str(one)) for one in managers_seen_by(request.user)]),
        ("team", _("Team"), [(one.code, one.name) for one in teams]),
        ("branch", _("Branch"), branches),
    )
    rest += [Field(key, label, found, getattr(wanted, key)) for key, label, found in people if len(found) > 1]
    in_sight = {one.key for one in first} | {"q"}
    return {"first": first, "rest": rest, "open": any(request.GET.get(key) for key in request.GET if key not in
            in_sight | {"sort", "unit", *PLACES})}  # fmt: skip


def _dimension(key: str, values: list[str], wanted: Wanted) -> Field:
    spoken = language()
    ordered = sorted(values, key=lambda value: labels.place(key, value))
    options = [(value, labels.value(key, value, spoken)) for value in ordered] + [(NO_CLASS, _("no class"))]
    return Field(key, labels.fact(key, spoken), options, wanted.classes.get(key, ""))


def _items(kind: str, chosen: str) -> Field:
    label = _("Segment") if kind == SEGMENT else _("Signal")
    found = [(one.name, one.label.in_language(language())) for one in labels.names().items.values() if one.kind == kind]
    return Field(kind, label, found, chosen)
