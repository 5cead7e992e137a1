"""Characteristics cut into bins with their weight of evidence. The cuts come from optbinning, the figures are ours.

Numbers are cut where the event rate moves one way only, unless the spec frees them; texts are put together by their
event rate. Unknown is a bin of its own. Weight of evidence is ln of the share of the good over the share of the bad.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from kequn.domain.errors import Text
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.spec import Direction
from kequn.modelling.tapes import Floats, Whole, needs, numbers, texts

SOLVER_SECONDS = 20
# cuts tried before the best few are chosen; without a direction to hold, forty cost the solver a hundred times twenty
CUTS_TRIED = {"numerical": 20, "categorical": 40}
TRENDS: Mapping[Direction, str | None] = {
    "auto": "auto_asc_desc", "increasing": "ascending", "decreasing": "descending", "none": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin: a half-open range of numbers, a list of texts, or what is unknown. Counts are weighted.

    `seen` is false where training had no such row: the bin is then neutral.
    """

    low: float | None = None
    high: float | None = None
    classes: tuple[str, ...] = ()
    missing: bool = False
    others: bool = False
    rows: float = 0.0
    events: float = 0.0
    woe: float = 0.0
    seen: bool = True

    @property
    def rate(self) -> float | None:
        return self.events / self.rows if self.rows else None


@dataclass(frozen=True, slots=True)
class Characteristic:
    """A feature with its bins, in order; `value` is the information value: sum (good - bad) * woe."""

    name: str
    type: FactType
    bins: tuple[Bin, ...]
    value: float

    def codes(self, column: pa.ChunkedArray) -> Whole:
        """The number of the bin of each row."""
        missing = next(at for at, one in enumerate(self.bins) if one.missing)
        if self.type == FactType.TEXT:
            places = {text: at for at, one in enumerate(self.bins) for text in one.classes}
            others = next(at for at, one in enumerate(self.bins) if one.others)
            said = column.combine_chunks().dictionary_encode()
            whole = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
            of = np.array([*(places.get(text, others) for text in whole.dictionary.to_pylist()), missing])
            return np.asarray(of[whole.indices.fill_null(len(whole.dictionary)).to_numpy()], dtype=np.int64)
        values = numbers(column)
        edges = [one.high for one in self.bins if not one.missing and one.high is not None]
        found = np.searchsorted(np.array(edges), values, side="right") if edges else np.zeros(len(values), dtype=int)
        return np.where(np.isnan(values), missing, found).astype(np.int64)

    def woe_of(self, column: pa.ChunkedArray) -> Floats:
        return np.array([one.woe for one in self.bins])[self.codes(column)]


@dataclass(frozen=True, slots=True)
class Failed:
    """A feature that is no characteristic of the model, and why."""

    name: str
    why: Text


def cut(
    name: str, column: pa.ChunkedArray, event: Floats, weight: Floats, direction: Direction, limits: Mapping[str, float]
) -> Characteristic | Failed:
    """The characteristic of a feature over the training rows, or why it has none."""
    kind = kind_of(column.type)
    known = np.asarray(column.is_valid().to_numpy(), dtype=bool)
    share = float(weight[known].sum() / weight.sum())
    if share < limits["known_share_min"]:
        return Failed(name, Text(f"只有 {share:.1%} 已知", f"only {share:.1%} is known"))
    if kind == FactType.TEXT:
        bins = _text_bins(texts(column), event, weight, limits)
    elif kind in (FactType.NUMBER, FactType.BOOLEAN):
        bins = _number_bins(numbers(column), event, weight, direction, limits)
    else:
        return Failed(name, Text("类型不能分箱", "of a type that cannot be binned"))
    if isinstance(bins, Text):
        return Failed(name, bins)
    made = weighed(Characteristic(name, kind, bins, 0.0), column, event, weight)
    if made.value < limits["iv_min"]:
        return Failed(name, Text(f"信息值 {made.value:.4f} 低于下限", f"information value {made.value:.4f} is too low"))
    return made


