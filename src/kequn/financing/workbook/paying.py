"""The rows of tax, waterfall, owners and balance sheet, below operation on the same sheet."""

import math

from kequn.domain.projectfinance.plan import tax_calendar
from kequn.domain.projectfinance.run import Run
from kequn.financing.workbook.sheet import Book, Sheet

_COVENANTS = {
    "lockup_dscr": "Lock-up DSCR 锁定线",
    "default_dscr": "Default DSCR 违约线",
    "sweep_share": "Sweep 扫款比例",
    "dsrf_limit": "Reserve facility 备用授信",
    "dsrf_rate": "Rate of the reserve facility 备用授信利率",
    "cure_dscr": "Cure DSCR 补救线",
    "cure_limit": "Largest cure 单次补救上限",
    "cures": "Number of cures 补救次数",
}
_CLEAR = 1e15  # more than any balance: the last instalment clears what is left


def tax(book: Book, sheet: Sheet, run: Run) -> None:
    """Profit, losses carried forward by age, and tax: prepaid on the year so far, settled at its end."""
    rules = run.project.tax
    rate = book.value("tax_rate_given", "Income tax 所得税率", float(rules.rate))
    more = book.place_of("tax_rate")
    loans = "".join(f"-{{interest_{k}}}" for k in range(len(run.plan.loans)))
    sheet.heading("Tax 所得税")
    sheet.formula("profit", "Profit before tax 利润总额", "{ebitda}-{maintenance}-{vat_interest}-{depreciation}"
                  f"{loans}-{{owners_interest}}-{{dsrf_due}}")  # fmt: skip
    sheet.formula(
        "profit_so_far", "Profit of the year so far 年内累计", "IF({year_end<}=1,0,{profit_so_far<})+{profit}", 0.0
    )
    ages = range(rules.loss_years, 0, -1)
    for age in ages:
        older = "MAX(0,-{profit_so_far<})" if age == 1 else f"{{loss_{age - 1}_left<}}"
        sheet.formula(f"loss_{age}", f"Loss of {age} year(s) ago 前 {age} 年亏损",
                      f"IF({{year_end<}}=1,{older},{{loss_{age}<}})", 0.0)  # fmt: skip
        before = "".join(f"-{{loss_{one}}}" for one in range(rules.loss_years, age, -1))
        sheet.formula(
            f"loss_{age}_left", "What is left of it 未弥补",
            f"IF({{year_end}}=1,{{loss_{age}}}-MIN({{loss_{age}}},MAX(0,MAX(0,{{profit_so_far}}){before})),{{loss_{age}}})",
            0.0,
        )  # fmt: skip
    losses = "".join(f"-{{loss_{age}}}" for age in ages)
    sheet.formula("taxable", "Taxable so far 应纳税所得额", f"MAX(0,{{profit_so_far}}{losses})")
    shares = book.listed("holiday", "Share of the rate due by year of income 减免后比例", [*rules.holiday, 1.0])
    _, first = tax_calendar(run.project)
    place = f"{{tax_year}}-{first}+1"
    years = len(rules.holiday)
    share = f"IF(OR({place}<1,{place}>{years}),1,INDEX({shares},1,MAX(1,MIN({years + 1},{place}))))"
    owed = f"{{taxable}}*({rate}+{more})*{share}"
    if rules.small_limit:
        limit = book.value("small_limit", "Limit of a small firm 小微限额", rules.small_limit)
        small = book.value("small_rate", "Rate of a small firm 小微税负", rules.small_rate)
        owed = f"IF({{taxable}}<={limit},MIN({owed},{{taxable}}*{small}),{owed})"
    sheet.formula("tax_owed", "Tax of the year so far 年内累计应纳", owed)
    sheet.formula("tax", "Tax paid 已缴所得税", "IF({year_end}=1,{tax_owed}-IF({year_end<}=1,0,{tax_paid<}),"
                  "MAX(0,{tax_owed}-IF({year_end<}=1,0,{tax_paid<})))")  # fmt: skip
    sheet.formula("tax_paid", "Paid in the year so far 年内已缴", "IF({year_end<}=1,0,{tax_paid<})+{tax}", 0.0)
    sheet.formula("cfads", "CFADS 可偿债现金流", "{before_tax}-{tax}")


