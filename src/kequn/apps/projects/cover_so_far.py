"""The cover that really came, held against the levels of the model in force: for lists and heads of pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from kequn.apps.projects.models import ModelResult, ProjectActual
from kequn.domain.money import MoneyUnit
from kequn.financing.actuals import compare, modelled_due, per_year_of, unit_of_amounts

Breach = Literal["", "default", "service", "lockup"]
SERVED = 1.0 - 1e-9  # of a level: the cover of a loan sculpted to it comes within rounding of it


@dataclass(frozen=True, slots=True)
class CoverSoFar:
    """DSCR of the last twelve months of which all is known, to the last day of their last period; `breach` names the
    gravest level it falls short of, `level` says it.
    """

    end: date
    cover: float
    breach: Breach
    level: float


def covers_so_far(models: Sequence[tuple[int, int, str]]) -> dict[int, CoverSoFar]:
    """By project, where enough is known of it. `models` are project, version in force and the digest of its text."""
    known: dict[int, dict[date, tuple[str, int | None]]] = defaultdict(dict)
    for one in ProjectActual.objects.filter(project__in=[project for project, _version, _digest in models]):
        known[one.project_id][one.period_end] = (one.currency, one.actual_cfads)
    found = {}
    for project, version, digest in models:
        if project in known:
            cover = _cover(known[project], _agreed(version, digest))
            if cover is not None:
                found[project] = cover
    return found


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What of a version is needed: its periods with the senior service due in them, and the levels."""

    rows: tuple[dict[str, Any], ...]
    levels: dict[str, float]
    currency: str
    unit: MoneyUnit | None


@lru_cache(maxsize=512)
def _agreed(version: int, _digest: str) -> _Agreed | None:
    """Read once in a process: the results of a version never change."""
    answer = ModelResult.objects.filter(model=version, scenario="base").values_list("answer", flat=True).first()
    if answer is None:
        return None
    rows = tuple(
        {"start": row["start"], "end": row["end"], "cfads": row["cfads"],
         "senior_interest": modelled_due(row, answer["loans"])}
        for row in answer["periods"]
    )  # fmt: skip
    return _Agreed(rows, answer["levels"], answer["currency"], unit_of_amounts(answer))


def _cover(known: dict[date, tuple[str, int | None]], agreed: _Agreed | None) -> CoverSoFar | None:
    if agreed is None or agreed.unit is None or not agreed.rows:
        return None
    came = {
        day: {"cfads": None if minor is None else float(agreed.unit.of(minor))}
        for day, (currency, minor) in known.items() if currency == agreed.currency
    }  # fmt: skip
    found = compare(agreed.rows, ["senior"], came, ("cfads",), per_year_of(agreed.rows))
    covered = [(one.end, one.dscr.actual) for one in found.periods if one.dscr.actual is not None]
    if not covered:
        return None
    end, cover = covered[-1]
    return CoverSoFar(date.fromisoformat(end), cover, *breach_of(cover, agreed.levels))


def breach_of(cover: float, levels: dict[str, float]) -> tuple[Breach, float]:
    """The gravest level that a cover falls short of, and that level; "" where it reaches them all.

    >>> breach_of(1.07, {"lockup": 1.1, "default": 1.05})
    ('lockup', 1.1)
    >>> breach_of(1.0499999999, {"default": 1.05})
    ('', 0.0)
    """
    if cover < levels.get("default", 0.0) * SERVED:
        return "default", levels["default"]
    if cover < SERVED:
        return "service", 1.0
    if cover < levels.get("lockup", 0.0) * SERVED:
        return "lockup", levels["lockup"]
    return "", 0.0
