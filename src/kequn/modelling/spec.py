"""What a model is to be: the file in which somebody asks for one. Every key is named here, and no other is taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from kequn.domain.errors import Finding, Misuse, Place, Refused, Text

Kind = Literal["scorecard", "challenger", "warning"]
Direction = Literal["increasing", "decreasing", "none", "auto"]
KINDS: tuple[str, ...] = get_args(Kind)
DIRECTIONS = ("increasing", "decreasing", "none")
KEYS = (
    "kind", "key", "target", "event", "weight", "group", "features", "exclude", "train", "monotone", "decision_date",
    "period", "horizon", "label_lag_years", "calibrate_by", "allow_leakage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing a model may read: a column, a formula over columns in the grammar of the rules, or two texts crossed.

    A crossed feature has a class for each pair of classes, for risks that depend on one another. A `part` is only
    there to be crossed and is no characteristic itself.
    """

    name: str
    formula: str = ""
    cross: tuple[str, ...] = ()
    part: bool = False


@dataclass(frozen=True, slots=True)
class Spec:
    """A checked spec. Columns are names in the file; `event` is the bad value of `target`.

    `group` keeps rows of one debtor on one side of a split; `train` is rule text over the columns; `monotone` says
    how the risk moves with a number; `horizon` counts periods ahead for a warning model; `calibrate_by` is the column
    of cohorts whose default rates are averaged, or the default rate of the population itself.
    """

    kind: Kind
    key: str
    target: str
    event: str
    weight: str = ""
    group: str = ""
    features: tuple[Feature, ...] = ()
    exclude: tuple[str, ...] = ()
    train: str = ""
    monotone: bool = True
    directions: Mapping[str, Direction] = field(default_factory=dict)
    decision_date: str = ""
    period: str = ""
    horizon: int = 1
    label_lag_years: int = 0
    calibrate_by: str = ""
    population_rate: float | None = None
    allow_leakage: Mapping[str, str] = field(default_factory=dict)

    def direction_of(self, name: str) -> Direction:
        """How the probability of the event moves with a number: as said, else found in the data, else free."""
        return self.directions.get(name, "auto" if self.monotone else "none")

    @property
    def reserved(self) -> frozenset[str]:
        """Columns that are never features unless they are listed as such."""
        names = (self.key, self.target, self.weight, self.group, self.decision_date, *self.exclude)
        return frozenset(name for name in names if name)


def read_spec(path: Path) -> Spec:
    """The spec in a file; Refused with every entry that is wrong."""
    return spec_of(yaml_of(path, "模型说明"), path.name)


def yaml_of(path: Path, named: str) -> object:
    """What a spec file says, unchecked; `named` is what kind of spec it is, in Chinese."""
    if not path.is_file():
        raise Misuse(Text(f"找不到{named} {path}", f"there is no spec {path}"))
    try:
        body: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0]
        raise Refused(Text(f"{named}不是 YAML：{said}", f"the spec is not YAML: {said}")) from error
    return body


