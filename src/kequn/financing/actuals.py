"""What really came beside what the model said, period by period; and the model with what came carried on.

Amounts in the model's unit. A period without a figure is unknown: it is in no sum, and a cover that needs it is unknown
too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kequn.domain.money import UNITS, MoneyUnit

Row = Mapping[str, Any]
PAID = ("interest_paid", "principal_paid")


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure of one period: as modelled, as it came, the difference and its share of the model."""

    model: float
    actual: float | None

    @property
    def difference(self) -> float | None:
        return None if self.actual is None else self.actual - self.model

    @property
    def share(self) -> float | None:
        return None if self.actual is None or not self.model else self.actual / self.model - 1.0


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover as modelled and as it came; None where nothing is due, and as it came where a figure is unknown."""

    model: float | None
    actual: float | None


@dataclass(frozen=True, slots=True)
class Period:
    """One period with its lines, the sums of what is known so far on both sides, and the cover of twelve months."""

    start: str
    end: str
    lines: Mapping[str, Beside]
    cumulated: Mapping[str, Beside]
    dscr: Cover


@dataclass(frozen=True, slots=True)
class Compared:
    """`missing` are periods between known ones of which nothing is known; `astray` are dates at no period's end.

    `factors` are actual over modelled revenue (`price`) and operating cost (`opex`), over the periods that know both.
    """

    periods: tuple[Period, ...]
    missing: tuple[str, ...]
    astray: tuple[date, ...]
    factors: Mapping[str, float]


def compare(rows: Sequence[Row], loans: Sequence[str], known: Mapping[date, Mapping[str, float | None]],
            lines: Sequence[str], per_year: int) -> Compared:  # fmt: skip
    """Actual figures by the last day of their period (or the day after it) beside the model's periods.

    The cover is CFADS of twelve months over the senior service that the model has due in them.
    """
    by_place, astray = _placed(rows, known)
    last = max(by_place, default=-1)
    periods, sums = [], {name: [0.0, 0.0, 0] for name in lines}
    for place in range(last + 1):
        found = by_place.get(place, {})
        beside = {name: Beside(modelled(rows[place], name, loans), found.get(name)) for name in lines}
        for name, one in beside.items():
            if one.actual is not None:
                sums[name] = [sums[name][0] + one.model, sums[name][1] + one.actual, sums[name][2] + 1]
        so_far = {name: Beside(one[0], one[1] if one[2] else None) for name, one in sums.items()}
        periods.append(Period(rows[place]["start"], rows[place]["end"], beside, so_far,
                              _cover(rows, place, by_place, loans, per_year)))  # fmt: skip
    missing = tuple(str(rows[place]["end"]) for place in range(last) if place not in by_place)
    return Compared(tuple(periods), missing, astray, _factors(sums))


def per_year_of(rows: Sequence[Row]) -> int:
    """How many periods of the model make a year.

    >>> per_year_of([{"start": "2026-01-01", "end": "2026-06-30"}])
    2
    """
    first = rows[0]
    return round(365.0 / ((date.fromisoformat(first["end"]) - date.fromisoformat(first["start"])).days + 1))


def unit_of_amounts(answer: Mapping[str, Any]) -> MoneyUnit | None:
    """The unit of a model's amounts; None where the model names one that is not known."""
    named = str(answer.get("unit") or "") or "元"
    return next((one for one in UNITS.values() if named in (one.zh, one.en, one.code)), None)


def modelled(row: Row, line: str, loans: Sequence[str]) -> float:
    """A line of the model's period; what is paid to lenders is summed over all loans."""
    if line in PAID:
        return sum(float(row.get(f"{loan}_{line}") or 0.0) for loan in loans)
    return float(row.get(line) or 0.0)


def _placed(
    rows: Sequence[Row], known: Mapping[date, Mapping[str, float | None]]
) -> tuple[dict[int, Mapping[str, float | None]], tuple[date, ...]]:
    ends = {date.fromisoformat(row["end"]): place for place, row in enumerate(rows)}
    by_place: dict[int, Mapping[str, float | None]] = {}
    astray = []
    for day, values in sorted(known.items()):
        place = ends.get(day, ends.get(day - timedelta(days=1)))
        if place is None:
            astray.append(day)
        else:
            by_place[place] = values
    return by_place, tuple(astray)


def _cover(
    rows: Sequence[Row], place: int, known: Mapping[int, Mapping[str, float | None]], loans: Sequence[str], years: int
) -> Cover:
    """Modelled and actual DSCR of the twelve months to a period; none where nothing is due in them."""
    first = max(0, place - years + 1)
    due = sum(modelled_due(rows[at], loans) for at in range(first, place + 1))
    came = [known.get(at, {}).get("cfads") for at in range(first, place + 1)]
    model = sum(float(rows[at]["cfads"]) for at in range(first, place + 1))
    if due <= 0.0:
        return Cover(None, None)
    full = [one for one in came if one is not None]
    return Cover(model / due, sum(full) / due if len(full) == len(came) else None)


def modelled_due(row: Row, loans: Sequence[str]) -> float:
    """The senior service due in a period of the model."""
    return sum(float(row.get(f"{loan}_{line}") or 0.0) for loan in loans[:1] for line in ("interest", "scheduled"))


def _factors(sums: Mapping[str, Sequence[float]]) -> dict[str, float]:
    found = {}
    for driver, name in (("price", "revenue"), ("opex", "operating_costs")):
        model, actual, count = sums.get(name, (0.0, 0.0, 0))
        if count and model > 0.0 and actual >= 0.0:
            found[driver] = actual / model
    return found
