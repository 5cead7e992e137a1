"""What speaks against groups that were found: chance, another draw of the same customers, another year."""

from dataclasses import dataclass

import numpy as np

from kequn.modelling.discovery.mixture import Mixture, fit
from kequn.modelling.discovery.partitions import best_jaccard
from kequn.modelling.discovery.values import Values
from kequn.modelling.tapes import Floats, Whole


@dataclass(frozen=True, slots=True)
class NullTest:
    """The gain of likelihood a row by dividing, found and in data whose columns were shuffled apart.

    `sds` is by how many standard deviations of the shuffled gains the found one lies above their mean; `p_value` the
    share of all draws, the data among them, that gain as much.
    """

    found: float
    mean: float
    deviation: float
    highest: float
    draws: int

    @property
    def sds(self) -> float:
        return (self.found - self.mean) / max(self.deviation, 1e-9)

    @property
    def p_value(self) -> float:
        """Not below 1 / (draws + 1): more draws would be needed to say more (Phipson and Smyth 2010)."""
        return 1 / (self.draws + 1) if self.found > self.highest else 1.0

    def is_passed(self, least_sds: float) -> bool:
        return self.found > self.highest and self.sds >= least_sds


def null_test(values: Values, groups: int, draw: np.random.Generator, draws: int, starts: int) -> NullTest:
    """Divide the data, and data in which nothing hangs together, into as many groups, in the same way."""
    gains = [_gain(values.shuffled(draw), groups, draw, starts) for _ in range(draws)]
    found = _gain(values, groups, draw, starts)
    return NullTest(found, float(np.mean(gains)), float(np.std(gains, ddof=1)), float(np.max(gains)), draws)


def _gain(values: Values, groups: int, draw: np.random.Generator, starts: int) -> float:
    one, many = fit(values, 1, draw), fit(values, groups, draw, starts)
    return (many.log_likelihood - one.log_likelihood) / max(many.rows, 1.0)


def bootstrap_jaccard(values: Values, labels: Whole, groups: int, draw: np.random.Generator, draws: int, starts: int
                      ) -> Floats:  # fmt: skip
    """For each group its mean best overlap with groups found anew in draws of the same rows with replacement.

    A draw that holds no row of a group has not found it.
    """
    seen = np.full((draws, groups), np.nan)
    for at in range(draws):
        rows = draw.integers(len(values), size=len(values))
        again = fit(values.taken(rows), groups, draw, starts)
        drawn = np.unique(rows)
        seen[at] = best_jaccard(labels[drawn], again.groups_of(values.taken(drawn)), groups)
    return np.asarray(np.nan_to_num(seen).mean(axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class YearToYear:
    """Groups found in one period alone, applied to the next: their overlap there with those found in all."""

    periods: tuple[str, ...]
    overlaps: tuple[tuple[str, str, tuple[float | None, ...]], ...]  # from, to, one for each group
    shares: tuple[tuple[float, ...], ...]  # of each group, a row for each period

    def means(self, groups: int) -> list[float | None]:
        found = []
        for group in range(groups):
            known = [row[group] for _, _, row in self.overlaps]
            kept = [one for one in known if one is not None]
            found.append(sum(kept) / len(kept) if kept else None)
        return found


def year_to_year(values: Values, labels: Whole, period: Floats, mixture: Mixture, draw: np.random.Generator,
                 starts: int, least: float, most: int) -> YearToYear:  # fmt: skip
    """Stability over time; empty where there are not two periods with rows enough. `most` rows of each are fitted."""
    whole = np.floor(period)
    kept = [one for one in np.unique(whole[np.isfinite(whole)]) if (whole == one).sum() >= least]
    groups, overlaps, shares = mixture.groups, [], []
    for at, one in enumerate(kept):
        mass = np.bincount(labels[whole == one], weights=values.weight[whole == one], minlength=groups)
        shares.append(tuple(float(share) for share in mass / mass.sum()))
        if at + 1 == len(kept):
            break
        own = np.flatnonzero(whole == one)
        own = draw.choice(own, most, replace=False) if len(own) > most else own
        alone = fit(values.taken(own), groups, draw, starts)
        later = np.flatnonzero(whole == kept[at + 1])
        met = best_jaccard(labels[later], alone.groups_of(values.taken(later)), groups)
        row = tuple(None if np.isnan(share) else float(share) for share in met)
        overlaps.append((f"{one:.0f}", f"{kept[at + 1]:.0f}", row))
    return YearToYear(tuple(f"{one:.0f}" for one in kept), tuple(overlaps), tuple(shares))
