"""What is known of one customer, laid out for the plain reader.

Numbers are finite floats, dates are days, and what is missing is None or absent. Calendar series start at the
newest period and go back one quarter (statements) or one month (account months) a step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import isfinite

from kequn.domain.facts import FactType, Grain
from kequn.domain.rules.tree import Value

Row = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Record:
    """`quarters` counts the quarters the anchor statement cumulates: 1 to 4, or 0 where flows are discrete.

    A child grain that is absent from `children` is absent from the data: what it would say is unknown. An empty
    sequence says that the customer has none.
    """

    customer: Row
    periods: Mapping[Grain, Mapping[str, Sequence[Value | None]]] = field(default_factory=dict)
    quarters: int | None = None
    children: Mapping[Grain, Sequence[Row]] = field(default_factory=dict)

    def cell(self, grain: Grain, name: str, offset: int) -> Value | None:
        series = self.periods.get(grain, {}).get(name, ())
        return series[offset] if offset < len(series) else None


def normal(value: object, kind: FactType) -> Value | None:
    """One value as readers hold it: float64 and finite, text, boolean or day; None for what does not fit.

    >>> normal(Decimal("0.1"), FactType.NUMBER), normal(float("nan"), FactType.NUMBER)
    (0.1, None)
    """
    if kind == FactType.NUMBER:
        return _number(value)
    if kind == FactType.DATE:
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else None
    if kind == FactType.BOOLEAN:
        return value if isinstance(value, bool) else None
    return value if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
