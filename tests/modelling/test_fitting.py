"""Fit, freeze, read back, score: a scorecard is a policy document that every reader evaluates alike."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from kequn.cli import build
from kequn.domain.errors import Misuse, Refused
from kequn.modelling.leakage import Leaking
from kequn.modelling.models import DOCUMENT, load, score_table, scored
from kequn.modelling.spec import spec_of
from kequn.modelling.tapes import Tape, groups_of, read_tape
from kequn.policy.documents import Complaints, read_document
from tests.modelling.conftest import SPEC, made_book


def fitted(book, folder, settings, **changes):
    from datetime import date

    from kequn.modelling.fitting import fit
    from kequn.modelling.models import save

    tape, spec = read_tape(book), spec_of({**SPEC, **changes})
    save(fit(spec, tape, settings, date(2026, 6, 1), "test"), folder, tape, date(2026, 6, 1))
    return load(folder)


@pytest.fixture(scope="module")
def scorecard(book, settings, tmp_path_factory):
    return fitted(book, tmp_path_factory.mktemp("m") / "scorecard", settings)


@pytest.fixture(scope="module")
def challenger(book, settings, tmp_path_factory):
    return fitted(book, tmp_path_factory.mktemp("m") / "challenger", settings, kind="challenger")


def test_the_document_of_a_model_says_in_both_languages_where_it_comes_from(book, tmp_path, settings):
    fitted(book, tmp_path / "m", settings)
    complaints = Complaints()
    read = read_document(tmp_path / "m" / DOCUMENT, complaints)  # as an institution would put it into its pack
    complaints.settle("m")
    assert read.heading.source.zh != read.heading.source.en


def test_both_readers_give_the_same_points_pd_and_grade(scorecard, book):
    plain, together = (scored(scorecard, read_tape(book), reader) for reader in ("plain", "duckdb"))
    assert plain.column("score").to_pylist() == together.column("score").to_pylist()
    assert plain.column("grade").to_pylist() == together.column("grade").to_pylist()
    gap = np.abs(plain.column("pd").to_numpy() - together.column("pd").to_numpy()).max()
    assert gap <= 1e-12


@pytest.mark.parametrize("which", ["scorecard", "challenger"])
def test_a_model_ranks_years_it_never_saw(which, book, request):
    model, tape = request.getfixturevalue(which), read_tape(book)
    later = np.array(tape.table.column("year")) > 2021
    bad = np.array([one == "bad" for one in tape.table.column("status").to_pylist()])
    scores = scored(model, tape).column("score").to_numpy()
    assert roc_auc_score(bad[later], -scores[later]) > 0.72


def test_what_says_nothing_is_named_and_left_out(scorecard):
    assert "noise" in scorecard.card["failed"]
    assert {"zh", "en"} == set(scorecard.card["failed"]["noise"])


def test_the_risk_of_every_number_moves_one_way(scorecard):
    for one in scorecard.card["characteristics"]:
        points = [b["points"] for b in one["bins"] if not b["missing"] and not b["classes"] and not b["others"]]
        steps = np.sign(np.diff(points))
        assert one["type"] == "text" or len(set(steps[steps != 0])) <= 1, one["name"]


def test_unknown_and_never_seen_rows_still_have_a_score(scorecard, book):
    table = read_tape(book).table.slice(0, 3)
    unknown = pa.nulls(3, pa.float64())
    table = table.set_column(table.column_names.index("leverage"), "leverage", unknown)
    table = table.set_column(table.column_names.index("sector"), "sector", pa.array(["trade", "new", None]))
    found = scored(scorecard, Tape(table, "x", ""))
    assert found.column("score").null_count == 0


def test_a_column_of_another_kind_is_refused(scorecard, book):
    table = read_tape(book).table
    texts = table.column("cover").cast(pa.string())
    with pytest.raises(Refused, match="cover should be number"):
        scored(scorecard, Tape(table.set_column(table.column_names.index("cover"), "cover", texts), "x", ""))


def test_crossed_characteristics_tell_pairs_apart(book, settings, tmp_path):
    side = {"name": "side", "formula": "case when cover > 0 then 'high' else 'low' end", "part": True}
    model = fitted(
        book, tmp_path / "m", settings, features=["leverage", side, {"name": "pair", "cross": ["sector", "side"]}]
    )
    tape = read_tape(book)
    plain, together = (scored(model, tape, reader) for reader in ("plain", "duckdb"))
    assert plain.column("score").to_pylist() == together.column("score").to_pylist()
    assert [one["name"] for one in model.card["characteristics"]] == ["leverage", "pair"]


def test_weights_bring_a_balanced_sample_to_the_rate_of_the_population(tmp_path, settings):
    table = made_book(4000)
    bad = np.array([one == "bad" for one in table.column("status").to_pylist()])
    kept = bad | (np.arange(4000) % 5 == 0)
    weight = np.where(bad, 1.0, 5.0)[kept]
    sample = table.filter(pa.array(kept)).append_column("w", pa.array(weight))
    pq.write_table(sample, tmp_path / "balanced.parquet")
    model = fitted(tmp_path / "balanced.parquet", tmp_path / "m", settings, weight="w", train="")
    stated = scored(model, Tape(table, "x", "")).column("pd").to_numpy().mean()
    assert stated == pytest.approx(bad.mean(), abs=0.012)


def test_the_rate_of_the_population_can_be_said(book, tmp_path, settings):
    model = fitted(book, tmp_path / "m", settings, calibrate_by=0.01)
    assert model.card["calibration"]["method"] == "prior_correction"
    assert scored(model, read_tape(book)).column("pd").to_numpy().mean() < 0.03


def test_trees_are_text_held_to_their_direction_with_reasons(challenger, book, settings):
    names, ways = challenger.challenger.inputs.names, challenger.challenger.inputs.directions
    assert dict(zip(names, ways, strict=True))["leverage"] == 1
    assert challenger.challenger.text.startswith("tree")
    drawn = {"bagging_fraction": "rows_share", "feature_fraction": "features_share", "cat_smooth": "class_smoothing"}
    for key, name in drawn.items():
        assert f"[{key}: {settings.limits[f'tree_{name}']:g}]" in challenger.challenger.text
    found = score_table(challenger, read_tape(book), reasons=2)
    riskiest = int(np.argmin(found.column("score").to_numpy()))
    assert found.column("reasons")[riskiest].as_py()


def test_the_same_file_gives_the_same_trees(book, tmp_path, settings, challenger):
    again = fitted(book, tmp_path / "m", settings, kind="challenger")
    assert again.challenger.text == challenger.challenger.text


def test_a_folder_with_something_in_it_is_not_overwritten(book, tmp_path, settings):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("keep")
    with pytest.raises(Misuse):
        fitted(book, tmp_path / "m", settings)


def test_leaking_fields_are_refused_and_allowed_with_a_reason(book, tmp_path, settings):
    with pytest.raises(Leaking) as refused:
        fitted(book, tmp_path / "m", settings, features=None)
    assert set(refused.value.leakage) == {"term", "loss", "written_off"}
    assert {one["why"] for one in refused.value.leakage["written_off"]} >= {"dated_after", "single_auc"}
    with pytest.raises(Leaking, match="long"):
        fitted(book, tmp_path / "m", settings, features=["cover", {"name": "long", "formula": "term * 2"}])
    model = fitted(book, tmp_path / "m", settings, features=["cover", "term"], allow_leakage={"term": "a test of ours"})
    assert model.card["leakage"]["term"]["allowed_because"] == "a test of ours"


def test_a_bad_spec_is_refused_with_every_error():
    with pytest.raises(Refused) as refused:
        spec_of({"kind": "magic", "target": "x", "event": 1, "colour": "red", "horizon": 0, "allow_leakage": {"a": ""}})
    said = {one.code for one in refused.value.findings}
    assert said == {"spec.kind", "spec.key", "spec.colour", "spec.horizon", "spec.allow_leakage"}


def test_rows_that_are_equal_or_of_one_debtor_share_a_group():
    tape = Tape(pa.table({"who": ["a", "b", "a", "c"], "x": [1.0, 2.0, 3.0, 2.0]}), "x", "")
    found = groups_of(tape, "who", {"x": tape.column("x")})
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert found[0] != found[1]


def test_the_command_fits_scores_and_validates(book, tmp_path):
    import yaml
    from typer.testing import CliRunner

    spec, model, out, paper = (tmp_path / name for name in ("s.yaml", "m", "o.parquet", "v.pdf"))
    spec.write_text(yaml.safe_dump(SPEC))
    run = CliRunner()
    words = ["model", "fit", "--data", str(book), "--spec", str(spec), "-o", str(model), "--json"]
    assert json.loads(run.invoke(build(), words).stdout)["trained"]["rows"] > 1500
    assert (
        run.invoke(build(), ["model", "score", "--model", str(model), "--data", str(book), "-o", str(out)]).exit_code
        == 0
    )
    assert pq.read_table(out).column_names == ["loan", "score", "pd", "grade"]
    words = [
        "model",
        "validate",
        "--model",
        str(model),
        "--data",
        str(book),
        "--json",
        "--pdf",
        str(paper),
        "--lang",
        "zh",
    ]
    found = json.loads(run.invoke(build(), words).stdout)
    assert found["population"]["window"] == "not (year <= 2021)"
    assert found["discrimination"]["auc"]["low"] < found["discrimination"]["auc"]["value"]
    assert paper.read_bytes()[:4] == b"%PDF"


def test_the_command_prints_the_leaking_fields_and_writes_nothing(book, tmp_path):
    import yaml
    from typer.testing import CliRunner

    spec = tmp_path / "s.yaml"
    spec.write_text(yaml.safe_dump({**SPEC, "features": None}))
    found = CliRunner().invoke(
        build(), ["model", "fit", "--data", str(book), "--spec", str(spec), "-o", str(tmp_path / "m")]
    )
    assert isinstance(found.exception, Leaking)
    assert set(json.loads(found.stdout)["leakage"]) == {"term", "loss", "written_off"}
    assert not (tmp_path / "m").exists()