def weighed(one: Characteristic, column: pa.ChunkedArray, event: Floats, weight: Floats) -> Characteristic:
    """The same bins with the counts and the weight of evidence of these rows.

    An empty class of a bin counts as half a row, so that the logarithm exists. Good and bad are weighted.
    """
    codes = one.codes(column)
    rows = np.bincount(codes, weights=weight, minlength=len(one.bins))
    bad = np.bincount(codes, weights=weight * event, minlength=len(one.bins))
    good = rows - bad
    half = 0.5 * float(weight.mean())
    bad_share = np.maximum(bad, half) / bad.sum()
    good_share = np.maximum(good, half) / good.sum()
    woe = np.where(rows > 0, np.log(good_share / bad_share), 0.0)
    value = float(((good / good.sum() - bad / bad.sum()) * woe).sum())
    bins = tuple(
        Bin(b.low, b.high, b.classes, b.missing, b.others, float(r), float(d), float(v), bool(r > 0))
        for b, r, d, v in zip(one.bins, rows, bad, woe, strict=True)
    )
    return Characteristic(one.name, one.type, bins, value)


def _number_bins(
    values: Floats, event: Floats, weight: Floats, direction: Direction, limits: Mapping[str, float]
) -> tuple[Bin, ...] | Text:
    known = np.isfinite(values)
    if len(np.unique(values[known])) < 2:
        return Text("只有一个取值", "has only one value")
    options = {"dtype": "numerical", "monotonic_trend": TRENDS[direction]}
    cuts = _solved(values[known], event[known], weight[known], options, limits)
    if cuts is None or len(cuts) == 0:
        return Text("找不到单调的分箱" if direction != "none" else "找不到分箱",
                    "no bins whose risk moves one way" if direction != "none" else "no bins were found")  # fmt: skip
    edges = [None, *map(float, cuts), None]
    return (*(Bin(low, high) for low, high in pairwise(edges)), Bin(missing=True))


def _text_bins(values: Any, event: Floats, weight: Floats, limits: Mapping[str, float]) -> tuple[Bin, ...] | Text:
    known = np.array([value is not None for value in values])
    classes, count = np.unique(values[known].astype(str), return_counts=True)
    if len(classes) < 2:
        return Text("只有一个取值", "has only one value")
    common = set(classes[count >= limits["class_share_min"] * known.sum()].tolist())
    if not common:
        return Text("取值太多，每类太少", "too many classes with too few rows each")
    rare = "\N{HORIZONTAL ELLIPSIS}"
    kept = np.array([value if value in common else rare for value in values[known]], dtype=object)
    cuts = _solved(kept, event[known], weight[known], {"dtype": "categorical"}, limits)
    if cuts is None or len(cuts) < 2:
        return Text("各类风险没有差别", "its classes do not differ in risk")
    bins = [Bin(classes=tuple(sorted(str(one) for one in group if one != rare)), others=rare in list(group))
            for group in cuts]  # fmt: skip
    if not any(one.others for one in bins):
        bins.append(Bin(others=True))
    return (*bins, Bin(missing=True))


def _solved(values: Any, event: Floats, weight: Floats, options: Mapping[str, Any], limits: Mapping[str, float]) -> Any:
    """The cuts or the groups that optbinning chooses; None where it finds none."""
    try:
        from optbinning import OptimalBinning
    except ImportError as error:
        raise needs("optbinning") from error
    binning = OptimalBinning(
        max_n_bins=int(limits["bins_max"]), min_bin_size=limits["bin_share_min"], time_limit=SOLVER_SECONDS,
        min_prebin_size=limits["bin_share_min"], max_n_prebins=CUTS_TRIED[options["dtype"]], solver="cp", **options,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old names inside its own dependencies
        try:
            binning.fit(values, event.astype(int), sample_weight=weight)
        except ValueError:
            return None
    return binning.splits if binning.status in {"OPTIMAL", "FEASIBLE"} else None


def weight_matrix(chosen: Sequence[Characteristic], columns: Mapping[str, pa.ChunkedArray]) -> Floats:
    """Weight of evidence of every characteristic, rows by characteristics."""
    if not chosen:
        return np.zeros((0, 0))
    return np.column_stack([one.woe_of(columns[one.name]) for one in chosen])