def waterfall(book: Book, sheet: Sheet, run: Run) -> None:
    """Loans and accounts in the usual order."""
    given, loans = run.project.covenants, run.plan.loans
    value = {key: book.value(key, label, getattr(given, key)) for key, label in _COVENANTS.items()}
    sheet.heading("Debt 债务")
    rate = book.place_of("rate")
    step = book.place_of("step")
    built = book.sheets["Construction"]
    for place, loan in enumerate(loans):
        paying = [k for k, one in enumerate(loan.scheduled) if one > 0.0]
        agreed = [_CLEAR if paying and k == paying[-1] else float(one) for k, one in enumerate(loan.scheduled)]
        sheet.numbers(f"rate_{place}", f"{loan.name}: rate of the period 利率（当期）", loan.rates.tolist())
        sheet.formula(
            f"rate_now_{place}", f"{loan.name}: rate with points added 加点后利率", f"{{rate_{place}}}+{rate}*{step}/12"
        )
        sheet.numbers(f"agreed_{place}", f"{loan.name}: agreed principal 约定还本", agreed)
        sheet.formula(f"interest_{place}", f"{loan.name}: interest 利息", f"{{closing_{place}<}}*{{rate_now_{place}}}")
        sheet.formula(f"scheduled_{place}", f"{loan.name}: scheduled principal 应还本金",
                      f"MIN({{agreed_{place}}},{{closing_{place}<}})")  # fmt: skip
    _cash(sheet, run, value, step)
    for place, loan in enumerate(loans):
        _pay(sheet, place, loan.name)
        if place == 0:
            _reserve(sheet, run, built)
    after = "cash_reserve" if len(loans) < 2 else f"cash_{len(loans) - 1}"
    _distribute(sheet, value, after, f"Construction!{built.whole('balance').split(':')[1]}")
    for place, loan in enumerate(loans):
        drawn = built.whole("balance" if place == 0 else f"balance_{place}").split(":")[1]
        swept = "-{sweep}" if place == 0 else ""
        sheet.formula(
            f"closing_{place}", f"{loan.name}: balance 余额",
            f"{{closing_{place}<}}-{{principal_paid_{place}}}+({{interest_{place}}}-{{interest_paid_{place}}}){swept}",
            f"Construction!{drawn}",
        )  # fmt: skip


def _cash(sheet: Sheet, run: Run, value: dict[str, str], step: str) -> None:
    per_year = run.project.timeline.per_year
    sheet.heading("Waterfall 现金流偿付")
    sheet.formula(
        "dsrf_due", "Interest of the reserve facility 备用授信利息", f"{{dsrf<}}*{value['dsrf_rate']}*{step}/12"
    )
    sheet.formula("from_mra", "From the MRA 动用大修准备金", "MAX(0,{mra<}-{mra_target})")
    sheet.formula("due", "Senior service due 优先级应付本息", "{interest_0}+{scheduled_0}" if run.plan.loans else "0")
    wanted = f"MAX(0,{value['cure_dscr']}*{{due}}-{{cfads}}-{{from_mra}})"
    may = f"AND({wanted}>0,{wanted}<={value['cure_limit']},{{cures_used<}}<{value['cures']})"
    sheet.formula("cure", "Cure paid in 补救注资", f"IF({may},{wanted},0)")
    sheet.formula("cures_used", "Cures used 已用次数", "{cures_used<}+IF({cure}>0,1,0)", 0.0)
    sheet.formula("available", "Cash for the test 测试用现金", "{cfads}+{from_mra}+{cure}")
    window = f'"<="&{{period}},{{period:}},">"&({{period}}-{per_year})'
    cash, owed = (f"SUMIFS({{{name}:}},{{period:}},{window})" for name in ("available", "due"))
    sheet.formula("tested_dscr", "DSCR of twelve months 十二个月偿债备付率", f'IF({{due}}>0,{cash}/{owed},"")')
    sheet.formula(
        "in_default",
        "In default 违约",
        f'IF({{tested_dscr}}="",0,IF({{tested_dscr}}<{value["default_dscr"]}*(1-1E-12),1,0))',
    )
    sheet.formula("cash", "Cash in hand 可用现金", "{cfads}-{bills<}+{from_mra}+{cure}")
    sheet.formula("short", "Short of the service 缺口", "MAX(0,{due}-{cash})")
    sheet.formula("from_dsra", "From the DSRA 动用偿债准备金", "MIN({short},{dsra<})")
    sheet.formula("from_lockup", "From the lock-up account 动用锁定账户", "MIN({short}-{from_dsra},{lockup<})")
    sheet.formula("dsrf_drawn", "From the reserve facility 动用备用授信",
                  f"MIN({{short}}-{{from_dsra}}-{{from_lockup}},MAX(0,{value['dsrf_limit']}-{{dsrf<}}))")  # fmt: skip
    sheet.formula("cash_start", "Cash for debt 用于偿债", "{cash}+{from_dsra}+{from_lockup}+{dsrf_drawn}")


