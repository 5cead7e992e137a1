"""Planted groups are found and written as rules; noise is refused; nothing is judged by what it was made from."""

import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from kequn.cli import build
from kequn.domain.errors import Misuse, Refused
from kequn.modelling.discovery.finding import NoGroups, discover
from kequn.modelling.discovery.keeping import read_card, save
from kequn.modelling.discovery.mixture import fit
from kequn.modelling.discovery.partitions import adjusted_rand, best_jaccard
from kequn.modelling.discovery.request import request_of
from kequn.modelling.discovery.values import Values
from kequn.modelling.leakage import Leaking
from kequn.modelling.tapes import Tape, holding
from kequn.policy.segment_document import body_of
from tests.modelling.planted import REQUEST, planted, shuffled

DAY = date(2026, 6, 1)


def found_in(table, settings, **more):
    return discover(request_of({**REQUEST, **more}), Tape(table, "made", "digest"), settings, DAY, "test")


@pytest.fixture(scope="module")
def discovered(settings):
    table, groups = planted(0)
    later = np.arange(len(groups)) % 2 == 1
    bad = np.random.default_rng(5).random(len(groups)) < np.array([0.05, 0.1, 0.2, 0.4])[groups]
    table = table.append_column("year", pa.array(np.where(later, 2025, 2024)))
    table = table.append_column("status", pa.array(np.where(bad, "bad", "good")))
    table = table.append_column("half", pa.array(np.where(np.arange(len(groups)) % 4 < 2, "one", "two")))
    asked = {"train": "year = 2024", "period": "year", "target": "status", "event": "bad", "compare": ["half"]}
    return table, groups, found_in(table, settings, **asked)


def test_planted_groups_are_found(discovered):
    _table, groups, found = discovered
    assert found.card["groups"] == 4
    assert adjusted_rand(found.groups, groups) >= 0.9


@pytest.mark.parametrize("seed", range(3))
def test_shuffled_columns_are_refused(settings, seed):
    with pytest.raises(NoGroups) as refused:
        found_in(shuffled(planted(seed)[0], seed), settings)
    null = refused.value.figures.get("null")
    assert null is None or null["sds"] < 3


def test_each_group_stands_as_a_rule_that_holds_for_nearly_the_same_rows(discovered):
    table, _groups, found = discovered
    tape = Tape(table, "made", "")
    for one in found.card["segments"]:
        assert one["stands"], one["against"]
        mine, by_rule = found.groups == one["number"] - 1, holding(tape, one["rule"])
        assert (mine & by_rule).sum() / (mine | by_rule).sum() >= 0.75
        assert sum(by_rule) == sum(found.by_rule == one["number"] - 1), "rules of one tree exclude one another"


def test_figures_of_a_rule_are_those_of_the_rows_it_was_found_on(discovered):
    table, _groups, found = discovered
    first = np.array(table.column("year")) == 2024
    one = found.card["segments"][0]
    mine, by_rule = found.groups == 0, holding(Tape(table, "made", ""), one["rule"])
    both = (mine & by_rule & first).sum()
    assert one["fidelity"]["precision"] == pytest.approx(both / (by_rule & first).sum())
    assert one["fidelity"]["recall"] == pytest.approx(both / (mine & first).sum())


def test_realised_rates_are_of_later_rows_and_counted_by_hand(discovered):
    table, _groups, found = discovered
    later = np.array(table.column("year")) == 2025
    bad = np.array(table.column("status")) == "bad"
    for place, part in enumerate(found.card["realised"]["discovered"]):
        rows = (found.groups == place) & later
        assert part["later"]["rows"] == rows.sum()
        assert part["later"]["rate"] == pytest.approx(bad[rows].mean())
        assert part["later"]["low"] < bad[rows].mean() < part["later"]["high"]


def test_groups_that_carry_risk_gain_over_a_division_that_does_not(discovered):
    gain = {one["name"]: one for one in discovered[2].card["gain"]}
    assert gain["discovered"]["auc"]["value"] > 0.62
    assert gain["half"]["auc"]["value"] < 0.55
    assert gain["half"]["with_rules"]["value"] > gain["half"]["auc"]["value"] + 0.05


