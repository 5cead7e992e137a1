"""The pages of projects: who sees them, who may write, and that they answer without scripts and in both languages."""

from datetime import date
from pathlib import Path

import pytest

from kequn.apps.accounts.models import User
from kequn.apps.customers.models import Customer
from kequn.apps.deals.models import Project
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import wait_for
from kequn.apps.projects import selectors
from kequn.apps.projects.models import ModelSimulation, ProjectActual, ProjectModel
from kequn.apps.projects.simulating import ask_simulation
from kequn.financing.models import model_of
from kequn.policy import load_pack
from kequn.web.views.project_actuals import charted
from kequn.web.views.project_parts import mood_of

pytestmark = pytest.mark.django_db
TABS = ("overview", "cash", "cases", "what-if", "simulation", "actuals", "versions")
EXAMPLE = (Path(__file__).parents[2] / "examples" / "projects" / "toll_road.yaml").read_text("utf-8")


@pytest.fixture
def model():
    return ProjectModel.objects.get(name="toll_road.yaml")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("tab", TABS)
def test_every_part_of_a_project_is_shown_for_each_model(sign_in, tab, language):
    client = sign_in("head", language)
    for model in ProjectModel.objects.all():
        answer = client.get(f"/projects/{model.project_id}/?tab={tab}")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "nan" not in text.lower().split()
        assert ">None<" not in text


def test_the_list_has_the_lowest_cover_first_and_those_without_a_model_last(sign_in, model):
    text = sign_in("head").get("/projects/").content.decode()
    ordered = ProjectModel.objects.order_by("model_min_dscr").values_list("project_id", flat=True)
    places = [text.index(f'href="/projects/{number}/"') for number in ordered]
    assert places == sorted(places)


@pytest.mark.parametrize(("words", "is_there"), [("交通", True), ("transport", True), ("供水", False)])
def test_projects_are_found_by_the_name_of_their_sector_in_either_language(sign_in, model, words, is_there):
    Project.objects.filter(pk=model.project_id).update(sector="transport")
    text = sign_in("head").get("/projects/", {"q": words}).content.decode()
    assert (f'href="/projects/{model.project_id}/"' in text) is is_there


def test_the_foot_names_who_kept_the_version_as_people_are_called(sign_in, model):
    ProjectModel.objects.filter(pk=model.pk).update(maker="user:demo-manager")
    text = sign_in("head").get(f"/projects/{model.project_id}/?version={model.number}").content.decode()
    assert f"kept by {User.objects.get(username='demo-manager').get_full_name()}" in text
    assert "user:demo-manager" not in text


def test_the_scenario_of_a_simulation_is_said_in_the_language_of_the_reader(sign_in, model):
    sign_in("administrator").post(
        f"/projects/{model.project_id}/simulate/", {"count": "9", "seed": "3", "scenario": "base"}
    )
    text = sign_in("head", "zh-hans").get(f"/projects/{model.project_id}/?tab=simulation").content.decode()
    assert "<td>base</td>" not in text
    assert "<td>基准" in text


@pytest.mark.parametrize(("cover", "expected"), [(0.4, "Cannot serve its debt"), (None, "No debt to cover")])
def test_a_model_without_levels_is_not_shown_as_sound_nor_as_missing(sign_in, model, cover, expected):
    dates = {"model_default_date": None, "model_lockup_date": None}
    ProjectModel.objects.filter(project=model.project).update(model_min_dscr=cover, **dates)
    text = sign_in("head").get(f"/projects/?q={model.project.project_id}").content.decode()
    assert expected in text
    assert "Covers hold" not in text
    assert "No model" not in text


def test_a_loan_that_is_sculpted_to_a_cover_of_one_is_served():
    assert mood_of(1.0 - 1e-12, None, None, is_kept=True)[0] == "good"


@pytest.mark.django_db
def test_a_page_of_projects_takes_few_queries(sign_in, django_assert_max_num_queries, model):
    client = sign_in("head")
    with django_assert_max_num_queries(20):
        client.get("/projects/")
    for tab in TABS:
        with django_assert_max_num_queries(20):
            client.get(f"/projects/{model.project_id}/?tab={tab}")


