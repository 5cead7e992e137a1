"""Two strategies beside one another over the same customers: what each would give. Nothing is applied.

For each customer the row that fits gives spread and limit; where a strategy is silent the strategy by credit and size
stands (the middle of its rate band, its limit factor). The amount lent is what the customer uses today, cut at the
limit. Net income of a year = amount x (spread - PD x loss given default, unsecured).
"""

from dataclasses import dataclass

import numpy as np

from kequn.apps.strategies.books import MINOR, Floats, Mask, RunBook
from kequn.policy.segment_strategies import Strategy

SPREAD, FACTOR = "spread", "limit_factor"


@dataclass(frozen=True, slots=True)
class Given:
    """What one strategy gives to the customers of whom all is known. Amounts in minor units of yuan."""

    spread: float | None  # mean over the amounts lent
    limits: int
    lent: int
    net_income: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """Both, over the same `customers`; of `unknown` more something is not known. `kinder` and `harder` count whom the
    challenger gives a lower spread or a larger limit and nothing worse, or the reverse.
    """

    customers: int
    unknown: int
    in_force: Given
    challenger: Given
    kinder: int
    harder: int

    @property
    def gain(self) -> int:
        return self.challenger.net_income - self.in_force.net_income


def shadow(book: RunBook, members: Mask, in_force: Strategy, challenger: Strategy, lgd: float) -> Shadow:
    """Both strategies over the members of a segment at the date of a run."""
    one, two = _terms(book, members, in_force), _terms(book, members, challenger)
    used, pd = book.column("exposure_gross")[members], book.column("pd")[members]
    known = np.isfinite(used) & np.isfinite(pd)
    for spread, limit in (one, two):
        known &= np.isfinite(spread) & np.isfinite(limit)
    cheaper, dearer = two[0] < one[0], two[0] > one[0]
    wider, tighter = two[1] > one[1], two[1] < one[1]
    return Shadow(
        int(known.sum()), int((~known).sum()), _given(one, used, pd, known, lgd), _given(two, used, pd, known, lgd),
        int((known & (cheaper | wider) & ~dearer & ~tighter).sum()),
        int((known & (dearer | tighter) & ~cheaper & ~wider).sum()),
    )  # fmt: skip


def _terms(book: RunBook, members: Mask, strategy: Strategy) -> tuple[Floats, Floats]:
    """Spread and limit in yuan for each member."""
    spread = (book.column("strategy_rate_low")[members] + book.column("strategy_rate_high")[members]) / 2
    factor = book.column("strategy_limit_factor")[members].copy()
    free = np.ones(int(members.sum()), np.bool_)
    for row in strategy.rows:
        fits = free.copy()
        for name, codes in row.when.items():
            fits &= np.isin(book.column(name)[members].astype(str), codes)
        if SPREAD in row.terms:
            spread[fits] = row.terms[SPREAD]
        if FACTOR in row.terms:
            factor[fits] = row.terms[FACTOR]
        free &= ~fits
    return spread, factor * book.column("annual_revenue")[members]


def _given(terms: tuple[Floats, Floats], used: Floats, pd: Floats, known: Mask, lgd: float) -> Given:
    spread, limit = terms[0][known], terms[1][known]
    lent = np.minimum(used[known], np.maximum(limit, 0.0))
    whole = float(lent.sum())
    income = float((lent * (spread - pd[known] * lgd)).sum())
    mean = float((lent * spread).sum()) / whole if whole else None
    return Given(mean, round(float(limit.sum()) * MINOR), round(whole * MINOR), round(income * MINOR))
