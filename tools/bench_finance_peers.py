"""The peers of `kequn bench projectfinance`: PySAM Singleowner and waterfall-py, seconds of CPU for one scenario.

Runs in an environment of its own (requirements/bench-finance.txt), as a child of the bench; prints JSON.
"""

import json
import sys
import time
from datetime import date

RUNS = 20


def best(work, runs=RUNS, rounds=3):
    """The least seconds of CPU for one call, of several rounds."""
    work()
    found = []
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(runs):
            work()
        found.append((time.process_time() - started) / runs)
    return min(found)


def with_pysam():
    from PySAM import Singleowner

    plant = Singleowner.default("PVWattsSingleOwner")
    plant.SystemOutput.gen = [20_000.0] * 8760
    plant.SystemOutput.system_pre_curtailment_kwac = [20_000.0] * 8760
    prices = iter(range(1_000_000))

    def one():
        plant.Revenue.ppa_price_input = [0.06 + next(prices) * 1e-6]
        plant.execute(0)
        return plant.Outputs.project_return_aftertax_irr, plant.Outputs.min_dscr

    years = int(plant.FinancialParameters.analysis_period)
    return {"seconds": best(one), "years": years}


def with_waterfall_py(periods=60):
    from waterfall import CovenantConfig, Deal, ReserveConfig, Tranche, run

    def one():
        senior = Tranche(name="senior", tranche_type="senior", principal=100_000_000, coupon=0.04,
                         day_count="30/360", amort_type="fully_amortizing", term_periods=periods)  # fmt: skip
        owners = Tranche(name="owners", tranche_type="equity", principal=40_000_000)
        deal = Deal(
            deal_close_date=date(2026, 1, 1), operations_start_date=date(2026, 1, 1), period_frequency="SA",
            deal_type="PF", tranches=[senior, owners], cfads_stream=[5_000_000] * periods, data_currency="CNY",
            reporting_basis="calendar",
            reserves=[ReserveConfig(reserve_type="DSRA", months_dsra=6, opening_balance=2_800_000)],
            covenants=[CovenantConfig(metric="DSCR", trap=1.10, default=1.00)],
        )  # fmt: skip
        return run(deal)

    return {"seconds": best(one), "periods": periods}


PEERS = {"pysam": with_pysam, "waterfall_py": with_waterfall_py}

if __name__ == "__main__":
    print(json.dumps({name: PEERS[name]() for name in sys.argv[1:] or PEERS}))
