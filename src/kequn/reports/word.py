"""A paper as a Word document that can be edited: headings, tables and pictures of the charts."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import docx
from docx.enum.section import WD_SECTION
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Emu, Pt, RGBColor

from kequn.reports.paper import Charts, Column, Facts, Number, Paper, Points, Table
from kequn.reports.pdf import picture_of

FONT = "Noto Sans SC"
LATIN = "Arial"
QUIET, ACCENT, SHADE = RGBColor(0x5B, 0x65, 0x73), RGBColor(0x1D, 0x5F, 0xA8), "EEF2F7"
TEXT_WIDTH = Cm(17.4)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # what XML may not hold
REPEATED = '<w:trPr><w:tblHeader w:val="true"/></w:trPr>'
SHADING = f'<w:shd w:val="clear" w:fill="{SHADE}"/>'
CELL = (
    '<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/>'
    '<w:tcBorders><w:bottom w:val="single" w:sz="4" w:color="D5DBE2"/></w:tcBorders>{shade}</w:tcPr>'
    '<w:p><w:pPr><w:spacing w:after="20"/><w:jc w:val="{side}"/></w:pPr>'
    '<w:r><w:rPr>{bold}<w:sz w:val="16"/></w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p></w:tc>'
)


def write_word(paper: Paper, frontend: Path) -> bytes:
    """The paper as a .docx file. No date of making is written: the same paper gives the same file."""
    document = docx.Document()
    _page(document)
    _head(document, paper)
    for block in paper.blocks:
        match block:
            case Facts():
                _title(document, block.title)
                _facts(document, block)
            case Table():
                _title(document, block.title)
                _table(document, block)
            case Charts():
                _charts(document, block, frontend)
            case Points():
                _title(document, block.title)
                for sentence in block.sentences or (block.empty,):
                    document.add_paragraph(sentence, style="List Bullet" if block.sentences else None)
    _foot(document, paper.foot)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _page(document: Any) -> None:
    section = document.sections[0]
    section.start_type = WD_SECTION.NEW_PAGE
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(1.8)
    section.top_margin, section.bottom_margin = Cm(1.8), Cm(1.8)
    for name in ("Normal", "Title", "Heading 2"):
        style = document.styles[name]
        style.font.name = LATIN
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT)
    normal = document.styles["Normal"]
    normal.font.size = Pt(9)
    normal.paragraph_format.space_after = Pt(3)


def _head(document: Any, paper: Paper) -> None:
    properties = document.core_properties
    properties.title, properties.author, properties.comments = paper.title, "Kequn", paper.foot
    title = document.add_paragraph(style="Title")
    _run(title, paper.title, size=18, colour=ACCENT, bold=True)
    _run(document.add_paragraph(), paper.subtitle, size=9.5, colour=QUIET)


def _run(paragraph: Any, said: str, *, size: float, colour: RGBColor | None = None, bold: bool = False) -> None:
    run = paragraph.add_run(said)
    run.font.size, run.font.bold = Pt(size), bold
    if colour is not None:
        run.font.color.rgb = colour


def _title(document: Any, said: str) -> None:
    if said:
        _run(document.add_paragraph(style="Heading 2"), said, size=11, colour=ACCENT, bold=True)


def _facts(document: Any, block: Facts) -> None:
    pairs = list(block.pairs)
    table = document.add_table(rows=(len(pairs) + 1) // 2, cols=4)
    for place, (label, said) in enumerate(pairs):
        cells = table.rows[place // 2].cells
        first = 2 * (place % 2)
        _run(cells[first].paragraphs[0], label, size=9, colour=QUIET)
        _run(cells[first + 1].paragraphs[0], said, size=9, bold=True)
    _note(document, block.note)


def _table(document: Any, block: Table) -> None:
    """The rows are written as XML and parsed once: the library takes half a second to make them cell by cell."""
    if not block.rows:
        _run(document.add_paragraph(), block.empty, size=9, colour=QUIET)
        return
    table = document.add_table(rows=0, cols=len(block.columns))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    whole = sum(one.share for one in block.columns)
    widths = [Emu(int(TEXT_WIDTH * one.share / whole)).twips for one in block.columns]
    rows = [_row([one.head for one in block.columns], block.columns, widths, is_head=True)]
    for row in block.rows:
        said = [cell.shown if isinstance(cell, Number) else cell for cell in row]
        rows.append(_row(said, block.columns, widths, is_head=False))
    for row_element in list(parse_xml(f"<w:tbl {nsdecls('w')}>{''.join(rows)}</w:tbl>")):
        table._tbl.append(row_element)  # noqa: SLF001 - the library knows no other way in
    _note(document, block.note)


def _row(said: Sequence[str], columns: Sequence[Column], widths: Sequence[int], *, is_head: bool) -> str:
    """One row; the head is bold on a shade and stands again on each page."""
    cells = "".join(
        CELL.format(
            width=width,
            shade=SHADING if is_head else "",
            side="right" if column.right else "left",
            bold="<w:b/>" if is_head else "",
            text=escape(CONTROL.sub("", text)),
        )
        for text, column, width in zip(said, columns, widths, strict=True)
    )
    return f"<w:tr>{REPEATED if is_head else ''}{cells}</w:tr>"


def _note(document: Any, said: str) -> None:
    if said:
        _run(document.add_paragraph(), said, size=7.5, colour=QUIET)


def _charts(document: Any, block: Charts, frontend: Path) -> None:
    table = document.add_table(rows=1, cols=len(block.drawings))
    for cell, (caption, svg) in zip(table.rows[0].cells, block.drawings, strict=True):
        _run(cell.paragraphs[0], caption, size=9, bold=True)
        picture = io.BytesIO(picture_of(svg, frontend))
        shape = cell.add_paragraph().add_run().add_picture(picture, width=int(TEXT_WIDTH / len(block.drawings) * 0.97))
        shape._inline.docPr.set("descr", caption)  # noqa: SLF001 - what a screen reader says of the picture


def _foot(document: Any, said: str) -> None:
    paragraph = document.sections[0].footer.paragraphs[0]
    _run(paragraph, f"{said} · ", size=7.5, colour=QUIET)
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = paragraph.add_run()
        run.font.size = Pt(7.5)
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._r.append(mark)  # noqa: SLF001 - a page number is a field
