"""A pack written out as a folder: its files, and the documents that were amended, an edition a file.

Loading the folder gives the same policy, so that who has no database judges by what is in force here.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from kequn.domain.errors import Misuse, Text
from kequn.policy.amending import SEGMENTS, STRATEGIES
from kequn.policy.documents import Document
from kequn.policy.pack import Pack


def write_pack(pack: Pack, folder: Path) -> None:
    """Write the pack into a folder that is not there yet."""
    if folder.exists():
        raise Misuse(Text(f"{folder} 已存在", f"{folder} is there already"))
    shutil.copytree(pack.folder, folder)
    for key in (SEGMENTS, STRATEGIES):
        _write_editions(pack.editions.get(key, ()), key, folder)


def _write_editions(editions: Sequence[Document], key: str, folder: Path) -> None:
    for old in folder.glob(f"{key}*.yaml"):
        old.unlink()
    for at, edition in enumerate(sorted(editions, key=lambda one: one.heading.in_force)):
        name = key if at == 0 else f"{key}.{edition.heading.in_force.isoformat()}"
        (folder / f"{name}.yaml").write_text(_said(edition), encoding="utf-8")


def _said(edition: Document) -> str:
    heading = edition.heading
    head: dict[str, Any] = {
        "title": {"zh": heading.title.zh, "en": heading.title.en},
        "source": {"zh": heading.source.zh, "en": heading.source.en},
        "in_force": heading.in_force, "status": heading.status,
    }  # fmt: skip
    if heading.note:
        head["note"] = heading.note
    text: str = yaml.safe_dump(
        head | {key: _plain(value) for key, value in edition.body.items()},
        allow_unicode=True, sort_keys=False, width=10_000,
    )  # fmt: skip
    return text


def _plain(value: Any) -> Any:
    return [dict(one) for one in value] if isinstance(value, list) and value and isinstance(value[0], dict) else value
