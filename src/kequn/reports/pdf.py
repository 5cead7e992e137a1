"""A paper as PDF, by Typst: tagged, with its fonts inside, the same bytes for the same paper.

The template is ours and fixed; what a paper says goes in as JSON data and is never read as markup.
"""

import json
from pathlib import Path
from typing import Any

from kequn.reports.charts import on_paper
from kequn.reports.paper import Block, Charts, Facts, Number, Paper, Points, Table
from kequn.reports.typesetting import compiler


def write_pdf(paper: Paper, frontend: Path) -> bytes:
    """The paper as a PDF file; `frontend` is the folder into which set-up fetched the font."""
    made = compiler("paper.typ", frontend).compile(sys_inputs={"paper": json.dumps(as_data(paper), ensure_ascii=False)})
    assert isinstance(made, bytes)  # noqa: S101 - no output file was named
    return made


def picture_of(svg: str, frontend: Path, *, dots_per_inch: float = 144) -> bytes:
    """A chart as a PNG picture with the colours of print, for media that take no SVG."""
    made = compiler("chart.typ", frontend).compile(sys_inputs={"svg": on_paper(svg)}, format="png", ppi=dots_per_inch)
    assert isinstance(made, bytes)  # noqa: S101 - one page, no output file
    return made


def as_data(paper: Paper) -> dict[str, Any]:
    """The paper as the template reads it."""
    return {
        "language": paper.language,
        "title": paper.title,
        "subtitle": paper.subtitle,
        "foot": paper.foot,
        "blocks": [_block(one) for one in paper.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Table():
            return {
                "kind": "table",
                "title": block.title,
                "note": block.note,
                "empty": block.empty,
                "columns": [{"head": one.head, "right": one.right, "share": one.share} for one in block.columns],
                "rows": [[cell.shown if isinstance(cell, Number) else cell for cell in row] for row in block.rows],
            }
        case Facts():
            return {"kind": "facts", "title": block.title, "note": block.note, "pairs": [list(p) for p in block.pairs]}
        case Charts():
            drawn = [[caption, on_paper(svg)] for caption, svg in block.drawings]
            return {"kind": "charts", "title": "", "drawings": drawn}
        case Points():
            said = list(block.sentences)
            return {"kind": "points", "title": block.title, "sentences": said, "empty": block.empty}