def test_who_sees_no_party_of_a_project_sees_nothing_of_it(sign_in, model):
    lin = User.objects.get(username="demo-manager")
    Customer.objects.filter(project_parts__project=model.project).update(owner=None, team=None, branch=None)
    assert not selectors.projects_visible_to(lin).filter(pk=model.project_id).exists()
    client = sign_in("manager")
    for address in ("", "what-if/", "model.yaml", "model.xlsx"):
        assert client.get(f"/projects/{model.project_id}/{address}").status_code == 404
    for address in ("keep/", "simulate/", "actuals/"):
        assert client.post(f"/projects/{model.project_id}/{address}").status_code == 404


@pytest.mark.parametrize("role", ["segment", "head", "auditor"])
def test_who_only_reads_may_keep_no_model_no_figures_and_no_simulation(sign_in, model, role):
    client = sign_in(role)
    for address in ("keep/", "simulate/", "actuals/"):
        assert client.post(f"/projects/{model.project_id}/{address}").status_code == 403


def test_the_sliders_answer_as_a_fragment_and_as_a_plain_page_alike(sign_in, model):
    client = sign_in("head")
    asked = "price=0.9&opex=1.1&delay_months=6"
    part = client.get(f"/projects/{model.project_id}/what-if/?{asked}")
    whole = client.get(f"/projects/{model.project_id}/?tab=what-if&{asked}").content.decode()
    assert part.headers["Server-Timing"].startswith("case;dur=")
    row = next(line for line in part.content.decode().split("<tr>") if "Minimum DSCR<" in line)
    assert row.split("</tr>")[0] in whole


def test_a_slider_beyond_its_reach_and_a_word_in_its_place_are_held_in(sign_in, model):
    client = sign_in("head")
    for asked in ("price=99", "price=nan", "price=abc", "price=-inf", "delay_months=1e400"):
        answer = client.get(f"/projects/{model.project_id}/what-if/?{asked}")
        assert answer.status_code == 200


def test_a_model_is_kept_from_the_page_and_becomes_the_one_in_force(sign_in, model):
    dearer = EXAMPLE.replace("amount: 4200", "amount: 6200")
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/keep/", {"text": dearer, "in_force": "2026-09-01", "reason": "costs"}
    )
    assert answer.status_code == 302
    made = selectors.model_in_force(model.project, date(2026, 9, 30))
    assert (made.number, made.maker, made.reason) == (model.number + 1, "user:demo-administrator", "costs")


def test_a_refused_model_is_told_with_its_places_and_what_was_typed_stays(sign_in, model):
    wrong = EXAMPLE.replace("price: 41000", "price: -5")
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/keep/", {"text": wrong, "in_force": "2026-09-01"}
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "tolls" in text
    assert "price: -5" in text


def test_the_yaml_that_is_taken_out_reads_as_the_model_that_was_kept(sign_in, model):
    text = sign_in("head").get(f"/projects/{model.project_id}/model.yaml").content.decode()
    assert text == model.body
    assert model_of(text, "out.yaml", load_pack("cn"), model.in_force).project.name.startswith("南岭")


@pytest.mark.parametrize("tab", ["cases", "what-if", "simulation", "actuals"])
def test_a_version_solved_under_another_policy_is_said_to_be_so_where_it_is_worked_out_anew(sign_in, model, tab):
    client, address = sign_in("head"), f"/projects/{model.project_id}/?tab={tab}&version={model.number}"
    said = "Policy has changed since this version was solved"
    assert said not in client.get(address).content.decode()
    ProjectModel.objects.filter(pk=model.pk).update(pack="0" * 64)
    assert said in client.get(address).content.decode()


def test_a_version_that_no_longer_reads_says_why_in_every_part_and_keeps_its_results(sign_in, model):
    body = model.body.replace("tenor_years: 22", "tenor_years: 99")
    ProjectModel.objects.filter(pk=model.pk).update(body=body, digest="1" * 64)
    client, address = sign_in("head"), f"/projects/{model.project_id}/"
    for part in ("?tab=cases", "?tab=what-if", "?tab=simulation", "?tab=actuals", "what-if/"):
        answer = client.get(address + part)
        assert answer.status_code == 200
        assert "cannot be solved under the policy in use" in answer.content.decode()
    assert client.get(address + "model.xlsx").status_code == 302
    assert "kq-tiles" in client.get(address).content.decode()


def test_the_workbook_of_live_formulas_is_taken_out(sign_in, model):
    answer = sign_in("head").get(f"/projects/{model.project_id}/model.xlsx?scenario=stress")
    assert answer.content[:2] == b"PK"


