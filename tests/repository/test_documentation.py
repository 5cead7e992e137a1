"""What the documentation says is there is there: links, pictures, settings, both languages, every record kind."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
MOST_OF_ONE, MOST_OF_ALL = 150_000, 3_000_000


def pages() -> list[Path]:
    return [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CHANGELOG.md"]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings as forges make them: lower case, no punctuation, blanks as hyphens."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def test_every_relative_link_and_picture_exists():
    broken = []
    for page in pages():
        for target in LINK.findall(page.read_text("utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_picture_is_small_and_shown():
    pictures = sorted((DOCS / "guide" / "pictures").rglob("*.png"))
    said = "".join(page.read_text("utf-8") for page in pages())
    assert [one.name for one in pictures if one.stat().st_size > MOST_OF_ONE] == []
    assert sum(one.stat().st_size for one in pictures) <= MOST_OF_ALL
    assert [one.name for one in pictures if f"pictures/{one.parent.name}/{one.name}" not in said] == []


@pytest.mark.parametrize("folder", ["guide", "guide/pictures"])
def test_both_languages_have_the_same_pages(folder):
    zh, en = ({one.name for one in (DOCS / folder / language).iterdir()} for language in ("zh", "en"))
    assert zh == en


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_setting_is_in_the_administrator_s_guide(language):
    settings = (ROOT / "src" / "kequn" / "config" / "settings.py").read_text("utf-8")
    readers = (ROOT / "src" / "kequn" / "config" / "environment.py").read_text("utf-8")
    read = set(re.findall(r'"(KEQUN_[A-Z_]+)"', settings + readers))
    table = (DOCS / "administration" / f"{language}.md").read_text("utf-8")
    said = set(re.findall(r"^\| `(KEQUN_[A-Z_]+)`", table, flags=re.MULTILINE))
    assert said == read


def test_every_command_of_the_documentation_exists():
    """Each `kequn WORD` of the guides names a command."""
    import typer.main

    from kequn.cli import build

    known = set(typer.main.get_command(build()).commands)
    said = {
        (page.relative_to(ROOT), word)
        for page in pages()
        for word in re.findall(r"(?:^|`|dev\.py )kequn ([a-z]+)", page.read_text("utf-8"), flags=re.MULTILINE)
    }
    assert sorted(f"{page}: {word}" for page, word in said if word not in known) == []
