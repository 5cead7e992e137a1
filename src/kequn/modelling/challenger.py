"""A challenger: boosted trees by LightGBM, held to one direction where policy knows it, each case with its reasons.

The trees are kept as LightGBM's own text and read back from it; classes of texts are numbered by a list in the card.
Unknown stays unknown: the trees decide at each node which way it goes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.scorecard import Scale
from kequn.modelling.spec import Direction, Feature, Spec
from kequn.modelling.tapes import Flags, Floats, needs, numbers

BATCH = 131_072
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Inputs:
    """How features become the matrix of the trees: order, classes of texts, direction of each number (1, -1, 0)."""

    names: tuple[str, ...]
    classes: Mapping[str, tuple[str, ...]]
    directions: tuple[int, ...]

    def matrix(self, columns: Mapping[str, pa.ChunkedArray]) -> Floats:
        """Rows by features; texts as the number of their class, unknown and never seen as NaN."""
        return np.column_stack([self._column(name, columns[name]) for name in self.names])

    def _column(self, name: str, column: pa.ChunkedArray) -> Floats:
        if name not in self.classes:
            return numbers(column)
        place = {text: float(at) for at, text in enumerate(self.classes[name])}
        said = column.combine_chunks().dictionary_encode()
        whole = said.combine_chunks() if isinstance(said, pa.ChunkedArray) else said
        of = np.array([*(place.get(text, np.nan) for text in whole.dictionary.to_pylist()), np.nan])
        return np.asarray(of[whole.indices.fill_null(len(whole.dictionary)).to_numpy()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Challenger:
    """The trees as text and their inputs. The margin is the log odds of the event."""

    text: str
    inputs: Inputs

    def booster(self) -> Any:
        return booster_of(self.text)

    def scores(self, columns: Mapping[str, pa.ChunkedArray], rows: int, scale: Scale) -> Floats:
        """The score of each row, higher is safer, in batches so that a book of millions stays small."""
        booster = self.booster()
        found = np.empty(rows)
        for start in range(0, rows, BATCH):
            part = {name: columns[name].slice(start, BATCH) for name in self.inputs.names}
            found[start : start + BATCH] = booster.predict(self.inputs.matrix(part), raw_score=True)
        return scale.offset - scale.factor * found

    def reasons(self, columns: Mapping[str, pa.ChunkedArray], rows: int, most: int = 3
                ) -> list[list[tuple[str, float]]]:  # fmt: skip
        """For each row the features that raise its risk most, with what each adds to the log odds.

        TreeSHAP: contributions and the mean add up to the margin. Source: Lundberg et al., Nature Machine
        Intelligence 2 (2020). Nothing is listed that lowers the risk.
        """
        booster = self.booster()
        found: list[list[tuple[str, float]]] = []
        for start in range(0, rows, BATCH):
            part = {name: columns[name].slice(start, BATCH) for name in self.inputs.names}
            parts = booster.predict(self.inputs.matrix(part), pred_contrib=True)[:, :-1]
            order = np.argsort(-parts, axis=1)[:, :most]
            found += [
                [(self.inputs.names[at], float(row[at])) for at in places if row[at] > 0]
                for row, places in zip(parts, order.tolist(), strict=True)
            ]
        return found


def booster_of(text: str) -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise needs("lightgbm") from error
    return lightgbm.Booster(model_str=text)


def inputs_of(
    spec: Spec, features: Sequence[Feature], columns: Mapping[str, pa.ChunkedArray], event: Floats, weight: Floats,
    rows: Flags, limits: Mapping[str, float],
) -> Inputs:  # fmt: skip
    """The inputs of the trees. A direction that is not said is that of the rank correlation, where it is clear."""
    kept = [one for one in features if not one.part and not one.cross]
    classes: dict[str, tuple[str, ...]] = {}
    directions = []
    for one in kept:
        column = columns[one.name]
        if kind_of(column.type) == FactType.TEXT:
            classes[one.name] = _common(column.filter(pa.array(rows)), limits["class_share_min"])
            directions.append(0)
        else:
            way = spec.direction_of(one.name)
            directions.append(_direction(way, numbers(column)[rows], event[rows], weight[rows]))
    return Inputs(tuple(one.name for one in kept), classes, tuple(directions))


def _common(column: pa.ChunkedArray, least_share: float) -> tuple[str, ...]:
    counts = column.value_counts()
    least = least_share * len(column)
    return tuple(sorted(row["values"] for row in counts.to_pylist()
                        if row["values"] is not None and row["counts"] >= least))  # fmt: skip


CLEAR = 0.05  # rank correlation with the event below which a direction is chance


def _direction(way: Direction, values: Floats, event: Floats, weight: Floats) -> int:
    if way != "auto":
        return {"increasing": 1, "decreasing": -1, "none": 0}[way]
    known = np.isfinite(values)
    if known.sum() < 2 or len(np.unique(event[known])) < 2:
        return 0
    _, rank = np.unique(values[known], return_inverse=True)
    centred = np.column_stack([rank, event[known]]).astype(np.float64)
    share = weight[known] / weight[known].sum()
    centred -= share @ centred
    spread = np.sqrt(share @ centred**2)
    correlation = float(share @ (centred[:, 0] * centred[:, 1]) / max(float(spread.prod()), 1e-12))
    return 0 if abs(correlation) < CLEAR else int(np.sign(correlation))


def fit_trees(inputs: Inputs, columns: Mapping[str, pa.ChunkedArray], event: Floats, weight: Floats, rows: Flags,
              limits: Mapping[str, float]) -> Challenger:  # fmt: skip
    """The trees of the training rows. One thread of drawing with a fixed seed: the same rows give the same text."""
    try:
        import lightgbm
    except ImportError as error:
        raise needs("lightgbm") from error
    matrix = inputs.matrix({name: columns[name].filter(pa.array(rows)) for name in inputs.names})
    settings = {
        "objective": "binary", "learning_rate": limits["tree_rate"], "num_leaves": int(limits["tree_leaves"]),
        "min_data_in_leaf": int(limits["leaf_rows_min"]), "bagging_freq": 1,
        "bagging_fraction": limits["tree_rows_share"], "feature_fraction": limits["tree_features_share"],
        "cat_smooth": limits["tree_class_smoothing"], "seed": SEED, "deterministic": True,
        "force_row_wise": True, "verbose": -1,
    }  # fmt: skip
    if any(inputs.directions):
        settings |= {"monotone_constraints": list(inputs.directions), "monotone_constraints_method": "intermediate"}
    categories = [at for at, name in enumerate(inputs.names) if name in inputs.classes]
    names = [f"f{at}" for at in range(len(inputs.names))]  # LightGBM refuses some signs in names
    data = lightgbm.Dataset(matrix, event[rows], weight=weight[rows] / weight[rows].mean(), feature_name=names,
                            categorical_feature=categories, free_raw_data=True)  # fmt: skip
    booster = lightgbm.train(settings, data, num_boost_round=int(limits["trees"]))
    return Challenger(booster.model_to_string(), inputs)