@pytest.mark.parametrize(("unit", "minor"), [("", 1_234_500_000), ("million", 123_450_000_000)])
def test_actual_figures_are_typed_in_the_unit_of_the_form_or_of_the_model_and_empty_is_unknown(
    sign_in, model, unit, minor
):
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/actuals/",
        {"period_end": "2026-06-30", "actual_revenue": "1,234.5", "actual_cfads": "", "unit": unit},
    )
    assert answer.status_code == 302
    kept = ProjectActual.objects.get(project=model.project, period_end=date(2026, 6, 30))
    assert (kept.actual_revenue, kept.actual_cfads) == (minor, None)


def test_what_was_typed_stays_and_the_wrong_cell_is_told_where_it_stands(sign_in, model):
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/actuals/",
        {"period_end": "2026-06-30", "actual_revenue": "77,777", "actual_cfads": "12 or so", "actual_tax": "?"},
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="77,777"' in text
    assert text.count('aria-invalid="true"') == 2
    assert "“12 or so” is no amount" in text


def test_a_period_still_to_come_is_neither_offered_nor_taken(sign_in, model):
    client, address = sign_in("administrator"), f"/projects/{model.project_id}/"
    offered = client.get(address + "?tab=actuals").content.decode()
    assert '<option value="2025-12-31"' in offered
    assert '<option value="2045-12-31"' not in offered
    answer = client.post(address + "actuals/", {"period_end": "2045-12-31", "actual_revenue": "5"})
    assert (answer.status_code, "still to come" in answer.content.decode()) == (422, True)


def test_a_breach_in_actual_figures_is_told_in_the_list_in_the_head_and_at_its_period(sign_in, model):
    ProjectActual.objects.filter(project=model.project).update(actual_cfads=1)
    client = sign_in("head")
    for address, times in (("?model=1", 1), (f"{model.project_id}/", 1), (f"{model.project_id}/?tab=actuals", 4)):
        text = client.get(f"/projects/{address}").content.decode()
        assert text.count("Actual DSCR 0.00 below default at 1.05") == times


def test_the_list_can_be_narrowed_to_projects_with_a_model(sign_in, model):
    client = sign_in("head")
    text = client.get("/projects/", {"model": "1"}).content.decode()
    assert text.count("<tr><td") == ProjectModel.objects.values("project").distinct().count()
    assert "No model<" not in text


def test_a_record_that_differs_from_the_model_is_told_with_both_figures(sign_in, model):
    client, address = sign_in("head"), f"/projects/{model.project_id}/"
    assert "Recorded and modelled differ" not in client.get(address).content.decode()
    Project.objects.filter(pk=model.project_id).update(commissioning_year=1999)
    text = client.get(address).content.decode()
    assert '<td class="n">1999</td><td class="n">2025</td>' in text


@pytest.mark.parametrize(("code", "name", "shown"), [("hundred_million", "CNY 100m", 41.16), ("yuan", "CNY", 4.116e9)])
def test_amounts_of_a_model_stand_in_the_unit_of_the_reader(sign_in, model, code, name, shown):
    User.objects.filter(username="demo-head").update(money_unit=code)
    uses = model.results.get(scenario="base").figures["total_uses"] * (1e-4 if code == "hundred_million" else 1e4)
    said = f"{uses:,.2f}" if uses < 1000 else f"{uses:,.0f}"
    client, address = sign_in("head"), f"/projects/{model.project_id}/"
    for tab in ("overview", "cases"):
        text = client.get(address, {"tab": tab}).content.decode()
        assert uses == pytest.approx(shown, rel=0.05)
        assert said in text
        assert name in text


def test_each_slider_says_its_value_and_the_answer_brings_the_new_ones(sign_in, model):
    client, address = sign_in("head"), f"/projects/{model.project_id}/"
    page = client.get(address, {"tab": "what-if", "price": "0.9"}).content.decode()
    part = client.get(address + "what-if/", {"price": "0.9"}).content.decode()
    assert '<output id="o-price" for="d-price">× 0.90</output>' in page
    assert "hx-swap-oob" not in page
    assert '<output id="o-price" for="d-price" hx-swap-oob="true">× 0.90</output>' in part


def test_who_may_not_simulate_is_told_who_may(sign_in, model):
    ModelSimulation.objects.filter(model=model).delete()
    address = f"/projects/{model.project_id}/?tab=simulation"
    assert "officers and administrators may ask for one" in sign_in("head").get(address).content.decode()
    assert "Ask for a number of cases" in sign_in("administrator").get(address).content.decode()


