"""Files as people make them: every cell is read as it was meant, or refused with its place. Never silently wrong."""

from datetime import date
from decimal import Decimal

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.customers.models import Customer, FactValue, Identifier
from kequn.apps.deals.models import Facility
from kequn.apps.ingest.reading import served
from kequn.apps.ingest.services import Wish, import_path
from tests.files.columns import REFUSED
from tests.files.templates import TEMPLATES, Template
from tests.files.writer import ROWS, header_of, write

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def server():
    with served():
        yield


def stored(case: Template, number: int, column) -> object:
    """What the database holds of one cell, in yuan, as a fraction, a day, a truth; None where nothing is stored."""
    if case.sheet == "facilities":
        value = getattr(Facility.objects.get(facility_id=f"F{number}"), column.field)
    else:
        fact = FactValue.objects.filter(customer__code=f"K{number}", name=column.field).first()
        value = None
        if fact is not None:
            value = {"money": fact.minor, "number": fact.number, "date": fact.day, "truth": fact.truth}[column.kind]
    if value is None:
        return None
    return Decimal(value) / 100 if column.kind == "money" else value


def meant(case: Template, column, meaning: object) -> object:
    if meaning is None or isinstance(meaning, bool):
        return meaning
    if column.kind == "date":
        return date.fromisoformat(str(meaning))
    if column.kind == "money":
        return Decimal(str(meaning)) * case.factor
    return float(Decimal(str(meaning)))


@pytest.mark.parametrize("case", TEMPLATES, ids=lambda case: case.name)
def test_every_cell_is_right_or_refused(case, tmp_path):
    if case.sheet == "facilities":
        customer = Customer.objects.create(code="K0", name="甲", made_by=0, changed_by=0, made_at="2026-01-01T00:00Z")
        Identifier.objects.create(customer=customer, source="book", value="K0", made_by=0, changed_by=0)
    wish = Wish(unit=case.unit if case.where == "wish" else "", take_hidden=case.take_hidden)
    batch = import_path(path=write(case, tmp_path), person=LocalAdministrator(), wish=wish)[0]
    assert batch.rows_read == ROWS
    results = list(batch.rows.order_by("row"))
    for number, result in enumerate(results):
        bad = {one.field for one in case.columns if one.cells[number][1] == REFUSED}
        if number in case.hidden and not case.take_hidden:
            assert [one["code"] for one in result.findings] == ["hidden_row"]
            continue
        headers = {header_of(case, one): one.field for one in case.columns}
        told = {
            next((f for h, f in headers.items() if one["column"].startswith(h)), one["column"])
            for one in result.findings
        }
        assert told == bad, (number, result.findings)
        assert all(one["zh"] and one["en"] for one in result.findings)
        for column in case.columns if not bad else ():
            written, meaning = column.cells[number]
            assert stored(case, number, column) == meant(case, column, meaning), (number, column.field, written)


def test_there_are_enough_of_them():
    assert len(TEMPLATES) >= 60
    assert len({case.name for case in TEMPLATES}) == len(TEMPLATES)
    assert sum(len(case.columns) * ROWS for case in TEMPLATES) >= 1000
