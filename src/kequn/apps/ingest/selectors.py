"""Read imports and the result of every row."""

from django.db.models import QuerySet

from kequn.apps.ingest.models import ImportBatch, Outcome, RowResult

WARNED = "warned"


def batches() -> QuerySet[ImportBatch]:
    """All imports, the latest first."""
    return ImportBatch.objects.order_by("-id")


def rows_of(*, batch_id: int, outcome: str = "", after: int = 0) -> QuerySet[RowResult]:
    """The rows of one import in order, after the given one (keyset paging); `warned` are those hard to believe."""
    rows = RowResult.objects.filter(batch_id=batch_id, id__gt=after).order_by("id")
    if outcome == WARNED:
        return rows.filter(warnings__isnull=False)
    return rows.filter(outcome=outcome) if outcome else rows


def refused_rows(*, batch_id: int) -> QuerySet[RowResult]:
    return rows_of(batch_id=batch_id, outcome=Outcome.REFUSED)