def test_a_simulation_of_a_model_with_equity_cures_names_them(sign_in):
    model = ProjectModel.objects.get(name="biotech_research.yaml")
    made = ask_simulation(
        person=User.objects.get(username="demo-administrator"), model=model, scenario="base", count=50, seed=1
    )
    wait_for(job=Job.objects.get(key=f"projects.simulate-{made.pk}"), worker="test")
    text = sign_in("head").get(f"/projects/{model.project_id}/?tab=simulation").content.decode()
    for said in (
        "The owners pay an equity cure",
        "Equity cures in all (CNY m)",
        "at most 2 time(s)",
        "Minimum DSCR (times)",
    ):
        assert said in text


def test_a_modelled_cover_of_nothing_is_said_as_nought_and_not_as_unknown(sign_in, model):
    base = model.results.get(scenario="base")
    for row in base.answer["periods"]:
        row["cfads"] = 0.0
    base.save()
    text = sign_in("head").get(f"/projects/{model.project_id}/?tab=actuals").content.decode()
    assert "DSCR Model 0.00" in text
    assert "DSCR Model –" not in text


@pytest.mark.parametrize(("per_year", "expected"), [(1, 5), (2, 7), (4, 11), (12, 27)])
def test_the_chart_of_actual_covers_looks_two_years_ahead_whatever_the_period(per_year, expected):
    assert len(charted([{}] * 100, 3, per_year)) == expected


@pytest.mark.parametrize("measure", [{"unit": "lakh"}, {"currency": "Renminbi"}])
def test_actual_figures_are_refused_where_the_unit_or_the_currency_of_the_model_is_not_known(sign_in, model, measure):
    before, base = ProjectActual.objects.count(), model.results.get(scenario="base")
    base.answer |= measure
    base.save()
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/actuals/", {"period_end": "2027-06-30", "actual_cfads": "5"}, follow=True
    )
    assert next(iter(measure.values())) in answer.content.decode()
    assert ProjectActual.objects.count() == before


def test_a_model_whose_currency_is_no_code_is_refused_with_its_place(sign_in, model):
    wrong = EXAMPLE.replace("currency: CNY", "currency: Renminbi")
    answer = sign_in("administrator").post(
        f"/projects/{model.project_id}/keep/", {"text": wrong, "in_force": "2026-09-01"}
    )
    assert answer.status_code == 422
    assert "currency: expected a code of ISO 4217" in answer.content.decode()


@pytest.mark.parametrize("typed", ["abc", "1e99", "1e15", "NaN", "--1"])
def test_a_figure_that_is_no_number_keeps_nothing(sign_in, model, typed):
    before = ProjectActual.objects.count()
    sign_in("administrator").post(
        f"/projects/{model.project_id}/actuals/", {"period_end": "2027-06-30", "actual_cfads": typed}
    )
    assert ProjectActual.objects.count() == before


def test_a_simulation_is_asked_for_with_its_seed(sign_in, model):
    before = ModelSimulation.objects.count()
    client = sign_in("administrator")
    for count, seed, expected in (("100", "3", 1), ("0", "3", 1), ("x", "3", 1), ("100", "-1", 1)):
        client.post(f"/projects/{model.project_id}/simulate/", {"count": count, "seed": seed, "scenario": "base"})
        assert ModelSimulation.objects.count() == before + expected


@pytest.mark.parametrize(("seed", "kept"), [("9223372036854775807", True), ("9223372036854775808", False)])
def test_a_long_seed_is_kept_whole_or_refused(sign_in, model, seed, kept):
    asked = {"count": "100", "seed": seed, "scenario": "base"}
    answer = sign_in("administrator").post(f"/projects/{model.project_id}/simulate/", asked, follow=True)
    assert ModelSimulation.objects.filter(seed=int(seed[:18])).count() == 0
    assert ModelSimulation.objects.filter(seed=2**63 - 1).exists() is kept
    assert ("the seed is a whole number from 0" in answer.content.decode()) is not kept


def test_the_customer_page_leads_to_the_project(sign_in, model):
    code = Customer.objects.filter(project_parts__project=model.project).values_list("code", flat=True).first()
    assert (
        f'href="/projects/{model.project_id}/"'
        in sign_in("head").get(f"/customers/{code}/?tab=projects").content.decode()
    )


def test_a_rule_on_the_minimum_cover_of_a_model_holds_where_there_is_a_model_and_is_unknown_where_none_is(sign_in):
    answer = sign_in("segment").post("/segments/define/", {"act": "text", "text": "any(model_stress_dscr < 1.2)"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Lowest DSCR of all scenarios of the model" in text
