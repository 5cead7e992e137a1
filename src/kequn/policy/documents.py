"""Reading the files of a pack: YAML documents and CSV standards, each with title, source, date in force, status.

Nothing is trusted: a key twice in one mapping, a missing label or source, an unknown status are complaints that
name file, key, what was found and what was allowed. Complaints are collected, so that one reading shows them all.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from kequn.domain.errors import Finding, Place, Refused, Text

STATUSES = ("verified", "memory", "illustration")
POLICY_PACK = Text("政策包", "The policy pack")


@dataclass(slots=True)
class Complaints:
    """What is wrong with a pack, in the order in which it was found."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, place: Place, code: str, zh: str, en: str, *, found: object = "", allowed: object = "") -> None:
        shown = f"; found {found!r}" if found != "" else ""
        wanted = f"; allowed: {allowed}" if allowed != "" else ""
        shown_zh = f"；发现 {found!r}" if found != "" else ""
        wanted_zh = f"；应为：{allowed}" if allowed != "" else ""
        text = Text(zh + shown_zh + wanted_zh, en + shown + wanted)
        self.findings.append(Finding(f"pack.{code}", text, place, str(found), str(allowed)))

    def take(self, place: Place, refused: Refused) -> None:
        """Findings of a lower reader, placed in the pack."""
        for finding in refused.findings or (Finding("pack.rule", refused.text),):
            self.findings.append(Finding(finding.code, finding.text, place, finding.found, finding.expected))

    def settle(self, name: str, what: Text = POLICY_PACK) -> None:
        """Refuse what was read, by its kind and name, where anything was found."""
        if self.findings:
            count = len(self.findings)
            raise Refused(
                Text(f"{what.zh} {name} 有 {count} 处错误", f"{what.en} {name} has {count} error(s)"),
                tuple(self.findings),
            )


@dataclass(frozen=True, slots=True)
class Heading:
    """What every document of a pack says about itself."""

    file: str
    title: Text
    source: Text
    in_force: date
    status: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its heading and the rest as it stands."""

    key: str
    heading: Heading
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standard:
    """One CSV table of a standard: its heading and its rows by column name."""

    key: str
    heading: Heading
    rows: tuple[Mapping[str, str], ...]


class _NoRepeats(yaml.SafeLoader):
    """YAML in which a key may stand only once in a mapping."""


def _mapping(loader: _NoRepeats, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_NoRepeats.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, complaints: Complaints) -> dict[str, Any]:
    """The mapping of a YAML file; an empty one, and a complaint, where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        complaints.add(Place(path.name), "yaml", f"无法读取：{error}", f"cannot be read: {error}")
        return {}
    return yaml_mapping(text, Place(path.name), complaints)


def yaml_mapping(text: str, place: Place, complaints: Complaints) -> dict[str, Any]:
    """The mapping that a YAML text says; an empty one, and a complaint, where it says none."""
    try:
        found = yaml.load(text, Loader=_NoRepeats)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        complaints.add(place, "yaml", f"无法读取：{error}", f"cannot be read: {error}")
        return {}
    if not isinstance(found, dict):
        complaints.add(place, "yaml", "文件应为键值结构", "the file must be a mapping of keys")
        return {}
    return found


def read_document(path: Path, complaints: Complaints, *, machine_made: bool = False) -> Document:
    """A document whose `source` says in both languages where it comes from, for pages show it.

    What a machine wrote before it said both may have one text, a command and a digest, for both.
    """
    body = read_yaml(path, complaints)
    if machine_made and isinstance(said := body.get("source"), str):
        body = body | {"source": {"zh": said, "en": said}}
    heading = _heading(path.name, body.get("title"), body, complaints)
    key = str(body.get("document", path.name.split(".")[0]))
    rest = {k: v for k, v in body.items() if k not in ("title", "source", "in_force", "status", "note", "document")}
    return Document(key, heading, rest)


def read_standard(path: Path, complaints: Complaints) -> Standard:
    """A CSV whose first lines are `# key: value`: title_zh, title_en, source_zh, source_en, in_force, status,
    note.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    notes: dict[str, Any] = {}
    for line in lines:
        if line.startswith("#") and ":" in line:
            key, value = line[1:].split(":", 1)
            notes[key.strip()] = value.strip()
    title = {"zh": notes.get("title_zh"), "en": notes.get("title_en")}
    notes["source"] = {"zh": notes.get("source_zh"), "en": notes.get("source_en")}
    heading = _heading(path.name, title, notes, complaints)
    rows = tuple(csv.DictReader(line for line in lines if not line.startswith("#")))
    return Standard(path.name.split(".")[0], heading, rows)


def _heading(file: str, title: object, body: Mapping[str, Any], complaints: Complaints) -> Heading:
    place = Place(file)
    text = label_of(title, place, complaints)
    source = _source(body.get("source"), place, complaints)
    status = body.get("status")
    if status not in STATUSES:
        complaints.add(place, "status", "核实状态不明", "unknown status", found=status, allowed=" ".join(STATUSES))
    return Heading(
        file, text, source, _date(body.get("in_force"), place, complaints), str(status), str(body.get("note", ""))
    )


def _source(value: object, place: Place, complaints: Complaints) -> Text:
    """Where a document comes from, in both languages; a complaint where either is missing."""
    parts = value if isinstance(value, Mapping) else {}
    zh, en = str(parts.get("zh") or ""), str(parts.get("en") or "")
    if not zh or not en:
        complaints.add(place, "source", "来源须有中英文", "the source is needed in both languages",
                       found=value or "", allowed="source: {zh: ..., en: ...}")  # fmt: skip
    return Text(zh, en)


def _date(value: object, place: Place, complaints: Complaints) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        complaints.add(place, "in_force", "生效日期不对", "no valid date in force", found=value, allowed="YYYY-MM-DD")
        return date.min


def label_of(value: object, place: Place, complaints: Complaints) -> Text:
    """Both languages of a label; a complaint where one is missing."""
    parts = value if isinstance(value, Mapping) else {}
    zh, en = str(parts.get("zh") or ""), str(parts.get("en") or "")
    if not zh or not en:
        complaints.add(place, "label", "缺少中文或英文名称", "a label is missing in one language", allowed="zh and en")
    return Text(zh, en)


def in_force(editions: Iterable[Document | Standard], as_of: date) -> Document | Standard | None:
    """The newest edition in force at a date; None before the first."""
    begun = [edition for edition in editions if edition.heading.in_force <= as_of]
    return max(begun, key=lambda edition: edition.heading.in_force, default=None)
