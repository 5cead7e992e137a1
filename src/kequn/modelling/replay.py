"""A calibration lived through again, year by year, with nothing but what was known at the start of each year.

For the cohort of a year there are two PDs: as the model states it, and recalibrated on the newest cohorts whose
outcome was known by then (`label_lag_years`). Where the date of the event is known, nothing that happened later is
seen, and younger cohorts speak too: to what has happened so far comes what is still to come, by the pace of older
cohorts (Bornhuetter and Ferguson). A drift signal compares each year what could be seen with what was stated.

Without dates an old cohort is read with its whole outcome, which sees a little of the future: the replay with dates is
the honest one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Misuse, Refused, Text
from kequn.modelling import panel
from kequn.modelling.agreement import calibration_error, correlated_p_value
from kequn.modelling.calibration import Calibration, fitted_calibration, shift_to
from kequn.modelling.models import Model, scored
from kequn.modelling.settings import Settings
from kequn.modelling.stability import counted, psi, verdict
from kequn.modelling.tapes import Flags, Floats, Tape, holding, numbers, periods, weights

LONGEST_PACE = 12  # years of age up to which cohorts are followed


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The rows of a tape by year; `age` is the age in years at which the event came, infinite where none came.

    A year of fewer than `least` rows is not read.
    """

    year: Floats
    event: Floats
    age: Floats
    weight: Floats
    score: Floats
    pd: Floats
    least: int

    def is_read(self, year: int) -> bool:
        return bool(self.of(year).sum() >= self.least)

    def of(self, year: int) -> Flags:
        return np.asarray(self.year == year, dtype=bool)


def replayed(model: Model, tape: Tape, settings: Settings, *, rows: str = "", event_date: str = "") -> dict[str, Any]:
    """For each year: size, observed rate, stated PD and its error before and after recalibration, and drift."""
    spec = model.spec
    column = spec.calibrate_by or spec.period
    if not column:
        raise Misuse(
            Text("模型说明没有 period 或 calibrate_by", "the spec of the model names no period and no calibrate_by")
        )
    cohorts = _cohorts(model, tape, column, rows, event_date, int(settings.limits["cohort_rows_min"]))
    first = np.floor(periods(tape.column(column))[_trained(model, tape)]).min()
    years = [int(year) for year in np.unique(cohorts.year) if year >= first and cohorts.is_read(int(year))]
    found = [_one_year(model, cohorts, year, settings, dated=bool(event_date)) for year in years]
    flagged = [one["year"] for one in found if one["drift"]]
    return {
        "by": column, "label_lag_years": spec.label_lag_years, "event_date": event_date, "rows": rows,
        "years_read": int(settings.limits["recalibration_years"]), "years": found,
        "first_flagged": flagged[0] if flagged else None, "flagged": flagged,
    }  # fmt: skip


def recalibrated(
    model: Model, tape: Tape, settings: Settings, year: int, *, rows: str = "", event_date: str = ""
) -> tuple[Calibration, dict[str, Any]]:
    """The calibration for the cases of a year, from what was known when it began, and how it came about.

    Refused where no cohort is old enough to say anything.
    """
    column = model.spec.calibrate_by or model.spec.period
    if not column:
        raise Misuse(
            Text("模型说明没有 period 或 calibrate_by", "the spec of the model names no period and no calibrate_by")
        )
    cohorts = _cohorts(model, tape, column, rows, event_date, int(settings.limits["cohort_rows_min"]))
    found, read, level = _recalibrated(model, cohorts, year, settings, dated=bool(event_date))
    if found is None or level is None:
        raise Refused(Text(f"{year} 年初没有足够老的批次可用", f"at the start of {year} no cohort was old enough"))
    how = {"method": "recalibrated", "year": year, "cohorts": read, "central_tendency": level, "data": tape.digest}
    return found, how


def _trained(model: Model, tape: Tape) -> Flags:
    """The rows the model was trained on, dated: before the first of them there is nothing to replay."""
    column = periods(tape.column(model.spec.calibrate_by or model.spec.period))
    rows = holding(tape, model.spec.train) & np.isfinite(column)
    return rows if rows.any() else np.isfinite(column)


