"""A project's model is kept by version; its ratios reach the snapshot and the live reader; actual figures come in."""

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.assessments.records import customer_rows
from kequn.apps.assessments.snapshots import take_snapshot
from kequn.apps.audit.models import AuditLine
from kequn.apps.customers.models import Customer
from kequn.apps.deals.models import Project
from kequn.apps.ingest.project_models import bring_model, model_text
from kequn.apps.ingest.undoing import undo
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import wait_for, work_one
from kequn.apps.projects import selectors
from kequn.apps.projects.cover_so_far import breach_of, covers_so_far
from kequn.apps.projects.models import ModelSimulation, ProjectActual, ProjectModel
from kequn.apps.projects.models.simulation import SimulationState
from kequn.apps.projects.recorded import Apart, apart
from kequn.apps.projects.services import Asked, keep_actual, keep_model
from kequn.apps.projects.simulating import ask_simulation
from kequn.domain.errors import Misuse, Refused
from kequn.policy import load_pack

pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).parents[2] / "examples" / "projects" / "toll_road.yaml"
TODAY = date(2026, 9, 30)
PROJECTS = (
    "customer_id,project_id,project_name,role,stage\n"
    "C1,P1,南岭公路,borrower,operation\nC1,P2,无模型,borrower,operation\n"
)


@pytest.fixture
def road(bring):
    bring("customer_id,name\nC1,南岭公路公司\n")
    bring(PROJECTS, name="projects.csv")
    return Project.objects.get(project_id="P1")


def kept(project, *, text=None, in_force=date(2026, 1, 1), person=None):
    asked = Asked(text or EXAMPLE.read_text("utf-8"), "road.yaml", in_force, "first")
    return keep_model(person=person or LocalAdministrator(), project=project, asked=asked)


def test_a_model_is_kept_with_its_results_and_one_audit_line(road):
    made = kept(road)
    assert (made.number, made.maker, len(made.digest)) == (1, "local:administrator", 64)
    assert [one.scenario for one in selectors.results_of(made)] == ["base", "bank", "sponsor", "stress"]
    line = AuditLine.objects.order_by("-pk").first()
    assert (line.action, line.subject) == ("projects.model", "P1")


def test_the_ratios_are_those_of_the_base_and_the_lowest_of_all_scenarios(road):
    made = kept(road)
    figures = {one.scenario: one.figures["min_dscr"] for one in selectors.results_of(made)}
    assert made.model_min_dscr == figures["base"]
    assert made.model_stress_dscr == min(figures.values()) < made.model_min_dscr


def test_a_new_version_leaves_the_earlier_one_as_it_was(road):
    first = kept(road)
    dearer = EXAMPLE.read_text("utf-8").replace("amount: 4200", "amount: 9200")
    second = kept(road, text=dearer, in_force=date(2026, 7, 1))
    assert (second.number, selectors.model_in_force(road, date(2026, 6, 30))) == (2, first)
    assert selectors.model_in_force(road, TODAY) == second
    assert ProjectModel.objects.get(pk=first.pk).body == first.body


def test_the_same_model_from_the_same_day_is_not_kept_twice(road):
    kept(road)
    with pytest.raises(Refused, match="same as version 1"):
        kept(road)


def test_a_model_with_errors_is_refused_with_every_place_and_nothing_is_kept(road):
    wrong = (
        EXAMPLE.read_text("utf-8").replace("price: 41000", "price: -1").replace("tenor_years: 22", "tenor_years: 99")
    )
    with pytest.raises(Refused) as refused:
        kept(road, text=wrong)
    assert {"tolls", "senior"} <= {one.place.column for one in refused.value.findings}
    assert not ProjectModel.objects.exists()


def test_a_text_that_repeats_itself_by_reference_is_refused_before_it_is_built(road):
    with pytest.raises(Refused, match="references"):
        kept(road, text="a: &a [1, 2]\nb: [*a, *a]\n")


