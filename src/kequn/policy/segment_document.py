"""One segment as a document of its own: checked, written as YAML, read back equal.

The body is a mapping of plain values in one fixed order of keys, so that the same segment is always the same text.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

import yaml

from kequn.domain.errors import Place, Refused, Text
from kequn.policy.documents import Complaints, label_of, yaml_mapping
from kequn.policy.items import UnknownMeans

KEYS = ("name", "dimension", "zh", "en", "unknown", "rule", "note", "source")
NEEDED = ("name", "zh", "en", "unknown", "rule")
RESERVED = frozenset({"define", "overlap", "hierarchies"})  # words of our own addresses
NAME = re.compile(r"[a-z][a-z0-9_]{1,60}")
LONGEST = {"zh": 80, "en": 120, "note": 2000, "source": 500}


def body_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A row of a pack, a form or a file as a segment's body; Refused with everything that is wrong with it."""
    complaints = Complaints()
    name = str(row.get("name") or "").strip()
    place = Place("", "segments", None, name)
    for key in row.keys() - set(KEYS):
        complaints.add(place, "key", "不认识的键", "unknown key", found=key, allowed=" ".join(KEYS))
    body = {key: _said(row.get(key)) for key in KEYS}
    body["unknown"] = body["unknown"] or "out"
    if not NAME.fullmatch(name) or name in RESERVED:
        complaints.add(
            place, "name", "代码须以小写字母开头，只含小写字母、数字和下划线，且不与页面地址重名",
            "the code starts with a small letter, holds small letters, digits and _, and is no word of an address",
            found=name, allowed="[a-z][a-z0-9_]*",
        )  # fmt: skip
    label_of(body, place, complaints)
    if body["unknown"] not in get_args(UnknownMeans):
        complaints.add(
            place, "unknown", "不认识的未知处理", "unknown meaning of unknown", found=body["unknown"],
            allowed=" ".join(get_args(UnknownMeans)),
        )  # fmt: skip
    if not body["rule"]:
        complaints.add(place, "rule", "缺少规则", "the rule is missing")
    for key, most in LONGEST.items():
        if len(body[key]) > most:
            complaints.add(place, key, f"最多 {most} 字", f"at most {most} characters", found=len(body[key]))
    _settle(complaints)
    return {key: value for key, value in body.items() if value or key in NEEDED}


def _said(value: object) -> str:
    return "" if value is None else str(value).replace("\r\n", "\n").strip()


def _settle(complaints: Complaints) -> None:
    if complaints.findings:
        raise Refused(
            Text(
                f"客群定义有 {len(complaints.findings)} 处错误", f"The segment has {len(complaints.findings)} error(s)"
            ),
            tuple(complaints.findings),
        )


def to_yaml(body: Mapping[str, str]) -> str:
    """The document as text: the keys in their order, Chinese as it is written."""
    ordered = {key: body[key] for key in KEYS if key in body}
    text: str = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=10_000)
    return text


def from_yaml(text: str) -> dict[str, str]:
    """The body that a text says; Refused where it says none."""
    complaints = Complaints()
    found = yaml_mapping(text, Place("YAML"), complaints)
    _settle(complaints)
    return body_of(found)
