"""The page of facts says what the dictionary says."""

from pathlib import Path

from kequn.policy import load_pack
from kequn.policy.facts_page import render


def test_the_page_of_facts_is_written_from_the_pack():
    page = Path(__file__).parents[2] / "docs" / "models" / "facts.md"
    assert page.read_text(encoding="utf-8") == render(load_pack("cn")), "write the page again (see its head)"