def test_a_model_of_thousands_of_years_is_refused_before_it_is_solved(road):
    endless = EXAMPLE.read_text("utf-8").replace(
        "operation_years: 25, step_months: 6", "operation_years: 5000, step_months: 6"
    )
    with pytest.raises(Refused, match="periods, more than"):
        kept(road, text=endless)


def test_who_may_not_keep_models_is_refused(road, staff):
    with pytest.raises(Misuse):
        kept(road, person=staff["zhou"])


def test_a_filled_template_becomes_the_same_model_and_tells_what_was_not_read(road):
    import yaml

    from kequn.financing.sheets import write_sheets

    content = write_sheets(yaml.safe_load(EXAMPLE.read_text("utf-8")))
    made = bring_model(
        person=LocalAdministrator(), project=road, name="road.xlsx", content=content, in_force=date(2026, 1, 1)
    )
    assert made.model_min_dscr == pytest.approx(kept(road).model_min_dscr, rel=1e-12)


def test_a_file_that_is_no_workbook_is_refused_before_it_is_opened():
    with pytest.raises(Refused):
        model_text("model.xlsx", b"PK\x03\x04 no workbook")


def test_the_ratios_reach_the_snapshot_and_the_live_reader_alike(road):
    made = kept(road)
    folder, _digest, _rows = take_snapshot(pack=load_pack("cn"), as_of=TODAY)
    snapshot = {row["project_id"]: row for row in pq.read_table(folder / "projects.parquet").to_pylist()}
    live = customer_rows(customer=Customer.objects.get(), as_of=TODAY, pack=load_pack("cn")).projects
    for row in live:
        assert row["model_min_dscr"] == snapshot[row["project_id"]]["model_min_dscr"]
    assert snapshot["P1"]["model_min_dscr"] == made.model_min_dscr
    assert snapshot["P2"]["model_min_dscr"] is None


def test_a_snapshot_of_an_earlier_day_knows_no_later_model(road):
    kept(road, in_force=date(2026, 7, 1))
    folder, _digest, _rows = take_snapshot(pack=load_pack("cn"), as_of=date(2026, 6, 30))
    assert set(pq.read_table(folder / "projects.parquet").column("model_min_dscr").to_pylist()) == {None}


def test_actual_figures_come_in_by_the_importer_and_go_with_their_import(road, bring):
    text = "project_id,period_end,actual_revenue,actual_cfads\nP1,2029-06-30,100.5,-3\nP1,2029-12-31,120,\n"
    batch = bring(text, name="project_actuals.csv", unit="万元")
    first, second = ProjectActual.objects.all()
    assert (first.actual_revenue, first.actual_cfads, second.actual_cfads) == (100_500_000, -3_000_000, None)
    undo(batch_id=batch.id, person=LocalAdministrator())
    assert not ProjectActual.objects.exists()


def test_an_actual_figure_of_a_project_that_is_not_there_refuses_its_row(road, bring):
    batch = bring("project_id,period_end,actual_cfads\nP9,2029-06-30,1\n", name="project_actuals.csv")
    assert (batch.rows_stored, batch.rows_refused) == (0, 1)


def test_the_import_of_a_project_with_a_model_is_not_undone(road):
    from kequn.apps.ingest.models import ImportBatch

    kept(road)
    with pytest.raises(Refused) as refused:
        undo(batch_id=ImportBatch.objects.get(name="projects.csv").id, person=LocalAdministrator())
    assert any("Model of a project" in one.text.en for one in refused.value.findings)


def test_a_corrected_figure_leaves_what_it_replaced_in_the_chain(road):
    for value in (5, 7):
        keep_actual(
            person=LocalAdministrator(), project=road, period_end=date(2025, 6, 30), amounts={"actual_cfads": value},
            currency="CNY",
        )  # fmt: skip
    assert ProjectActual.objects.get().actual_cfads == 7
    assert '"actual_cfads":5' in AuditLine.objects.order_by("-pk").first().detail


