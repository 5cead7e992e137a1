"""Interest rates: fixed, with a margin that steps, or floating on LPR with dated resets and a floor."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.daycounts import days, year_fraction

Dated = tuple[tuple[date, float], ...]
Reset = Literal["listed", "1_january", "anniversary"]


@dataclass(frozen=True, slots=True)
class RatePart:
    """A span within one accrual period at one rate (a fraction per annum)."""

    start: date
    end: date
    rate: float


@dataclass(frozen=True, slots=True)
class RatePlan:
    """A base that is reset on dates plus a margin that steps on dates, never below a floor.

    `base` and `margin` are dated values in force from their date inclusive; a fixed rate is a base of one entry.
    Before its first entry a base is not known, and asking for it is refused.
    """

    base: Dated
    margin: Dated = ()
    floor: float | None = None

    def at(self, day: date) -> float:
        """The rate in force on a day, a fraction per annum.

        >>> RatePlan(((date(2024, 1, 1), 0.042),), ((date(2024, 1, 1), -0.004),)).at(date(2024, 3, 1))
        0.038000000000000006
        """
        found = _in_force(self.base, day)
        if found is None:
            raise Misuse(Text(f"{day} 没有生效的利率", f"no rate is in force on {day}"))
        rate = found + (_in_force(self.margin, day) or 0.0)
        return rate if self.floor is None else max(rate, self.floor)

    def parts(self, start: date, end: date) -> tuple[RatePart, ...]:
        """An accrual period split at every date at which the rate changes within it."""
        cuts = sorted({day for day, _ in (*self.base, *self.margin) if start < day < end})
        bounds = [start, *cuts, end]
        found: list[RatePart] = []
        for first, last in pairwise(bounds):
            rate = self.at(first)
            if found and found[-1].rate == rate:
                found[-1] = RatePart(found[-1].start, last, rate)
            else:
                found.append(RatePart(first, last, rate))
        return tuple(found)

    def growth(self, start: date, end: date, day_count: str) -> float:
        """Interest on one unit from start to end: the sum over the parts of rate x year fraction."""
        if not any(dated and dated[-1][0] > start for dated in (self.base, self.margin)):
            return self.at(start) * year_fraction(day_count, start, end)
        return sum(one.rate * year_fraction(day_count, one.start, one.end) for one in self.parts(start, end))


def fixed(rate: float) -> RatePlan:
    """One rate for all time.

    A fraction per annum. Source: the definition of a fixed rate.
    """
    return RatePlan(((date.min, rate),))


def _in_force(entries: Dated, day: date) -> float | None:
    place = bisect_right(entries, day, key=lambda entry: entry[0])
    return entries[place - 1][1] if place else None


def reset_on(series: Dated, start: date, until: date, rule: Reset) -> Dated:
    """The base of a loan on a published series: what is in force at the start, then on each reset day.

    `listed` takes each published value from its date; `1_january` and `anniversary` keep a value until the next
    1 January, or the next anniversary of the start, as Chinese loans agree it.
    Rates are fractions per annum. Source: 中国人民银行公告〔2019〕第30号 (from memory): loans on LPR are reset at most
    once a year, as the parties agree.
    """
    ordered = tuple(sorted(series))
    if rule == "listed":
        return ordered
    years = range(start.year + 1, until.year + 1)
    month, day = (1, 1) if rule == "1_january" else (start.month, min(start.day, 28) if start.month == 2 else start.day)
    dates = [start, *(date(year, month, day) for year in years)]
    found: list[tuple[date, float]] = []
    for one in dates:
        value = _in_force(ordered, one)
        if value is None:
            raise Misuse(Text(f"{one} 之前没有公布的利率", f"no rate is published before {one}"))
        found.append((one, value))
    return tuple(found)


def rows_of(parts: Sequence[RatePart], day_count: str) -> list[dict[str, object]]:
    """The parts of a period for a reader: from, to, rate, days.

    Rates are fractions per annum. Source: `daycounts.days`.
    """
    return [
        {"from": one.start.isoformat(), "to": one.end.isoformat(), "rate": one.rate,
         "days": days(day_count, one.start, one.end)}
        for one in parts
    ]  # fmt: skip
