"""The workbook: recalculated by LibreOffice it gives the engine's numbers, and every row is one formula."""

import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner
from xlsxwriter.utility import xl_cell_to_rowcol

from kequn.cli import build
from kequn.domain.errors import Misuse
from kequn.domain.projectfinance.run import Run, solve
from kequn.financing.models import read_model
from kequn.financing.workbook import workbook_of
from kequn.policy import load_pack
from tests.financing.projects import PLANT

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "projects").glob("*.yaml"))
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
office = pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice Calc is not on this machine")


def recalculated(folder: Path, runs: dict[str, Run]) -> dict[str, CalamineWorkbook]:
    """The workbooks as LibreOffice works them out anew."""
    (folder / "profile" / "user").mkdir(parents=True)
    (folder / "profile" / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, "utf-8")
    for name, run in runs.items():
        (folder / f"{name}.xlsx").write_bytes(workbook_of(run))
    words = ["soffice", f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--convert-to", "xlsx",
             "--outdir", str(folder / "out"), *(str(folder / f"{name}.xlsx") for name in runs)]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, timeout=180)
    return {name: CalamineWorkbook.from_path(str(folder / "out" / f"{name}.xlsx")) for name in runs}


def rows_of(book: CalamineWorkbook, sheet: str) -> dict[str, list[float]]:
    found = {}
    for row in book.get_sheet_by_name(sheet).to_python()[1:]:
        if len(row) > 3 and row[1] and row[1] not in found:
            found[row[1]] = [float("inf") if value == "" else value for value in row[3:]]
    return found


def lines_of(run: Run) -> dict[str, np.ndarray]:
    """The engine's lines under the names of the rows."""
    made, flow = run.operation, run.waterfall
    lines = {
        "revenue": made.revenue, "subsidies": made.subsidy, "costs": made.cost, "maintenance": made.maintenance,
        "working_capital": made.working_capital_change, "vat_credit": made.vat_credit, "depreciation": run.depreciation,
        "vat_interest": made.vat_interest, "tax": run.tax, "cfads": run.cfads, "tested_dscr": flow.tested_dscr,
        "from_dsra": flow.from_dsra, "from_lockup": flow.from_lockup, "cure": flow.cure, "unpaid": flow.unpaid,
        "dsra": flow.dsra, "mra": flow.mra, "lockup": flow.lockup_account, "distribution": flow.distribution,
        "bills": flow.bills_unpaid, "arrears": flow.arrears, "locked_up": flow.is_locked_up.astype(float),
        "in_default": (flow.tested_dscr < run.project.covenants.default_dscr).astype(float),
    }  # fmt: skip
    for place, loan in enumerate(flow.loans.values()):
        lines |= {f"closing_{place}": loan.closing, f"interest_{place}": loan.interest}
    lines["sweep"] = flow.loans["senior"].sweep
    if run.owners_loan:
        lines |= {"owners_loan": run.owners_loan.closing, "dividends": run.dividends}
    return lines


def furthest(run: Run, book: CalamineWorkbook) -> float:
    """The largest departure of any line from the engine, over the size of the project."""
    size = float(run.building.uses.sum())
    shown = rows_of(book, "Operation")
    found = 0.0
    for name, values in lines_of(run).items():
        wanted = np.broadcast_to(values, run.cfads.shape)[:, 0]
        both = np.array(shown[name][: len(wanted)])
        is_same = np.isinf(wanted) == np.isinf(both)
        assert is_same.all(), name
        scale = 1.0 if name in ("tested_dscr", "locked_up", "in_default") else size
        known = np.isfinite(wanted)
        found = max(found, float(np.abs(wanted[known] - both[known]).max(initial=0.0)) / scale)
    built = rows_of(book, "Construction")
    for name, values in (("owners", run.building.owners), ("draw", run.building.senior_draws)):
        found = max(found, float(np.abs(values[:, 0] - np.array(built[name])).max()) / size)
    return found


@office
def test_libreoffice_recalculates_every_line_to_the_engine_s(tmp_path):
    runs = {}
    for file in EXAMPLES:
        project = read_model(file, load_pack("cn"), date(2026, 1, 1)).project
        for scenario in ("base", "stress"):
            runs[f"{file.stem}_{scenario}"] = solve(project, project.scenario(scenario))
    books = recalculated(tmp_path, runs)
    assert {name: furthest(run, books[name]) for name, run in runs.items() if furthest(run, books[name]) > 1e-9} == {}
    for book in books.values():
        checks = book.get_sheet_by_name("Checks").to_python()
        assert [row[3] for row in checks[1:]] == [1.0] * (len(checks) - 1)


def test_every_row_over_time_is_one_formula_and_there_is_no_macro(tmp_path):
    (tmp_path / "plant.xlsx").write_bytes(workbook_of(solve(PLANT)))
    with zipfile.ZipFile(tmp_path / "plant.xlsx") as archive:
        assert not [name for name in archive.namelist() if "vba" in name.lower()]
        assert "fullCalcOnLoad" in archive.read("xl/workbook.xml").decode()
        pages = [archive.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (4, 5)]
    for page in pages:
        found: dict[str, set[str]] = {}
        for column, row, formula in re.findall(r'<c r="([A-Z]+)(\d+)"[^>]*><f>(.*?)</f>', page):
            if column != "C":
                found.setdefault(row, set()).add(relative(formula, column))
        assert len(found) > 10
        assert {row: forms for row, forms in found.items() if len(forms) > 1} == {}


def relative(formula: str, column: str) -> str:
    """A formula with its references to moving columns as distances from its own column."""
    at = xl_cell_to_rowcol(f"{column}1")[1]
    return re.sub(
        r"(?<![$A-Z])([A-Z]{1,3})\$(\d+)", lambda m: f"[{xl_cell_to_rowcol(m[1] + '1')[1] - at}]{m[2]}", formula
    )


def test_a_model_without_a_loan_is_not_exported():
    with pytest.raises(Misuse, match="without a loan"):
        workbook_of(solve(replace(PLANT, loans=())))


def test_the_command_writes_the_workbook_of_a_scenario(tmp_path):
    words = ["project", "export", "xlsx", str(EXAMPLES[0]), "--scenario", "bank", "-o", str(tmp_path / "bank.xlsx")]
    done = CliRunner().invoke(build(), words)
    assert done.exception is None, done.exception
    about = CalamineWorkbook.from_path(str(tmp_path / "bank.xlsx")).get_sheet_by_name("About").to_python()
    assert "bank" in about[0][0]
