"""Identities of every project, over many projects drawn at random, and what was measured.

    python -m tests.financing.identities --count 10000 --workers 2

Projects are drawn in blocks, each from its own seed, so that the same are tried however many workers there are.

Sources equal uses in every period of construction; cash is conserved in every period of operation; the balance sheet
balances; a loan discounted at its own rate is par; the debt of one DSCR is the value of CFADS over that DSCR; one case
alone and the same case among many give the same numbers; a schedule ends at nil; a refusal is one of ours.
"""

import argparse
import math
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from kequn.domain.errors import KequnError
from kequn.domain.projectfinance.checking import check
from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.measures import measures_of
from kequn.domain.projectfinance.model import Project
from kequn.domain.projectfinance.plan import FinancingPlan, plan_financing
from kequn.domain.projectfinance.run import Run, solve
from kequn.domain.projectfinance.sculpting import balances_of_service
from kequn.domain.projectfinance.statements import statements_of
from tests.financing.projects import DRAWN, random_project, random_scenario


@dataclass
class Largest:
    """The largest departure from each identity, and how often each was tried."""

    values: dict[str, float] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)

    def see(self, name: str, departure: object) -> None:
        value = float(np.max(np.abs(departure)))
        assert math.isfinite(value), name
        self.values[name] = max(self.values.get(name, 0.0), value)
        self.tried[name] += 1

    def take(self, other: "Largest") -> None:
        """What another block found, put together with this."""
        for name, value in other.values.items():
            self.values[name] = max(self.values.get(name, 0.0), value)
        self.tried += other.tried


LIMITS = {
    "sources less uses": 1e-8,
    "cash in less cash out": 1e-8,
    "balance sheet": 1e-6,
    "par at its own rate, relative": 1e-10,
    "schedule ends at nil, relative": 1e-10,
    "debt = PV(CFADS) / DSCR, relative": 1e-10,
    "alone and among many, relative": 1e-12,
    "principal below nil, relative": 1e-10,
}


def held(count: int, seed: int = 5) -> Largest:
    """Try the identities on so many random projects, each in the base and in three scenarios."""
    draw, largest = random.Random(seed), Largest()
    for _ in range(count):
        largest.tried["projects"] += 1
        project = random_project(draw)
        check(project)
        try:
            plan = plan_financing(project)
        except KequnError:
            largest.tried["refused"] += 1
            continue
        base = solve(project, plan=plan)
        _of_plan(project, plan, base, largest)
        _of_faces(project, plan, [random_scenario(draw) for _ in range(3)], largest)
    return largest


def _of_run(run: Run, largest: Largest) -> None:
    largest.see("sources less uses", run.building.sources - run.building.uses)
    largest.see("cash in less cash out", run.waterfall.imbalance(run.plan.dsra_initial))
    largest.see("balance sheet", statements_of(run).imbalance)


def _of_plan(project: Project, plan: FinancingPlan, base: Run, largest: Largest) -> None:
    _of_run(base, largest)
    for loan in plan.loans:
        if loan.amount <= 1e-6:
            continue
        balance = loan.amount - np.concatenate([[0.0], np.cumsum(loan.scheduled)])
        service = loan.scheduled + balance[:-1] * loan.rates
        worth = balances_of_service(service, loan.rates)[0]
        largest.see("par at its own rate, relative", worth / loan.amount - 1.0)
        largest.see("schedule ends at nil, relative", balance[-1] / loan.amount)
        largest.see("principal below nil, relative", min(0.0, float(loan.scheduled.min())) / loan.amount)
    if _is_plain(project, plan):
        senior = project.loans[0]
        periods = round(senior.tenor_years * project.timeline.per_year)
        value = balances_of_service(base.cfads[:periods, 0], plan.loans[0].rates[:periods])[0]
        largest.see("debt = PV(CFADS) / DSCR, relative", value / senior.target_dscr[0][1] / plan.loans[0].amount - 1.0)


def _is_plain(project: Project, plan: FinancingPlan) -> bool:
    """One loan sculpted to one DSCR that binds, with nothing between the sizing case and the base."""
    senior, given = project.loans[0], project.covenants
    return (
        plan.sized is not None and plan.sized.binding == "dscr" and plan.loans[0].amount > 1e-6
        and senior.form == "sculpted" and len(senior.target_dscr) == 1 and not senior.grace_years
        and len(project.loans) == 1 and not plan.periods_short and project.shareholder_loan is None
        and not given.sweep_share and not any(one.saved_years for one in project.maintenance)
    )  # fmt: skip


def _of_faces(project: Project, plan: FinancingPlan, cases: list[Scenario], largest: Largest) -> None:
    names = [*DRAWN, "delay_months"]
    together = solve(project, Scenario("all", {name: [one.changes[name] for one in cases] for name in names}), plan)
    _of_run(together, largest)
    whole = measures_of(together)
    for place, case in enumerate(cases[:1]):
        alone = solve(project, case, plan)
        size = max(1.0, float(np.abs(alone.cfads).max()))
        for one, many in (
            (alone.cfads, together.cfads), (alone.waterfall.distribution, together.waterfall.distribution),
            (alone.owners_flows, together.owners_flows), (alone.tax, together.tax),
        ):  # fmt: skip
            largest.see("alone and among many, relative", (one[:, 0] - many[:, place]) / size)
        found = measures_of(alone)
        assert found.equity_irr.known[0] == whole.equity_irr.known[place]
        assert found.min_dscr_period[0] == whole.min_dscr_period[place]


BLOCK = 50


def block(place: int) -> Largest:
    """One block of projects, for a worker of its own."""
    return held(BLOCK, seed=place)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    chosen = parser.parse_args()
    largest, started = Largest(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
        for one in pool.imap_unordered(block, range(-(-chosen.count // BLOCK))):
            largest.take(one)
    for name, value in largest.values.items():
        print(f"{name:<36} {value:9.2e}  of at most {LIMITS[name]:.0e}, tried {largest.tried[name]:,} times")
    minutes = (time.monotonic() - started) / 60.0
    print(f"projects: {largest.tried['projects']:,} in {minutes:.1f} min; refused: {largest.tried['refused']:,}")
    assert all(value <= LIMITS[name] for name, value in largest.values.items())


if __name__ == "__main__":
    main()
