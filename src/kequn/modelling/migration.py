"""Migration of grades: by cohort and by duration, with debtors who left the scale counted apart and never as stayers.

Shapes: matrices are lists of rows in the order of `grades`; the last row is that of default, which nobody leaves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kequn.modelling.tapes import Floats

WITHDRAWN = "NR"


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Counts from grade to grade over one period, and how many of each grade were withdrawn."""

    grades: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    withdrawn: tuple[int, ...]

    def shares(self) -> list[list[float | None]]:
        """Row shares of those who still have a grade; None where nobody started.

        Withdrawn debtors leave numerator and denominator alike, as rating agencies adjust their published matrices:
        they are held to migrate like the others. Where many are withdrawn that is a strong claim, so they are shown.
        """
        return [[one / sum(row) if sum(row) else None for one in row] for row in self.counts]


@dataclass(frozen=True, slots=True)
class Spell:
    """One debtor in one grade from a moment to another, in years. `to` is the grade entered at the end, or nothing."""

    debtor: str
    grade: str
    start: float
    end: float
    to: str = ""


def cohort_counts(pairs: Sequence[tuple[str, str]], grades: Sequence[str]) -> Cohorts:
    """Counts of (grade at the start, grade at the end) over debtors; an unknown end counts as withdrawn.

    >>> cohort_counts([("A", "B"), ("A", ""), ("B", "B")], ("A", "B")).counts
    ((0, 1), (0, 1))
    """
    place = {grade: at for at, grade in enumerate(grades)}
    counts = [[0] * len(grades) for _ in grades]
    withdrawn = [0] * len(grades)
    for start, end in pairs:
        if start not in place:
            continue
        if end in place:
            counts[place[start]][place[end]] += 1
        else:
            withdrawn[place[start]] += 1
    return Cohorts(tuple(grades), tuple(map(tuple, counts)), tuple(withdrawn))


def generator(spells: Sequence[Spell], grades: Sequence[str]) -> Floats:
    """The intensity matrix of continuous time: moves from i to j over the years spent in i; rows sum to nil.

    Withdrawal ends the time in a grade and is no move. Source: Lando and Skodeberg, Journal of Banking and Finance
    26 (2002).
    """
    place = {grade: at for at, grade in enumerate(grades)}
    moves = np.zeros((len(grades), len(grades)))
    years = np.zeros(len(grades))
    for one in spells:
        if one.grade not in place:
            continue
        years[place[one.grade]] += one.end - one.start
        if one.to in place and one.to != one.grade:
            moves[place[one.grade], place[one.to]] += 1
    found = np.divide(moves, years[:, None], out=np.zeros_like(moves), where=years[:, None] > 0)
    np.fill_diagonal(found, -found.sum(axis=1))
    return found


def over_years(intensity: Floats, years: float) -> Floats:
    """The migration matrix over a time: the matrix exponential, by scaling and squaring of its series.

    It gives a chance to moves that were never seen in one step, as from the best grade to default. Equal to
    `scipy.linalg.expm`.
    """
    scaled = intensity * years
    norm = float(np.abs(scaled).sum(axis=1).max())
    halvings = max(0, math.ceil(math.log2(norm)) + 4) if norm > 0 else 0
    scaled = scaled / 2**halvings
    total = np.eye(len(scaled))
    term = np.eye(len(scaled))
    for step in range(1, 30):
        term = term @ scaled / step
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return np.asarray(total, dtype=np.float64)


def mobility(counts: Cohorts) -> dict[str, float]:
    """Shares of those who stayed, moved up and moved down, and mean notches of those who moved; weighted by debtors.

    Upper and lower bandwidth in the words of the ECB's instructions for validation reporting (from memory).
    """
    matrix = np.array(counts.counts, dtype=np.float64)
    total = matrix.sum()
    steps = np.arange(len(matrix))[None, :] - np.arange(len(matrix))[:, None]
    if total == 0:
        return {"rows": 0.0}
    up, down = matrix[steps < 0].sum(), matrix[steps > 0].sum()
    within = float(matrix[np.abs(steps) <= 1].sum() / total)
    moved = matrix * np.abs(steps)
    return {
        "rows": float(total), "stayed": float(np.trace(matrix) / total), "upgraded": float(up / total),
        "downgraded": float(down / total), "within_one_notch": within,
        "notches_of_movers": float(moved.sum() / (up + down)) if up + down else 0.0,
        "withdrawn": float(sum(counts.withdrawn) / (total + sum(counts.withdrawn))),
    }  # fmt: skip
