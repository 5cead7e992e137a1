"""Facts that follow from the guarantees on record, for a book that keeps any: given, received, mutual partners.

A value that the book itself supplies stands before these. Amounts are summed as whole fen, so that order never
matters; one guarantee without an amount makes the sum unknown. A book without guarantees says nothing about them.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date

import pyarrow as pa

from kequn.apps.assessments.reading import View
from kequn.apps.customers.models import Customer, Guarantee
from kequn.apps.customers.selectors import Rows, Yuan

Edge = tuple[int, int, int | None, str]  # guarantor, customer, minor units, currency
NAMES = ("guarantees_given", "guarantees_received", "mutual_guarantee_count")


def _fen(minor: int | None, currency: str, yuan: Yuan) -> int | None:
    rate = yuan.rates.get(currency)
    return None if minor is None or rate is None else math.floor(minor * rate + 0.5)


def facts_of(edges: Iterable[Edge], yuan: Yuan) -> dict[int, tuple[float | None, float | None, float]]:
    """By customer: amount given, amount received, and with how many others the guarantees go both ways."""
    given: dict[int, list[int | None]] = defaultdict(list)
    received: dict[int, list[int | None]] = defaultdict(list)
    partners: dict[int, set[int]] = defaultdict(set)
    for guarantor, customer, minor, currency in edges:
        amount = _fen(minor, currency, yuan)
        given[guarantor].append(amount)
        received[customer].append(amount)
        partners[guarantor].add(customer)
    everyone = given.keys() | received.keys()
    mutual = {one: sum(one in partners.get(other, ()) for other in partners.get(one, ())) for one in everyone}
    return {one: (_sum(given.get(one, [])), _sum(received.get(one, [])), float(mutual[one])) for one in everyone}


def _sum(amounts: list[int | None]) -> float | None:
    known = [one for one in amounts if one is not None]
    return sum(known) / 100.0 if len(known) == len(amounts) else None


def table_of(view: View, as_of: date, yuan: Yuan) -> pa.Table | None:
    """The facts of the whole book as a table by customer; None when it keeps no guarantee."""
    big, text = pa.int64(), pa.string()
    every = view.table("SELECT count(*) FROM customers_guarantee", [("rows", big)])
    if not every.column(0)[0].as_py():
        return None
    standing = view.table(
        f"""SELECT guarantor_id, customer_id, amount, currency FROM customers_guarantee
        WHERE from_date <= '{as_of}' AND (to_date IS NULL OR to_date > '{as_of}') ORDER BY id""",
        [("guarantor", big), ("customer", big), ("amount", big), ("currency", text)],
    )
    found = facts_of(zip(*(column.to_pylist() for column in standing.columns), strict=True), yuan)
    columns = {"customer": pa.array(found.keys(), big)}
    for at, name in enumerate(NAMES):
        columns[name] = pa.array([row[at] for row in found.values()], pa.float64())
    return pa.table(columns)


def row_of(customer: Customer, as_of: date, yuan: Yuan) -> Rows:
    """The same facts of one customer, for the live path."""
    both = {one.pk: one for one in (*customer.guarantees_given.all(), *customer.guarantees_received.all())}
    if not both and not Guarantee.objects.exists():
        return {}
    standing = [one for one in both.values() if one.from_date <= as_of and (one.to_date is None or one.to_date > as_of)]
    found = facts_of(((one.guarantor_id, one.customer_id, one.amount, one.currency) for one in standing), yuan)
    return dict(zip(NAMES, found.get(customer.pk, (0.0, 0.0, 0.0)), strict=True))
