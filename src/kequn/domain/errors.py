"""What can be said to a person, in two languages, and the two kinds of trouble.

Findings about data are values: every one has a code, a place, what was found and what was expected.
Broken promises are exceptions; all of ours descend from KequnError.
"""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.en


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something was found. Rows count from 1 as the reader of the sheet sees them."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""

    def __str__(self) -> str:
        row = f"row {self.row}" if self.row is not None else ""
        return ", ".join(part for part in (self.file, self.sheet, row, self.column) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with data: code, place, what was found, what was expected."""

    code: str
    text: Text
    place: Place = Place()
    found: str = ""
    expected: str = ""

    def in_language(self, language: Language) -> str:
        where = f"{self.place}: " if str(self.place) else ""
        return f"{where}{self.text.in_language(language)}"


class KequnError(Exception):
    """A promise that could not be kept; carries its sentence in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Refused(KequnError):
    """The data was refused; the findings say why and where (exit code 1)."""

    def __init__(self, text: Text, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(text)
        self.findings = findings


class Misuse(KequnError):
    """The call itself was wrong: an unknown option, a missing file (exit code 2)."""
