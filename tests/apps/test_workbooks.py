"""The template can be filled and brought in; a workbook that is no workbook is refused before it is opened."""

import random
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.customers.models import Customer, FactValue, Statement
from kequn.apps.deals.models import AccountMonth, Facility, ProjectParty
from kequn.apps.ingest.results import ROWS, write_results
from kequn.apps.ingest.services import Wish, import_path
from kequn.apps.ingest.units import AmountUnit, stated_units
from kequn.apps.ingest.workbook import write_template
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db
ADMIN = LocalAdministrator()
FILLED = {
    "customers": {"customer_id": "C1", "name": "甲电力", "country": "CN", "industry_code": "D44", "employees": 320},
    "statements": {
        "customer_id": "C1", "period_end": "2025-12-31", "months": 12, "flows": "cumulative", "scope": "parent",
        "standard": "CAS", "revenue": 1234.56,
    },
    "facilities": {"customer_id": "C1", "facility_id": "F1", "product": "term_loan", "committed": 500},
    "projects": {"customer_id": "C1", "project_id": "P1", "project_name": "风电", "role": "sponsor", "capacity_mw": 50},
    "account_months": {"customer_id": "C1", "account_id": "A1", "month": "2025-12", "inflow": 3},
}  # fmt: skip


def fill(template: Path, filled: Path, lang: str) -> None:
    """Write the template's own headers again with one row below each, as a person would."""
    from kequn.apps.ingest.layout import SHEET_ORDER
    from kequn.apps.ingest.workbook import header_of, sheet_columns

    names = python_calamine.CalamineWorkbook.from_path(str(template)).sheet_names
    with xlsxwriter.Workbook(str(filled)) as book:
        for sheet_name, kind in zip(names[1:], SHEET_ORDER, strict=False):
            sheet, row = book.add_worksheet(sheet_name), FILLED.get(kind, {})
            for at, column in enumerate(sheet_columns(kind)):
                sheet.write(0, at, header_of(column, lang))
                if column.name in row:
                    sheet.write(1, at, row[column.name])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_template_is_brought_in(tmp_path, lang):
    write_template(tmp_path / "t.xlsx", lang)
    fill(tmp_path / "t.xlsx", tmp_path / "filled.xlsx", lang)
    batch = import_path(path=tmp_path / "filled.xlsx", person=ADMIN, wish=Wish())[0]
    assert (batch.rows_read, batch.rows_refused) == (5, 0), [row.findings for row in batch.rows.all()]
    assert Statement.objects.get().revenue == 1_234_560_000
    assert (Facility.objects.get().committed, AccountMonth.objects.get().inflow) == (500_000_000, 3_000_000)
    assert ProjectParty.objects.get().role == "sponsor"


def test_the_empty_template_holds_every_sheet_and_is_refused_as_empty_only(tmp_path):
    write_template(tmp_path / "t.xlsx", "zh")
    names = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "t.xlsx")).sheet_names
    assert names[0] == "说明"
    assert {"客户", "财务报表", "授信", "项目"} <= set(names)
    assert import_path(path=tmp_path / "t.xlsx", person=ADMIN, wish=Wish())[0].rows_read == 0


def test_the_result_workbook_names_every_row_and_holds_no_formula(tmp_path, bring):
    batch = bring("customer_id,name,country\nC1,甲,CN\nC2,乙,=1+1\n")
    write_results(tmp_path / "r.xlsx", [batch.pk])
    rows = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "r.xlsx")).get_sheet_by_name(ROWS).to_python()
    assert [row[4] for row in rows[1:]] == ["new", "refused"]
    assert "=1+1" in rows[2]
    with zipfile.ZipFile(tmp_path / "r.xlsx") as archive:
        sheets = [name for name in archive.namelist() if "worksheets/sheet" in name]
        assert not any(b"<f>" in archive.read(name) for name in sheets)


