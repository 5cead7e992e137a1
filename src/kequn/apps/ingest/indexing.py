"""Keep the search index true to what an import writes or takes back, inside the same transaction."""

from kequn.apps.customers.models import Customer, Group
from kequn.apps.deals.models import Project
from kequn.apps.search.models import Kind
from kequn.apps.search.services import reindex

INDEXED = {Kind.GROUP: Group, Kind.CUSTOMER: Customer, Kind.PROJECT: Project}
Touched = dict[Kind, list[int]]


def touched_by(batch_id: int) -> Touched:
    """The searchable records that were last written by this batch."""
    return {
        kind: list(model.objects.filter(changed_by=batch_id).order_by("pk").values_list("pk", flat=True))
        for kind, model in INDEXED.items()
    }


def follow(touched: Touched) -> None:
    """Index these records as they are now; those that are gone are taken out."""
    for kind, numbers in touched.items():
        reindex(kind=kind, numbers=numbers)
