"""Histories of ratings in a file: who had which grade from when, as migration matrices and agreement of raters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from kequn.domain.errors import Misuse, Refused, Text
from kequn.modelling.migration import Spell, cohort_counts, generator, mobility, over_years
from kequn.modelling.tapes import Floats, Tape, numbers

KEYS = ("debtor", "rater", "date", "date_form", "grade", "grades", "years")
DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """Which columns of a file are debtor, rater, date and grade; the grades, the best first; the horizon in years."""

    debtor: str
    date: str
    grade: str
    grades: tuple[str, ...]
    rater: str = ""
    date_form: str = "%Y-%m-%d"
    years: float = 1.0


@dataclass(frozen=True, slots=True)
class Rating:
    day: float  # in years
    grade: str


def read_history_spec(path: Path) -> HistorySpec:
    if not path.is_file():
        raise Misuse(Text(f"找不到说明 {path}", f"there is no spec {path}"))
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    wanted = {"debtor", "date", "grade", "grades"}
    if not isinstance(body, Mapping) or not wanted <= body.keys() or body.keys() - set(KEYS):
        raise Refused(
            Text(f"说明需要 {sorted(wanted)}，可用 {KEYS}", f"the spec needs {sorted(wanted)} and may hold {KEYS}")
        )
    grades = tuple(str(one) for one in body["grades"])
    rest = {key: str(body[key]) for key in ("rater", "date_form") if key in body}
    return HistorySpec(str(body["debtor"]), str(body["date"]), str(body["grade"]), grades, **rest,
                       years=float(body.get("years", 1.0)))  # fmt: skip


def migration_report(tape: Tape, spec: HistorySpec) -> dict[str, Any]:
    """Cohort and duration matrices, movements from rating to rating, and agreement of raters within a notch."""
    histories = _histories(tape, spec)
    steps = cohort_counts([(a.grade, b.grade) for one in histories.values() for a, b in pairwise(one)], spec.grades)
    pairs = _cohort_pairs(histories, spec.years)
    cohorts = cohort_counts(pairs, spec.grades)
    intensity = generator(_spells(histories), spec.grades)
    return {
        "data": {"file": tape.file, "sha256": tape.digest, "rows": tape.rows}, "grades": list(spec.grades),
        "years": spec.years, "debtors": len({debtor for debtor, _ in histories}), "histories": len(histories),
        "from_rating_to_rating": {"counts": [list(row) for row in steps.counts], "moves": mobility(steps)},
        "cohorts": {"counts": [list(row) for row in cohorts.counts], "withdrawn": list(cohorts.withdrawn),
                    "shares": cohorts.shares(), "moves": mobility(cohorts)},
        "duration": {"intensity": intensity.tolist(), "shares": over_years(intensity, spec.years).tolist()},
        "agreement": agreement(histories, spec),
    }  # fmt: skip


def _days(column: pa.ChunkedArray, form: str) -> Floats:
    """Dates in years; a date that cannot be read refuses the file with its row."""
    if pa.types.is_string(column.type):
        read = pc.strptime(column, format=form, unit="s", error_is_null=True)
        bad = pc.and_(pc.is_null(read), pc.is_valid(column))
        if pc.any(bad).as_py():
            row = pc.index(bad, True).as_py()
            raise Refused(Text(f"第 {row + 1} 行的日期读不懂：{column[row].as_py()}",
                               f"row {row + 1}: no date in the form {form}: {column[row].as_py()}"))  # fmt: skip
        column = read
    return numbers(column.cast(pa.timestamp("s")).cast(pa.date32()).cast(pa.int32())) / DAYS_OF_A_YEAR


def _histories(tape: Tape, spec: HistorySpec) -> dict[tuple[str, str], list[Rating]]:
    days = _days(tape.column(spec.date), spec.date_form).tolist()
    debtors = tape.column(spec.debtor).to_pylist()
    raters = tape.column(spec.rater).to_pylist() if spec.rater else [""] * tape.rows
    found: dict[tuple[str, str], list[Rating]] = {}
    for debtor, rater, day, grade in zip(debtors, raters, days, tape.column(spec.grade).to_pylist(), strict=True):
        if debtor is None or grade is None or day != day:  # noqa: PLR0124 - NaN is unknown
            continue
        found.setdefault((str(debtor), str(rater)), []).append(Rating(day, str(grade)))
    return {key: sorted(ratings, key=lambda one: one.day) for key, ratings in sorted(found.items())}


def _spells(histories: Mapping[tuple[str, str], Sequence[Rating]]) -> list[Spell]:
    """Time from each rating to the next; what comes after the last is not known and counts nothing."""
    return [Spell(debtor, a.grade, a.day, b.day, b.grade)
            for (debtor, _), ratings in histories.items() for a, b in pairwise(ratings)]  # fmt: skip


def _cohort_pairs(histories: Mapping[tuple[str, str], Sequence[Rating]], years: float) -> list[tuple[str, str]]:
    """The grade at each year's end and the one `years` later; nothing there where the history ended before."""
    pairs = []
    for ratings in histories.values():
        first, last = int(np.ceil(ratings[0].day)), ratings[-1].day
        for start in range(first, int(np.floor(last)) + 1):
            end = start + years
            pairs.append((_grade_at(ratings, start), _grade_at(ratings, end) if end <= last else ""))
    return pairs


