"""Our side of `kequn bench projectfinance`: one plant, solved alone and simulated, in a process of its own.

python -m kequn.financing.bench {single|full|whole|waterfall} prints JSON.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from kequn.domain.projectfinance.measures import measures_of
from kequn.domain.projectfinance.model import (
    CapitalCost,
    Cost,
    Covenants,
    Limits,
    Loan,
    Project,
    Revenue,
    WorkingCapital,
)
from kequn.domain.projectfinance.plan import plan_financing
from kequn.domain.projectfinance.rates import fixed
from kequn.domain.projectfinance.run import solve
from kequn.domain.projectfinance.scenarios import tornado
from kequn.domain.projectfinance.simulation import Uncertainty, simulate
from kequn.domain.projectfinance.taxes import TaxRules
from kequn.domain.projectfinance.timeline import Timeline
from kequn.domain.projectfinance.waterfall import DebtTerms, WaterfallRules, run_waterfall

PERIODS = 60
PLANT = Project(
    "a plant of 60 half-years",
    Timeline(date(2026, 1, 1), 12, 360, 1, 6),
    capital=(CapitalCost("plant", 500.0, life_years=20, salvage=0.05),),
    revenues=(Revenue("power", volume=100.0, price=0.65, growth=-0.005, indexation=0.01),),
    costs=(Cost("operation", amount=8.0, indexation=0.02),),
    loans=(Loan("senior", fixed(0.04), 18.0, target_dscr=((0.0, 1.3),), upfront_fee=0.01, commitment_fee=0.003),),
    limits=Limits(max_gearing=0.8),
    covenants=Covenants(dsra_months=6, lockup_dscr=1.1, default_dscr=1.05, sweep_share=0.1),
    working_capital=WorkingCapital(30.0, 30.0),
    tax=TaxRules(0.25, 5, (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)),
    discount_rate=0.08,
)
DRAWN = (
    Uncertainty("price", "normal", 1.0, 0.1),
    Uncertainty("volume", "normal", 1.0, 0.05),
    Uncertainty("capex", "lognormal", 1.0, 0.1),
    Uncertainty("opex", "normal", 1.0, 0.1),
    Uncertainty("rate", "normal", 0.0, 0.005),
    Uncertainty("indexation", "normal", 0.0, 0.003),
)


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of CPU and of the clock for one call: the least of several rounds."""

    cpu: float
    wall: float


def timed(work: Callable[[], object], runs: int = 1, rounds: int = 3) -> Timed:
    """Time a piece of work after one call to warm up."""
    work()
    found = []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(runs):
            work()
        found.append(((time.process_time() - cpu) / runs, (time.perf_counter() - wall) / runs))
    return Timed(min(one[0] for one in found), min(one[1] for one in found))


def single() -> dict[str, Any]:
    """One case: sized, run, measured; and a tornado of all drivers."""
    plan = plan_financing(PLANT)
    whole = timed(lambda: measures_of(solve(PLANT)), 10)
    again = timed(lambda: measures_of(solve(PLANT, plan=plan)), 10)
    swings = timed(lambda: tornado(PLANT, plan=plan), 5)
    return {
        "sized_and_solved_ms": whole.cpu * 1e3, "solved_ms": again.cpu * 1e3, "tornado_ms": swings.cpu * 1e3,
        "tornado_wall_ms": swings.wall * 1e3,
    }  # fmt: skip


def full(count: int = 40_960) -> dict[str, Any]:
    """The full model on one core: draws, operation, tax, waterfall, covers, equity IRR, quantiles."""
    plan = plan_financing(PLANT)
    found = timed(lambda: simulate(PLANT, DRAWN, np.random.default_rng(1), count=count, plan=plan), rounds=5)
    return {
        "scenarios": count,
        "periods": PERIODS,
        "seconds": found.cpu / count,
        "per_second_and_core": count / found.cpu,
    }


def whole(count: int = 100_000) -> dict[str, Any]:
    """A hundred thousand scenarios on two threads, with the memory of the process at its peak."""
    plan = plan_financing(PLANT)
    with ThreadPoolExecutor(2) as pool:
        found = timed(
            lambda: simulate(PLANT, DRAWN, np.random.default_rng(1), count=count, plan=plan, mapped=pool.map), rounds=2
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"scenarios": count, "cpu_seconds": found.cpu, "wall_seconds": found.wall, "peak_gib": peak}


def waterfall(count: int = 8_192) -> dict[str, Any]:
    """The waterfall alone: one loan of 60 periods, reserve, covenants; every line kept."""
    cfads = np.random.default_rng(1).normal(5.0, 0.5, (PERIODS, count))
    loans = [DebtTerms("senior", 100.0, 0.02, np.full(PERIODS, 100.0 / PERIODS))]
    rules = WaterfallRules(dsra_periods=1.0, dsra_initial=2.8, lockup_dscr=1.1, default_dscr=1.0)
    many = timed(lambda: run_waterfall(cfads, loans, rules))
    one = timed(lambda: run_waterfall(cfads[:, 0], loans, rules), 20)
    return {"scenarios": count, "periods": PERIODS, "seconds": many.cpu / count, "one_case_ms": one.cpu * 1e3}


PHASES: dict[str, Callable[[], dict[str, Any]]] = {
    "single": single, "full": full, "whole": whole, "waterfall": waterfall,
}  # fmt: skip


def main(words: Sequence[str]) -> None:
    print(json.dumps(PHASES[words[0]]()))


if __name__ == "__main__":
    main(sys.argv[1:])
