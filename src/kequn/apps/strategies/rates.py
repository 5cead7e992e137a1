"""A share of customers with its interval, or only how many there were where they are too few to say."""

from dataclasses import dataclass

from kequn.apps.assessments.outcomes import wilson
from kequn.domain.monitoring.differences import difference


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` of `known`; the rate and its 95 % interval (Wilson), None below policy's fewest customers."""

    events: int
    known: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Apart:
    """A rate less another, with the interval of the difference."""

    value: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        return self.low > 0 or self.high < 0


def rate_of(events: int, known: int, least: int) -> Rate:
    """The rate where there are enough to say one.

    >>> rate_of(1, 3, 20)
    Rate(events=1, known=3, rate=None, low=None, high=None)
    """
    if known < max(least, 1):
        return Rate(events, known, None, None, None)
    low, high = wilson(rate=events / known, size=known)
    return Rate(events, known, events / known, low, high)


def pooled(rates: list[Rate], least: int) -> Rate:
    """Several together: events over customers."""
    return rate_of(sum(one.events for one in rates), sum(one.known for one in rates), least)


def apart(before: Rate, after: Rate) -> Apart | None:
    """How much the second lies above the first; None where either cannot be said."""
    if before.rate is None or after.rate is None:
        return None
    assert before.low is not None  # noqa: S101 - a rate has its bounds
    assert before.high is not None  # noqa: S101
    assert after.low is not None  # noqa: S101
    assert after.high is not None  # noqa: S101
    return Apart(*difference(before.rate, (before.low, before.high), after.rate, (after.low, after.high)))