def _grade_at(ratings: Sequence[Rating], day: float) -> str:
    before = [one.grade for one in ratings if one.day <= day]
    return before[-1] if before else ""


def agreement(histories: Mapping[tuple[str, str], Sequence[Rating]], spec: HistorySpec) -> dict[str, Any]:
    """How often two raters of one debtor agree, exactly and within a notch, at each rating of either.

    The other's newest rating of at most one year before is taken.
    """
    place = {grade: at for at, grade in enumerate(spec.grades)}
    by_debtor: dict[str, list[Sequence[Rating]]] = {}
    for (debtor, _), ratings in histories.items():
        by_debtor.setdefault(debtor, []).append(ratings)
    gaps = []
    for several in by_debtor.values():
        for at, one in enumerate(several):
            for other in several[at + 1 :]:
                pairs = [*_beside(one, other), *_beside(other, one)]
                gaps += [abs(place[a] - place[b]) for a, b in pairs if a in place and b in place]
    count = len(gaps)
    return {"pairs": count, "exactly": gaps.count(0) / count if count else None,
            "within_one_notch": sum(gap <= 1 for gap in gaps) / count if count else None}  # fmt: skip


def _beside(one: Sequence[Rating], other: Sequence[Rating]) -> list[tuple[str, str]]:
    found = []
    for rating in one:
        near = [two.grade for two in other if 0 <= rating.day - two.day <= 1]
        if near:
            found.append((rating.grade, near[-1]))
    return found


def as_lines(found: Mapping[str, Any]) -> list[str]:
    """The report as a small table."""
    grades = found["grades"]
    lines = ["\t".join(["from", *grades, "NR"])]
    for grade, row, gone in zip(grades, found["cohorts"]["shares"], found["cohorts"]["withdrawn"], strict=True):
        lines.append("\t".join([grade, *("" if one is None else f"{one:.1%}" for one in row), str(gone)]))
    moves = found["from_rating_to_rating"]["moves"]
    lines.append(f"rating to rating: {moves['rows']:.0f} pairs, {moves['stayed']:.1%} stayed, "
                 f"{moves['within_one_notch']:.1%} within one notch")  # fmt: skip
    agreed = found["agreement"]
    if agreed["pairs"]:
        lines.append(f"two raters: {agreed['pairs']} pairs, {agreed['exactly']:.1%} equal, "
                     f"{agreed['within_one_notch']:.1%} within one notch")  # fmt: skip
    return lines
