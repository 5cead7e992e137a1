"""Groups told apart by a small tree of conditions, and each group written as a rule of policy's grammar.

The tree is grown leaf by leaf, the best first (Breiman et al. 1984, Gini), on two rows of three; the third says how
small it may stay. Thresholds are round numbers, as a committee would write them. Where a fact that a condition reads is
unknown for some, they go to the side they fit better, and the rule says `or ... is null`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.rendering import render_text, shown_number
from kequn.modelling.discovery.values import OTHERS, Classes, Measure, Prepared
from kequn.modelling.spec import Feature
from kequn.modelling.tapes import Floats, Whole

CUTS = 31  # thresholds of a number that are tried
DIGITS = 2  # significant figures of a threshold
HELD = 3  # every third row only judges how many leaves are worth having
WORTH = 0.01  # agreement that a larger tree must add

Rows = npt.NDArray[np.int64]
Unknown = Literal["none", "left", "right"]  # to which side those go for whom the fact is not known


@dataclass(frozen=True, slots=True)
class Split:
    """A condition: left is below `cut`, or in class number `cut`; right is everything else that is known."""

    place: int  # among the measures, then the texts
    cut: float
    unknown: Unknown
    gain: float


@dataclass(frozen=True, slots=True)
class Leaf:
    """The rows that fulfil some conditions, each with the side they stand on."""

    path: tuple[tuple[Split, bool], ...]  # True where they stand on the left
    group: int


@dataclass(slots=True, eq=False)
class _Node:
    path: tuple[tuple[Split, bool], ...]
    grown: Rows
    held: Rows
    group: int
    best: Split | None = None


class Grower:
    """Grows a tree over prepared rows whose groups are known."""

    def __init__(self, found: Prepared, rows: Rows, labels: Whole, groups: int, least: float) -> None:
        self.raw, self.codes = found.raw, found.values.codes
        self.weight, self.labels, self.groups = found.values.weight, labels, groups
        self.least = least * float(self.weight[rows].sum())
        self.sizes = [len(one.classes) for one in found.texts]
        self.cuts = [_cuts(self.raw[rows, at]) for at in range(self.raw.shape[1])]
        held = np.arange(len(rows)) % HELD == 0
        self.root = self._node((), rows[~held], rows[held])

    def leaves(self, most: int) -> list[Leaf]:
        """The leaves of the smallest tree that agrees with the groups as well as any of up to `most` leaves."""
        nodes, steps = [self.root], []
        while True:
            steps.append((self._agreement(nodes), [Leaf(one.path, one.group) for one in nodes]))
            open_ones = [one for one in nodes if one.best is not None]
            if not open_ones or len(nodes) >= most:
                break
            widest = max(open_ones, key=lambda one: one.best.gain if one.best else 0.0)
            at = nodes.index(widest)
            nodes[at : at + 1] = self._divided(widest)
        best = max(agreed for agreed, _ in steps)
        return next(leaves for agreed, leaves in steps if agreed >= best - WORTH)

    def _agreement(self, nodes: Sequence[_Node]) -> float:
        agreed = sum(float(self.weight[one.held][self.labels[one.held] == one.group].sum()) for one in nodes)
        return agreed / max(float(self.weight[self.root.held].sum()), 1e-12)

    def _node(self, path: tuple[tuple[Split, bool], ...], grown: Rows, held: Rows) -> _Node:
        mass: Floats = np.bincount(self.labels[grown], self.weight[grown], self.groups).astype(np.float64)
        node = _Node(path, grown, held, int(mass.argmax()))
        node.best = self._best_split(grown, mass)
        return node

    def _divided(self, node: _Node) -> list[_Node]:
        split = node.best
        assert split is not None  # noqa: S101 - only nodes with a split are divided
        on_left, held_left = self._stands_left(split, node.grown), self._stands_left(split, node.held)
        return [
            self._node((*node.path, (split, True)), node.grown[on_left], node.held[held_left]),
            self._node((*node.path, (split, False)), node.grown[~on_left], node.held[~held_left]),
        ]

    def _stands_left(self, split: Split, rows: Rows) -> npt.NDArray[np.bool_]:
        measures = self.raw.shape[1]
        if split.place < measures:
            values = self.raw[rows, split.place]
            known, left = np.isfinite(values), values < split.cut
        else:
            codes = self.codes[rows, split.place - measures]
            known, left = codes >= 0, codes == split.cut
        found: npt.NDArray[np.bool_] = np.where(known, left, split.unknown == "left")
        return found

    def _best_split(self, rows: Rows, mass: Floats) -> Split | None:
        if mass.max() >= mass.sum() - 1e-9 or mass.sum() < 2 * self.least:
            return None
        tried: list[Split] = []
        for place, cuts in enumerate(self.cuts):
            if len(cuts):
                values = self.raw[rows, place]
                bins = np.where(np.isfinite(values), np.searchsorted(cuts, values, side="right"), -1)
                counted = self._counted(rows, bins, len(cuts) + 1)
                tried += self._judged(place, cuts, np.cumsum(counted[:-2], axis=0), counted, mass)
        for at, size in enumerate(self.sizes):
            counted = self._counted(rows, self.codes[rows, at], size)
            tried += self._judged(len(self.cuts) + at, np.arange(size), counted[:-1], counted, mass)
        return max(tried, key=lambda one: one.gain, default=None)

    def _counted(self, rows: Rows, bins: Whole, size: int) -> Floats:
        """Mass of each group in each bin; the last row is of those who are unknown."""
        placed = np.where(bins < 0, size, bins) * self.groups + self.labels[rows]
        mass: Floats = np.bincount(placed, self.weight[rows], (size + 1) * self.groups).astype(np.float64)
        return mass.reshape(size + 1, self.groups)

    def _judged(self, place: int, cuts: npt.NDArray[Any], left: Floats, counted: Floats, mass: Floats) -> list[Split]:
        """The best cut of one feature, with the unknown on either side; none where a side would be too small."""
        missing = counted[-1]
        whole = _squares(mass[None, :])[0]
        sides: tuple[Unknown, ...] = ("left", "right") if missing.sum() > 0 else ("none",)
        found = []
        for side in sides:
            mine = left + missing if side == "left" else left
            other = mass - mine
            gains = _squares(mine) + _squares(other) - whole
            gains[(mine.sum(axis=1) < self.least) | (other.sum(axis=1) < self.least)] = -np.inf
            at = int(gains.argmax())
            if gains[at] > 1e-9:
                found.append(Split(place, float(cuts[at]), side, float(gains[at])))
        return found


def _squares(mass: Floats) -> Floats:
    """Sum of squares over the total: what Gini's impurity leaves to compare."""
    total = mass.sum(axis=1)
    return np.asarray((mass**2).sum(axis=1) / np.maximum(total, 1e-12), dtype=np.float64)


