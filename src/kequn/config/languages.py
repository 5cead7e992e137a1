"""The Chinese catalogue: compile it, and tell which strings it lacks.

English stands in the code, Chinese in locale/zh_Hans/LC_MESSAGES/django.po. Strings are found in Python and in
templates without gettext's own programs, so set-up needs nothing from the system.

    python -m kequn.config.languages compile | check | update
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parent.parent
CATALOGUE = PACKAGE / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
FLOORS_WITH_TEXT = ("apps", "web", "cli", "config")
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}

MOVING_HEADERS = ('"POT-', '"PO-Rev', '"Last-T', '"Generated', '"Report', '"Language-Team')

MessageId = str | tuple[str, ...]


def sources() -> Iterator[tuple[Path, bytes]]:
    """Every file that may hold a marked string; templates turned into Python first."""
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure(USE_I18N=True)
    for floor in FLOORS_WITH_TEXT:
        for path in sorted((PACKAGE / floor).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield path, path.read_bytes()
            elif path.suffix in {".html", ".txt"}:
                yield path, templatize(path.read_text("utf-8"), origin=str(path)).encode()


def marked() -> dict[tuple[str | None, MessageId], str]:
    """Every marked string with the first file that uses it, keyed by context and id."""
    found: dict[tuple[str | None, MessageId], str] = {}
    for path, content in sources():
        for line, message, _, context in extract("python", io.BytesIO(content), keywords=KEYWORDS):
            identity = tuple(message) if isinstance(message, (list, tuple)) else message
            if identity:
                found.setdefault((context, identity), f"{path.relative_to(PACKAGE)}:{line}")
    return found


def empty_catalogue() -> Catalog:
    comment = "# The Chinese of Kequn."
    return Catalog(locale="zh_Hans", project="Kequn", charset="utf-8", fuzzy=False, header_comment=comment)


def catalogue() -> Catalog:
    if not CATALOGUE.exists():
        return empty_catalogue()
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def missing() -> list[str]:
    """Strings without a Chinese counterpart, each with its place; and entries no longer used."""
    chinese = catalogue()
    wanted = marked()
    known = {(m.context, tuple(m.id) if isinstance(m.id, (list, tuple)) else m.id): m for m in chinese if m.id}
    lines = []
    for key, place in wanted.items():
        message = known.get(key)
        strings = (message.string if isinstance(message.string, tuple) else (message.string,)) if message else ()
        if not strings or not all(strings) or (message is not None and message.fuzzy):
            lines.append(f"{place}: no Chinese for {key[1]!r}")
    lines += [f"{CATALOGUE.name}: no longer used: {key[1]!r}" for key in known if key not in wanted]
    return lines


def update() -> int:
    """Add what is marked and not yet in the catalogue, drop what is no longer used; the number left to translate."""
    old = catalogue()
    new = empty_catalogue()
    for context, identity in sorted(marked(), key=str):
        before = old.get(identity, context)
        new.add(identity, string=before.string if before else None, context=context)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    with CATALOGUE.open("wb") as file:
        write_po(file, new, omit_header=False, ignore_obsolete=True, include_previous=False, width=0)
    text = CATALOGUE.read_text("utf-8")
    stable = [line for line in text.splitlines() if not line.startswith(MOVING_HEADERS)]
    CATALOGUE.write_text("\n".join(stable) + "\n", "utf-8")
    return len(missing())


def compile_catalogue() -> None:
    target = CATALOGUE.with_suffix(".mo")
    if CATALOGUE.exists() and (not target.exists() or target.stat().st_mtime < CATALOGUE.stat().st_mtime):
        with target.open("wb") as file:
            write_mo(file, catalogue())


def main(words: list[str]) -> int:
    if words == ["compile"]:
        compile_catalogue()
        return 0
    if words == ["update"]:
        print(f"{update()} strings left to translate")
        return 0
    if words == ["check"]:
        lines = missing()
        print("\n".join(lines) or "both languages complete")
        return 1 if lines else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
