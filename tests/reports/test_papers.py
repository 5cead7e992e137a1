"""A paper comes out whole in every medium: texts as texts, numbers as numbers, the same file for the same paper."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import docx
import pytest
from python_calamine import CalamineWorkbook

from kequn.domain.money import UNITS, unit_of
from kequn.reports.charts import Series, lines
from kequn.reports.paper import Charts, Column, Facts, Number, Paper, Points, Table
from kequn.reports.sheets import write_sheets
from kequn.reports.word import write_word
from kequn.reports.writing import write

FRONTEND = Path(__file__).resolve().parents[2] / "node_modules"
EVIL = '=cmd|"/c calc"!A1 #include("x") $x$ <b>甲</b>'


@pytest.fixture(scope="module")
def paper() -> Paper:
    chart = lines(title="Ratio", categories=["2025", "2026"], series=[Series("a", (0.5, None))], shown=str)
    amounts = (Number(Decimal("1234.5"), "1,234.50", "amount"), Number(None, "–", "amount"))
    return Paper(
        language="zh",
        title=EVIL,
        subtitle="C0001",
        blocks=(
            Facts("概况", (("等级", "K05"), (EVIL, EVIL))),
            Points("信号", (EVIL,)),
            Charts((("Ratio", chart),)),
            Table(
                "报表[1]", (Column("项目"), Column("2025", right=True), Column("2026", right=True)), ((EVIL, *amounts),)
            ),
            Table("报表[1]", (Column("项目"),), (), empty="没有"),
        ),
        foot="Run 1",
        day="2026-09-30",
    )


def test_the_same_paper_gives_the_same_pdf(paper):
    first = write(paper, "pdf", FRONTEND)
    assert first.startswith(b"%PDF")
    assert first == write(paper, "pdf", FRONTEND)


def test_what_a_paper_says_is_never_read_as_markup(paper):
    text = "\n".join(cell.text for table in docx.Document(io.BytesIO(write_word(paper, FRONTEND))).tables
                     for row in table.rows for cell in row.cells)  # fmt: skip
    assert EVIL in text
    write(paper, "pdf", FRONTEND)  # `#include("x")` would refuse to compile


def test_a_workbook_keeps_numbers_as_numbers_and_texts_as_texts(paper):
    book = CalamineWorkbook.from_filelike(io.BytesIO(write_sheets(paper, FRONTEND)))
    assert book.sheet_names == ["概览", "报表 1", "报表 1 2"]
    rows = book.get_sheet_by_name("报表 1").to_python()
    assert [EVIL, 1234.5, "–"] in rows


def test_word_repeats_the_foot_with_run_and_page(paper):
    document = docx.Document(io.BytesIO(write_word(paper, FRONTEND)))
    assert document.sections[0].footer.paragraphs[0].text.startswith("Run 1")


@pytest.mark.parametrize(
    ("code", "said"), [("", "1,235 万元"), ("hundred_million", "0.12 亿元"), ("yuan", "12,345,600 元")]
)
def test_an_amount_is_said_in_the_unit_that_was_chosen(code, said):
    assert unit_of(code, "zh").said(1_234_560_000, "zh") == said


def test_units_hold_what_their_names_say():
    assert {code: int(unit.minor) for code, unit in UNITS.items()} == {
        "yuan": 10**2, "thousand": 10**5, "ten_thousand": 10**6, "million": 10**8, "hundred_million": 10**10,
    }  # fmt: skip


def test_bounds_of_warnings_are_found_in_the_pack():
    from kequn.policy import build_plan, load_pack
    from kequn.policy.thresholds import bounds_of

    bounds = {one.fact: (one.sign, one.value) for one in bounds_of(build_plan(load_pack("cn"), date(2026, 9, 30)))}
    assert bounds["interest_coverage"] == ("<", 1.0)
    assert bounds["revenue_growth"] == ("<", -0.2)
