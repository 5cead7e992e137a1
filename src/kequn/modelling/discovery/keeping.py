"""A discovery as a folder, written once: the card, the proposed segments as rules, and where each row stands."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from kequn.domain.errors import Misuse, Refused, Text
from kequn.modelling.discovery.finding import Discovered
from kequn.modelling.tapes import Tape

CARD, SEGMENTS, MEMBERS = "discovery.json", "segments.yaml", "members.parquet"


def save(found: Discovered, folder: Path, tape: Tape) -> None:
    """Write the folder whole or not at all; Misuse where it holds something already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misuse(Text(f"{folder} 已存在且不为空", f"{folder} is there already and not empty"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".discovery-") as held:
        made = Path(held) / "made"
        made.mkdir()
        (made / CARD).write_text(json.dumps(found.card, ensure_ascii=False, indent=1), encoding="utf-8")
        rows = [proposed_row(one) for one in found.card["segments"] if one["stands"]]
        text = yaml.safe_dump({"segments": rows}, allow_unicode=True, sort_keys=False, width=10_000)
        (made / SEGMENTS).write_text(text, encoding="utf-8")
        pq.write_table(_members(found, tape), made / MEMBERS)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)


def proposed_row(segment: dict[str, Any]) -> dict[str, str]:
    """A proposed segment as a row of policy. Its words are a beginning: who drafts it gives it a name."""
    number, note = segment["number"], _marked(segment["marks"])
    return {
        "name": f"found_{number}", "zh": f"发现客群 {number}", "en": f"Discovered segment {number}", "unknown": "list",
        "rule": segment["rule"], "note": note, "source": "由数据发现 discovered from data",
    }  # fmt: skip


def _marked(marks: list[dict[str, str]]) -> str:
    return "; ".join(f"{one['name']} {one['side'] if 'side' in one else '= ' + one['class']}" for one in marks)


def _members(found: Discovered, tape: Tape) -> pa.Table:
    def number(places: Any) -> pa.Array:
        return pa.array(places + 1, pa.int64(), mask=places < 0)

    return pa.table({
        found.request.key: tape.column(found.request.key), "group": number(found.groups),
        "probability": np.asarray(found.probability), "by_rule": number(found.by_rule),
    })  # fmt: skip


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a folder; Refused where it holds none that can be read."""
    file = folder / CARD
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(Text(f"{folder} 中没有发现结果", f"there is no discovery in {folder}")) from error
    if not isinstance(card, dict) or card.get("format") != 1 or not card.get("segments"):
        raise Refused(Text(f"{file.name} 不是发现结果", f"{file.name} is no card of a discovery"))
    return card