def test_refused_rows_are_mended_in_the_result_workbook_and_brought_in_again(tmp_path, bring):
    text = "2026年授信台账,,\n单位：万元,,\ncustomer_id,name,registered_capital\nC1,甲,5\nC2,乙,很多\n"
    batch = bring(text, unit="")
    assert batch.rows_refused == 1
    write_results(tmp_path / "r.xlsx", [batch.pk])
    book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "r.xlsx"))
    rows = book.get_sheet_by_index(0).to_python()
    assert rows[2][:3] == ["C2", "乙", "很多"]
    assert "很多" in rows[2][4]
    with xlsxwriter.Workbook(str(tmp_path / "mended.xlsx")) as mended:
        for name in book.sheet_names:
            sheet = mended.add_worksheet(name)
            for at, cells in enumerate(book.get_sheet_by_name(name).to_python()):
                sheet.write_row(at, 0, [7 if cell == "很多" else cell for cell in cells])
    again = import_path(path=tmp_path / "mended.xlsx", person=ADMIN, wish=Wish())[0]
    assert (again.rows_read, again.rows_refused) == (1, 0)
    assert FactValue.objects.get(customer__code="C2").minor == 7_000_000


def test_a_number_that_was_unclear_does_not_become_clear_in_the_result_workbook(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "customers.xlsx")) as book:
        sheet = book.add_worksheet("customers")
        sheet.write_row(0, 0, ["customer_id", "name", "registered_capital（万元）"])
        sheet.write_column(1, 0, ["C1", "C2"])
        sheet.write_column(1, 1, ["甲", "乙"])
        sheet.merge_range(1, 2, 2, 2, 500)
    (first,) = import_path(path=tmp_path / "customers.xlsx", person=ADMIN, wish=Wish())
    assert (first.rows_stored, first.rows_refused) == (0, 2)
    write_results(tmp_path / "again.xlsx", [first.pk])
    (again,) = import_path(path=tmp_path / "again.xlsx", person=ADMIN, wish=Wish())
    assert (again.rows_stored, again.rows_refused) == (0, 2)


def test_the_currency_above_the_table_stands_above_the_refused_rows_too(tmp_path, bring):
    batch = bring("单位：百万元 币种：SGD,,,\ncustomer_id,name,country,registered_capital\nC1,甲,Chinia,5\n", unit="")
    write_results(tmp_path / "r.xlsx", [batch.pk])
    book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "r.xlsx"))
    above = book.get_sheet_by_index(0).to_python()[0][0]
    assert stated_units([above]) == [AmountUnit(Decimal(1_000_000), "SGD")]


def test_a_zip_bomb_is_refused_by_its_directory(tmp_path):
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (30 << 20))
    with pytest.raises(Refused) as refused:
        import_path(path=file, person=ADMIN, wish=Wish())
    assert refused.value.findings[0].code in {"workbook_ratio", "workbook_too_large"}


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.csv.gz", "a.parquet"])
def test_a_broken_file_is_refused_not_crashed_on(tmp_path, name):
    draw = random.Random(name)
    for _ in range(3):
        (tmp_path / name).write_bytes(draw.randbytes(400))
        with pytest.raises(Refused):
            import_path(path=tmp_path / name, person=ADMIN, wish=Wish())
    assert not Customer.objects.exists()


def test_bent_workbooks_are_refused_or_read_whole(tmp_path):
    write_template(tmp_path / "t.xlsx", "zh")
    fill(tmp_path / "t.xlsx", tmp_path / "filled.xlsx", "zh")
    good, draw = (tmp_path / "filled.xlsx").read_bytes(), random.Random(7)
    for _ in range(6):
        bent = bytearray(good)
        for _ in range(20):
            bent[draw.randrange(len(bent))] = draw.randrange(256)
        (tmp_path / "bent.xlsx").write_bytes(bytes(bent))
        try:
            batch = import_path(path=tmp_path / "bent.xlsx", person=ADMIN, wish=Wish(dry_run=True))[0]
        except Refused:
            continue
        assert batch.rows_read == batch.rows_stored + batch.rows_refused