def _pay(sheet: Sheet, place: int, name: str) -> None:
    before = "cash_start" if place == 0 else "cash_reserve" if place == 1 else f"cash_{place - 1}"
    cash = f"MAX(0,{{{before}}})"
    sheet.formula(f"interest_paid_{place}", f"{name}: interest paid 已付利息", f"MIN({{interest_{place}}},{cash})")
    sheet.formula(f"principal_paid_{place}", f"{name}: principal paid 已还本金",
                  f"MIN({{scheduled_{place}}},{cash}-{{interest_paid_{place}}})")  # fmt: skip
    sheet.formula(f"cash_{place}", f"Cash after {name} 余下现金",
                  f"{{{before}}}-({{interest_paid_{place}}}+{{principal_paid_{place}}})")  # fmt: skip


def _reserve(sheet: Sheet, run: Run, built: Sheet) -> None:
    """The DSRA: the next service on the balance after this payment, filled from cash, released above it."""
    given, line = run.project.covenants, run.project.timeline
    ahead = given.dsra_months / line.step
    sheet.formula("unpaid", "Unpaid 欠付", "({interest_0}-{interest_paid_0})+({scheduled_0}-{principal_paid_0})")
    sheet.formula("dsrf_paid", "Reserve facility: interest paid 备用授信付息", "MIN({dsrf_due},MAX(0,{cash_0}))")
    sheet.formula("dsrf_repaid", "Reserve facility: repaid 备用授信还款",
                  "MIN({dsrf<}+{dsrf_drawn},MAX(0,{cash_0})-{dsrf_paid})")  # fmt: skip
    sheet.formula("dsrf", "Reserve facility: balance 备用授信余额",
                  "{dsrf<}+{dsrf_drawn}+({dsrf_due}-{dsrf_paid})-{dsrf_repaid}", 0.0)  # fmt: skip
    owed, parts = "{owed_0}", []
    sheet.formula(
        "owed_0", "Owed after this payment 付后余额", "{closing_0<}-{principal_paid_0}+({interest_0}-{interest_paid_0})"
    )
    for k in range(1, math.ceil(ahead - 1e-12) + 1):
        weight = min(1.0, ahead - (k - 1))
        later = f"IF({{period}}+{k}>{line.periods},0,1)"
        sheet.formula(
            f"ahead_{k}", f"Principal {k} period(s) ahead 后 {k} 期本金", f"MIN({{agreed_0>{k}}},{owed})*{later}"
        )
        parts.append(f"{weight!r}*({{ahead_{k}}}+{owed}*{{rate_now_0>{k}}}*{later})")
        sheet.formula(f"owed_{k}", "Owed then 届时余额", f"{owed}-{{ahead_{k}}}")
        owed = f"{{owed_{k}}}"
    sheet.formula("dsra_target", "DSRA wanted 准备金应有", "+".join(parts) or "0")
    held = "({dsra<}-{from_dsra})"
    cash = "MAX(0,{cash_0}-{dsrf_paid}-{dsrf_repaid})"
    is_kept = bool(given.dsra_months or given.dsrf_limit)
    move = f"MIN(MAX({{dsra_target}}-{held},0),{cash})-MAX({held}-{{dsra_target}},0)" if is_kept else "0"
    sheet.formula("dsra_move", "Into the DSRA 存入准备金（负为释放）", move)
    sheet.formula("dsra", "DSRA 偿债准备金", f"{held}+{{dsra_move}}", f"SUM(Construction!{built.whole('to_reserve')})")
    sheet.formula("dsra_gap", "Missing in the DSRA 准备金缺额", "{dsra_target}-{dsra}" if is_kept else "0")
    sheet.formula("cash_reserve", "Cash after the DSRA 余下现金", "{cash_0}-{dsrf_paid}-{dsrf_repaid}-{dsra_move}")


