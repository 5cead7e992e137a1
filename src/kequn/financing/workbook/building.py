"""The sheet of construction: costs, interest, fees, draws, owners' money; sources equal uses by formula."""

from kequn.domain.projectfinance.run import Run
from kequn.financing.workbook.sheet import Book, Sheet


def construction(book: Book, run: Run) -> Sheet:
    """Rows of construction as the engine walks through it, with the agreed facility as an input."""
    project, plan = run.project, run.plan
    line = project.timeline
    sheet = book.sheet("Construction", line.construction_periods)
    sheet.formula("period", "Period 期", "{period<}+1", 0.0)
    months = book.value("construction_step", "Months in a construction period 建设期每期月数", line.construction_step)
    sheet.formula("month", "Month of its end 期末月", f"{{period}}*{months}")
    capex = book.value("capex", "Capital cost, factor 投资倍数", float(run.scenario.value("capex")))
    rate = book.value("rate", "Interest rates, points added 利率加点", float(run.scenario.value("rate")))
    for place, one in enumerate(project.capital):
        shares = one.spread or (1.0 / line.construction_periods,) * line.construction_periods
        sheet.numbers(f"spread_{place}", f"{one.name}: share by period 进度", list(shares))
        amount = book.value(f"capital_{place}", f"{one.name}: amount 金额", one.amount)
        vat = book.value(f"capital_vat_{place}", f"{one.name}: VAT 增值税率", one.vat_rate)
        sheet.formula(f"cost_{place}", f"{one.name}: cost 支出", f"{amount}*{{spread_{place}}}*{capex}")
        sheet.formula(f"vat_{place}", f"{one.name}: VAT paid 进项税", f"{{cost_{place}}}*{vat}")
    count = range(len(project.capital))
    vat_rate = book.value("vat_facility_rate", "Rate of the VAT facility 增值税过桥利率", project.vat_facility_rate)
    sheet.formula(
        "vat_paid", "VAT paid so far 累计进项税", "{vat_paid<}+" + "+".join(f"{{vat_{k}}}" for k in count), 0.0
    )
    sheet.formula(
        "costs", "Costs with interest of the VAT facility 支出（含过桥利息）",
        "+".join(f"{{cost_{k}}}" for k in count) + f"+{{vat_paid<}}*({vat_rate}+{rate})*{months}/12",
    )  # fmt: skip
    senior = project.loans[0] if plan.loans else None
    facility = book.value("facility", "Agreed senior facility 优先级贷款额", plan.construction.debt)
    upfront = book.value("upfront_fee", "Upfront fee 前端费", plan.construction.upfront_fee)
    commitment = book.value(
        "commitment_fee", "Commitment fee a year 承诺费率", senior.commitment_fee if senior else 0.0
    )
    reserve = book.value("reserve", "First filling of the DSRA 首笔偿债准备金", plan.construction.uses_at_end)
    rates = plan.loans[0].construction_rates.tolist() if plan.loans else [0.0] * line.construction_periods
    sheet.numbers("senior_rate", "Senior rate of the period 优先级利率（当期）", rates)
    sheet.formula(
        "fees", "Fees 费用", f"{commitment}*{months}/12*({facility}-{{balance<}})+IF({{period}}=1,{upfront},0)"
    )
    sheet.formula("interest", "Interest 建设期利息", f"{{balance<}}*({{senior_rate}}+{rate}*{months}/12)")
    sheet.formula("to_reserve", "To the DSRA 入偿债准备金", f"IF({{period}}={line.construction_periods},{reserve},0)")
    sheet.formula("uses", "Uses 用款", "{costs}+{fees}+{interest}+{to_reserve}")
    left = f"MAX(0,{facility}-{{balance<}})"
    agreed_equity = book.value(
        "agreed_equity", "Agreed money of owners and later lenders 约定其他资金", float(plan.construction.equity.sum())
    )
    gearing = book.value("draw_share", "Share of each use drawn 提款比例", plan.construction.gearing)
    draw = {
        "pro_rata": f"MIN({{uses}}*{gearing},{left})",
        "debt_first": f"MIN({{uses}},{left})",
        "equity_first": f"MIN(MAX(0,{{uses}}-MAX(0,{agreed_equity}-{{rest_so_far<}})),{left})",
    }[project.funding]
    sheet.formula("draw", "Senior draw 优先级提款", draw)
    sheet.formula("balance", "Senior balance 优先级余额", "{balance<}+{draw}", 0.0)
    sheet.formula("rest", "Left to others 其余资金", "{uses}-{draw}")
    sheet.formula("rest_so_far", "The same so far 累计", "{rest_so_far<}+{rest}", 0.0)
    juniors = plan.loans[1:]
    for place, loan in enumerate(juniors, start=1):
        amount = book.value(f"amount_{place}", f"{loan.name}: agreed amount 约定金额", loan.amount)
        sheet.numbers(
            f"rate_{place}", f"{loan.name}: rate of the period 利率（当期）", loan.construction_rates.tolist()
        )
        sheet.formula(f"balance_{place}", f"{loan.name}: balance 余额",
                      f"MIN({{rest_so_far}}*{amount}/{agreed_equity},{amount})", 0.0)  # fmt: skip
        sheet.formula(
            f"interest_{place}",
            f"{loan.name}: interest 利息",
            f"{{balance_{place}<}}*({{rate_{place}}}+{rate}*{months}/12)",
        )
    drawn = "".join(f"-({{balance_{k}}}-{{balance_{k}<}})+{{interest_{k}}}" for k in range(1, len(juniors) + 1))
    sheet.formula("owners", "Owners pay 股东出资", "{rest}" + drawn)
    lent = project.shareholder_loan
    share = book.value("owners_loan_share", "Share of owners' money lent 股东借款比例", lent.share if lent else 0.0)
    own_rate = book.value("owners_loan_rate", "Rate of the owners' loan 股东借款利率", lent.rate if lent else 0.0)
    sheet.formula("owners_loan", "Owners' loan with its interest 股东借款本息",
                  f"{{owners_loan<}}*(1+{own_rate}*{months}/12)+{{owners}}*{share}", 0.0)  # fmt: skip
    sheet.formula("imbalance", "Sources less uses 来源减运用", "{draw}+{owners}"
                  + "".join(f"+({{balance_{k}}}-{{balance_{k}<}})-{{interest_{k}}}" for k in range(1, len(juniors) + 1))
                  + "-{uses}")  # fmt: skip
    return sheet
