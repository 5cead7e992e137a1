"""Rows divided into groups: k-means as the baseline, and how alike two divisions are."""

import numpy as np

from kequn.modelling.discovery.values import Values
from kequn.modelling.tapes import Floats, Whole

LLOYD_STEPS = 50


def plain(values: Values) -> Floats:
    """Rows as k-means needs them: the unknown at the median, a flag for each class scaled to the weight of a number."""
    filled = np.where(np.isfinite(values.numbers), values.numbers, 0.0)
    flags = [(values.codes[:, [at]] == np.arange(size)) / np.sqrt(2) for at, size in enumerate(values.sizes)]
    return np.hstack([filled, *(one.astype(np.float64) for one in flags)])


def nearest_centres(rows: Floats, groups: int, draw: np.random.Generator, steps: int = LLOYD_STEPS) -> Whole:
    """k-means: centres drawn far apart, then moved amid their rows (Lloyd 1957; Arthur and Vassilvitskii 2007).

    `rows` is cases by features; the answer is the group of each row, from nil.
    """
    centres = rows[draw.integers(len(rows), size=1)]
    nearest = ((rows - centres[0]) ** 2).sum(axis=1)
    for _ in range(groups - 1):
        total = nearest.sum()
        chosen = draw.choice(len(rows), p=nearest / total) if total else draw.integers(len(rows))
        centres = np.vstack([centres, rows[chosen]])
        nearest = np.minimum(nearest, ((rows - rows[chosen]) ** 2).sum(axis=1))
    labels = np.full(len(rows), -1, dtype=np.int64)
    for _ in range(steps):
        found = ((centres**2).sum(axis=1) - 2 * rows @ centres.T).argmin(axis=1)
        if (found == labels).all():
            break
        labels = found
        for group in range(groups):
            if (labels == group).any():
                centres[group] = rows[labels == group].mean(axis=0)
    return labels


def best_centres(rows: Floats, groups: int, draw: np.random.Generator, starts: int) -> Whole:
    """The k-means of several starts with the least squared distance to its centres."""
    found = [nearest_centres(rows, groups, draw) for _ in range(starts)]
    return min(found, key=lambda labels: _scatter(rows, labels))


def _scatter(rows: Floats, labels: Whole) -> float:
    return sum(float(((part - part.mean(axis=0)) ** 2).sum()) for one in np.unique(labels)
               if len(part := rows[labels == one]))  # fmt: skip


def adjusted_rand(one: Whole, two: Whole) -> float:
    """Pairs of rows on which two divisions agree, less what chance gives: 1 is equal, about 0 is chance.

    Source: Hubert and Arabie, Journal of Classification 2 (1985). Equals scikit-learn's `adjusted_rand_score`.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    table = crossed(one, two)
    pairs = float((table * (table - 1) / 2).sum())
    rows, columns = (float((sums * (sums - 1) / 2).sum()) for sums in (table.sum(axis=1), table.sum(axis=0)))
    every = len(one) * (len(one) - 1) / 2
    chance, most = rows * columns / every if every else 0.0, (rows + columns) / 2
    return 1.0 if most == chance else (pairs - chance) / (most - chance)


def crossed(one: Whole, two: Whole) -> Floats:
    """Rows in each pair of groups of two divisions."""
    firsts, seconds = int(one.max(initial=-1)) + 1, int(two.max(initial=-1)) + 1
    counts = np.bincount(one * seconds + two, minlength=firsts * seconds)
    return counts.reshape(firsts, seconds).astype(np.float64)


def best_jaccard(one: Whole, two: Whole, groups: int) -> Floats:
    """For each group of the first division the best overlap with a group of the second; NaN where it has no row.

    The Jaccard share is rows in both over rows in either (Hennig, Computational Statistics and Data Analysis 52, 2007).
    """
    table = np.zeros((groups, int(two.max(initial=0)) + 1))
    met = crossed(one, two)
    table[: met.shape[0], : met.shape[1]] = met
    mine, theirs = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    either = mine + theirs - table
    shares = np.divide(table, either, out=np.zeros_like(table), where=either > 0)
    return np.where(mine[:, 0] > 0, shares.max(axis=1), np.nan)
