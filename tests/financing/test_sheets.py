"""Models in workbooks: the template comes back equal; a lender's own sheet is read by a mapping, and what is not is
told."""

from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
import yaml
from typer.testing import CliRunner

from kequn.cli import build
from kequn.domain.errors import Refused
from kequn.financing.models import read_model
from kequn.financing.sheets import read_sheets, write_sheets
from kequn.policy import load_pack

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "projects").glob("*.yaml"))
TIMELINE = {"start": date(2026, 1, 1), "construction_months": 12, "construction_step_months": 12, "operation_years": 3}
MAPPING = {
    "fixed": {"project": "a lender's", "timeline": TIMELINE},
    "capital": {
        "sheet": "投资",
        "header_row": 2,
        "columns": {"name": "项目", "amount": "金额（元）"},
        "factors": {"amount": 1e-4},
    },
    "cells": {"working_capital.receivable_days": {"sheet": "参数", "row": 1, "column": 2}},
    "revenues": {"sheet": "收入", "columns": {"name": "名称", "volume": "数量", "price": "单价"}},
}


def lender_s(folder: Path) -> Path:
    """A small workbook as a bank would send it: a title, a table in yuan with its sum, parameters, a remark."""
    path = folder / "lender.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("投资")
        rows = [
            ["投资估算表"],
            ["项目", "金额（元）", "备注"],
            ["厂房", 600_000, "含土建"],
            ["设备", 400_000],
            ["", 1_000_000],
        ]
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
        book.add_worksheet("参数").write_row(0, 0, ["应收天数", 45])
        page = book.add_worksheet("收入")
        page.write_row(0, 0, ["名称", "数量", "单价"])
        page.write_row(1, 0, ["销售", 100, 0.5])
        book.add_worksheet("说明").write(0, 0, "内部资料")
    return path


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
def test_a_model_goes_into_the_template_and_comes_back_equal(tmp_path, file):
    body = yaml.safe_load(file.read_text("utf-8"))
    (tmp_path / "book.xlsx").write_bytes(write_sheets(body))
    found = read_sheets(tmp_path / "book.xlsx")
    assert found.unread == ()
    (tmp_path / "back.yaml").write_text(yaml.safe_dump(found.body, allow_unicode=True), "utf-8")
    pack, as_of = load_pack("cn"), date(2026, 1, 1)
    assert read_model(tmp_path / "back.yaml", pack, as_of) == read_model(file, pack, as_of)


def test_a_lender_s_sheet_is_read_by_mapping_and_every_other_cell_is_told(tmp_path):
    found = read_sheets(lender_s(tmp_path), MAPPING)
    assert found.body["capital"] == [{"name": "厂房", "amount": pytest.approx(60.0)}, {"name": "设备", "amount": 40.0}]
    assert found.body["working_capital"] == {"receivable_days": 45}
    told = {str(place) for place in found.unread}
    assert {"lender.xlsx, 说明, row 1, 1", "lender.xlsx, 投资, row 3, 3", "lender.xlsx, 投资, row 5, 2"} <= told
    assert "lender.xlsx, 投资, row 3, 2" not in told


def test_a_mapping_that_does_not_fit_is_refused_with_what_there_is(tmp_path):
    wrong = {"capital": {"sheet": "投资", "header_row": 2, "columns": {"amount": "合计"}}, "cells": {"discount_rate": {
        "sheet": "参数", "row": 9, "column": 1}}, "costs": {"sheet": "成本"}}  # fmt: skip
    with pytest.raises(Refused) as refused:
        read_sheets(lender_s(tmp_path), wrong)
    told = [finding.text.en for finding in refused.value.findings]
    assert any("there is 项目, 金额（元）, 备注" in one for one in told)
    assert any("discount_rate: the cell is empty" in one for one in told)
    assert any("no such sheet; there is 投资" in one for one in told)


def test_the_commands_write_a_template_and_take_a_workbook_in(tmp_path):
    run = CliRunner()
    words = ["project", "template", "--model", str(EXAMPLES[-1]), "-o", str(tmp_path / "t.xlsx")]
    assert run.invoke(build(), words).exception is None
    done = run.invoke(build(), ["project", "import", str(tmp_path / "t.xlsx"), "-o", str(tmp_path / "m.yaml")])
    assert done.exception is None, done.exception
    assert "0 cell(s) or sheet(s) not read" in done.output
    assert run.invoke(build(), ["project", "template", "-o", str(tmp_path / "empty.xlsx")]).exception is None


