"""Read projects, facilities and account months, already narrowed to what the person may see."""

from django.db.models import QuerySet

from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import touched
from kequn.apps.deals.models import Facility, ProjectParty


def facilities_of(customer: Customer) -> QuerySet[Facility]:
    return customer.facilities.select_related("project").order_by("facility_id")


def parties_of(customer: Customer) -> QuerySet[ProjectParty]:
    """The customer's projects with its part in each."""
    return customer.project_parts.select_related("project").order_by("project__project_id", "role")


def batches_of(customer: Customer) -> set[int]:
    """The imports that made or last changed the customer's facilities, parts in projects and account months."""
    return touched(customer.facilities.all(), customer.project_parts.all(), customer.account_months.all())
