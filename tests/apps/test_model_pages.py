"""Every kind of record has a page under docs/models, and every field is named there or among the facts."""

import re
from pathlib import Path

from django.apps import apps

PAGES = Path(__file__).resolve().parents[2] / "docs" / "models"


def records():
    return [one for one in apps.get_models() if one.__module__.startswith("kequn.")]


def sections() -> dict[str, str]:
    """What each page says under the name of a record kind."""
    found = {}
    for page in PAGES.glob("*.md"):
        parts = re.split(r"^## ([A-Z]\w+)$", page.read_text("utf-8"), flags=re.MULTILINE)
        found |= dict(zip(parts[1::2], parts[2::2], strict=True))
    return found


def facts_of(section: str) -> set[str]:
    """The facts of the grain that a section sends its reader to."""
    grain = re.search(r"facts\.md#([a-z-]+?)--", section)
    if grain is None:
        return set()
    page = (PAGES / "facts.md").read_text("utf-8")
    title = grain[1].replace("-", " ").capitalize()
    part = page.split(f"\n## {title} · ")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)`", part, flags=re.MULTILINE))


def test_every_record_kind_has_a_page():
    assert {one.__name__ for one in records()} - sections().keys() == set()


def test_every_field_is_named():
    said = sections()
    missing = []
    for record in records():
        section = said[record.__name__]
        named = set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE)) | facts_of(section)
        fields = {one.name for one in record._meta.get_fields() if one.concrete}
        missing += [f"{record.__name__}.{name}" for name in sorted(fields - named)]
    assert missing == []


def test_no_page_names_a_field_that_is_gone():
    fields = {one.__name__: {field.name for field in one._meta.get_fields()} for one in records()}
    gone = [
        f"{name}.{field}"
        for name, section in sections().items()
        if name in fields
        for field in re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE)
        if field not in fields[name]
    ]
    assert gone == []


def test_every_page_is_on_the_list():
    listed = set(re.findall(r"\]\((\S+\.md)\)", (PAGES / "README.md").read_text("utf-8")))
    assert {one.name for one in PAGES.glob("*.md")} - {"README.md"} == listed
