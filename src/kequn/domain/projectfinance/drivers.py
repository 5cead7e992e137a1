"""Drivers: what may be changed in a project from case to case, and what one scenario says of them.

A factor multiplies (1 changes nothing), a shift is added (0 changes nothing). `price.NAME`, `volume.NAME` and
`cost.NAME` change one line alone, on top of the driver that changes all of its kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array, Like


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver with its neutral value, a usual step for sensitivities, and its names."""

    name: str
    neutral: float
    step: float
    label: Text


DRIVERS = {
    one.name: one
    for one in (
        Driver("price", 1.0, 0.10, Text("价格倍数", "Prices, factor")),
        Driver("volume", 1.0, 0.10, Text("产量或车流倍数", "Volumes, factor")),
        Driver("capex", 1.0, 0.10, Text("投资倍数", "Capital cost, factor")),
        Driver("opex", 1.0, 0.10, Text("运营成本倍数", "Operating costs, factor")),
        Driver("rate", 0.0, 0.01, Text("利率加点", "Interest rates, points added")),
        Driver("indexation", 0.0, 0.01, Text("年涨价率加点", "Indexation a year, points added")),
        Driver("volume_growth", 0.0, 0.005, Text("年增量率加点", "Growth of volumes a year, points added")),
        Driver("delay_months", 0.0, 6.0, Text("投产延迟（月）", "Delay of operation, months")),
        Driver("curtailment", 0.0, 0.05, Text("限产比例", "Share of volume curtailed")),
        Driver("maintenance", 1.0, 0.20, Text("大修费用倍数", "Major maintenance, factor")),
        Driver("tax_rate", 0.0, 0.05, Text("所得税率加点", "Income tax, points added")),
        Driver("receivable_days", 0.0, 60.0, Text("应收账款天数加点", "Days of receivables added")),
    )
}
_OF_A_LINE = ("price", "volume", "cost")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named set of differences from the base: driver -> value. A value may be an array, one entry a scenario."""

    name: str
    changes: Mapping[str, Like] = field(default_factory=dict)

    def value(self, driver: str) -> Array:
        """The value of a driver, neutral where the scenario does not speak of it; shape () or (scenarios,)."""
        neutral = DRIVERS[driver].neutral if driver in DRIVERS else 1.0
        return np.asarray(self.changes.get(driver, neutral), dtype=np.float64)

    def check(self, lines: set[str]) -> None:
        """Refuse a driver that is none."""
        for name in self.changes:
            kind, _, line = name.partition(".")
            if name not in DRIVERS and not (kind in _OF_A_LINE and line in lines):
                known = ", ".join(DRIVERS)
                raise Misuse(
                    Text(
                        f"情景 {self.name} 中没有驱动因素 {name}；可选 {known}，或 price.行名 等",
                        f"scenario {self.name}: no driver {name}; there is {known}, or price.LINE and so on",
                    )
                )

    @property
    def count(self) -> int:
        """How many scenarios the arrays hold; 1 where all values are single."""
        return max([1, *(np.asarray(value).size for value in self.changes.values())])


BASE = Scenario("base")
