"""What is known when: panels, the replay of a calibration, histories of ratings, and the public files."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import yaml

from kequn.domain.errors import Refused
from kequn.modelling import panel
from kequn.modelling.histories import HistorySpec, migration_report
from kequn.modelling.leakage import leaks
from kequn.modelling.replay import Cohorts, heading_for, pace
from kequn.modelling.spec import spec_of
from kequn.modelling.tapes import Tape, outcomes, periods, read_tape
from tests.modelling.conftest import SPEC


def test_a_row_sees_the_event_ahead_and_never_its_own():
    event, debtor, period = np.array([0, 0, 1, 0, 0.0]), np.array([1, 1, 1, 2, 2]), np.array([1, 2, 3, 1, 3.0])
    found = panel.ahead(event, debtor, period, 2)
    assert found[:2].tolist() == [1.0, 1.0]
    assert np.isnan(found[2:]).all()  # in the event; a gap ahead; nothing ahead


def test_changes_are_against_the_period_before_and_not_the_row_before():
    columns = {"x": pa.chunked_array([[1.0, 4.0, 9.0]])}
    found = panel.with_changes(columns, np.array([1, 1, 1]), np.array([1.0, 2.0, 4.0]))
    assert found["change of x"].to_pylist() == [None, 3.0, None]


def cohorts(ages):
    """Cohorts of 300 rows by year, with the age of each event; stated PD 10 %."""
    rows = [(year, age) for year, found in ages.items() for age in (*found, *([np.inf] * (300 - len(found))))]
    year, age = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    ones = np.ones(len(rows))
    return Cohorts(year, np.isfinite(age).astype(float), age, ones, 600 * ones, 0.1 * ones, 200)


def test_the_pace_of_old_cohorts_says_what_is_still_to_come():
    """Half of the events come at age 0, half at age 1: by age 0 half is seen, and 15 of 300 head for 5 % + 10 % / 2."""
    found = cohorts({2015: [0] * 15 + [1] * 15, 2016: [0] * 15 + [1] * 15, 2018: [0] * 15 + [1] * 30})
    assert pace(found, 0, 2019) == pytest.approx(0.5)
    assert heading_for(found, 2018, 2019) == pytest.approx(0.05 + 0.1 * 0.5)


def test_a_year_of_fewer_rows_than_policy_asks_for_is_not_read():
    """With 301 rows asked for, what came so far of a cohort of 300 (5 %) is not read: only 10 % / 2 to come is left."""
    found = cohorts({2015: [0] * 15 + [1] * 15, 2018: [0] * 15})
    assert found.is_read(2018)
    assert not replace(found, least=301).is_read(2018)
    assert heading_for(replace(found, least=301), 2018, 2019) == pytest.approx(0.1 * 0.5)


def test_nothing_that_happens_later_is_seen():
    now = {2015: [0] * 15 + [1] * 15, 2018: [0] * 15}
    later = {**now, 2018: [0] * 15 + [1] * 200}
    assert heading_for(cohorts(now), 2018, 2019) == heading_for(cohorts(later), 2018, 2019)


def test_periods_are_years_however_they_are_written():
    texts = pa.chunked_array([["1976A", "2004", None]])
    assert periods(texts)[:2].tolist() == [1976.0, 2004.0]
    dates = pa.chunked_array([pa.array([12_418], pa.date32())])  # 2004-01-01
    assert int(periods(dates)[0]) == 2004


def ratings():
    rows = [
        ("Hua", "a", "2010-01-01", "A"), ("Hua", "a", "2012-01-01", "B"), ("Hua", "b", "2010-06-01", "A"),
        ("Lin", "a", "2010-01-01", "B"), ("Lin", "b", "2010-03-01", "B"), ("Lin", "b", "2011-07-01", "A"),
    ]  # fmt: skip
    names = ("debtor", "rater", "day", "grade")
    return Tape(pa.table(dict(zip(names, zip(*rows, strict=True), strict=True))), "ratings", "")


def test_a_history_gives_moves_and_the_agreement_of_raters():
    spec = HistorySpec("debtor", "day", "grade", ("A", "B"), rater="rater")
    found = migration_report(ratings(), spec)
    assert found["from_rating_to_rating"]["counts"] == [[0, 1], [1, 0]]
    assert found["agreement"]["within_one_notch"] == 1.0
    assert np.array(found["duration"]["shares"]).sum(axis=1) == pytest.approx([1.0, 1.0])


def test_a_date_that_cannot_be_read_names_its_row():
    table = ratings().table.set_column(2, "day", pa.array(["2010-01-01", "soon", *["2011-01-01"] * 4]))
    with pytest.raises(Refused, match="row 2"):
        migration_report(Tape(table, "x", ""), HistorySpec("debtor", "day", "grade", ("A", "B")))


def test_the_replay_tells_when_a_calibration_no_longer_holds(tmp_path, settings):
    """Good years, then defaults four times as many: the first year of trouble is missed, the next is flagged."""
    from datetime import date

    import pyarrow.parquet as pq

    from kequn.modelling.fitting import fit
    from kequn.modelling.models import load, save
    from kequn.modelling.replay import replayed
    from tests.modelling.conftest import made_book

    good, bad = made_book(4000, seed=1), made_book(2000, seed=2, shift=2.0)
    late = bad.set_column(
        bad.column_names.index("year"), "year", pa.array(np.where(np.arange(2000) < 1000, 2024, 2025))
    )
    pq.write_table(pa.concat_tables([good, late]), tmp_path / "book.parquet")
    tape = read_tape(tmp_path / "book.parquet")
    spec = replace(spec_of({**SPEC, "label_lag_years": 1}), train="year <= 2023")
    save(fit(spec, tape, settings, date(2026, 6, 1), "t"), tmp_path / "m", tape, date(2026, 6, 1))
    found = {one["year"]: one for one in replayed(load(tmp_path / "m"), tape, settings)["years"]}
    assert found[2022]["drift"] == []
    assert found[2025]["after"]["read"][-1] == 2024
    assert found[2024]["after"]["calibration_error"] > 0.1
    assert {one["what"] for one in found[2025]["drift"]} == {"defaults"}


def test_a_recalibrated_model_keeps_the_order_and_says_where_its_pd_comes_from(tmp_path, settings, book):
    from datetime import date

    from kequn.modelling.fitting import fit
    from kequn.modelling.models import load, save, save_recalibrated, scored
    from kequn.modelling.replay import recalibrated

    tape, spec = read_tape(book), spec_of({**SPEC, "label_lag_years": 1})
    save(fit(spec, tape, settings, date(2026, 6, 1), "t"), tmp_path / "m", tape, date(2026, 6, 1))
    before = load(tmp_path / "m")
    found, how = recalibrated(before, tape, settings, 2024)
    save_recalibrated(tmp_path / "m", tmp_path / "m2024", found, how)
    after = load(tmp_path / "m2024")
    assert how["cohorts"] == [2021, 2022, 2023]
    assert after.card["calibration_before"] == [before.card["calibration"]]
    scores = [scored(one, tape).column("score").to_pylist() for one in (before, after)]
    assert scores[0] == scores[1]
    late = np.array(tape.table.column("year")) >= 2021
    bad = np.array([one == "bad" for one in tape.table.column("status").to_pylist()])
    assert scored(after, tape).column("pd").to_numpy()[late].mean() == pytest.approx(bad[late].mean(), abs=1e-6)


@pytest.mark.shared
@pytest.mark.parametrize("file", ["sba_loans_dev.csv.gz", "german_credit.csv.gz"])
def test_leaking_fields_are_found_in_the_public_files(file, settings):
    from pathlib import Path

    path = Path(__file__).resolve().parents[3] / "shared" / "data" / file
    if not path.exists():
        pytest.skip(f"the reference folder has no {file}")
    tape = read_tape(path)
    sba = file.startswith("sba")
    target, event = ("MIS_Status", "CHGOFF") if sba else ("creditability", "bad")
    spec = spec_of({"kind": "scorecard", "key": "row", "target": target, "event": event})
    fields = [name for name in tape.table.column_names if name not in {target, "sample_weight", "ApprovalDate"}]
    decided = "ApprovalDate" if sba else ""
    found = {
        one.field for one in leaks(tape, fields, outcomes(spec, tape), settings.leak_limits, decision_date=decided)
    }
    assert found == ({"Term", "ChgOffDate", "ChgOffPrinGr", "DisbursementDate"} if sba else set())


@pytest.mark.parametrize(
    "name", ["sba_scorecard", "sba_challenger", "polish_scorecard", "polish_challenger", "distress_warning"]
)
def test_the_specs_of_the_examples_can_be_read(name):
    from pathlib import Path

    path = Path(__file__).resolve().parents[2] / "examples" / "models" / f"{name}.yaml"
    spec = spec_of(yaml.safe_load(path.read_text("utf-8")))
    assert not any("Term" in (one.name + one.formula) for one in spec.features)