def _cohorts(model: Model, tape: Tape, column: str, rows: str, event_date: str, least: int) -> Cohorts:
    spec = model.spec
    event, weight = panel.outcome_of(spec, tape), weights(spec, tape)
    year = np.floor(periods(tape.column(column)))
    kept = holding(tape, rows) & np.isfinite(event) & np.isfinite(year) & (np.nan_to_num(weight) > 0)
    age = np.where(event == 1, 0.0, np.inf)
    if event_date:
        age = np.where(event == 1, np.maximum(np.floor(periods(tape.column(event_date))) - year, 0), np.inf)
        kept &= ~np.isnan(age)
    table = scored(model, tape).filter(pa.array(kept))
    score, pd = (numbers(table.column(name)) for name in ("score", "pd"))
    return Cohorts(year[kept], event[kept], age[kept], weight[kept], score, pd, least)


def _one_year(model: Model, cohorts: Cohorts, year: int, settings: Settings, *, dated: bool) -> dict[str, Any]:
    here = cohorts.of(year)
    event, weight, score = cohorts.event[here], cohorts.weight[here], cohorts.score[here]
    before = cohorts.pd[here]
    recalibrated, read, expected = _recalibrated(model, cohorts, year, settings, dated=dated)
    after = before if recalibrated is None else recalibrated.pds(score, settings.limits["pd_floor"])
    return {
        "year": year, "rows": int(here.sum()), "events": int(event.sum()),
        "observed": float(np.average(event, weights=weight)),
        "before": {"stated": float(np.average(before, weights=weight)),
                   "calibration_error": calibration_error(event, before, weight)},
        "after": {"stated": float(np.average(after, weights=weight)), "read": read, "expected": expected,
                  "calibration_error": calibration_error(event, after, weight)},
        "drift": _drift(model, cohorts, year, settings, dated=dated),
    }  # fmt: skip


def _recalibrated(
    model: Model, cohorts: Cohorts, year: int, settings: Settings, *, dated: bool
) -> tuple[Calibration | None, list[int], float | None]:
    """The curve at the start of a year, the cohorts it read, and the default rate it holds for the newest of them."""
    lag, most = max(1, model.spec.label_lag_years), int(settings.limits["recalibration_years"])
    ripe = [one for one in range(year - 60, year - lag + 1) if cohorts.is_read(one)]
    read = ripe[-most:]
    if not read:
        return None, [], None
    if dated:
        return _moved(model, cohorts, year, most)
    rows = np.isin(cohorts.year, read)
    event, weight = cohorts.event[rows], cohorts.weight[rows]
    try:
        curve = fitted_calibration(cohorts.score[rows], event, weight)
    except ValueError:
        return None, [], None
    return curve, read, float(np.average(event, weights=weight))


def _moved(model: Model, cohorts: Cohorts, year: int, most: int) -> tuple[Calibration | None, list[int], float | None]:
    """The curve of the model moved to where the newest cohorts are heading. Few of their outcomes are known, so the
    level is taken from them and the slope is not.
    """
    newest = [one for one in range(year - 20, year) if cohorts.is_read(one)][-most:]
    if not newest:
        return None, [], None
    level = float(np.mean([heading_for(cohorts, one, year) for one in newest]))
    rows = np.isin(cohorts.year, newest)
    own = model.card["calibration"]
    curve = Calibration(float(own["intercept"]), float(own["slope"]))
    return shift_to(curve, cohorts.score[rows], cohorts.weight[rows], level), newest, level


def heading_for(cohorts: Cohorts, cohort: int, year: int) -> float:
    """The default rate a cohort is heading for, seen at the start of a year: so far, plus what is still to come.

    rate = so far + stated PD * (1 - share of all defaults that come up to this age). Source: Bornhuetter and
    Ferguson, Proceedings of the Casualty Actuarial Society 59 (1972), with the stated PD as what was held before.
    """
    age = year - 1 - cohort
    inside = cohorts.of(cohort)
    stated = float(np.average(cohorts.pd[inside], weights=cohorts.weight[inside]))
    return (_cumulative(cohorts, cohort, age) or 0.0) + stated * (1 - pace(cohorts, age, year))


