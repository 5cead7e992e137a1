"""What each key of a model means, for the notes of the template; the sheet first, then its keys."""

from kequn.domain.errors import Text

SHEETS = {
    "model": Text("项目", "The project"), "timeline": Text("时间", "Timeline"), "capital": Text("投资", "Capital cost"),
    "revenues": Text("收入", "Revenue"), "subsidies": Text("补助", "Subsidies"),
    "costs": Text("运营成本", "Operating costs"),
    "maintenance": Text("大修", "Major maintenance"), "loans": Text("贷款", "Loans"), "limits": Text("限额", "Limits"),
    "covenants": Text("储备与约束", "Reserves and covenants"), "working_capital": Text("营运资金", "Working capital"),
    "tax": Text("所得税", "Income tax"), "shareholder_loan": Text("股东借款", "Shareholder loan"),
    "simulation": Text("模拟", "Simulation"), "scenarios": Text("情景", "Scenarios"),
}  # fmt: skip
_SAID = """
model project|名称|name of the project
model currency|币种，ISO 4217|currency, ISO 4217
model unit|金额单位，如 万元|unit of amounts, such as 万元
model note|备注|a note
model funding|出资次序：pro_rata 同比例、equity_first、debt_first|order of funding: pro_rata, equity_first, debt_first
model vat_facility_rate|增值税过桥利率，小数|rate of the loan that carries input VAT, a fraction
model discount_rate|净现值折现率，小数；空则取政策值|discount rate of the NPVs, a fraction; policy's where empty
model sizing_case|测算贷款的情景名|name of the scenario on which the loans are sized
timeline start|开工日，2026-01-01|first day of construction, 2026-01-01
timeline construction_months|建设期月数|months of construction
timeline construction_step_months|建设期每期月数：1、3、6、12|months of a construction period: 1, 3, 6, 12
timeline operation_years|运营年数|years of operation
timeline step_months|运营期每期月数：1、3、6、12|months of an operation period: 1, 3, 6, 12
capital name|名称|name
capital amount|金额，不含税|amount before VAT
capital spread|各建设期比例，[0.4, 0.6]|shares by construction period, [0.4, 0.6]
capital depreciation|折旧：straight_line 等|depreciation: straight_line, double_declining, sum_of_years
capital life_years|折旧年限|years of depreciation
capital salvage|残值率，小数|residual share, a fraction
capital vat|增值税率，小数|VAT rate, a fraction
revenues name|名称|name
revenues volume|年数量|volume a year
revenues price|单价，不含税|price before VAT
revenues amounts|逐年金额，代替数量与单价|an amount for each year instead of volume and price
revenues indexation|年涨价率|rise of the price a year
revenues growth|年增量率|growth of the volume a year
revenues ramp|最初各年比例，[0.6, 0.8]|shares of the first years, [0.6, 0.8]
revenues years|起止运营年，[0, 12]|from and until year of operation, [0, 12]
revenues season|一年内各期比例|shares of a year by period
revenues vat|增值税率，小数|VAT rate, a fraction
subsidies name|名称|name
subsidies amounts|逐年金额|an amount for each year
subsidies confirmed|是否已确认；未确认不计|whether it is confirmed; only then it counts
costs name|名称|name
costs amount|年金额|amount a year
costs share_of_revenue|占收入比例|share of revenue
costs amounts|逐年金额|an amount for each year
costs indexation|年涨价率|rise a year
costs years|起止运营年|from and until year of operation
costs vat|增值税率|VAT rate
maintenance name|名称|name
maintenance amount|每次金额|amount each time
maintenance years|发生年份，[9, 19]|in which years of operation, [9, 19]
maintenance indexation|年涨价率|rise a year
maintenance saved_years|提前几年储备|for how many years it is saved up
loans name|名称，首笔为优先级|name; the first is senior
loans rate|利率，或 {lpr: 5y, spread: -0.005}|rate, or {lpr: 5y, spread: -0.005}
loans tenor_years|自运营起的期限（年）|tenor from operation, years
loans form|还款方式：sculpted、annuity、bullet 等|form: sculpted, equal_principal, annuity, bullet ...
loans target_dscr|目标偿债备付率，或 {0: 1.2, 12: 1.4}|target DSCR, or {0: 1.2, 12: 1.4}
loans amount|约定金额；空则测算|amount agreed; sized where empty
loans grace_years|宽限期（年）|years of grace
loans balloon_share|到期一次性还款比例|share repaid at maturity
loans step|每年递增率|step of the instalments a year
loans custom|自定各期比例|shares of a custom schedule
loans upfront_fee|前端费率|upfront fee, a fraction
loans commitment_fee|承诺费年费率|commitment fee a year
loans day_count|计息方法：30/360、ACT/360、ACT/365F|day count: 30/360, ACT/360, ACT/365F
limits max_gearing|最高负债比例|highest gearing
limits min_llcr|最低贷款覆盖率|lowest LLCR
limits max_average_life|最长平均年限|longest average life
limits max_amount|金额上限|largest amount
covenants dsra_months|偿债准备金覆盖月数|months of service in the DSRA
covenants prefunded|准备金是否在建设期存足|whether the DSRA is filled in construction
covenants dsrf_limit|备用偿债额度|limit of the reserve facility
covenants dsrf_rate|备用额度利率|rate of the reserve facility
covenants sweep_share|现金扫款比例|share swept
covenants lockup_dscr|锁定分配的备付率|DSCR of lock-up
covenants default_dscr|违约的备付率|DSCR of default
covenants cure_dscr|补救至的备付率|DSCR that a cure lifts to
covenants cure_limit|单次补救上限|most of one cure
covenants cures|补救次数|number of cures
covenants order|偿付次序|order of payment
working_capital receivable_days|应收天数|days of receivables
working_capital payable_days|应付天数|days of payables
tax regime|税制：standard、high_tech、western|regime: standard, high_tech, western
tax holiday|优惠：infrastructure 三免三减半|holiday: infrastructure
tax small|是否小型微利|whether small low-profit
tax rate|自给税率，代替税制|a rate of its own instead of a regime
tax loss_years|亏损弥补年限|years of loss carry-forward
shareholder_loan share|占股东出资比例|share of the owners' money
shareholder_loan rate|利率|rate
simulation drivers|不确定因素的列表|a list such as [{driver: volume, kind: normal, a: 1.0, b: 0.1}]
simulation correlation|相关矩阵|matrix of correlation
"""


def _read() -> dict[tuple[str, str], Text]:
    found = {}
    for line in _SAID.strip().splitlines():
        place, zh, en = line.split("|")
        sheet, key = place.split(" ")
        found[sheet, key] = Text(zh, en)
    return found


KEY_WORDS = _read()
