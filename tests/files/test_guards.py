"""Files that unfold, nest or lie are refused before they are opened; what is opened is opened by a limited child."""

import gzip
import io
import resource
import time
import zipfile

import pytest
import xlsxwriter

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.customers.models import Customer
from kequn.apps.ingest.models import BatchState, ImportBatch
from kequn.apps.ingest.services import RefusedFile, Wish, import_path
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db
MIB = 1 << 20


def refused(path) -> RefusedFile:
    with pytest.raises(Refused) as caught:
        import_path(path=path, person=LocalAdministrator(), wish=Wish(unit="元"))
    assert not Customer.objects.exists()
    assert ImportBatch.objects.latest("id").state == BatchState.REFUSED
    assert str(path.parent) not in str(ImportBatch.objects.latest("id").findings)
    return caught.value


def rebuilt(path, replaced: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | replaced).items():
            archive.writestr(name, content)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        made.add_worksheet("customers").write_row(0, 0, ["customer_id", "name"])
    return path


def test_400_kb_that_unfold_to_400_mib_are_refused_at_once_and_in_little_memory(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _ in range(400):
            part.write(b" " * MIB)
    assert path.stat().st_size < 420_000
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert refused(path).findings[0].code == "workbook_ratio"
    assert time.monotonic() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_the_same_400_mib_in_small_parts_are_refused_too(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", b" " * (20 * MIB))
    assert path.stat().st_size < 420_000
    assert refused(path).findings[0].code == "workbook_ratio"


def test_a_directory_that_lies_is_found_out(book):
    rebuilt(book, {"xl/worksheets/sheet1.xml": b"<worksheet>" + b" " * (300 * MIB)})
    raw = bytearray(book.read_bytes())
    with zipfile.ZipFile(book) as archive:
        told = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    at = raw.rfind(told.to_bytes(4, "little"))
    raw[at : at + 4] = (1000).to_bytes(4, "little")
    book.write_bytes(bytes(raw))
    assert refused(book).findings[0].code in {"not_a_workbook", "sheet_unreadable", "file_unreadable", "workbook_ratio"}


def test_an_archive_in_an_archive_is_refused(book):
    rebuilt(book, {"more.zip": b"PK"})
    assert refused(book).findings[0].code == "nested"


def test_entities_are_refused(book):
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><workbook>&b;</workbook>'
    rebuilt(book, {"xl/workbook.xml": laughs})
    assert refused(book).findings[0].code == "xml_entities"


def test_a_sheet_that_claims_a_boundless_grid_is_refused(book):
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    rebuilt(book, {"xl/worksheets/sheet1.xml": sheet % cells})
    assert refused(book).findings[0].code in {"too_many_cells", "file_unreadable", "memory"}


@pytest.mark.parametrize("inside", [b"\x1f\x8b\x08" + b"0" * 50, b"PK\x03\x04" + b"0" * 50])
def test_a_packed_table_that_holds_an_archive_is_refused(tmp_path, inside):
    (tmp_path / "customers.csv.gz").write_bytes(gzip.compress(inside))
    assert refused(tmp_path / "customers.csv.gz").findings[0].code == "nested"


def test_a_packed_table_that_unfolds_is_refused(tmp_path):
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="w") as stream:
        for _ in range(64):
            stream.write(b"0" * MIB)
    (tmp_path / "customers.csv.gz").write_bytes(made.getvalue())
    assert refused(tmp_path / "customers.csv.gz").findings[0].code == "ratio"


def test_percentages_and_hidden_rows_are_seen_in_either_quotes():
    from kequn.apps.ingest.child.workbook import Looks, _take

    look = Looks()
    _take(b"<row r='2' hidden='1'><c r='B2' s='3'><v>0.35</v></c></row>", look, {b"3"})
    assert (look.percent, look.hidden_rows, look.unclear) == ({(1, 1)}, {1}, False)