def pace(cohorts: Cohorts, age: int, year: int) -> float:
    """The share of its defaults that a cohort has had by an age, by all steps from age to age seen before a year.

    Chain ladder: the product of growth factors from this age on, turned over. Source: Mack, ASTIN Bulletin 23 (1993).
    """
    growth = 1.0
    for step in range(max(age, 0), LONGEST_PACE):
        older = range(year - LONGEST_PACE - 10, year - 1 - step)
        pairs = [(_count(cohorts, one, step), _count(cohorts, one, step + 1)) for one in older]
        start = sum(a for a, _ in pairs)
        if start > 0:
            growth *= sum(b for _, b in pairs) / start
    return 0.0 if age < 0 else 1 / growth


def _count(cohorts: Cohorts, cohort: int, age: int) -> float:
    inside = cohorts.of(cohort)
    return float(cohorts.weight[inside & (cohorts.age <= age)].sum())


def _cumulative(cohorts: Cohorts, cohort: int, age: int) -> float | None:
    if not cohorts.is_read(cohort):
        return None
    return _count(cohorts, cohort, age) / float(cohorts.weight[cohorts.of(cohort)].sum())


def _drift(model: Model, cohorts: Cohorts, year: int, settings: Settings, *, dated: bool) -> list[dict[str, Any]]:
    """What could be seen by the end of a year that the model no longer fits: another population, or more defaults.

    The cohort of the year itself is seen by its scores; of the cohorts before, what had happened by the end of the
    year is held against what was stated. Defaults of one cohort move together: the bound is Vasicek's.
    """
    found = []
    here = cohorts.of(year)
    bins = model.card["score_bins"]
    codes = np.searchsorted(np.array(bins["edges"]), cohorts.score[here], side="right").tolist()
    value = psi(bins["shares"], counted(codes, range(len(bins["shares"])), cohorts.weight[here]))
    if verdict(value, settings.psi_limits) == "act":
        found.append(
            {"what": "population", "value": value, "zh": f"客群迁移 PSI {value:.2f}", "en": f"PSI {value:.2f}"}
        )
    for cohort, rate, part in _seen(model, cohorts, year, dated=dated):
        inside = cohorts.of(cohort)
        stated = float(np.average(cohorts.pd[inside], weights=cohorts.weight[inside])) * part
        rows = round(float(cohorts.weight[inside].sum() ** 2 / (cohorts.weight[inside] ** 2).sum()))
        chance = correlated_p_value(round(rate * rows), rows, stated, settings.limits["drift_correlation"])
        happened = cohorts.event[inside] * (cohorts.age[inside] <= year - cohort)
        enough = happened.sum() >= settings.limits["events_min"]
        if enough and chance < 1 - settings.limits["confidence"] and rate > stated:
            found.append({"what": "defaults", "cohort": cohort, "value": rate, "stated": stated, "chance": chance,
                          "zh": f"{cohort} 年批次至今违约 {rate:.1%}，按模型应为 {stated:.1%}",
                          "en": f"cohort {cohort}: {rate:.1%} so far, {stated:.1%} expected by then"})  # fmt: skip
    return found


def _seen(model: Model, cohorts: Cohorts, year: int, *, dated: bool) -> Sequence[tuple[int, float, float]]:
    """Cohorts, the newest first: defaults seen at the end of a year, and the share of all that comes by that age."""
    found = []
    lag = max(1, model.spec.label_lag_years)
    for cohort in range(year - (0 if dated else lag), year - lag - 1, -1):
        inside = cohorts.of(cohort)
        if not cohorts.is_read(cohort):
            continue
        if dated:
            so_far = _cumulative(cohorts, cohort, year - cohort) or 0.0
            found.append((cohort, so_far, pace(cohorts, year - cohort, year + 1)))
        else:
            found.append((cohort, float(np.average(cohorts.event[inside], weights=cohorts.weight[inside])), 1.0))
    return found
