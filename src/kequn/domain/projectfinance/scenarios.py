"""Scenarios: one driver moved, all drivers moved one by one, the value of a driver at which something breaks.

The financing is agreed once and meets every scenario unchanged, as it does in life; the vector face runs all of them at
once. Size again by making the plan on another case.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.drivers import BASE, DRIVERS, Scenario
from kequn.domain.projectfinance.measures import Measures, measures_of
from kequn.domain.projectfinance.model import Project
from kequn.domain.projectfinance.plan import FinancingPlan, plan_financing
from kequn.domain.projectfinance.run import solve

Measure = Callable[[Measures], Array]
MEASURES: Mapping[str, Measure] = {
    "min_dscr": lambda found: found.min_dscr,
    "average_dscr": lambda found: found.average_dscr,
    "llcr": lambda found: found.llcr,
    "min_llcr": lambda found: found.min_llcr,
    "equity_irr": lambda found: np.where(found.equity_irr.known, found.equity_irr.rates, -np.inf),
    "equity_npv": lambda found: found.equity_npv,
}


def measure_named(name: str) -> Measure:
    """A measure by its name. A rate of return that is not known counts as lower than all others."""
    if name not in MEASURES:
        known = ", ".join(MEASURES)
        raise Misuse(Text(f"没有指标 {name}；可选 {known}", f"no measure {name}; there is {known}"))
    return MEASURES[name]


def many(scenario: Scenario, changes: Sequence[Mapping[str, float]]) -> Scenario:
    """Variations of a scenario as one scenario of arrays: each entry says what it changes in it."""
    names = {name for one in changes for name in one}
    values: dict[str, Array] = {
        name: np.array([one.get(name, float(scenario.value(name))) for one in changes]) for name in names
    }
    return Scenario(scenario.name, {**scenario.changes, **values})


def sensitivity(
    project: Project, driver: str, values: Sequence[float], *, scenario: Scenario = BASE,
    plan: FinancingPlan | None = None,
) -> Measures:  # fmt: skip
    """The measures of a project for several values of one driver, in their order.

    One value of each measure for each value of the driver, shape (values,). Source: `run.solve`.
    """
    varied = many(scenario, [{driver: value} for value in values])
    return measures_of(solve(project, varied, plan or plan_financing(project)))


@dataclass(frozen=True, slots=True)
class Swing:
    """One bar of a tornado: the measure with the driver a step down and a step up. Infinite where not defined."""

    driver: str
    down: float
    up: float
    at_down: float
    at_up: float

    @property
    def width(self) -> float:
        """How far the measure swings between the two steps; infinite where it is not defined at either."""
        both = (self.at_down, self.at_up)
        return abs(self.at_up - self.at_down) if all(np.isfinite(both)) else float("inf")


def tornado(
    project: Project, measure: str = "min_dscr", *, scenario: Scenario = BASE, plan: FinancingPlan | None = None,
    steps: Mapping[str, float] | None = None,
) -> tuple[float, tuple[Swing, ...]]:  # fmt: skip
    """The measure of the scenario, and every driver moved a step down and up, the widest swing first.

    `steps` by driver; the usual ones where it is None. All of them are one run.
    Source: `run.solve` at value - step and value + step, one driver at a time.
    """
    of = measure_named(measure)
    sizes = {one.name: one.step for one in DRIVERS.values()} if steps is None else dict(steps)
    bounds = {name: (_down(scenario, name, size), float(scenario.value(name)) + size) for name, size in sizes.items()}
    changes: list[dict[str, float]] = [{}]
    for name, (down, up) in bounds.items():
        changes += [{name: down}, {name: up}]
    varied = many(scenario, changes)
    agreed = plan or plan_financing(project)
    values = of(measures_of(solve(project, varied, agreed)))
    swings = [
        Swing(name, *bounds[name], float(values[2 * place + 1]), float(values[2 * place + 2]))
        for place, name in enumerate(bounds)
    ]
    return float(values[0]), tuple(sorted(swings, key=lambda one: -one.width))


def _down(scenario: Scenario, name: str, size: float) -> float:
    """A step down; what cannot be negative stops at nil."""
    value = float(scenario.value(name)) - size
    return max(0.0, value) if name in ("delay_months", "curtailment") else value


def break_even(
    project: Project, driver: str, measure: str, target: float, *, low: float, high: float,
    scenario: Scenario = BASE, plan: FinancingPlan | None = None,
) -> float | None:  # fmt: skip
    """The value of a driver between `low` and `high` at which a measure reaches the target; None where it does not.

    A bounded search, as the measure has kinks: the interval is cut into 64 parts, all run at once, and the part in
    which the measure crosses the target is cut again, until it is 1e-12 of the width: seven runs. Where it crosses
    more than once the crossing nearest to the neutral value is taken.
    Source: bisection; the root lies in the last interval.
    """
    of, agreed = measure_named(measure), plan or plan_financing(project)
    width, neutral = high - low, float(scenario.value(driver))
    for _ in range(8):
        grid = np.linspace(low, high, 65)
        found = sensitivity(project, driver, grid.tolist(), scenario=scenario, plan=agreed)
        above = of(found) >= target
        crossings = np.flatnonzero(above[1:] != above[:-1])
        if not len(crossings):
            return None
        nearest = crossings[np.argmin(np.abs((grid[crossings] + grid[crossings + 1]) / 2.0 - neutral))]
        low, high = float(grid[nearest]), float(grid[nearest + 1])
        if high - low <= 1e-12 * width:
            break
    return (low + high) / 2.0
