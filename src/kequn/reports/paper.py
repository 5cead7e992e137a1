"""What a report consists of, in one language and without a medium; each writer puts the same paper out its own way.

Every text is already in the reader's language. A number keeps its value beside the way it is written, so that a
spreadsheet gets figures to calculate with and a page gets what a reader expects.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from kequn.domain.errors import Language

Form = Literal["amount", "percent", "number", "count"]


@dataclass(frozen=True, slots=True)
class Number:
    """A figure: its value in the unit of its column (a ratio for `percent`), None where unknown."""

    value: Decimal | float | int | None
    shown: str
    form: Form = "number"


Cell = str | Number


@dataclass(frozen=True, slots=True)
class Column:
    """`share` is the width beside its neighbours; numbers stand at the right."""

    head: str
    right: bool = False
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    empty: str = ""  # what is said where there are no rows


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value in pairs, as one dense block."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Charts:
    """One or two charts side by side, each an SVG of `kequn.reports.charts` with its caption."""

    drawings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Points:
    """Sentences, one a line."""

    title: str
    sentences: tuple[str, ...]
    empty: str = ""


Block = Table | Facts | Charts | Points


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole report. `foot` names the run, the policy and the program, and stands on every page."""

    language: Language
    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    foot: str
    day: str  # the as-of date, as text; a paper never reads the clock
