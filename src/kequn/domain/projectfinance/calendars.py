"""Business days: which dates are worked, and where a payment goes that falls on a day of rest.

A calendar is dated data: public holidays, and the Saturdays and Sundays that are worked to make up for them. Past its
last known day only weekends are known, and whoever uses it there is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Adjustment = Literal["none", "following", "modified_following", "preceding"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Holidays and worked weekend days, known up to and including `known_until`."""

    name: str
    holidays: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    known_until: date = date.min

    def is_business_day(self, day: date) -> bool:
        """Whether payments are made on this day."""
        if day in self.worked:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def adjusted(self, day: date, adjustment: Adjustment) -> date:
        """The day on which a payment due on `day` is made.

        >>> Calendar("weekends").adjusted(date(2024, 9, 21), "following")
        datetime.date(2024, 9, 23)
        """
        if adjustment == "none":
            return day
        moved = self._walked(day, -_DAY if adjustment == "preceding" else _DAY)
        if adjustment == "modified_following" and moved.month != day.month:
            return self._walked(day, -_DAY)
        return moved

    def _walked(self, day: date, step: timedelta) -> date:
        while not self.is_business_day(day):
            day += step
        return day

    def unknown(self, days: Iterable[date]) -> list[date]:
        """Those of the days for which holidays are not known yet."""
        return [day for day in days if day > self.known_until]


WEEKENDS = Calendar("weekends", known_until=date.max)