def _cuts(values: Floats) -> Floats:
    """Round thresholds near the quantiles, that divide the values."""
    known = values[np.isfinite(values)]
    if not len(known):
        return known
    at = np.quantile(known, np.linspace(0, 1, CUTS + 2)[1:-1])
    rounded: Floats = np.unique([_rounded(float(one)) for one in at])
    return np.asarray(rounded[(rounded > known.min()) & (rounded <= known.max())], dtype=np.float64)


def _rounded(value: float) -> float:
    """A threshold of two significant figures.

    >>> _rounded(12345678.9), _rounded(0.0347), _rounded(0.0)
    (12000000.0, 0.035, 0.0)
    """
    return float(f"{value:.{DIGITS - 1}e}")


# -- from leaves to text -----------------------------------------------------------------------------------------------


def together(leaves: Sequence[Leaf]) -> list[Leaf]:
    """Two leaves of one condition that say the same group are one leaf."""
    kept = list(leaves)
    at = 0
    while at + 1 < len(kept):
        one, two = kept[at], kept[at + 1]
        if one.group == two.group and len(one.path) == len(two.path) and one.path and one.path[:-1] == two.path[:-1]:
            kept[at : at + 2] = [replace(one, path=one.path[:-1])]
            at = 0
        else:
            at += 1
    return kept