def test_figures_of_a_period_that_has_not_ended_are_refused(road):
    with pytest.raises(Refused, match="still to come"):
        keep_actual(
            person=LocalAdministrator(), project=road, period_end=date(2199, 6, 30), amounts={"actual_cfads": 5},
            currency="CNY",
        )  # fmt: skip
    assert not ProjectActual.objects.exists()


@pytest.mark.parametrize(
    ("cover", "expected"), [(1.04, "default"), (0.99, "default"), (1.07, "lockup"), (1.1, ""), (1.3, "")]
)
def test_the_gravest_level_that_a_cover_falls_short_of_is_named(cover, expected):
    assert breach_of(cover, {"lockup": 1.1, "default": 1.05})[0] == expected


def test_a_cover_that_does_not_serve_the_debt_is_told_where_the_model_names_no_level():
    assert breach_of(0.99, {}) == ("service", 1.0)


def test_the_cover_that_came_is_that_of_the_last_twelve_months_of_which_all_is_known(road):
    model = kept(road, text=EXAMPLE.read_text("utf-8").replace("start: 2026-01-01", "start: 2022-01-01"))
    answer = selectors.answer_of(model, "base")
    rows = answer["periods"][:2]
    due = sum(row["senior_interest"] + row["senior_scheduled"] for row in rows)
    asked = [(road.pk, model.pk, model.digest)]
    for row in rows:
        keep_actual(
            person=LocalAdministrator(), project=road, period_end=date.fromisoformat(row["end"]), currency="CNY",
            amounts={"actual_cfads": round(due * 0.5 * 1_000_000)},
        )  # fmt: skip
    found = covers_so_far(asked)[road.pk]
    assert (found.end, found.breach) == (date(2025, 12, 31), "default")
    assert found.cover == pytest.approx(1.0, rel=1e-3)


def test_a_record_that_says_another_investment_than_the_model_is_told_with_both(road):
    answer = selectors.answer_of(kept(road), "base")
    uses = round(answer["key_figures"]["total_uses"] * 1_000_000)
    road.total_investment = round(uses * 1.004)
    assert apart(road, answer, TODAY) == [Apart("stage", "operation", "construction")]
    road.total_investment, road.stage = uses * 2, "construction"
    assert apart(road, answer, TODAY) == [Apart("total_investment", uses * 2, uses)]
    assert [one.fact for one in apart(road, answer | {"currency": "USD"}, TODAY)] == []


def test_a_simulation_with_the_same_seed_gives_the_same_numbers(road):
    model, answers = kept(road), []
    for _again in range(2):
        made = ask_simulation(person=LocalAdministrator(), model=model, scenario="base", count=200, seed=7)
        wait_for(job=Job.objects.get(key=f"projects.simulate-{made.pk}"), worker="test")
        answers.append(ModelSimulation.objects.get(pk=made.pk).answer)
    assert answers[0] == answers[1]
    assert answers[0]["scenarios"] == 200


def test_a_simulation_that_breaks_off_is_shown_as_failed_and_not_as_waiting(road):
    made = ask_simulation(person=LocalAdministrator(), model=kept(road), scenario="base", count=50, seed=7)
    ModelSimulation.objects.filter(pk=made.pk).update(seed=-1)  # which the generator of numbers does not take
    job = work_one(worker="test", job_id=Job.objects.get(key=f"projects.simulate-{made.pk}").pk)
    assert "ValueError" in job.error
    assert ModelSimulation.objects.get(pk=made.pk).state == SimulationState.FAILED


def test_a_colleague_of_another_branch_sees_no_project_of_the_customer(road, staff):
    Customer.objects.update(owner=staff["wang"], team=staff["wang"].team, branch=staff["wang"].branch)
    seen = {name: selectors.projects_visible_to(person).count() for name, person in staff.items()}
    assert seen == {"wang": 2, "li": 2, "sun": 2, "zhao": 0, "zhou": 2}
