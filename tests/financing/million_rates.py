"""Rates of return of random series: no exception, and nothing left of the present value at any root.

python -m tests.financing.million_rates --count 1000000 --workers 2

Series are drawn in blocks, each from its own seed, so that the same series are tried however many workers there are.
"""

import argparse
import math
import multiprocessing
import random
import time
from collections import Counter

from kequn.domain.projectfinance.returns import rates_of_return

BLOCK = 5_000


def residual(flows: list[float], rate: float) -> float:
    """The present value at a rate over the sum of the sizes of its terms."""
    terms = [flow * math.exp(-math.log1p(rate) * time) for time, flow in enumerate(flows)]
    if not all(map(math.isfinite, terms)) or rate < 0.0:
        last = len(flows) - 1
        terms = [flow * math.exp(math.log1p(rate) * (last - time)) for time, flow in enumerate(flows)]
    return abs(math.fsum(terms)) / sum(map(abs, terms))


def series(draw: random.Random) -> list[float]:
    """Two to twelve flows: of any sign, of an investment, or of whole numbers with zeros among them."""
    length, kind = draw.randint(2, 12), draw.random()
    if kind < 0.4:
        return [draw.uniform(-100.0, 100.0) for _ in range(length)]
    if kind < 0.8:
        return [-draw.uniform(1.0, 1000.0), *(draw.uniform(0.0, 300.0) for _ in range(length - 1))]
    return [float(draw.randint(-3, 3)) for _ in range(length)]


def tried(count: int, seed: int = 9) -> tuple[Counter[str], float]:
    """How often each status came, and the largest residual at a root."""
    draw, found, largest = random.Random(seed), Counter[str](), 0.0
    for _ in range(count):
        flows = series(draw)
        answer = rates_of_return(flows)
        found[answer.status] += 1
        assert all(root > -1.0 and math.isfinite(root) for root in answer.roots), flows
        largest = max([largest, *(residual(flows, root) for root in answer.roots)])
    return found, largest


def block(place: int) -> tuple[Counter[str], float]:
    """One block of series, for a worker of its own."""
    return tried(BLOCK, seed=place)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    chosen = parser.parse_args()
    started, found, largest = time.monotonic(), Counter[str](), 0.0
    with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
        for counted, residue in pool.imap_unordered(block, range(-(-chosen.count // BLOCK))):
            found, largest = found + counted, max(largest, residue)
    minutes = (time.monotonic() - started) / 60.0
    print(f"{found.total():,} series in {minutes:.1f} min", dict(found), f"largest residual {largest:.1e}")
    assert largest <= 1e-9


if __name__ == "__main__":
    main()