def _distribute(sheet: Sheet, value: dict[str, str], after: str, debt: str) -> None:
    sheet.formula("mra_move", "Into the MRA 存入大修准备金", f"MIN(MAX(0,{{mra_target}}-{{mra<}}),MAX(0,{{{after}}}))")
    sheet.formula("mra", "MRA 大修准备金", "{mra<}-{from_mra}+{mra_move}", 0.0)
    sheet.formula("cash_swept", "Cash for sweep and owners 扫款与分配前", f"{{{after}}}-{{mra_move}}")
    tolerance = f"(1E-9*{debt}+1E-12)"
    sheet.formula("arrears_before", "Arrears before the sweep 扫款前欠款", "{arrears<}+{unpaid}")
    share = f"IF(OR({{arrears_before}}>{tolerance},{{in_default}}=1),1,{value['sweep_share']})"
    sheet.formula("sweep", "Sweep 扫款", f"MIN({share}*MAX(0,{{cash_swept}}),{{owed_0}})")
    sheet.formula("arrears", "Arrears 欠款", "MAX(0,{arrears_before}-{sweep})", 0.0)
    blocked = (
        f'IF(OR({{arrears}}>{tolerance},{{cash_swept}}-{{sweep}}<0,IF({{tested_dscr}}="",FALSE,'
        f"{{tested_dscr}}<{value['lockup_dscr']}*(1-1E-12)),{{dsra_gap}}>{tolerance},{{dsrf}}>{tolerance}),1,0)"
    )
    sheet.formula("locked_up", "Locked up 锁定", blocked)
    held = "({lockup<}-{from_lockup}+MAX(0,{cash_swept}-{sweep}))"
    sheet.formula("distribution", "Distribution 分配", f"IF({{locked_up}}=1,0,{held})")
    sheet.formula("lockup", "Lock-up account 锁定账户", f"{held}-{{distribution}}", 0.0)
    sheet.formula("bills", "Bills unpaid 未付账单", "MAX(0,-({cash_swept}-{sweep}))", 0.0)


def owners(book: Book, sheet: Sheet) -> None:
    """The owners' loan, served from distributions, and dividends."""
    built = book.sheets["Construction"]
    rate = book.place_of("owners_loan_rate")
    step = book.place_of("step")
    sheet.heading("Owners 股东")
    sheet.formula("owners_interest", "Interest of the owners' loan 股东借款利息", f"{{owners_loan<}}*{rate}*{step}/12")
    sheet.formula("owners_paid", "Interest paid 已付利息", "MIN({owners_interest},{distribution})")
    sheet.formula("owners_repaid", "Repaid 已还本金",
                  "MIN({owners_loan<}+{owners_interest}-{owners_paid},{distribution}-{owners_paid})")  # fmt: skip
    lent = f"Construction!{built.whole('owners_loan').split(':')[1]}"
    left = "{owners_loan<}+{owners_interest}-{owners_paid}-{owners_repaid}"
    sheet.formula("owners_loan", "Owners' loan 股东借款余额", left, lent)
    sheet.formula("dividends", "Dividends 股利", "{distribution}-{owners_paid}-{owners_repaid}")
    sheet.formula("owners_flow", "Owners' flow 股东净现金流", "{distribution}-{cure}")


def balance_sheet(book: Book, sheet: Sheet, loans: int) -> None:
    """Income and balance sheet put together from the accounts; the difference of the sides is the check."""
    built = book.sheets["Construction"]
    share = book.place_of("owners_loan_share")
    sheet.heading("Balance sheet 资产负债表")
    sheet.formula("net_profit", "Net profit 净利润", "{profit}-{tax}")
    sheet.formula("fixed_assets", "Fixed assets 固定资产", "{fixed_assets<}-{depreciation}", "{asset_cost>}")
    sheet.formula("cash_held", "Cash and reserves 货币资金", "{dsra}+{mra}+{lockup}")
    sheet.formula("assets", "Total assets 资产总计", "{fixed_assets}+{cash_held}+{receivables}+{vat_credit}")
    balances = "+".join(f"{{closing_{k}}}" for k in range(loans))
    sheet.formula(
        "debts",
        "Loans and bills 贷款与应付",
        f"{balances}+{{dsrf}}+{{vat_credit}}+{{payables}}+{{bills}}+{{owners_loan}}",
    )
    sheet.formula("paid_in", "Paid-in capital 实收资本", "{paid_in<}+{cure}",
                  f"SUM(Construction!{built.whole('owners')})*(1-{share})")  # fmt: skip
    sheet.formula("retained", "Retained earnings 未分配利润", "{retained<}+{net_profit}-{dividends}", 0.0)
    sheet.formula("difference", "Assets less liabilities and equity 差额", "{assets}-{debts}-{paid_in}-{retained}")
    paid = "".join(f"-{{interest_paid_{k}}}-{{principal_paid_{k}}}" for k in range(loans))
    held = "({dsra}+{mra}+{lockup}-{bills})-({dsra<}+{mra<}+{lockup<}-{bills<})"
    went = f"{paid}-{{sweep}}-{{dsrf_paid}}-{{dsrf_repaid}}-{{distribution}}"
    sheet.formula(
        "lost_cash", "Cash in less cash out 现金守恒差额", f"{{cfads}}+{{dsrf_drawn}}+{{cure}}{went}-({held})"
    )
    sheet.formula("value", "Value of CFADS to maturity at the start 贷款期现金流现值",
                  "({value>}+{cfads}*IF({closing_0<}>0,1,0))/(1+{rate_now_0})")  # fmt: skip
