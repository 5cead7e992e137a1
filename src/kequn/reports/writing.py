"""A paper in the form that was asked for."""

from pathlib import Path
from typing import Literal

from kequn.reports.paper import Paper

Format = Literal["pdf", "docx", "xlsx"]
FORMATS: tuple[Format, ...] = ("pdf", "docx", "xlsx")
MEDIA_TYPES: dict[Format, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write(paper: Paper, form: Format, frontend: Path) -> bytes:
    """The file of a paper; `frontend` is the folder into which set-up fetched the font."""
    if form == "pdf":
        from kequn.reports.pdf import write_pdf

        return write_pdf(paper, frontend)
    if form == "docx":
        from kequn.reports.word import write_word

        return write_word(paper, frontend)
    from kequn.reports.sheets import write_sheets

    return write_sheets(paper, frontend)
