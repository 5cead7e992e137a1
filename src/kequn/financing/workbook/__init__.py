"""A project model as a workbook with live formulas: inputs apart, one formula a row, a sheet of checks.

No macro, no circular reference, no result typed in. The amounts and schedules of the loans are inputs, as they are
agreed; everything that follows from them is a formula, and changing a driver on the sheet of inputs runs the case anew.
"""

import io
from typing import Any

import xlsxwriter

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.run import Run
from kequn.financing.workbook.building import construction
from kequn.financing.workbook.paying import balance_sheet, owners, tax, waterfall
from kequn.financing.workbook.running import operation
from kequn.financing.workbook.sheet import Book, Sheet


def workbook_of(run: Run) -> bytes:
    """One scenario of a project as an .xlsx file; the first column of the run.

    Refused for a project without a loan, with an order of payment of its own, or with a line of many values.
    """
    project = run.project
    if not run.plan.loans or project.covenants.order:
        raise Misuse(
            Text(
                "没有贷款或自定偿付次序的模型不能导出",
                "a model without a loan, or with an order of its own, is not exported",
            )
        )
    if run.scenario.count != 1:
        raise Misuse(Text("一次导出一个情景", "one scenario is exported at a time"))
    book = Book()
    built = construction(book, run)
    sheet = operation(book, run)
    tax(book, sheet, run)
    waterfall(book, sheet, run)
    owners(book, sheet)
    balance_sheet(book, sheet, len(run.plan.loans))
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        _about(workbook, run)
        book.write(workbook)
        _returns(workbook, built, sheet, project.timeline.construction_months + project.timeline.operation_months, run)
        _checks(workbook, built, sheet)
        workbook.set_calc_mode("auto")
    return target.getvalue()


def _about(workbook: Any, run: Run) -> None:
    page = workbook.add_worksheet("About")
    page.set_column(0, 0, 100)
    lines = [
        f"{run.project.name} · {run.scenario.name} · {run.project.currency} {run.project.unit}",
        "Blue is input, black is formula; every row holds one formula in all its columns.",
        "蓝色为输入，黑色为公式；每行一个公式。",
        "The loans stand as agreed: amount and schedule are inputs, everything else follows.",
        "贷款金额与计划为约定输入，其余由公式得出。",
        "Sheets 工作表: Inputs, Series, Construction, Operation, Returns, Checks.",
    ]
    for row, text in enumerate(lines):
        page.write_string(row, 0, text)


def _returns(workbook: Any, built: Sheet, sheet: Sheet, months: int, run: Run) -> None:
    """The owners' flows laid out by month, so that one IRR serves periods of any length."""
    page = workbook.add_worksheet("Returns")
    page.set_column(0, 3, 24)
    page.write_row(0, 0, ["Month 月", "Owners' flow 股东净现金流", "Measure 指标", "Value 值"])
    for month in range(1, months + 1):
        page.write_number(month, 0, month)
        page.write_formula(
            month, 1,
            f"=SUMIF(Operation!{sheet.whole('month')},A{month + 1},Operation!{sheet.whole('owners_flow')})"
            f"-SUMIF(Construction!{built.whole('month')},A{month + 1},Construction!{built.whole('owners')})",
        )  # fmt: skip
    flows, rate = f"$B$2:$B${months + 1}", "$D$5"
    value = f"Operation!{sheet.whole('value').split(':')[0]}"
    measures = [
        ("Equity IRR a year 股东内部收益率", f'=IFERROR((1+IRR({flows},0.005))^12-1,"no single rate")'),
        ("Lowest DSCR 最低偿债备付率", f"=MIN(Operation!{sheet.whole('tested_dscr')})"),
        ("LLCR at the start 期初贷款覆盖率", f"={value}/Operation!$C${sheet.place('closing_0')}"),
        ("Discount rate 折现率", None),
        ("Equity NPV 股东净现值", f"=SUMPRODUCT({flows},(1+{rate})^(-$A$2:$A${months + 1}/12))"),
    ]
    for row, (label, formula) in enumerate(measures, start=1):
        page.write_string(row, 2, label)
        if formula is None:
            page.write_number(row, 3, run.project.discount_rate)
        else:
            page.write_formula(row, 3, formula)


def _checks(workbook: Any, built: Sheet, sheet: Sheet) -> None:
    """Each check with its largest departure and whether it holds, then all of them together."""
    page = workbook.add_worksheet("Checks")
    page.set_column(0, 0, 60)
    page.set_column(1, 3, 18)
    page.write_row(0, 0, ["Check 校验", "Departure 偏差", "Allowed 允许", "Holds 通过"])
    size = f"1E-9*SUM(Construction!{built.whole('uses')})"
    rows = [
        ("Sources equal uses 来源等于运用", f"Construction!{built.whole('imbalance')}"),
        ("No cash is lost 现金守恒", f"Operation!{sheet.whole('lost_cash')}"),
        ("The balance sheet balances 资产负债平衡", f"Operation!{sheet.whole('difference')}"),
    ]
    for row, (label, place) in enumerate(rows, start=1):
        page.write_string(row, 0, label)
        page.write_formula(row, 1, f"=MAX(MAX({place}),-MIN({place}))")
        page.write_formula(row, 2, f"={size}")
        page.write_formula(row, 3, f"=IF(B{row + 1}<=C{row + 1},1,0)")
    last = len(rows) + 1
    page.write_string(last, 0, "All hold 全部通过")
    page.write_formula(last, 3, f"=IF(SUM(D2:D{last})={len(rows)},1,0)")
