"""The projects of a book by fuel, green field, country and income group add up."""

from datetime import date

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import User
from kequn.apps.assessments.project_book import BY, projects_by
from kequn.apps.deals.models import Project

AS_OF = date(2026, 9, 30)


def test_every_grouping_holds_every_unit_once(db):
    rows = projects_by(person=LocalAdministrator(), as_of=AS_OF)
    assert Project.objects.count() > 5
    for by in BY:
        assert sum(row.units for row in rows if row.by == by) == Project.objects.count()


def test_a_plant_of_two_units_is_one_project(db):
    Project.objects.create(project_id="T-1", fuel="wave_tidal", project_country="VN", capacity_mw=10)
    Project.objects.create(project_id="T-1#2", fuel="wave_tidal", project_country="VN")
    row = next(r for r in projects_by(person=LocalAdministrator(), as_of=AS_OF) if r.value == "wave_tidal")
    assert (row.projects, row.units, row.capacity_mw, row.capacity_unknown) == (1, 2, 10, 1)


def test_the_income_group_is_that_of_the_fiscal_year_in_force(db):
    Project.objects.create(project_id="T-1", project_country="VN")
    before = {r.value: r.units for r in projects_by(person=LocalAdministrator(), as_of=date(2026, 6, 30))}
    after = {r.value: r.units for r in projects_by(person=LocalAdministrator(), as_of=date(2026, 7, 1))}
    assert after["UMC"] == before["UMC"] + before["LMC"] - after.get("LMC", 0)
    assert after.get("LMC", 0) < before["LMC"]


def test_a_manager_counts_only_the_projects_of_the_own_customers(db):
    lin = User.objects.get(username="demo-manager")
    mine = sum(r.units for r in projects_by(person=lin, as_of=AS_OF) if r.by == "fuel")
    assert mine < Project.objects.count()
