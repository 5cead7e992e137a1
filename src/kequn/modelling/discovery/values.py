"""Features of many kinds brought to one scale, so that groups can be looked for in them; how is kept for the card.

A number is taken as it is, or as its signed logarithm where it is very skewed, then as its distance from the median in
robust standard deviations, cut at five. A text has its frequent classes, the rare ones together. Unknown stays unknown:
it says nothing of the group a row belongs to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.spec import Feature
from kequn.modelling.tapes import Flags, Floats, Whole, numbers

OTHERS = "\x1f"  # the class of all rare texts
CUT = 5.0
QUARTILES_OF_NORMAL = 1.349  # distance between the quartiles of a normal distribution, in standard deviations
SKEWED = 2.0  # skewness of an exponential: below it a number is taken as it is
FEWEST_VALUES = 2


@dataclass(frozen=True, slots=True)
class Measure:
    """A feature that is a number, and how it was brought to scale."""

    feature: Feature
    is_log: bool
    centre: float
    spread: float

    def scaled(self, raw: Floats) -> Floats:
        bent = np.sign(raw) * np.log1p(np.abs(raw)) if self.is_log else raw
        return np.asarray(np.clip((bent - self.centre) / self.spread, -CUT, CUT), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Classes:
    """A feature that is a text or a truth, with its classes; `OTHERS` is the last where there are rare ones."""

    feature: Feature
    classes: tuple[str, ...]
    is_truth: bool

    def codes(self, column: pa.ChunkedArray) -> Whole:
        """The place of each value among the classes, -1 where it is unknown."""
        places = {name: at for at, name in enumerate(self.classes)}
        rest = places.get(OTHERS, -1)
        said = (None if one is None else _word(one) for one in column.to_pylist())
        return np.array([-1 if one is None else places.get(one, rest) for one in said], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Rows brought to scale: numbers (NaN unknown) and codes of classes (-1 unknown), one row a case.

    `weight` sums to the number of equally weighted rows that would say as much.
    """

    numbers: Floats
    codes: Whole
    sizes: tuple[int, ...]
    weight: Floats

    def __len__(self) -> int:
        return len(self.weight)

    def taken(self, rows: npt.NDArray[Any]) -> "Values":
        return Values(self.numbers[rows], self.codes[rows], self.sizes, self.weight[rows])

    def shuffled(self, draw: np.random.Generator) -> "Values":
        """Every column in an order of its own: each keeps its values, and nothing hangs together any more."""
        numbers_ = np.column_stack([draw.permutation(one) for one in self.numbers.T]) if self.numbers.size else None
        codes = np.column_stack([draw.permutation(one) for one in self.codes.T]) if self.codes.size else None
        return Values(self.numbers if numbers_ is None else numbers_, self.codes if codes is None else codes,
                      self.sizes, self.weight)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The features in use, in their order, with the raw numbers and the codes of every row of the tape."""

    measures: tuple[Measure, ...]
    texts: tuple[Classes, ...]
    raw: Floats
    values: Values
    left_out: Mapping[str, Text]


def prepared(
    features: Sequence[Feature], columns: Mapping[str, pa.ChunkedArray], weight: Floats, rows: Flags,
    limits: Mapping[str, float],
) -> Prepared:  # fmt: skip
    """Scale by the rows that are looked at. Refused where fewer than two features say anything."""
    measures: list[Measure] = []
    texts: list[Classes] = []
    left_out: dict[str, Text] = {}
    for one in features:
        column = columns[one.name]
        known = 1 - column.filter(pa.array(rows)).null_count / max(int(rows.sum()), 1)
        if known < limits["discovery_known_min"]:
            left_out[one.name] = Text(f"仅 {known:.0%} 已知", f"known of {known:.0%} only")
        elif kind_of(column.type) == FactType.NUMBER:
            _measure(one, numbers(column)[rows], measures, left_out)
        else:
            _classes(one, column.filter(pa.array(rows)), limits["discovery_class_min"], texts, left_out)
    if len(measures) + len(texts) < FEWEST_VALUES:
        raise Refused(Text("可用的指标不足两个", "fewer than two features say anything"))
    raw = np.column_stack([numbers(columns[one.feature.name]) for one in measures]) if measures else _none(len(rows))
    scaled = np.column_stack([one.scaled(raw[:, at]) for at, one in enumerate(measures)]) if measures else raw
    codes = [one.codes(columns[one.feature.name]) for one in texts]
    coded = np.column_stack(codes) if codes else np.zeros((len(rows), 0), dtype=np.int64)
    values = Values(scaled, coded, tuple(len(one.classes) for one in texts), effective(weight))
    return Prepared(tuple(measures), tuple(texts), raw, values, left_out)


def effective(weight: Floats) -> Floats:
    """Weights that sum to the effective rows, (sum w)^2 / sum w^2 (Kish 1965)."""
    whole, squares = float(weight.sum()), float((weight**2).sum())
    return weight * (whole / squares if squares else 0.0)


def _none(rows: int) -> Floats:
    return np.zeros((rows, 0), dtype=np.float64)


def _measure(feature: Feature, raw: Floats, measures: list[Measure], left_out: dict[str, Text]) -> None:
    known = raw[np.isfinite(raw)]
    if len(np.unique(known)) < FEWEST_VALUES:
        left_out[feature.name] = Text("只有一个取值", "has one value only")
        return
    bent = np.sign(known) * np.log1p(np.abs(known))
    is_log = abs(_skewness(known)) > SKEWED and abs(_skewness(bent)) < abs(_skewness(known))
    used = bent if is_log else known
    low, centre, high = np.quantile(used, [0.25, 0.5, 0.75])
    spread = (high - low) / QUARTILES_OF_NORMAL or float(used.std())
    measures.append(Measure(feature, is_log, float(centre), float(spread)))


def _skewness(values: Floats) -> float:
    """Third standardised moment; nil for what does not vary."""
    spread = float(values.std())
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread else 0.0


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _classes(
    feature: Feature, column: pa.ChunkedArray, least: float, texts: list[Classes], left_out: dict[str, Text]
) -> None:
    counted = {_word(row["values"]): row["counts"] for row in column.value_counts().to_pylist()
               if row["values"] is not None}  # fmt: skip
    whole = sum(counted.values())
    common = tuple(sorted(name for name, rows in counted.items() if rows >= least * whole))
    named = common if len(common) == len(counted) else (*common, OTHERS)
    if len(named) < FEWEST_VALUES:
        left_out[feature.name] = Text("几乎只有一个类别", "has hardly more than one class")
        return
    texts.append(Classes(feature, named, kind_of(column.type) == FactType.BOOLEAN))
