"""What a cell may be: empty, meaning unknown; a value; or why it cannot be taken."""

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from kequn.domain.errors import Text

# The whole list of words that mean: not known. A word that is not here is read as what it says, or refused.
EMPTY = frozenset(
    {
        "",
        "-",
        "--",
        "–",
        "—",
        "——",
        "/",
        "n/a",
        "na",
        "n.a.",
        "null",
        "none",
        "nan",
        "无",
        "暂无",
        "不适用",
        "不详",
        "未知",
    }
)


@dataclass(frozen=True, slots=True)
class Percent:
    """A number that a workbook shows as a percentage; the value is the fraction."""

    value: Decimal

    def __str__(self) -> str:
        return f"{(self.value * 100).normalize():f}%"


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a cell cannot be taken: code, found, expected, in both languages."""

    code: str
    found: str
    expected: str
    text: Text


Parsed = object  # a value, None (empty: unknown), or Bad
Reader = Callable[[object], Parsed]


def is_empty(cell: object) -> bool:
    if cell is None or cell == "":
        return True
    if isinstance(cell, float):
        return math.isnan(cell)
    return isinstance(cell, str) and cell.strip().lower() in EMPTY


def _show(cell: object) -> str:
    text = str(cell)
    return text if len(text) <= 60 else text[:57] + "..."


def bad(code: str, cell: object, zh: str, en: str, expected: str = "") -> Bad:
    found = _show(cell)
    return Bad(code, found, expected or en, Text(f"填的是“{found}”，应为{zh}", f"found “{found}”, expected {en}"))


def has_raised_digits(text: str) -> bool:
    """Whether a raised, circled or fraction digit stands in a text. NFKC would join 1234² to 12342, a footnote's mark
    to the number.
    """
    return not text.isascii() and any(unicodedata.category(one) == "No" for one in text)
