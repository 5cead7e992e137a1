"""Mapping files: a loan tape becomes facts, and no column is dropped in silence."""

from pathlib import Path

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.customers.models import Customer, ExternalRating, FactValue
from kequn.apps.deals.models import Facility, FacilityOutcome, Project, ProjectParty
from kequn.apps.ingest.services import Wish, import_path
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DATA = ROOT.parent / "shared" / "data"
MAPPING = """
source: tape
unit: USD
ignored: [Bank]
records:
  - table: customers
    repeat: latest
    fields:
      customer_id: Who
      name: {column: Who, prefix: "Borrower "}
      country: {value: US}
      naics_code: {column: NAICS, missing: ["0"]}
      known_from: {column: Approved, form: "%m/%d/%Y"}
  - table: facilities
    fields:
      customer_id: Who
      facility_id: {column: Loan, prefix: "T-"}
      product: {value: term_loan}
      committed: Amount
      guaranteed_share: {ratio: [Covered, Amount]}
  - table: outcomes
    fields:
      facility_id: {column: Loan, prefix: "T-"}
      charged_off: {column: Status, translate: {BAD: "yes", GOOD: "no"}}
      details.closed_on: Closed
"""
TAPE = (
    "Who,NAICS,Approved,Loan,Amount,Covered,Status,Closed,Bank\n"
    "B1,0,02/28/1997,1,40000.0,32000.0,GOOD,2001-01-01,X\n"
    "B1,722410,03/01/1998,2,10000,5000,BAD,,X\n"
    "B2,722410,13/01/1998,3,10000,5000,GOOD,,X\n"
)


@pytest.fixture
def take(tmp_path):
    def take_in(mapping=MAPPING, tape=TAPE, **wish):
        (tmp_path / "m.yaml").write_text(mapping, "utf-8")
        (tmp_path / "tape.csv").write_text(tape, "utf-8")
        return import_path(path=tmp_path / "tape.csv", person=ADMIN, wish=Wish(mapping=tmp_path / "m.yaml", **wish))[0]

    return take_in


def test_one_row_gives_a_customer_a_facility_and_an_outcome(take):
    batch = take()
    assert (batch.rows_read, batch.rows_stored, batch.rows_refused) == (3, 2, 1)
    assert Customer.objects.get().name == "Borrower B1"
    facility = Facility.objects.get(facility_id="T-1")
    assert (facility.committed, facility.currency, facility.guaranteed_share) == (4_000_000, "USD", 0.8)
    assert FacilityOutcome.objects.get(facility__facility_id="T-2").charged_off is True
    assert FacilityOutcome.objects.get(facility=facility).details == {"closed_on": "2001-01-01"}


def test_what_means_unknown_is_not_stored(take):
    take()
    assert [one.text for one in FactValue.objects.filter(name="naics_code")] == ["722410"]


def test_the_same_tape_again_changes_nothing(take):
    take()
    assert take().counts["rows"] == {"new": 0, "changed": 0, "unchanged": 2, "refused": 1}


def test_a_column_that_is_neither_used_nor_ignored_refuses_the_mapping(take):
    with pytest.raises(Refused) as refused:
        take(mapping=MAPPING.replace("ignored: [Bank]", "ignored: []"))
    assert [one.place.column for one in refused.value.findings] == ["Bank"]


def test_every_error_of_a_mapping_is_named_with_its_key(take):
    bent = MAPPING.replace("unit: USD\n", "").replace("country:", "contry:").replace("repeat:", "repeats:")
    with pytest.raises(Refused) as refused:
        take(mapping=bent)
    places = {one.place.column for one in refused.value.findings}
    assert {"records[1].repeats", "records[1].contry", "records[2].committed"} <= places


def test_repeated_values_get_an_ordinal_and_long_names_a_digest(take):
    mapping = """
source: plants
records:
  - table: customers
    only_if: Owner
    repeat: first
    fields: {customer_id: {column: Owner, hashed: true}, name: Owner}
  - table: projects
    fields:
      project_id: {column: Plant, ordinal: true}
      project_country: {column: Land, otherwise: File, pattern: '^(.*?)(?:\\.csv)?$', lookup: country}
      commissioning_year: {column: Year, pattern: '^(\\d{4})(?:-\\d{4})?$'}
  - table: parties
    only_if: Owner
    fields:
      project_id: {column: Plant, ordinal: true}
      customer_id: {column: Owner, hashed: true}
      role: {value: owner}
"""
    rows = ("7,ENEL  Spa,Italy,x.csv,1981-1982", "7,Enel SpA,,France.csv,about 1990", "8,,Atlantis,x.csv,")
    tape = "\n".join(("Plant,Owner,Land,File,Year", *rows, ""))
    batch = take(mapping=mapping, tape=tape)
    assert batch.rows_refused == 0
    found = list(
        Project.objects.order_by("project_id").values_list("project_id", "project_country", "commissioning_year")
    )
    assert found == [("7", "IT", 1981.0), ("7#2", "FR", None), ("8", "", None)]
    assert (Customer.objects.count(), ProjectParty.objects.count()) == (1, 2)


def whole(name: str, mapping: str):
    return import_path(path=DATA / name, person=ADMIN, wish=Wish(mapping=EXAMPLES / mapping))[0]


shared = pytest.mark.skipif(not DATA.is_dir(), reason="the data folder beside the repository is absent")


@shared
@pytest.mark.shared
def test_every_loan_of_the_tape_is_accounted_for():
    batch = whole("sba_loans_dev.csv.gz", "sba_loans.yaml")
    assert (batch.rows_read, batch.rows_stored, batch.rows_refused) == (67_519, 67_519, 0)
    assert Customer.objects.count() == 65_318
    assert FacilityOutcome.objects.filter(charged_off__isnull=True).count() == 93


@shared
@pytest.mark.shared
def test_every_power_plant_is_accounted_for():
    batch = whole("wri_power_plants_partial.csv.gz", "power_plants.yaml")
    assert batch.rows_read == 24_553 == batch.rows_stored + batch.rows_refused
    assert Project.objects.count() == batch.rows_stored
    assert all(row.findings for row in batch.rows.filter(outcome="refused"))


@shared
@pytest.mark.shared
def test_every_agency_rating_is_accounted_for():
    batch = whole("corporate_rating_dev.csv.gz", "corporate_ratings.yaml")
    assert (batch.rows_read, batch.rows_refused) == (1_326, 0)
    assert (Customer.objects.count(), ExternalRating.objects.count()) == (394, 1_326)


def test_a_unit_said_once_does_not_outweigh_the_one_that_the_file_states(take):
    mapping = "kind: customers\ncolumns: {编号: customer_id, 名: name, 资本: {field: registered_capital, unit: 万元}}\n"
    tape = "单位：{},,\n编号,名,资本\nC1,甲,5000\n"
    with pytest.raises(Refused) as refused:
        take(mapping, tape.format("元"))
    assert refused.value.findings[0].code == "unit_unknown"
    take(mapping, tape.format("万元"))
    assert FactValue.objects.get(name="registered_capital").minor == 5000 * 10_000 * 100
