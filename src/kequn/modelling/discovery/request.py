"""What is to be discovered, and on which rows: the file in which somebody asks. Every key is named here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kequn.domain.errors import Finding, Place, Refused, Text
from kequn.modelling.spec import Feature, read_features, read_reasons, yaml_of

KEYS = (
    "key", "features", "train", "period", "weight", "target", "event", "decision_date", "compare", "allow_leakage",
    "seed",
)  # fmt: skip
NEEDED = ("key", "features")


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request. `train` is rule text: the rows on which groups are looked for; the others are later.

    `period` orders the rows in time; `target` and `event` say which outcome the groups are judged by, never found by;
    `compare` are the ways to divide the book that exist already.
    """

    key: str
    features: tuple[Feature, ...]
    train: str = ""
    period: str = ""
    weight: str = ""
    target: str = ""
    event: str = ""
    decision_date: str = ""
    compare: tuple[Feature, ...] = ()
    allow_leakage: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1


def read_request(path: Path) -> Request:
    """The request in a file; Refused with every entry that is wrong."""
    return request_of(yaml_of(path, "发现说明"), path.name)


def request_of(body: object, file: str = "spec") -> Request:
    """The request of a mapping, checked.

    >>> request_of({"key": "id", "features": ["revenue"]}).features[0].name
    'revenue'
    """
    wrong: list[Finding] = []

    def complain(key: str, zh: str, en: str) -> None:
        wrong.append(Finding(f"spec.{key}", Text(f"{key}：{zh}", f"{key}: {en}"), Place(file)))

    if not isinstance(body, Mapping):
        raise Refused(Text("发现说明应是键和值", "a spec is a mapping of keys"))
    for key in body.keys() - set(KEYS):
        complain(str(key), f"不认识的键；可用：{' '.join(KEYS)}", f"unknown key; there are {' '.join(KEYS)}")
    for key in NEEDED:
        if body.get(key) in (None, "", []):
            complain(key, "必须填写", "is needed")
    if (body.get("target") in (None, "")) != (body.get("event") in (None, "")):
        complain("event", "与 target 须同时填写", "goes together with target")
    features = read_features(body.get("features") or (), complain)
    for one in features:
        if one.cross:
            complain("features", f"{one.name}：交叉指标不能写成规则", f"{one.name}: crossed texts cannot become a rule")
    compare = read_features(body.get("compare") or (), complain)
    seed = body.get("seed", 1)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        complain("seed", "应为不小于 0 的整数", "a whole number of at least 0")
    allowed = read_reasons(body.get("allow_leakage") or {}, complain)
    if wrong:
        raise Refused(Text(f"发现说明有 {len(wrong)} 处错误", f"the spec has {len(wrong)} error(s)"), tuple(wrong))
    said = {name: str(body.get(name) or "") for name in ("train", "period", "weight", "target", "decision_date")}
    event = body.get("event")
    return Request(
        key=str(body["key"]), features=features, compare=compare, allow_leakage=allowed, seed=seed,
        event="" if event is None else str(event).lower() if isinstance(event, bool) else str(event), **said,
    )  # fmt: skip
