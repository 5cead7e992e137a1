"""Read projects with their models, already narrowed to what the person may see."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from kequn.apps.accounts.access import Person
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import sees_every_customer, visible_to
from kequn.apps.deals.models import Project, ProjectParty
from kequn.apps.projects.models import RATIOS, ModelResult, ProjectActual, ProjectModel
from kequn.domain.errors import Text


def projects_visible_to(person: Person) -> QuerySet[Project]:
    """The projects of which the person may see a party; who sees the whole book sees those without a party too."""
    found = Project.objects.order_by("project_id")
    if sees_every_customer(person):
        return found
    parts = ProjectParty.objects.filter(customer__in=visible_to(person).order_by().values("pk"))
    return found.filter(pk__in=parts.values("project_id"))


def find_project(*, person: Person, number: int) -> Project | None:
    return projects_visible_to(person).filter(pk=number).first()


def lowest_first(projects: QuerySet[Project], as_of: date) -> QuerySet[Any]:
    """The numbers of projects, the lowest cover of a model in force first, those without a model last."""
    model = _in_force(as_of).filter(project=OuterRef("pk"))
    ordered = projects.annotate(
        lowest=Subquery(model.values("model_min_dscr")[:1]), version=Subquery(model.values("number")[:1])
    ).order_by(F("lowest").asc(nulls_last=True), F("version").asc(nulls_last=True), "project_id")
    return ordered.values_list("pk", flat=True)


def with_model(projects: QuerySet[Any], as_of: date) -> QuerySet[Any]:
    """Those of which a model is in force."""
    return projects.filter(Exists(_in_force(as_of).filter(project=OuterRef("pk"))))


def with_ratios(numbers: Sequence[int], as_of: date) -> list[Any]:
    """These projects in this order, each with the ratios of its model in force, `model_number`, its version, and
    `model_pk` and `model_digest`, its record.

    All are None where there is no model; a ratio alone is None where the model does not define it.
    """
    model = _in_force(as_of).filter(project=OuterRef("pk"))
    asked = {name: Subquery(model.values(name)[:1]) for name in RATIOS}
    version = {f"model_{name}": Subquery(model.values(name)[:1]) for name in ("number", "pk", "digest")}
    found = Project.objects.annotate(**version, **asked).in_bulk(numbers)
    return [found[number] for number in numbers]


def searched(projects: QuerySet[Any], words: str, sectors: Mapping[str, Text]) -> QuerySet[Any]:
    """Those whose name, code or sector holds every word; `sectors` says how each is called, in either language."""
    for word in words.split()[:8]:
        called = [code for code, said in sectors.items() if word.casefold() in f"{said.zh} {said.en}".casefold()]
        projects = projects.filter(
            Q(project_name__icontains=word) | Q(project_id__icontains=word) | Q(sector__in=called)
        )
    return projects


def _in_force(as_of: date) -> QuerySet[ProjectModel]:
    return ProjectModel.objects.filter(in_force__lte=as_of).order_by("-in_force", "-number")


def model_in_force(project: Project, as_of: date) -> ProjectModel | None:
    """The version of a project's model that holds at a date: the latest begun, of one day the last kept."""
    return _in_force(as_of).filter(project=project).first()


def versions_of(project: Project) -> list[ProjectModel]:
    return list(project.models.defer("body").order_by("-number"))


def results_of(model: ProjectModel) -> list[ModelResult]:
    """The scenarios of a version, the base first, without the periods, which are read one scenario at a time."""
    return list(model.results.defer("answer").order_by("place"))


def answer_of(model: ProjectModel, scenario: str) -> dict[str, Any] | None:
    """Everything kept of one scenario; None where there is none of this name."""
    found = model.results.filter(scenario=scenario).values_list("answer", flat=True).first()
    return None if found is None else dict(found)


def actuals_of(project: Project) -> list[ProjectActual]:
    return list(project.actuals.order_by("period_end"))


def parties_of(*, person: Person, project: Project) -> list[tuple[Customer, str]]:
    """The parties that the person may see, with their roles."""
    mine = project.parties.filter(customer__in=visible_to(person).order_by().values("pk"))
    return [(one.customer, one.role) for one in mine.select_related("customer").order_by("role", "customer__name")]
