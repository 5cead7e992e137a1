"""Models as YAML: the worked projects, every refusal with its place, the commands."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from kequn.cli import build
from kequn.domain.errors import Misuse, Refused
from kequn.domain.projectfinance.run import solve
from kequn.domain.projectfinance.statements import statements_of
from kequn.financing.models import read_model
from kequn.financing.rules import china_calendar, figures, lpr, tax_rules, unverified
from kequn.policy import load_pack

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "projects").glob("*.yaml"))
PACK = load_pack("cn")
AS_OF = date(2026, 1, 1)
SMALL = """
project: small
timeline:
  {start: 2026-01-01, construction_months: 12, construction_step_months: 12, operation_years: 3, step_months: 12}
capital: [{name: plant, amount: 100, life_years: 4}]
revenues: [{name: sale, amounts: [60, 60, 60]}]
costs: [{name: work, amount: 10}]
loans: [{name: senior, rate: 0.1, tenor_years: 2, target_dscr: 1.25}]
scenarios: {bank: {price: 0.9}}
simulation: {drivers: [{driver: price, kind: normal, a: 1, b: 0.05}]}
"""


def written(folder: Path, text: str = SMALL, **changes: object) -> Path:
    body = {**yaml.safe_load(text), **changes}
    (folder / "model.yaml").write_text(yaml.safe_dump(body, allow_unicode=True), "utf-8")
    return folder / "model.yaml"


def ran(*words: object, language: str = "en") -> object:
    done = CliRunner().invoke(build(), ["project", *map(str, words)], env={"KEQUN_LANG": language})
    if done.exception is not None:
        raise done.exception
    return done.output


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("scenario", ["base", "bank", "sponsor", "stress"])
def test_every_worked_project_conserves_cash_and_balances_in_every_scenario(file, scenario):
    project = read_model(file, PACK, AS_OF).project
    run = solve(project, project.scenario(scenario))
    size = float(run.building.uses.sum())
    assert np.abs(run.building.sources - run.building.uses).max() <= 1e-12 * size
    assert np.abs(run.waterfall.imbalance(run.plan.dsra_initial)).max() <= 1e-8
    assert np.abs(statements_of(run).imbalance).max() <= 1e-6
    if scenario == project.sizing_case:
        assert run.waterfall.unpaid.max() <= 1e-9 * size
        assert run.waterfall.loans["senior"].closing[-1, 0] <= 1e-9 * size


def test_a_subsidy_that_is_not_confirmed_is_nowhere_in_the_research_project():
    project = read_model(next(one for one in EXAMPLES if "biotech" in one.name), PACK, AS_OF).project
    run = solve(project)
    assert list(run.operation.subsidies) == ["national science project"]
    assert run.operation.subsidy.sum() == pytest.approx(1200.0)


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"revenue": []}, "revenue", "known key"),
        ({"discount_rate": "high"}, "discount_rate", "a number"),
        ({"capital": [5], "limits": []}, "capital[0]", "a mapping"),
        ({"loans": [{"name": "senior", "rate": {"lpr": "3y"}, "tenor_years": 2}]}, "loans[0].rate.lpr", "5y, 1y"),
        ({"tax": {"regime": "island"}}, "tax", "no such tax regime"),
        ({"timeline": {"start": "soon", "construction_months": 12, "operation_years": 3}}, "timeline.start", "date"),
        ({"capital": [{"name": "plant", "amount": -5}]}, "plant", "negative amount"),
        ({"loans": [{"name": "senior", "rate": 0.1, "tenor_years": 9}]}, "senior", "beyond"),
        ({"simulation": {"drivers": [], "correlation": [[1.0, 0.2]]}}, "simulation.correlation", "matrix of 0"),
        ({"scenarios": {"bank": {"prize": 1.0}}}, "bank", "no driver prize"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_its_place(tmp_path, changes, place, words):
    with pytest.raises(Refused) as refused:
        read_model(written(tmp_path, **changes), PACK, AS_OF)
    found = [finding for finding in refused.value.findings if place in str(finding.place)]
    assert any(words in finding.text.en for finding in found), refused.value.findings
    assert all(finding.text.zh for finding in found)


ODD = {
    "timeline.construction_months": ".inf",
    "timeline.operation_years": "9000",
    "timeline.step_months": "0",
    "timeline.start": "2026-01-01 10:00:00",
    "capital[0].life_years": ".nan",
    "capital[0].amount": "1" + "0" * 400,
    "loans[0].rate": "{lpr: 5y, margins: [1]}",
    "loans[0].target_dscr": "{0: .inf}",
    "covenants.order": "5",
    "discount_rate": "-1",
    "simulation.correlation": "[1]",
    "simulation.correlation ": '[["x"]]',
    "scenarios.bank.price": ".nan",
}


@pytest.mark.parametrize(("path", "text"), ODD.items())
def test_an_odd_value_is_refused_with_its_line_and_with_what_was_found_and_expected(tmp_path, path, text):
    body = yaml.safe_load(SMALL)
    body |= {"covenants": {}}
    *above, key = path.strip().replace("[0]", ".0").split(".")
    part = body
    for name in above:
        part = part[int(name) if name.isdigit() else name]
    part[key] = yaml.safe_load(text)
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(body), "utf-8")
    with pytest.raises(Refused) as refused:
        read_model(tmp_path / "model.yaml", PACK, AS_OF)
    found = [one for one in refused.value.findings if str(one.place).split(", ")[-1].startswith(path.strip())]
    assert found, refused.value.findings
    assert "expected" in found[0].text.en
    assert "found" in found[0].text.en


def test_a_floating_rate_follows_the_lpr_of_the_pack_from_reset_to_reset(tmp_path):
    rate = {"lpr": "5y", "spread": -0.005, "reset": "1_january"}
    timeline = {"start": date(2024, 1, 1), "construction_months": 12, "operation_years": 3, "step_months": 12}
    file = written(tmp_path, timeline=timeline, loans=[{"name": "senior", "rate": rate, "tenor_years": 2}])
    plan = read_model(file, PACK, AS_OF).project.loans[0].rates
    published = dict(lpr(PACK, "5y", AS_OF))
    assert plan.at(date(2024, 6, 1)) == published[date(2023, 6, 20)] - 0.005
    assert plan.at(date(2025, 3, 1)) == published[date(2024, 10, 21)] - 0.005


@pytest.mark.parametrize("rule", ["1_january", "anniversary", "listed"])
def test_a_floating_rate_knows_no_lpr_published_after_the_as_of_date(tmp_path, rule):
    """4.20 % was the five-year LPR of 20 June 2023; it fell to 3.95 % on 20 February 2024."""
    timeline = {"start": date(2023, 9, 1), "construction_months": 12, "operation_years": 3, "step_months": 12}
    loan = {"name": "senior", "rate": {"lpr": "5y", "reset": rule}, "tenor_years": 2}
    file = written(tmp_path, timeline=timeline, loans=[loan])
    assert read_model(file, PACK, date(2024, 1, 1)).project.loans[0].rates.at(date(2026, 6, 1)) == 0.042
    assert read_model(file, PACK, date(2024, 3, 1)).project.loans[0].rates.at(date(2026, 6, 1)) == 0.0395
    with pytest.raises(Refused, match="1 error"):
        read_model(file, PACK, date(2019, 1, 1))


def test_taxes_come_from_the_pack_and_what_nobody_checked_is_named():
    rules = tax_rules(PACK, AS_OF, regime="standard", holiday="infrastructure", small=True)
    assert rules.holiday == (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)
    assert rules.rate == figures(PACK, AS_OF)["tax_rate_standard"]
    assert tax_rules(PACK, AS_OF, regime="high_tech").loss_years == 10
    assert "tax_rate_standard" in unverified(PACK, AS_OF)
    assert "single_loan_share" not in unverified(PACK, AS_OF)
    assert china_calendar(PACK, AS_OF).unknown([date(2099, 1, 1)]) == [date(2099, 1, 1)]


def test_the_command_prints_what_is_worked_by_hand(tmp_path):
    answer = json.loads(ran("solve", written(tmp_path), "--json"))
    figures_shown = answer["key_figures"]
    assert figures_shown["debt"]["senior"] == pytest.approx(40 / 1.1 + 40 / 1.21)
    assert (figures_shown["min_dscr"], figures_shown["min_dscr_date"]) == (pytest.approx(1.25), "2027-12-31")
    assert [row["cfads"] for row in answer["periods"]] == pytest.approx([50.0, 50.0, 50.0])
    uses, sources = (sum(answer["sources_and_uses"][side].values()) for side in ("uses", "sources"))
    assert uses == pytest.approx(sources)


def test_the_command_says_each_figure_in_words_with_its_unit(tmp_path):
    said = {language: ran("solve", written(tmp_path), language=language) for language in ("en", "zh")}
    assert re.search(r"^Minimum DSCR +1\.25 times$", said["en"], re.MULTILINE)
    assert re.search(r"^最低偿债备付率 +1\.25 倍$", said["zh"], re.MULTILINE)


def test_policy_figures_that_nobody_checked_are_shown_with_the_result():
    output = ran("solve", EXAMPLES[-1], language="zh")
    assert "未与原文核对的政策数字" in output
    assert "LPR" in output
    assert "企业所得税税率" in output


def test_a_target_and_a_discount_rate_that_a_model_leaves_out_are_the_policy_s_and_are_named(tmp_path):
    loan = {"name": "senior", "rate": 0.1, "tenor_years": 2}
    found = read_model(written(tmp_path, loans=[loan]), PACK, AS_OF)
    usual = figures(PACK, AS_OF)
    assert found.project.discount_rate == usual["discount_rate"]
    assert found.project.loans[0].target_dscr == ((0.0, usual["target_dscr"]),)
    assert found.unverified == ("discount_rate", "target_dscr")
    given = read_model(written(tmp_path, discount_rate=0.05), PACK, AS_OF)
    assert (given.project.discount_rate, given.unverified) == (0.05, ())


def test_covers_are_told_back_and_ahead_by_period(tmp_path):
    rows = json.loads(ran("solve", written(tmp_path), "--json"))["periods"]
    assert [row["dscr_forward"] for row in rows] == [pytest.approx(1.25), pytest.approx(1.25), None]
    assert rows[0]["llcr"] == pytest.approx(1.25)
    assert rows[0]["plcr"] > rows[0]["llcr"]


def test_the_same_seed_simulates_the_same(tmp_path):
    words = ("simulate", written(tmp_path), "--count", "200", "--seed", "3", "--json")
    first, second = json.loads(ran(*words)), json.loads(ran(*words))
    assert first == second
    assert first["quantiles"]["min_dscr"]["p05"] < 1.25 < first["quantiles"]["min_dscr"]["p95"]
    assert "minimum DSCR below 1.00" in ran("simulate", written(tmp_path), "--count", "200")


def test_a_scenario_or_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(Misuse, match="there is base, bank"):
        ran("solve", written(tmp_path), "--scenario", "none")
    with pytest.raises(Misuse, match="no file"):
        ran("solve", tmp_path / "none.yaml")
    with pytest.raises(Misuse, match="simulation"):
        ran("simulate", written(tmp_path, simulation=None))