def spec_of(body: object, file: str = "spec") -> Spec:
    """The spec of a mapping, checked.

    >>> spec_of({"kind": "scorecard", "key": "id", "target": "status", "event": 1}).event
    '1'
    """
    wrong: list[Finding] = []

    def complain(key: str, zh: str, en: str) -> None:
        wrong.append(Finding(f"spec.{key}", Text(f"{key}：{zh}", f"{key}: {en}"), Place(file)))

    if not isinstance(body, Mapping):
        raise Refused(Text("模型说明应是键和值", "a spec is a mapping of keys"))
    for key in body.keys() - set(KEYS):
        complain(str(key), f"不认识的键；可用：{' '.join(KEYS)}", f"unknown key; there are {' '.join(KEYS)}")
    for key in ("kind", "key", "target", "event"):
        if body.get(key) in (None, ""):
            complain(key, "必须填写", "is needed")
    if body.get("kind") is not None and body["kind"] not in KINDS:
        complain("kind", f"应为 {' '.join(KINDS)}", f"should be one of {' '.join(KINDS)}")
    if body.get("features") and body.get("exclude"):
        complain("exclude", "与 features 只能用一个", "give either features or exclude")
    features = read_features(body.get("features") or (), complain)
    monotone, directions = _monotone(body.get("monotone", True), complain)
    calibrate_by, rate = _calibration(body.get("calibrate_by"), complain)
    counts = {key: _count(body.get(key, least), key, least, complain)
              for key, least in (("horizon", 1), ("label_lag_years", 0))}  # fmt: skip
    allowed = read_reasons(body.get("allow_leakage") or {}, complain)
    if body.get("kind") == "warning" and not (body.get("group") and body.get("period")):
        complain("group", "预警模型需要 group 和 period", "a warning model needs group and period")
    if wrong:
        raise Refused(Text(f"模型说明有 {len(wrong)} 处错误", f"the spec has {len(wrong)} error(s)"), tuple(wrong))
    return Spec(
        kind=cast("Kind", body["kind"]),
        key=str(body["key"]),
        target=str(body["target"]),
        event=_plain(body["event"]),
        weight=str(body.get("weight") or ""),
        group=str(body.get("group") or ""),
        features=features,
        exclude=tuple(map(str, body.get("exclude") or ())),
        train=str(body.get("train") or ""),
        monotone=monotone,
        directions=directions,
        decision_date=str(body.get("decision_date") or ""),
        period=str(body.get("period") or ""),
        horizon=counts["horizon"],
        label_lag_years=counts["label_lag_years"],
        calibrate_by=calibrate_by,
        population_rate=rate,
        allow_leakage=allowed,
    )


def _plain(value: object) -> str:
    """A value as it is compared with the target: whole numbers without their point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_features(rows: object, complain: Any) -> tuple[Feature, ...]:
    """The features of a list: columns by name, formulas, crossed texts; `complain` is told what is wrong."""
    found: list[Feature] = []
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, str):
            found.append(Feature(row))
        elif isinstance(row, Mapping) and (one := _feature(row)) is not None:
            found.append(one)
        else:
            complain("features", f"应为列名、{{name, formula}} 或 {{name, cross: [甲, 乙]}}：{row}",
                     f"a column, {{name, formula}} or {{name, cross: [one, two]}}: {row}")  # fmt: skip
    if not isinstance(rows, list | tuple):
        complain("features", "应是列表", "should be a list")
    names = [one.name for one in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        complain("features", f"{name} 重复", f"{name} stands twice")
    return tuple(found)


def _feature(row: Mapping[Any, Any]) -> Feature | None:
    part = row.get("part", False)
    keys = row.keys() - {"part"}
    if not isinstance(part, bool) or not row.get("name"):
        return None
    if keys == {"name", "formula"}:
        return Feature(str(row["name"]), str(row["formula"]), part=part)
    crossed = row.get("cross")
    if keys == {"name", "cross"} and isinstance(crossed, list) and len(crossed) == 2 and not part:
        return Feature(str(row["name"]), cross=(str(crossed[0]), str(crossed[1])))
    return None


def _monotone(value: object, complain: Any) -> tuple[bool, dict[str, Direction]]:
    if isinstance(value, bool):
        return value, {}
    if not isinstance(value, Mapping) or any(way not in DIRECTIONS for way in value.values()):
        complain("monotone", "应为 true、false 或 {字段: 方向}", f"true, false or {{field: {'|'.join(DIRECTIONS)}}}")
        return True, {}
    return True, {str(name): cast("Direction", way) for name, way in value.items()}


def _calibration(value: object, complain: Any) -> tuple[str, float | None]:
    if value is None or isinstance(value, str):
        return str(value or ""), None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1:
        return "", float(value)
    complain("calibrate_by", "应为列名或 0 与 1 之间的违约率", "a column, or a default rate between 0 and 1")
    return "", None


def _count(value: object, key: str, least: int, complain: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    complain(key, f"应为不小于 {least} 的整数", f"a whole number of at least {least}")
    return least


def read_reasons(value: object, complain: Any) -> dict[str, str]:
    """The fields that are allowed although they know the outcome, each with its reason."""
    if isinstance(value, Mapping) and all(isinstance(reason, str) and reason.strip() for reason in value.values()):
        return {str(name): str(reason) for name, reason in value.items()}
    complain("allow_leakage", "每个字段都要写明理由", "each field needs its reason")
    return {}
