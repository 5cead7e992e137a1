"""The timeline of a project: construction, then operation, each in equal periods of whole months."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from kequn.domain.projectfinance.accruals import add_months
from kequn.domain.projectfinance.arrays import Array


@dataclass(frozen=True, slots=True)
class Timeline:
    """`start` is the first day of construction; flows stand at the ends of periods.

    Construction and operation may run in periods of different length (1, 3, 6 or 12 months), as a loan is drawn by
    months and repaid by half-years.
    """

    start: date
    construction_months: int
    operation_months: int
    construction_step: int = 1
    step: int = 6

    @property
    def construction_periods(self) -> int:
        """Periods of construction."""
        return self.construction_months // self.construction_step

    @property
    def periods(self) -> int:
        """Periods of operation."""
        return self.operation_months // self.step

    @property
    def per_year(self) -> int:
        """Periods of operation in a year."""
        return 12 // self.step

    def construction_dates(self) -> list[date]:
        """The boundaries of the construction periods, the start first."""
        return list(_boundaries(self.start, 0, self.construction_step, self.construction_periods))

    def operation_dates(self) -> list[date]:
        """The boundaries of the operation periods; the first is the start of operation."""
        return list(_boundaries(self.start, self.construction_months, self.step, self.periods))

    def last_days(self) -> list[date]:
        """The last day of each operation period, by which people name it: 30 June, where the next begins on 1 July."""
        return [one - timedelta(days=1) for one in self.operation_dates()[1:]]

    def times(self) -> Array:
        """Years from the start to the end of every period, construction first."""
        built = np.arange(1, self.construction_periods + 1) * self.construction_step
        run = self.construction_months + np.arange(1, self.periods + 1) * self.step
        return np.concatenate([built, run]) / 12.0

    def years_of_operation(self) -> np.typing.NDArray[np.int_]:
        """The year of operation (from 0) in which each operation period lies."""
        return np.arange(self.periods) * self.step // 12

    def tax_years(self) -> list[int]:
        """The calendar year in which each operation period ends."""
        return [one.year for one in self.last_days()]


@lru_cache(maxsize=256)
def _boundaries(start: date, after: int, step: int, periods: int) -> tuple[date, ...]:
    """The first day and the ends of equal periods that begin some months after a date; sizing, tax and run ask for
    the same ones.
    """
    return tuple(add_months(start, after + step * place) for place in range(periods + 1))
