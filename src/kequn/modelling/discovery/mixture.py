"""A mixture of groups in mixed data: within a group every number is normal, every text has its shares, independently.

Fitted by expectation and maximisation. What is unknown of a row is left out of its likelihood, which is right where
being unknown does not itself tell the group. One row of the whole book is added to each group, so that none collapses.
Sources: Dempster, Laird and Rubin, JRSS B 39 (1977); Hunt and Jorgensen, Computational Statistics and Data Analysis 41
(2003), for mixed data with missing values; Schwarz, Annals of Statistics 6 (1978), for the information criterion.
"""

import math
from dataclasses import dataclass

import numpy as np

from kequn.modelling.discovery.values import Values
from kequn.modelling.tapes import Floats, Whole

STEPS, FIRST_STEPS = 300, 15
SETTLED = 1e-5  # gain of likelihood a row and step below which nothing moves any more
NARROWEST = 0.01  # least variance of a number in a group, in robust standard deviations squared
SPREADS = 8  # Lloyd's steps from which the mixture starts


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A fitted mixture. `coefficients` turn a row as `_laid_out` into its log density in each group."""

    groups: int
    coefficients: Floats
    log_shares: Floats
    log_likelihood: float
    rows: float
    parameters: int
    has_settled: bool

    @property
    def bic(self) -> float:
        """Schwarz's criterion, smaller is better: -2 log L + parameters x ln(rows)."""
        return -2 * self.log_likelihood + self.parameters * math.log(max(self.rows, 1.0))

    @property
    def shares(self) -> Floats:
        return np.exp(self.log_shares)

    def belonging(self, values: Values) -> Floats:
        """The probability of each group for each row."""
        return _responsible(_laid_out(values), self.coefficients, self.log_shares)[0]

    def groups_of(self, values: Values) -> Whole:
        """The most probable group of each row."""
        found: Whole = (_laid_out(values) @ self.coefficients.T + self.log_shares).argmax(axis=1)
        return found


def fit(values: Values, groups: int, draw: np.random.Generator, starts: int = 1) -> Mixture:
    """The best of several starts: each goes a few steps, the most likely goes on until it settles."""
    laid, weight = _laid_out(values), values.weight
    begun = []
    for _ in range(starts if groups > 1 else 1):
        shares = _started(values, groups, draw)
        begun.append(_steps(values, laid, weight, shares, FIRST_STEPS))
    best = max(begun, key=lambda one: one.log_likelihood)
    return _steps(values, laid, weight, _responsible(laid, best.coefficients, best.log_shares)[0], STEPS)


def by_bic(values: Values, most: int, draw: np.random.Generator, starts: int, least_share: float) -> list[Mixture]:
    """A mixture for each number of groups up to `most`, the best first; those with a group too small come last."""
    fitted = [fit(values, groups, draw, starts) for groups in range(1, most + 1)]
    return sorted(fitted, key=lambda one: (bool(one.shares.min() < least_share), one.bic))


def _laid_out(values: Values) -> Floats:
    """Each row as squares, numbers, what is known of them, and a flag for each class: a density is then linear."""
    known = np.isfinite(values.numbers)
    filled = np.where(known, values.numbers, 0.0)
    flags = [values.codes[:, [at]] == np.arange(size) for at, size in enumerate(values.sizes)]
    return np.hstack([filled**2, filled, known.astype(np.float64), *(one.astype(np.float64) for one in flags)])


def _started(values: Values, groups: int, draw: np.random.Generator) -> Floats:
    """Whole rows to the nearest of centres that lie far apart."""
    from kequn.modelling.discovery.partitions import nearest_centres, plain

    if groups == 1:
        return np.ones((len(values), 1))
    labels = nearest_centres(plain(values), groups, draw, steps=SPREADS)
    flags: Floats = (labels[:, None] == np.arange(groups)).astype(np.float64)
    return 0.9 * flags + 0.1 / groups


def _steps(values: Values, laid: Floats, weight: Floats, belonging: Floats, most: int) -> Mixture:
    numbers, before, settled = values.numbers.shape[1], -math.inf, False
    rows, overall = float(weight.sum()), _overall(values)
    for _ in range(most):
        coefficients, log_shares = _maximised(laid, weight[:, None] * belonging, numbers, values.sizes, overall)
        belonging, likelihoods = _responsible(laid, coefficients, log_shares)
        likelihood = float(weight @ likelihoods)
        if likelihood - before < SETTLED * rows:
            settled = True
            break
        before = likelihood
    groups = len(log_shares)
    parameters = groups - 1 + groups * (2 * numbers + sum(size - 1 for size in values.sizes))
    return Mixture(groups, coefficients, log_shares, likelihood, rows, parameters, settled)


def _overall(values: Values) -> list[Floats]:
    """The share of each class in the whole, which is what the added row holds."""
    found = []
    for at, size in enumerate(values.sizes):
        codes = values.codes[:, at]
        mass = np.bincount(codes[codes >= 0], weights=values.weight[codes >= 0], minlength=size)
        found.append(mass / mass.sum())
    return found


def _maximised(laid: Floats, mass: Floats, numbers: int, sizes: tuple[int, ...], overall: list[Floats]
               ) -> tuple[Floats, Floats]:  # fmt: skip
    """The parameters most likely to have made the rows as they are shared out, as coefficients of a laid out row."""
    sums = mass.T @ laid
    squares, firsts, known = (sums[:, at * numbers : (at + 1) * numbers] for at in range(3))
    means = firsts / (known + 1)
    variances = np.maximum((squares + 1) / (known + 1) - means**2, NARROWEST)
    parts = [-0.5 / variances, means / variances, -0.5 * (means**2 / variances + np.log(2 * np.pi * variances))]
    at = 3 * numbers
    for size, whole in zip(sizes, overall, strict=True):
        counted = sums[:, at : at + size] + whole
        parts.append(np.log(np.maximum(counted, 1e-12) / counted.sum(axis=1, keepdims=True)))
        at += size
    shares = mass.sum(axis=0) + 1e-9
    return np.hstack(parts), np.log(shares / shares.sum())


def _responsible(laid: Floats, coefficients: Floats, log_shares: Floats) -> tuple[Floats, Floats]:
    joint = laid @ coefficients.T + log_shares
    peak = joint.max(axis=1, keepdims=True)
    raised = np.exp(joint - peak)
    total = raised.sum(axis=1, keepdims=True)
    return raised / total, (peak + np.log(total))[:, 0]
