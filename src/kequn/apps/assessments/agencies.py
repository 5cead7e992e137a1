"""Our own tier beside what agencies said, customer by customer. Letters of two scales are never put together."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import CustomerFigures
from kequn.apps.assessments.selectors import standing
from kequn.apps.customers.models import ExternalRating
from kequn.apps.customers.selectors import visible_to

OURS = ("grade", "credit_tier")
NOT_KNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Beside:
    """The latest rating of one customer by one agency on one scale, and what stands with us."""

    code: str
    name: str
    agency: str
    scale: str
    symbol: str
    rating_date: date
    score: float | None
    grade: str
    tier: str


def beside_agencies(*, person: Person) -> list[Beside]:
    """One row for each visible customer, agency and scale, with the latest symbol."""
    mine = visible_to(person).order_by().values("pk")
    ours: dict[tuple[int, str], str] = {
        (customer, key): value
        for customer, key, value in standing()
        .filter(key__in=OURS, customer__in=mine)
        .values_list("customer_id", "key", "value")
    }
    scores = dict(CustomerFigures.objects.filter(customer__in=mine).values_list("customer_id", "score"))
    latest: dict[tuple[int, str, str], ExternalRating] = {}
    found = ExternalRating.objects.filter(customer__in=mine).select_related("customer")
    for one in found.order_by("rating_date", "id"):
        latest[one.customer_id, one.agency, one.scale] = one
    return [
        Beside(
            one.customer.code, one.customer.name, agency, scale, one.symbol, one.rating_date, scores.get(customer),
            ours.get((customer, "grade"), NOT_KNOWN), ours.get((customer, "credit_tier"), NOT_KNOWN),
        )
        for (customer, agency, scale), one in sorted(latest.items(), key=lambda row: (row[1].customer.code, row[0][1:]))
    ]  # fmt: skip


def counted(rows: list[Beside]) -> list[tuple[str, str, str, str, int]]:
    """How many customers stand in each tier for each symbol of each agency and scale."""
    counts = Counter((one.agency, one.scale, one.symbol, one.tier) for one in rows)
    return [(*key, number) for key, number in sorted(counts.items())]
