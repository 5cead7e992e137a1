"""The page of formulas says what the pack says."""

from pathlib import Path

from kequn.policy import load_pack
from kequn.policy.formulas_page import SHOWN_AT, render


def test_the_page_of_formulas_is_written_from_the_pack():
    page = Path(__file__).parents[2] / "docs" / "formulas.md"
    assert page.read_text(encoding="utf-8") == render(load_pack("cn"), SHOWN_AT), "write the page again (see its head)"
