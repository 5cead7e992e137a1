"""The records and the dictionary name the same things."""

import pytest
from django.db import models

from kequn.apps.customers.dictionary import handed_in, sheet_entries
from kequn.apps.customers.models import Event, Statement
from kequn.apps.deals.models import AccountMonth, Facility, FacilityOutcome, Project
from kequn.apps.ingest.layout import SHEET_ORDER

OWN = {"id", "made_by", "changed_by", "customer", "project", "facility", "currency", "details"}
KEYS = {
    Statement: {"period_end", "months", "flows", "scope", "standard", "version"},
    Facility: {"facility_id"},
    FacilityOutcome: set(),
    Project: {"project_id"},
    AccountMonth: {"account_id", "month"},
    Event: set(),
}
GRAINS = [
    (Statement, "statement", False),
    (Facility, "facility", False),
    (FacilityOutcome, "facility", True),
    (Project, "project", False),
    (AccountMonth, "account_month", False),
    (Event, "event", False),
]


@pytest.mark.parametrize(("model", "grain", "outcome"), GRAINS)
def test_columns_of_the_records_are_the_facts_of_the_dictionary(model, grain, outcome):
    facts = {one.name for one in handed_in(grain) if one.outcome == outcome} - {"role"}
    columns = {one.name for one in model._meta.concrete_fields} - OWN - KEYS[model]
    assert columns == facts


@pytest.mark.parametrize(("model", "grain", "outcome"), GRAINS)
def test_amounts_are_whole_minor_units_and_other_numbers_are_not(model, grain, outcome):
    for one in handed_in(grain):
        if one.type != "number" or one.outcome != outcome:
            continue
        wanted = models.BigIntegerField if one.is_money else models.FloatField
        assert isinstance(model._meta.get_field(one.name), wanted), one.name


def test_every_sheet_of_the_workbook_can_be_brought_in():
    assert set(sheet_entries()) == set(SHEET_ORDER)
