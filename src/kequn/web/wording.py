"""A definition in words: its text, its sentence, where it comes from and whether that was checked."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from kequn.domain.rules.rendering import render_text
from kequn.policy.documents import Heading
from kequn.policy.items import Item
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.templatetags.kequn import language

UNVERIFIED, ILLUSTRATION = "memory", "illustration"


@lru_cache(maxsize=512)
def _said(_digest: str, key: str, spoken: labels.Language) -> tuple[str, str]:
    read = labels.plan()
    expr = read.definition(key).expr
    return render_text(expr), Teller(labels.pack(), read, spoken).sentence(expr)


def definition_of(key: str) -> dict[str, Any]:
    """For a page: `text`, `sentence` and `sources` of one definition of the policy in force."""
    item = labels.item(key)
    if item is None:
        return {}
    text, sentence = _said(labels.pack().digest, key, language())
    sources = [source_of(labels.headings()[item.document])]
    if item.table is not None:
        return {"table": _table(item), "sources": sources}
    return {"text": item.rule or text, "sentence": sentence, "sources": sources}


def _table(item: Item) -> dict[str, Any]:
    """A decision table as the pack holds it: its inputs, and the outcome of each row."""
    spoken, table = language(), item.table or {}
    inputs = [str(name) for name in table.get("inputs", ())]
    rows = []
    for number, row in enumerate(table.get("rows", ()), start=1):
        outcome = row["then"].get(item.name, number) if isinstance(row["then"], dict) else row["then"]
        when = [labels.value(name, _cell(row["when"].get(name)), spoken) for name in inputs]
        rows.append({"when": when, "then": labels.value(item.name, _cell(outcome), spoken)})
    return {
        "inputs": [labels.fact(name, spoken) for name in inputs],
        "outcome": labels.fact(item.name, spoken),
        "rows": rows,
    }


def _cell(found: Any) -> str:
    return "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)


def source_of(heading: Heading) -> dict[str, Any]:
    """Where a table comes from, and whether that was checked against the official text."""
    said = _("%(title)s: %(source)s, in force from %(day)s (%(file)s)") % {
        "title": heading.title.in_language(language()),
        "source": heading.source.in_language(language()),
        "day": f"{heading.in_force:%Y-%m-%d}",
        "file": f"{settings.KEQUN_PACK}/{heading.file}",
    }
    return {"text": said, "unverified": heading.status == UNVERIFIED, "illustration": heading.status == ILLUSTRATION}


STANDARDS = {"industry": ("industries", "isic_bridge", "naics_bridge"), "place": ("provinces", "countries")}


def standards_of(lookup: str) -> list[Heading]:
    """The headings of the standard tables behind a look-up."""
    files = {f"{name}.csv" for name in STANDARDS.get(lookup, ())}
    return [heading for heading in labels.pack().headings() if heading.file in files]
