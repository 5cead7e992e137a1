"""Simulation: correlated drivers drawn at random, and how often covers and returns fall short.

The generator is given and seeded by who calls; the same seed and chunk give the same numbers. Nothing is random
elsewhere.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array
from kequn.domain.projectfinance.drivers import BASE, Scenario
from kequn.domain.projectfinance.measures import covers_of, first_period
from kequn.domain.projectfinance.model import Project
from kequn.domain.projectfinance.plan import FinancingPlan, plan_financing
from kequn.domain.projectfinance.returns import many_rates_of_return
from kequn.domain.projectfinance.run import solve

Kind = Literal["normal", "lognormal", "uniform", "triangular"]
CHUNK = 4096
# glibc hands the memory of a chunk back to the system after each, and takes it again page by page, a quarter of the
# time; once it has seen a block of nearly 32 MiB go it keeps twice as much. Elsewhere this does nothing.
_LARGE_BLOCK = 4_100_000
QUANTILES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How a driver varies. normal: mean a, deviation b. lognormal: median a, deviation b of the logarithm.

    uniform: from a to b. triangular: from a to b with the peak at c.
    """

    driver: str
    kind: str
    a: float
    b: float
    c: float = 0.0

    def of_normal(self, z: Array) -> Array:
        """Values of the driver for standard normal draws."""
        if self.kind == "normal":
            return self.a + self.b * z
        if self.kind == "lognormal":
            found: Array = self.a * np.exp(self.b * z)
            return found
        share: Array = np.frompyfunc(lambda one: 0.5 * math.erfc(-one / math.sqrt(2.0)), 1, 1)(z).astype(np.float64)
        if self.kind == "uniform":
            return self.a + (self.b - self.a) * share
        return self._triangular(share)

    def _triangular(self, share: Array) -> Array:
        rise, fall, width = self.c - self.a, self.b - self.c, self.b - self.a
        low = self.a + np.sqrt(share * width * rise)
        high = self.b - np.sqrt((1.0 - share) * width * fall)
        return np.where(share * width < rise, low, high)


def draw(
    uncertainties: Sequence[Uncertainty], correlation: Array | None, count: int, generator: np.random.Generator
) -> dict[str, Array]:
    """Correlated values of drivers, shape (count,) each, by a Gaussian copula (Cholesky factor of the correlation).

    Source: Gaussian copula, x = L z with L L' the correlation (Nelsen, An Introduction to Copulas).
    """
    _check(uncertainties, correlation)
    z = generator.standard_normal((len(uncertainties), count))
    if correlation is not None:
        z = np.linalg.cholesky(correlation) @ z
    return {one.driver: one.of_normal(row) for one, row in zip(uncertainties, z, strict=True)}