def rule_of(leaves: Sequence[Leaf], group: int, found: Prepared) -> str:
    """The rule of one group, any of its leaves; empty where the tree gives it none."""
    said = [_conjunction(one.path, found) for one in leaves if one.group == group]
    if len(said) < 2:
        return said[0] if said else ""
    return " or ".join(f"({one})" for one in said)


def _conjunction(path: Sequence[tuple[Split, bool]], found: Prepared) -> str:
    by_place: dict[int, list[tuple[Split, bool]]] = {}
    for split, is_left in path:
        by_place.setdefault(split.place, []).append((split, is_left))
    said = []
    for place, steps in by_place.items():
        takes_unknown = all(split.unknown == ("left" if is_left else "right") for split, is_left in steps)
        if place < len(found.measures):
            said.append(_of_measure(found.measures[place], steps, takes_unknown))
        else:
            said.append(_of_classes(found.texts[place - len(found.measures)], steps, takes_unknown))
    return " and ".join(one for one in said if one) or "true"


def _term(feature: Feature) -> str:
    if feature.formula:
        return f"({feature.formula})"
    return render_text(tree.FactRef(feature.name, Grain.CUSTOMER, FactType.NUMBER))


def _of_measure(one: Measure, steps: Sequence[tuple[Split, bool]], takes_unknown: bool) -> str:
    name = _term(one.feature)
    uppers = [split.cut for split, is_left in steps if is_left]
    lowers = [split.cut for split, is_left in steps if not is_left]
    parts = [f"{name} >= {number_text(max(lowers))}"] if lowers else []
    parts += [f"{name} < {number_text(min(uppers))}"] if uppers else []
    return _or_unknown(" and ".join(parts), name, takes_unknown, is_several=len(parts) > 1)


def number_text(value: float) -> str:
    """A threshold as it is written in a rule.

    >>> number_text(12000000.0), number_text(0.035)
    ('12000000', '0.035')
    """
    return format(Decimal(shown_number(value)), "f")


def _of_classes(one: Classes, steps: Sequence[tuple[Split, bool]], takes_unknown: bool) -> str:
    name, kept = _term(one.feature), list(one.classes)
    for split, is_left in steps:
        chosen = one.classes[int(split.cut)]
        kept = [word for word in kept if (word == chosen) == is_left]
    if len(kept) == len(one.classes):
        return ""
    if one.is_truth:
        said = name if kept == ["true"] else f"not {name}"
    elif OTHERS in kept:
        said = _among(name, [word for word in one.classes if word not in kept], is_not=True)
    else:
        said = _among(name, kept, is_not=False)
    return _or_unknown(said, name, takes_unknown)


def _among(name: str, words: Sequence[str], *, is_not: bool) -> str:
    quoted = ["'" + one.replace("'", "''") + "'" for one in words]
    if len(quoted) == 1:
        return f"{name} {'<>' if is_not else '='} {quoted[0]}"
    return f"{name} {'not in' if is_not else 'in'} ({', '.join(quoted)})"


def _or_unknown(said: str, name: str, takes_unknown: bool, *, is_several: bool = False) -> str:
    if not takes_unknown:
        return said
    return f"(({said}) or {name} is null)" if is_several else f"({said} or {name} is null)"


def fidelity(labels: Whole, group: int, verdict: Whole, weight: Floats) -> Mapping[str, float]:
    """How well a rule stands for a group: rows in both over those of the rule, of the group, of either; and unknown.

    `verdict` is 1 where the rule holds, 0 where not, -1 where it cannot be told.
    """
    mine, theirs = labels == group, verdict == 1
    both, one, two = (float(weight[rows].sum()) for rows in (mine & theirs, theirs, mine))
    whole = max(float(weight.sum()), 1e-12)
    return {
        "precision": both / one if one else 0.0, "recall": both / two if two else 0.0,
        "jaccard": both / (one + two - both) if one + two else 0.0,
        "unknown": float(weight[verdict == -1].sum()) / whole,
    }  # fmt: skip
