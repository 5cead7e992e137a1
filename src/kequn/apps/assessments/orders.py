"""The orders of the list of customers, as ranks of the whole book: 1 is the smallest value, 0 an unknown one.

Equal values stand by the number of the customer. In either direction those whose value is unknown come last. The
database ranks (names compare as it compares them), once for each state of the book (`customers/keeping.py`).
"""

import numpy as np
from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from numpy.typing import NDArray

from kequn.apps.assessments.models import CustomerFigures
from kequn.apps.audit.bulk import Numbers, numbers_of
from kequn.apps.customers.keeping import kept
from kequn.apps.customers.models import Customer

NAME = "name"
FIGURES = {"exposure": "exposure_gross", "grade": "pd", "signals": "signal_rank"}  # order -> figure it goes by
ORDERS = (NAME, *FIGURES)


def places(order: str, numbers: Numbers, *, falling: bool, at: str = "") -> Numbers:
    """For each of some customers a number that grows along the list; no two customers share one.

    `at` is the mark of the book where the caller has just read it.
    """
    ranks = kept(person=None, question=("ranks", order), work=lambda: _ranks(order), at=at)
    inside = numbers < len(ranks)
    rank = np.where(inside, ranks[np.where(inside, numbers, 0)], 0).astype(np.int64)
    most = len(ranks) + 1
    known, unknown = (most - rank, 2**62 - numbers) if falling else (rank, most + numbers)
    return np.where(rank == 0, unknown, known)


def _ranks(order: str) -> NDArray[np.int32]:
    rows: QuerySet[Customer] | QuerySet[CustomerFigures]
    if order == NAME:
        key, rows = "pk", Customer.objects.annotate(place=Window(RowNumber(), order_by=["name", "pk"]))
    else:
        key, value = "customer_id", FIGURES[order]
        rows = CustomerFigures.objects.filter(**{f"{value}__isnull": False})
        rows = rows.annotate(place=Window(RowNumber(), order_by=[value, "customer_id"]))
    numbers, found = numbers_of(rows, key, "place")
    ranks = np.zeros(1 + int(numbers.max(initial=0)), np.int32)
    ranks[numbers] = found
    return ranks
