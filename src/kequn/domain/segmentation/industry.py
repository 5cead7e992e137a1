"""Reading a GB/T 4754-2017 industry code: section letter, then two to four digits of division, group and class.

The letter and the first two digits must name one place of the standard: `C39` is electronics, `F39` is nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_FORM = re.compile(r"([A-T])(\d{2}\d{0,2})?")


@dataclass(frozen=True, slots=True)
class IndustryCode:
    """A well-formed code. `digits` is empty where only the section is known."""

    section: str
    digits: str

    @property
    def text(self) -> str:
        return self.section + self.digits

    @property
    def division(self) -> str:
        return self.digits[:2]


def read_industry_code(text: str, section_of_division: Mapping[str, str]) -> IndustryCode | None:
    """The code, or None where its form is wrong or its letter does not own its digits.

    Source: GB/T 4754-2017, sections A-T, divisions 01-97.

    >>> read_industry_code("C39", {"39": "C"})
    IndustryCode(section='C', digits='39')
    >>> read_industry_code("F39", {"39": "C"}) is None
    True
    """
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    section, digits = match.group(1), match.group(2) or ""
    if digits and section_of_division.get(digits[:2]) != section:
        return None
    return IndustryCode(section, digits)


def longest_prefix(code: str, table: Mapping[str, T]) -> T | None:
    """The row of the longest prefix of a code that the table holds."""
    for length in range(len(code), 0, -1):
        found = table.get(code[:length])
        if found is not None:
            return found
    return None