CELLS = {
    "2026-13-45": "2026-13-45", "2026-03-31": date(2026, 3, 31), "9" * 5000: "9" * 5000, "NO": "NO", "1:30": "1:30",
    "007": "007", "1e3": 1000.0, "-2.50": -2.5, "12": 12, "true": True, "yes": "yes",
    "[NO, 1:30, 0.5, 2]": ["NO", "1:30", 0.5, 2],
    "{2026-01-01: 0.01}": {date(2026, 1, 1): 0.01}, "[2026-13-45]": "[2026-13-45]", "{a: [": "{a: [", "a: b": "a: b",
}  # fmt: skip


def test_a_cell_becomes_a_list_a_mapping_a_date_or_a_number_and_else_stays_a_text(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "b.xlsx")) as book:
        page = book.add_worksheet("scenarios")
        for row, cell in enumerate(("value", *CELLS)):
            page.write_string(row, 0, f"key {row}")
            page.write_string(row, 1, cell)
    found = read_sheets(tmp_path / "b.xlsx").body["scenarios"]
    assert list(found.values()) == list(CELLS.values())


def test_a_workbook_that_is_refused_leaves_the_model_that_was_there(tmp_path):
    (tmp_path / "m.yaml").write_text("as it was")
    words = ["project", "import", str(lender_s(tmp_path)), "-o", str(tmp_path / "m.yaml")]
    done = CliRunner().invoke(build(), words)
    assert isinstance(done.exception, Refused)
    assert {one.place.file for one in done.exception.findings} == {"m.yaml"}
    assert (tmp_path / "m.yaml").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lender.xlsx", "m.yaml"]


def test_a_mapping_that_is_no_yaml_is_refused(tmp_path):
    (tmp_path / "map.yaml").write_text("{a: [")
    words = ["project", "import", str(lender_s(tmp_path)), "--mapping", str(tmp_path / "map.yaml"), "-o", "m.yaml"]
    assert isinstance(CliRunner().invoke(build(), words).exception, Refused)


def test_a_file_that_is_no_workbook_is_refused(tmp_path):
    (tmp_path / "no.xlsx").write_text("not a workbook")
    with pytest.raises(Refused, match="no workbook"):
        read_sheets(tmp_path / "no.xlsx")


def test_every_key_of_the_template_and_of_the_examples_is_explained_in_both_languages():
    from kequn.cli.project import EMPTY
    from kequn.financing.key_words import KEY_WORDS
    from kequn.financing.sheets import SECTIONS, TABLES

    for body in (EMPTY, *(yaml.safe_load(file.read_text("utf-8")) for file in EXAMPLES)):
        for name, value in body.items():
            rows = value if name in TABLES else [value] if name in SECTIONS else [{name: value}]
            sheet = name if name in (*TABLES, *SECTIONS) else "model"
            keys = {key for row in rows for key in row} if sheet != "scenarios" else set()
            assert {(sheet, key) for key in keys} <= set(KEY_WORDS)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"capital": ["投资"]}, "capital"),
        ({"capital": {**MAPPING["capital"], "header_row": "two"}}, "capital.header_row"),
        ({"capital": {**MAPPING["capital"], "columns": ["name"]}}, "capital.columns"),
        ({"capital": {**MAPPING["capital"], "factors": {"amount": "x"}}}, "capital.factors.amount"),
        ({"cells": {"discount_rate": {"sheet": "参数", "row": 0, "column": 2}}}, "cells.discount_rate.row"),
        ({"cells": {"discount_rate": {"sheet": "参数", "row": 1}}}, "cells.discount_rate.column"),
        ({"cells": {"discount_rate": 7}}, "cells.discount_rate"),
    ],
)
def test_a_mapping_of_a_wrong_shape_is_refused_with_its_place(tmp_path, change, place):
    with pytest.raises(Refused) as refused:
        read_sheets(lender_s(tmp_path), {**MAPPING, **change})
    assert place in {one.place.column for one in refused.value.findings}