def test_groups_last_from_year_to_year_where_they_were_planted(discovered):
    years = discovered[2].card["years"]
    assert [row[:2] for row in years["overlaps"]] == [("2024", "2025")]
    assert all(one["year_to_year"] > 0.8 for one in discovered[2].card["segments"])


def test_what_knows_the_outcome_is_refused_as_in_a_model(settings):
    table, groups = planted(0)
    bad = groups == 0
    table = table.append_column("status", pa.array(np.where(bad, "bad", "good")))
    table = table.append_column("loss", pa.array(np.where(bad, 100.0, 0.0)))
    with pytest.raises(Leaking) as refused:
        found_in(table, settings, features=[*REQUEST["features"], "loss"], target="status", event="bad",
                 allow_leakage=dict.fromkeys(REQUEST["features"], "planted"))  # fmt: skip
    assert list(refused.value.leakage) == ["loss"]


def test_the_mixture_is_as_likely_as_scikit_learn_s_on_numbers_without_gaps():
    draw = np.random.default_rng(3)
    group = draw.integers(0, 3, 900)
    numbers = np.array([[0.0, 0.0], [4.0, 1.0], [-2.0, 5.0]])[group] + draw.normal(0, 1, (900, 2))
    ours = fit(Values(numbers, np.zeros((900, 0), dtype=np.int64), (), np.ones(900)), 3, draw, starts=4)
    theirs = GaussianMixture(3, covariance_type="diag", n_init=4, random_state=0).fit(numbers)
    assert ours.log_likelihood / 900 == pytest.approx(theirs.score(numbers), abs=2e-3)
    assert ours.bic == pytest.approx(theirs.bic(numbers), rel=1e-3)


def test_adjusted_rand_equals_scikit_learn_s():
    draw = np.random.default_rng(1)
    one, two = draw.integers(0, 4, 300), draw.integers(0, 3, 300)
    assert adjusted_rand(one, two) == pytest.approx(adjusted_rand_score(one, two), abs=1e-12)


def test_the_best_overlap_is_counted_by_hand():
    one, two = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])
    assert best_jaccard(one, two, 2).tolist() == pytest.approx([2 / 3, 2 / 3])


def test_a_second_run_gives_the_same_card(settings):
    assert found_in(planted(2)[0], settings).card == found_in(planted(2)[0], settings).card


def test_a_folder_holds_rules_that_are_segments_and_is_never_overwritten(discovered, tmp_path):
    table, _groups, found = discovered
    save(found, tmp_path / "out", Tape(table, "made", ""))
    assert read_card(tmp_path / "out")["groups"] == 4
    members = pq.read_table(tmp_path / "out" / "members.parquet")
    assert members.column("group").to_pylist() == (found.groups + 1).tolist()
    import yaml

    rows = yaml.safe_load((tmp_path / "out" / "segments.yaml").read_text(encoding="utf-8"))["segments"]
    assert [body_of(row)["name"] for row in rows] == [f"found_{n}" for n in range(1, 5)]
    with pytest.raises(Misuse):
        save(found, tmp_path / "out", Tape(table, "made", ""))


def test_a_request_names_everything_that_is_wrong_with_it():
    with pytest.raises(Refused) as refused:
        request_of({"features": [{"name": "pair", "cross": ["a", "b"]}], "target": "x", "colour": 1})
    assert {one.code for one in refused.value.findings} == {"spec.key", "spec.event", "spec.features", "spec.colour"}


def test_the_command_prints_what_it_measured_when_it_refuses(tmp_path, capsys):
    from typer.testing import CliRunner

    pq.write_table(shuffled(planted(1)[0], 1), tmp_path / "noise.parquet")
    (tmp_path / "spec.yaml").write_text(json.dumps(REQUEST), encoding="utf-8")
    words = ["model", "discover", "--data", str(tmp_path / "noise.parquet"), "--spec", str(tmp_path / "spec.yaml")]
    done = CliRunner().invoke(build(), [*words, "-o", str(tmp_path / "out")])
    assert isinstance(done.exception, NoGroups)
    assert json.loads(done.stdout)["null"]["draws"] == 19
    assert not (tmp_path / "out").exists()
