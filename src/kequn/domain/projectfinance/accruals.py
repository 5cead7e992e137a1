"""The dates between which interest accrues, from the first day to maturity."""

from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date
from typing import Literal

from kequn.domain.errors import Misuse, Text

MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}
Settlement = Literal["anniversary", "20th_of_quarter_month", "20th_of_month"]
_SETTLED_TO = 21  # interest settled on the 20th runs up to and including that day


class BeyondCalendar(Misuse):
    """A date was asked for that no calendar holds: its year is before 1 or after 9999."""

    def __init__(self, year: int) -> None:
        super().__init__(
            Text(f"{year} 年超出日历（{MINYEAR} 至 {MAXYEAR} 年）",
                 f"the year {year} is outside the calendar ({MINYEAR} to {MAXYEAR})")
        )  # fmt: skip


def months_of(frequency: str) -> int:
    """Months in one period of a frequency."""
    if frequency not in MONTHS:
        known = ", ".join(MONTHS)
        raise Misuse(Text(f"没有频率 {frequency}；可选 {known}", f"no frequency {frequency}; there is {known}"))
    return MONTHS[frequency]


def add_months(day: date, months: int, *, end_of_month: bool = False) -> date:
    """The same day some months on, or the last day of a shorter month.

    `end_of_month` keeps to month ends where `day` is one. Raises BeyondCalendar outside the years 1 to 9999.
    >>> add_months(date(2024, 6, 30), 6), add_months(date(2024, 6, 30), 6, end_of_month=True)
    (datetime.date(2024, 12, 30), datetime.date(2024, 12, 31))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise BeyondCalendar(year)
    last = monthrange(year, month + 1)[1]
    keeps = end_of_month and day.day == monthrange(day.year, day.month)[1]
    return date(year, month + 1, last if keeps else min(day.day, last))


def accrual_dates(
    start: date,
    *,
    frequency: str,
    maturity: date | None = None,
    periods: int | None = None,
    settlement: str = "anniversary",
    end_of_month: bool = False,
) -> list[date]:
    """The boundaries of the accrual periods, the start first and maturity last.

    `anniversary` counts months from the start; where maturity is no whole number of periods away, the last period is
    short. `20th_of_quarter_month` (and `20th_of_month`) are the Chinese habits: interest is settled on the 20th, so
    that periods run from the 21st to the 21st, the first and the last being stubs. Give maturity or periods.
    """
    step = months_of(frequency)
    if settlement == "anniversary":
        dates = _anniversaries(start, step, maturity, periods, end_of_month=end_of_month)
    elif settlement in ("20th_of_quarter_month", "20th_of_month"):
        dates = _settled(start, step if settlement == "20th_of_quarter_month" else 1, maturity, periods)
    else:
        raise Misuse(Text(f"没有结息方式 {settlement}", f"no settlement {settlement}"))
    if len(dates) < 2:
        raise Misuse(Text("到期日须晚于起息日", "maturity must be after the start"))
    return dates


def _anniversaries(
    start: date, step: int, maturity: date | None, periods: int | None, *, end_of_month: bool
) -> list[date]:
    if periods is not None:
        return [add_months(start, step * number, end_of_month=end_of_month) for number in range(periods + 1)]
    end = _wanted(maturity)
    dates = [start]
    while (following := add_months(start, step * len(dates), end_of_month=end_of_month)) < end:
        dates.append(following)
    return [*dates, end] if end > start else dates


def _settled(start: date, step: int, maturity: date | None, periods: int | None) -> list[date]:
    end = None if periods is not None else _wanted(maturity)
    dates, day = [start], date(start.year, start.month, _SETTLED_TO)
    while (end is None and len(dates) <= (periods or 0)) or (end is not None and day < end):
        if day > start and day.month % step == 0:
            dates.append(day)
        day = add_months(day, 1)
    return [*dates, end] if end is not None and end > start else dates


def _wanted(maturity: date | None) -> date:
    if maturity is None:
        raise Misuse(Text("须给出到期日或期数", "give the maturity or the number of periods"))
    return maturity
