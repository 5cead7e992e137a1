"""A project's model handed in as a file: YAML, or the workbook of the template, guarded before it is opened."""

import tempfile
from datetime import date
from pathlib import Path

import yaml

from kequn.apps.accounts.access import MODEL, Person, may
from kequn.apps.deals.models import Project
from kequn.apps.ingest.guards import guard_workbook
from kequn.apps.projects.models import ProjectModel
from kequn.apps.projects.services import NOT_ALLOWED, Asked, keep_model
from kequn.domain.errors import Misuse, Refused, Text
from kequn.financing.models import MODEL as PROJECT_MODEL
from kequn.financing.sheets import read_sheets

WORKBOOKS, TEXTS = (".xlsx", ".xlsm"), (".yaml", ".yml")
MOST_BYTES = 2 << 20


def bring_model(
    *, person: Person, project: Project, name: str, content: bytes, in_force: date, reason: str = ""
) -> ProjectModel:
    """Read a file as a model, solve it, and keep it as the project's next version, with what was not read of it."""
    if not may(person, MODEL):
        raise Misuse(NOT_ALLOWED)
    text, unread = model_text(Path(name).name or "model", content)
    return keep_model(person=person, project=project, asked=Asked(text, Path(name).name, in_force, reason, unread))


def model_text(name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    """The YAML of a file, and the places of a workbook that were not read; Refused where it is neither."""
    if len(content) > MOST_BYTES:
        raise Refused(Text(f"{name} 超过 {MOST_BYTES >> 20} 兆字节", f"{name} is larger than {MOST_BYTES >> 20} MiB"))
    suffix = Path(name).suffix.lower()
    if suffix in WORKBOOKS:
        return _of_workbook(name, content)
    if suffix not in TEXTS:
        wanted = " ".join((*TEXTS, *WORKBOOKS))
        raise Refused(Text(f"{name}：应为 {wanted}", f"{name}: expected one of {wanted}"))
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        raise Refused(Text(f"{name} 不是 UTF-8 文本：{error}", f"{name} is no text in UTF-8: {error}")) from error


def _of_workbook(name: str, content: bytes) -> tuple[str, tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{Path(name).suffix.lower()}"
        path.write_bytes(content)
        guard_workbook(path)
        found = read_sheets(path)
    if not found.body:
        raise Refused(Text(f"{PROJECT_MODEL.zh} {name} 是空的", f"{PROJECT_MODEL.en} {name} is empty"))
    text = yaml.safe_dump(found.body, allow_unicode=True, sort_keys=False, width=110)
    return text, tuple(str(place) for place in found.unread)
