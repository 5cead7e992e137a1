"""The projects of a book by fuel, green field, country and the country's income group at a date.

A project of several units is counted once as a project and by its units; capacity is summed where it is known.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from django.conf import settings

from kequn.apps.accounts.access import Person
from kequn.apps.customers.selectors import visible_to
from kequn.apps.deals.models import Project
from kequn.domain.definitions import Lookup
from kequn.policy import load_pack

By = Literal["fuel", "green_field", "project_country", "income_group"]
BY: tuple[By, ...] = ("fuel", "green_field", "project_country", "income_group")
UNKNOWN = "unknown"
UNIT_MARK = "#"  # the second and later units of one project carry it in their identifier


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """One class: projects, their units, known capacity, and how many units have a party on record."""

    by: By
    value: str
    projects: int
    units: int
    capacity_mw: float
    capacity_unknown: int
    with_party: int


@dataclass(frozen=True, slots=True)
class _Unit:
    project: str
    fuel: str
    green_field: str
    project_country: str
    income_group: str
    capacity_mw: float | None
    has_party: bool


def projects_by(*, person: Person, as_of: date) -> list[ProjectRow]:
    """Every class of every grouping, over the projects that the person may see."""
    units = _units(person, as_of)
    return [_row(by, value, [one for one in units if getattr(one, by) == value])
            for by in BY for value in sorted({getattr(one, by) for one in units})]  # fmt: skip


def _units(person: Person, as_of: date) -> list[_Unit]:
    place = next(one for one in load_pack(settings.KEQUN_PACK).standards.lookups() if one.name == "place")
    found = Project.objects.order_by("project_id")
    if person.scope != "all":
        found = found.filter(parties__customer__in=visible_to(person).order_by().values("pk")).distinct()
    with_party = set(found.filter(parties__isnull=False).values_list("project_id", flat=True))
    groups: dict[str, str] = {}
    made = []
    columns = ("project_id", "fuel", "green_field", "project_country", "capacity_mw")
    for name, fuel, green, country, capacity in found.values_list(*columns):
        if country not in groups:
            groups[country] = _income_group(place, country, as_of)
        made.append(
            _Unit(
                name.split(UNIT_MARK)[0], fuel or UNKNOWN, green or UNKNOWN, country or UNKNOWN, groups[country],
                capacity, name in with_party,
            )
        )  # fmt: skip
    return made


def _income_group(place: Lookup, country: str, as_of: date) -> str:
    """The World Bank group of the fiscal year in force at the date."""
    answers = dict(zip((name for name, _ in place.outputs), place.resolve((country or None, None), as_of), strict=True))
    return str(answers["income_group"] or UNKNOWN)


def _row(by: By, value: str, units: list[_Unit]) -> ProjectRow:
    known = [one.capacity_mw for one in units if one.capacity_mw is not None]
    return ProjectRow(
        by, value, len({one.project for one in units}), len(units), round(sum(known), 3), len(units) - len(known),
        sum(one.has_party for one in units),
    )  # fmt: skip
