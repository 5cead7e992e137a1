"""A model as a folder: written once, read back, and applied to a tape. Nothing in it is ever executed.

`model.yaml` the policy document, `card.json` how it came about, `spec.yaml` what was asked, `bins.csv` the bin table in
both languages, and for a challenger `trees.txt`, LightGBM's own text.
"""

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.facts import FactType
from kequn.engine.columns import ARROW_TYPES, kind_of, normal_column
from kequn.engine.frames import ReaderName
from kequn.modelling import panel
from kequn.modelling.calibration import Calibration
from kequn.modelling.challenger import Challenger, Inputs
from kequn.modelling.fitting import Fitted
from kequn.modelling.frozen import (
    Ready,
    challenger_document,
    evaluated,
    head_of,
    read_model_document,
    ready,
    scorecard_document,
    write_document,
)
from kequn.modelling.scorecard import Scale, Scorecard
from kequn.modelling.spec import Feature, Spec, spec_of
from kequn.modelling.tapes import Tape, feature_columns, sources_of
from kequn.policy.standalone import definitions_of

DOCUMENT, CARD, SPEC, BINS, TREES = "model.yaml", "card.json", "spec.yaml", "bins.csv", "trees.txt"
BIN_HEAD = (
    "characteristic 指标", "bin 分箱", "rows 加权行数", "events 加权事件", "event rate 事件率",
    "weight of evidence 证据权重", "points 得分", "remark 说明",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """A model read back from its folder."""

    spec: Spec
    features: tuple[Feature, ...]
    card: Mapping[str, Any]
    ready: Ready
    challenger: Challenger | None

    @property
    def scale(self) -> Scale:
        return Scale(**self.card["scale"])

    @property
    def inputs(self) -> dict[str, FactType]:
        return {name: FactType(kind) for name, kind in self.card["inputs"].items()}

    @property
    def confidence(self) -> float:
        return float(self.card["limits"]["confidence"])

    @property
    def grade_rows_min(self) -> float:
        """Fewest rows of a grade that is judged; Refused where the model is older than this setting of policy."""
        found = self.card["limits"].get("grade_rows_min")
        if found is None:
            raise Refused(
                Text("模型卡片没有 grade_rows_min（拟合时的政策尚无此项）；请重新拟合",
                     "the card has no grade_rows_min (policy had none when it was fitted); fit the model again")
            )  # fmt: skip
        return float(found)


def save(fitted: Fitted, folder: Path, tape: Tape, day: date) -> None:
    """Write the folder as a whole, beside its place and then moved; an old model is never overwritten."""
    if folder.exists() and any(folder.iterdir()):
        raise Misuse(Text(f"文件夹 {folder} 不是空的", f"the folder {folder} is not empty"))
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=_parent(folder)))
    try:
        _write(fitted, fresh, tape, day)
        if folder.exists():
            folder.rmdir()
        os.replace(fresh, folder)  # noqa: PTH105 - a folder, in one step
        folder.chmod(0o755)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def save_recalibrated(source: Path, folder: Path, calibration: Calibration, how: Mapping[str, Any]) -> None:
    """The model of a folder with another calibration in a folder of its own: the ranking is untouched.

    The card keeps the calibration before it, so that the whole way can be read.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Misuse(Text(f"文件夹 {folder} 不是空的", f"the folder {folder} is not empty"))
    card = json.loads((source / CARD).read_text(encoding="utf-8"))
    body = yaml.safe_load((source / DOCUMENT).read_text(encoding="utf-8"))
    before = card["calibration"]
    card["calibration_before"] = [*card.get("calibration_before", []), before]
    card["calibration"] = {
        **how, "intercept": calibration.intercept, "slope": calibration.slope, "pd_floor": before["pd_floor"],
    }  # fmt: skip
    body["constants"]["calibration_intercept"]["value"] = calibration.intercept
    body["constants"]["calibration_slope"]["value"] = calibration.slope
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=_parent(folder)))
    try:
        shutil.copytree(source, fresh, dirs_exist_ok=True)
        write_document(body, fresh / DOCUMENT)
        (fresh / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        os.replace(fresh, folder)  # noqa: PTH105 - a folder, in one step
        folder.chmod(0o755)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _parent(folder: Path) -> Path:
    if not folder.resolve().parent.is_dir():
        raise Misuse(Text(f"没有文件夹 {folder.parent}", f"there is no folder {folder.parent}"))
    return folder.resolve().parent


def _write(fitted: Fitted, folder: Path, tape: Tape, day: date) -> None:
    used = _used_features(fitted)
    inputs = sources_of([one for one in used if not one.name.startswith(panel.CHANGE)], tape)
    kinds = {name: kind.value for name in inputs if (kind := kind_of(tape.column(name).type)) is not None}
    card = {**fitted.card, "inputs": kinds, "features": [asdict(one) for one in used], "spec": _spec_body(fitted.spec)}
    title = Text(f"{fitted.spec.target} 的模型", f"Model of {fitted.spec.target}")
    fitted_by = f"kequn model fit, {tape.file}, sha256 {tape.digest}"
    source = Text(f"由 {tape.file} 拟合（kequn model fit），sha256 {tape.digest}", fitted_by)
    head = head_of(title, source, day)
    floor, grades = card["calibration"]["pd_floor"], card["grades"]
    if isinstance(fitted.model, Scorecard):
        body = scorecard_document(fitted.model, used, fitted.types, head, calibration=fitted.calibration, floor=floor,
                                  grades=grades)  # fmt: skip
        _write_bins(card["characteristics"], folder / BINS)
    else:
        body = challenger_document(head, calibration=fitted.calibration, floor=floor, grades=grades)
        (folder / TREES).write_text(fitted.model.text, encoding="utf-8")
    write_document(body, folder / DOCUMENT)
    (folder / SPEC).write_text(yaml.safe_dump(card["spec"], allow_unicode=True, sort_keys=False), encoding="utf-8")
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")


def _used_features(fitted: Fitted) -> tuple[Feature, ...]:
    """The features the model reads, and the parts of those that are crossed."""
    if isinstance(fitted.model, Scorecard):
        names = {one.name for one in fitted.model.characteristics}
    else:
        names = set(fitted.model.inputs.names)
    parts = {word for one in fitted.features if one.name in names for word in one.cross}
    return tuple(one for one in fitted.features if one.name in names | parts)


def _spec_body(spec: Spec) -> dict[str, Any]:
    """The spec as it could be written again; only what was said."""
    features = [
        one.name if not one.formula and not one.cross else
        {"name": one.name, **({"formula": one.formula} if one.formula else {"cross": list(one.cross)}),
         **({"part": True} if one.part else {})}
        for one in spec.features
    ]  # fmt: skip
    body: dict[str, Any] = {
        "kind": spec.kind, "key": spec.key, "target": spec.target, "event": spec.event, "weight": spec.weight,
        "group": spec.group, "features": features, "exclude": list(spec.exclude), "train": spec.train,
        "monotone": dict(spec.directions) or spec.monotone, "decision_date": spec.decision_date, "period": spec.period,
        "horizon": spec.horizon, "label_lag_years": spec.label_lag_years,
        "calibrate_by": spec.calibrate_by or spec.population_rate, "allow_leakage": dict(spec.allow_leakage),
    }  # fmt: skip
    return {key: value for key, value in body.items() if value not in ("", [], {}, None)}


def _write_bins(characteristics: Sequence[Mapping[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(BIN_HEAD)
        for one in characteristics:
            for b in one["bins"]:
                rate = "" if not b["rows"] else f"{b['events'] / b['rows']:.4f}"
                remark = "" if b["seen"] else "not seen in training, neutral 训练中未见，中性"
                writer.writerow([one["name"], bin_text(b), f"{b['rows']:.1f}", f"{b['events']:.1f}", rate,
                                 f"{b['woe']:.4f}", b["points"], remark])  # fmt: skip


def bin_text(b: Mapping[str, Any]) -> str:
    """A bin as people write it, the same in both languages but for two words."""
    if b["missing"]:
        return "unknown 未知"
    if b["others"]:
        return "all others 其余"
    if b["classes"]:
        return ", ".join(text.replace("\x1f", " × ").replace("\x1e", "unknown 未知") for text in b["classes"])
    low, high = b["low"], b["high"]
    if low is None:
        return "-" if high is None else f"< {high:g}"
    return f">= {low:g}" if high is None else f"[{low:g}, {high:g})"


def load(folder: Path) -> Model:
    """The model in a folder; Refused where a part of it is missing or not sound."""
    if not (folder / CARD).is_file() or not (folder / DOCUMENT).is_file():
        raise Misuse(Text(f"{folder} 不是模型文件夹", f"{folder} is not the folder of a model"))
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        spec = spec_of(card["spec"], CARD)
        features = tuple(Feature(row["name"], row["formula"], tuple(row["cross"]), bool(row["part"]))
                         for row in card["features"])  # fmt: skip
        inputs = {name: FactType(kind) for name, kind in card["inputs"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(Text(f"模型卡片读不懂：{error}", f"the card of the model cannot be read: {error}")) from error
    challenger = _challenger(folder, card)
    known = {"score": FactType.NUMBER} if challenger is not None else inputs
    definitions = definitions_of(read_model_document(folder / DOCUMENT), known)
    return Model(spec, features, card, ready(definitions), challenger)


def _challenger(folder: Path, card: Mapping[str, Any]) -> Challenger | None:
    if card["kind"] == "scorecard":
        return None
    of = card["inputs_of_trees"]
    classes = {name: tuple(found) for name, found in of["classes"].items()}
    return Challenger((folder / TREES).read_text("utf-8"),
                      Inputs(tuple(of["names"]), classes, tuple(of["directions"])))  # fmt: skip


def input_columns(model: Model, tape: Tape) -> dict[str, pa.ChunkedArray]:
    """The columns a model reads, in the types it was fitted on; Refused for a column that is of another kind."""
    found = {}
    for name, kind in model.inputs.items():
        column = tape.column(name)
        other = kind_of(column.type)
        if other not in (kind, None) and not pa.types.is_null(column.type):
            raise Refused(
                Text(f"{name} 应为 {kind}，文件中是 {other}", f"{name} should be {kind}, the file has {other}")
            )
        found[name] = normal_column(column, kind)
    return found


def model_features(model: Model, tape: Tape) -> Mapping[str, pa.ChunkedArray]:
    """The features of the model for every row of a tape."""
    plain = [one for one in model.features if not one.name.startswith(panel.CHANGE)]
    return panel.features_over_time(model.spec, tape, feature_columns(plain, typed(model, tape)))


def typed(model: Model, tape: Tape) -> Tape:
    """The tape with the inputs of the model in their types."""
    table = tape.table
    for name, column in input_columns(model, tape).items():
        table = table.set_column(table.column_names.index(name), name, column)
    return Tape(table, tape.file, tape.digest)


def scored(model: Model, tape: Tape, reader: ReaderName = "duckdb") -> pa.Table:
    """`score`, `pd` and `grade` of every row, in the order of the tape."""
    if model.challenger is None:
        columns: Mapping[str, pa.ChunkedArray] = input_columns(model, tape)
        return evaluated(model.ready, columns, tape.rows, ("score", "pd", "grade"), reader)
    scores = model.challenger.scores(model_features(model, tape), tape.rows, model.scale)
    column = pa.chunked_array([pa.array(scores, ARROW_TYPES[FactType.NUMBER])])
    rest = evaluated(model.ready, {"score": column}, tape.rows, ("pd", "grade"), reader)
    return pa.table([column, *rest.columns], names=["score", "pd", "grade"])


def score_table(model: Model, tape: Tape, reader: ReaderName = "duckdb", reasons: int = 0) -> pa.Table:
    """The key of the spec, then `score`, `pd`, `grade`; with `reasons`, the features that raise the risk most."""
    found = scored(model, tape, reader)
    names, columns = [model.spec.key, *found.column_names], [keys_of(model.spec, tape), *found.columns]
    if reasons:
        said = reasons_of(model, tape, reasons)
        names, columns = [*names, "reasons"], [*columns, pa.chunked_array([pa.array(said, pa.string())])]
    return pa.table(columns, names=names)


def keys_of(spec: Spec, tape: Tape) -> pa.ChunkedArray:
    """The key of each row; where the file has no such column, the number of the row, counted from 1."""
    if spec.key in tape.table.column_names:
        return tape.column(spec.key)
    return pa.chunked_array([pa.array(np.arange(1, tape.rows + 1))])


def reasons_of(model: Model, tape: Tape, most: int) -> list[str]:
    """For each row the features that speak against it most, `;` between; of a scorecard, the points it falls short.

    A reason of a scorecard is the distance to the best points of a characteristic.
    """
    columns = model_features(model, tape)
    if model.challenger is not None:
        return [";".join(name for name, _ in row) for row in model.challenger.reasons(columns, tape.rows, most)]
    names = [one["name"] for one in model.card["characteristics"]]
    best = [max(b["points"] for b in one["bins"]) for one in model.card["characteristics"]]
    points = evaluated(model.ready, input_columns(model, tape), tape.rows, [f"points_{name}" for name in names])
    lost = np.column_stack([top - points.column(at).to_numpy() for at, top in enumerate(best)])
    order = np.argsort(-lost, axis=1, kind="stable")[:, :most]
    return [";".join(names[at] for at in places if row[at] > 0)
            for row, places in zip(lost, order.tolist(), strict=True)]  # fmt: skip
