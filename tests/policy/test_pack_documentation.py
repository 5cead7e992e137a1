"""The examples of docs/policy stand in a copy of the pack, and every document of the pack is in its table."""

import re
import shutil
from pathlib import Path

import pytest

from kequn.policy import load_pack

DOCS = Path(__file__).resolve().parents[2] / "docs" / "policy"
PACK = Path(load_pack("cn").folder)


def examples(language: str) -> dict[str, str]:
    page = (DOCS / f"{language}.md").read_text("utf-8")
    return dict(re.findall(r"^(- \{name: (?=(\w+)).*\})$", page, flags=re.MULTILINE))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_examples_load(language, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(PACK, own)
    signal, segment = examples(language)
    warnings = (own / "warnings.yaml").read_text("utf-8")
    changed = re.sub(r"^  - \{name: sig_revenue_falling.*$", f"  {signal}", warnings, flags=re.MULTILINE)
    assert changed != warnings
    (own / "warnings.yaml").write_text(changed, "utf-8")
    segments = (own / "segments.yaml").read_text("utf-8").rstrip()
    (own / "segments.yaml").write_text(f"{segments}\n  {segment}\n", "utf-8")
    assert load_pack(str(own)).digest != load_pack("cn").digest


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_document_of_the_pack_is_in_the_table(language):
    page = (DOCS / f"{language}.md").read_text("utf-8")
    assert [one.name for one in PACK.glob("*.yaml") if f"`{one.name}`" not in page] == []