def _check(uncertainties: Sequence[Uncertainty], correlation: Array | None) -> None:
    for one in uncertainties:
        if one.kind not in get_args(Kind):
            known = ", ".join(get_args(Kind))
            raise Misuse(Text(f"没有分布 {one.kind}；可选 {known}", f"no distribution {one.kind}; there is {known}"))
        is_wrong = one.b < 0.0 if one.kind in ("normal", "lognormal") else one.b <= one.a
        if is_wrong or (one.kind == "triangular" and not one.a <= one.c <= one.b):
            raise Misuse(Text(f"{one.driver} 的分布参数有误", f"the distribution of {one.driver} has wrong numbers"))
    if correlation is None:
        return
    size = len(uncertainties)
    is_square = correlation.shape == (size, size) and np.allclose(correlation, correlation.T)
    if not is_square or not np.allclose(np.diag(correlation), 1.0) or np.linalg.eigvalsh(correlation).min() <= 0.0:
        raise Misuse(
            Text(
                "相关矩阵须对称、对角为 1 且正定", "the correlation must be symmetric, with ones, and positive definite"
            )
        )


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it. Quantiles by measure and level; a rate that is not known counts as lowest, and is counted.

    `lockup_by_period` and `default_by_period` are the shares of cases locked up, and in default for the first time up
    to and with each operation period; `dscr_fan` holds the quantiles of the tested DSCR of each period.
    `cured` is the share of cases in which the owners pay an equity cure, None where the model agrees none; covers are
    those after the cure.
    """

    count: int
    quantiles: Mapping[str, tuple[float, ...]]
    levels: tuple[float, ...]
    lockup_by_period: tuple[float, ...]
    default_by_period: tuple[float, ...]
    dscr_fan: tuple[tuple[float, ...], ...]
    probability_below: Mapping[str, float]
    irr_unknown: int
    cured: float | None


def simulate(
    project: Project,
    uncertainties: Sequence[Uncertainty],
    generator: np.random.Generator,
    *,
    count: int,
    correlation: Array | None = None,
    scenario: Scenario = BASE,
    plan: FinancingPlan | None = None,
    mapped: Callable[[Callable[[Scenario], "_Part"], Iterable[Scenario]], Iterable["_Part"]] = map,
) -> Simulation:
    """Run a project `count` times with drawn drivers, in chunks; `mapped` may run chunks side by side.

    All drivers are drawn first, so that the numbers do not depend on how the chunks are run.
    Quantiles are values that occurred (the lower of two neighbours). Source: Monte Carlo on `run.solve`.
    """
    agreed = plan or plan_financing(project)
    np.empty(_LARGE_BLOCK)  # see there
    values = draw(uncertainties, correlation, count, generator)
    spans = [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    chunks = [Scenario("drawn", {**scenario.changes, **{n: v[span] for n, v in values.items()}}) for span in spans]
    parts = list(mapped(lambda chunk: _part(project, chunk, agreed), chunks))
    return _gathered(project, parts, count)


@dataclass(frozen=True, slots=True)
class _Part:
    """The measures of one chunk."""

    values: dict[str, Array]
    dscr: Array
    locked: Array
    first_default: npt.NDArray[np.int_]


def _part(project: Project, chunk: Scenario, plan: FinancingPlan) -> _Part:
    run = solve(project, chunk, plan, is_brief=True)
    flows, times = run.owners_flows, project.timeline.times()
    found = many_rates_of_return(flows, times)
    covers, _ = covers_of(run)
    values = {
        "min_dscr": run.waterfall.tested_dscr.min(axis=0),
        "llcr": covers[0],
        "min_llcr": covers.min(axis=0),
        "equity_irr": np.where(found.known, found.rates, -np.inf),
        "equity_npv": (1.0 + project.discount_rate) ** -times @ flows,
    }
    if project.covenants.cures:
        values["equity_cure"] = run.waterfall.cure.sum(axis=0)
    locked = run.waterfall.is_locked_up.sum(axis=1).astype(np.float64)
    return _Part(
        values, run.waterfall.tested_dscr.astype(np.float32), locked, first_period(run.waterfall.is_in_default)
    )


def _gathered(project: Project, parts: Sequence[_Part], count: int) -> Simulation:
    values = {name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values}
    periods = project.timeline.periods
    first = np.concatenate([part.first_default for part in parts])
    defaults = np.bincount(first[first >= 0], minlength=periods)[:periods]
    given = project.covenants
    below = {"lockup": given.lockup_dscr, "default": given.default_dscr, "one": 1.0}
    return Simulation(
        count,
        {name: _quantiles(value) for name, value in values.items()},
        QUANTILES,
        tuple((np.sum([part.locked for part in parts], axis=0) / count).tolist()),
        tuple((np.cumsum(defaults) / count).tolist()),
        tuple(_quantiles(np.concatenate([part.dscr[period] for part in parts])) for period in range(periods)),
        {name: float((values["min_dscr"] < level).mean()) for name, level in below.items()},
        int(np.isneginf(values["equity_irr"]).sum()),
        float((values["equity_cure"] > 0.0).mean()) if given.cures else None,
    )


def _quantiles(values: Array) -> tuple[float, ...]:
    """The values at the levels, each a value that occurred (so that an infinite one does no harm)."""
    places = np.minimum((np.array(QUANTILES) * len(values)).astype(np.int_), len(values) - 1)
    return tuple(float(one) for one in np.partition(values, places)[places])
