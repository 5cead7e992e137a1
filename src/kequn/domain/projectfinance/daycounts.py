"""Day counts: how many days, and what part of a year, interest runs between two dates (first in, last out)."""

from calendar import isleap
from collections.abc import Callable
from datetime import date

from kequn.domain.errors import Misuse, Text


def _actual(start: date, end: date) -> int:
    return (end - start).days


def _thirty(start: date, end: date) -> int:
    """30/360 bond basis: the 31st becomes the 30th; of the second date only where the first stands on the 30th."""
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def _thirty_european(start: date, end: date) -> int:
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + min(end.day, 30) - min(start.day, 30)


def _days_of_year(year: int) -> int:
    return 366 if isleap(year) else 365


def _actual_actual(start: date, end: date) -> float:
    """Days of each calendar year over the days of that year (ISDA 2006, 4.16(b))."""
    if start.year == end.year:
        return (end - start).days / _days_of_year(start.year)
    first = (date(start.year + 1, 1, 1) - start).days / _days_of_year(start.year)
    last = (end - date(end.year, 1, 1)).days / _days_of_year(end.year)
    return (end.year - start.year - 1) + first + last


Fraction = Callable[[date, date], float]
COUNTS: dict[str, tuple[Callable[[date, date], int], Fraction]] = {
    "ACT/360": (_actual, lambda start, end: (end - start).days / 360),
    "ACT/365F": (_actual, lambda start, end: (end - start).days / 365),
    "30/360": (_thirty, lambda start, end: _thirty(start, end) / 360),
    "30E/360": (_thirty_european, lambda start, end: _thirty_european(start, end) / 360),
    "ACT/ACT ISDA": (_actual, _actual_actual),
}


def _count(name: str) -> tuple[Callable[[date, date], int], Fraction]:
    if name not in COUNTS:
        known = ", ".join(COUNTS)
        raise Misuse(Text(f"没有计息方法 {name}；可选 {known}", f"no day count {name}; there is {known}"))
    return COUNTS[name]


def days(name: str, start: date, end: date) -> int:
    """Days between two dates by a day count.

    Source: ISDA 2006 Definitions 4.16; 30/360 is the bond basis.

    >>> days("30/360", date(2024, 2, 29), date(2024, 3, 31)), days("ACT/360", date(2024, 2, 29), date(2024, 3, 31))
    (32, 31)
    """
    count = _count(name)[0]
    return count(start, end) if start <= end else -count(end, start)


def year_fraction(name: str, start: date, end: date) -> float:
    """The part of a year between two dates; negative where the second comes first.

    Source: ISDA 2006 Definitions 4.16 (ACT/360, ACT/365F, ACT/ACT ISDA, 30E/360); 30/360 is the bond basis.
    >>> year_fraction("ACT/360", date(2024, 3, 21), date(2024, 6, 21))
    0.25555555555555554
    """
    count = _count(name)[1]
    return count(start, end) if start <= end else -count(end, start)
