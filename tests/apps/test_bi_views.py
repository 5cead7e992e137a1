"""The views for BI tools say what the records say, and stand on both databases after every migration."""

from datetime import date

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.fixture
def customer():
    from django.utils import timezone

    from kequn.apps.customers.models import Customer

    return Customer.objects.create(code="C-1", name="示例一号有限公司", made_at=timezone.now())


def test_amounts_come_in_units_of_their_currency(customer):
    from kequn.apps.deals.models import Facility

    Facility.objects.create(facility_id="F-1", customer=customer, currency="USD", committed=123_456)
    (row,) = rows("SELECT customer_id, currency, committed, drawn FROM kequn_facilities")
    assert (row[0], row[1], float(row[2]), row[3]) == ("C-1", "USD", 1234.56, None)


def test_a_customer_without_findings_is_there_with_unknown_figures(customer):
    assert rows("SELECT customer_id, exposure_gross, run FROM kequn_customers") == [("C-1", None, None)]


def test_statements_carry_the_columns_of_the_dictionary(customer):
    from kequn.apps.customers.models import Statement

    Statement.objects.create(
        customer=customer, period_end=date(2025, 12, 31), months=12, flows="cumulative", scope="consolidated",
        standard="CAS", version=1, currency="CNY", revenue=5_000_000_00,
    )  # fmt: skip
    (row,) = rows("SELECT revenue, total_assets FROM kequn_statements")
    assert (float(row[0]), row[1]) == (5_000_000.0, None)


def test_no_view_says_what_is_known_only_afterwards():
    with connection.cursor() as cursor:
        columns = {
            column.name
            for name in ("customers", "statements", "facilities", "projects")
            for column in connection.introspection.get_table_description(cursor, f"kequn_{name}")
        }
    assert not columns & {"charged_off", "charged_off_amount"}
    assert {"revenue", "committed", "exposure_gross", "sector"} <= columns


def test_the_views_are_made_again_by_a_migration():
    from django.apps import apps

    from kequn.apps.assessments.bi_views import drop_views, make_views

    drop_views()
    make_views(sender=apps.get_app_config("assessments"))
    assert rows("SELECT count(*) FROM kequn_runs") == [(0,)]
