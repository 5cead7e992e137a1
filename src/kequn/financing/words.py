"""What the figures and lines of a project's results are called, and in which unit they stand.

The names are the keys of `kequn.financing.results`; pages, papers and the command line say them by these words. A line
of one loan is named `LOAN_line`; its word is that of the line, with the loan's own name before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kequn.domain.errors import Language, Text

Unit = Literal["times", "share", "years", "date", "amount", "word", "flag"]
UNITS = {
    "times": Text("倍", "times"), "share": Text("%", "%"), "years": Text("年", "years"), "date": Text("日期", "date"),
    "amount": Text("金额", "amount"), "word": Text("", ""), "flag": Text("", ""),
}  # fmt: skip
DASH = "–"


@dataclass(frozen=True, slots=True)
class Word:
    """A label in both languages and the unit of the values that it names."""

    label: Text
    unit: Unit = "amount"


def _word(zh: str, en: str, unit: Unit = "amount") -> Word:
    return Word(Text(zh, en), unit)


FIGURES = {
    "total_uses": _word("投资与融资费用合计", "Total uses"),
    "debt": _word("贷款金额", "Debt"),
    "binding_limit": _word("起作用的限额", "Binding limit", "word"),
    "gearing": _word("负债比例", "Gearing", "share"),
    "min_dscr": _word("最低偿债备付率", "Minimum DSCR", "times"),
    "min_dscr_date": _word("最低偿债备付率的期末", "Period end of the minimum DSCR", "date"),
    "average_dscr": _word("平均偿债备付率", "Average DSCR", "times"),
    "llcr": _word("贷款存续期覆盖率", "LLCR at the start of operation", "times"),
    "min_llcr": _word("最低贷款存续期覆盖率", "Minimum LLCR", "times"),
    "plcr": _word("项目存续期覆盖率", "PLCR at the start of operation", "times"),
    "min_icr": _word("最低利息备付率", "Minimum ICR", "times"),
    "average_life_years": _word("贷款平均年限", "Average life of the loan", "years"),
    "tail_years": _word("尾部年限", "Tail", "years"),
    "equity_irr": _word("资本金内部收益率", "Equity IRR", "share"),
    "equity_irr_status": _word("资本金内部收益率的性质", "Kind of equity IRR", "word"),
    "equity_irr_roots": _word("资本金内部收益率的全部根", "All roots of the equity IRR", "share"),
    "project_irr": _word("项目内部收益率", "Project IRR", "share"),
    "project_irr_status": _word("项目内部收益率的性质", "Kind of project IRR", "word"),
    "equity_npv": _word("资本金净现值", "Equity NPV"),
    "project_npv": _word("项目净现值", "Project NPV"),
    "equity_payback_years": _word("资本金回收期", "Equity payback", "years"),
    "project_payback_years": _word("项目回收期", "Project payback", "years"),
    "equity_cure": _word("股东补救出资合计", "Equity cures in all"),
    "first_lockup": _word("首次锁定分配的期末", "First period end in lock-up", "date"),
    "first_default": _word("首次违约的期末", "First period end in default", "date"),
}  # fmt: skip
USES = {
    "costs": _word("建设投资", "Capital cost"),
    "fees": _word("贷款费用", "Loan fees"),
    "interest": _word("建设期利息", "Interest during construction"),
    "junior_interest": _word("次级贷款建设期利息", "Interest of later loans during construction"),
    "reserve": _word("偿债准备金初始存入", "First filling of the DSRA"),
}
SOURCES = {
    "senior": _word("优先级贷款", "Senior loan"),
    "junior": _word("其他贷款", "Later loans"),
    "owners": _word("资本金与股东借款", "Owners' money"),
}
LINES = {
    "revenue": _word("营业收入", "Revenue"),
    "subsidies": _word("已确认补助", "Confirmed subsidies"),
    "operating_costs": _word("运营成本", "Operating costs"),
    "ebitda": _word("息税折旧前利润", "EBITDA"),
    "working_capital": _word("营运资金增加", "Increase of working capital"),
    "maintenance": _word("大修支出", "Major maintenance"),
    "vat_interest": _word("增值税过桥利息", "Interest on the VAT facility"),
    "tax": _word("所得税", "Income tax"),
    "cfads": _word("可用于偿债的现金流", "CFADS"),
    "dscr": _word("当期偿债备付率", "DSCR of the period", "times"),
    "tested_dscr": _word("考核偿债备付率", "Tested DSCR", "times"),
    "dscr_backward": _word("偿债备付率（前十二个月）", "DSCR, twelve months back", "times"),
    "dscr_forward": _word("偿债备付率（后十二个月）", "DSCR, twelve months ahead", "times"),
    "llcr": _word("贷款存续期覆盖率", "LLCR", "times"),
    "plcr": _word("项目存续期覆盖率", "PLCR", "times"),
    "from_dsra": _word("动用偿债准备金", "Drawn from the DSRA"),
    "from_lockup": _word("动用锁定账户", "Drawn from the lock-up account"),
    "dsrf_drawn": _word("动用备用偿债额度", "Drawn from the DSRF"),
    "dsrf_repaid": _word("归还备用偿债额度", "DSRF repaid"),
    "dsrf_interest": _word("备用偿债额度利息", "Interest on the DSRF"),
    "dsrf_balance": _word("备用偿债额度余额", "Balance of the DSRF"),
    "cure": _word("股东补救出资", "Equity cure"),
    "unpaid": _word("未付本息", "Debt service unpaid"),
    "arrears": _word("欠款余额", "Arrears"),
    "dsra_top_up": _word("存入偿债准备金", "Paid into the DSRA"),
    "dsra_release": _word("释放偿债准备金", "Released from the DSRA"),
    "dsra": _word("偿债准备金余额", "Balance of the DSRA"),
    "mra": _word("大修准备金余额", "Balance of the MRA"),
    "from_mra": _word("大修准备金释放", "Released from the MRA"),
    "is_locked_up": _word("是否锁定分配", "In lock-up", "flag"),
    "is_in_default": _word("是否违约", "In default", "flag"),
    "lockup_account": _word("锁定账户余额", "Balance of the lock-up account"),
    "distribution": _word("向股东分配", "Distributed to the owners"),
    "bills_unpaid": _word("未付账单", "Bills unpaid"),
}
LOAN_LINES = {
    "opening": _word("期初余额", "opening balance"),
    "interest": _word("应付利息", "interest due"),
    "scheduled": _word("应还本金", "principal due"),
    "interest_paid": _word("已付利息", "interest paid"),
    "principal_paid": _word("已还本金", "principal paid"),
    "sweep": _word("现金扫款", "cash sweep"),
    "closing": _word("期末余额", "closing balance"),
}
CODES = {
    "dscr": Text("目标偿债备付率", "target DSCR"), "agreed": Text("约定金额", "agreed amount"),
    "llcr": Text("最低贷款覆盖率", "minimum LLCR"), "amount": Text("金额上限", "largest amount"),
    "average_life": Text("最长平均年限", "longest average life"), "gearing": Text("负债比例上限", "gearing limit"),
    "all_uses": Text("全部投资", "all uses"),
    "ok": Text("唯一", "one root"), "multiple": Text("有多个根", "several roots"),
    "no_solution": Text("不存在", "there is none"), "ill_conditioned": Text("数值不稳", "ill-conditioned"),
    "base": Text("基准", "Base"), "bank": Text("银行", "Bank"), "sponsor": Text("发起人", "Sponsor"),
    "stress": Text("压力", "Stress"), "senior": Text("优先级贷款", "Senior loan"),
}  # fmt: skip


def word_of(line: str, loans: Sequence[str] = ()) -> Word:
    """The word of a line of the periods; a line that nobody named is its own word."""
    for loan in loans:
        own = line.removeprefix(f"{loan}_")
        if own != line and own in LOAN_LINES:
            of, name = LOAN_LINES[own], said(loan)
            return Word(Text(f"{name.zh} {of.label.zh}", f"{name.en}: {of.label.en}"), of.unit)
    return LINES.get(line) or Word(Text(line, line))


def said(code: str) -> Text:
    """A code or the name of a scenario in words; a name that somebody gave stays as it is."""
    return CODES.get(code) or Text(code, code)


def shown(value: object, unit: Unit, language: Language) -> str:
    """A value as a reader expects it: a dash where it is not defined, never a zero.

    >>> shown(1.2345, "times", "en"), shown(0.0567, "share", "en"), shown(None, "amount", "zh")
    ('1.23', '5.67%', '–')
    """
    if value is None or value in ("", []):
        return DASH
    if isinstance(value, list | tuple):
        return ", ".join(shown(one, unit, language) for one in value)
    if isinstance(value, bool):
        return Text("是" if value else "否", "yes" if value else "no").in_language(language)
    if unit == "word":
        return said(str(value)).in_language(language)
    if not isinstance(value, int | float):
        return str(value)
    if unit == "share":
        return f"{value:.2%}"
    if unit in ("times", "years"):
        return f"{value:,.2f}"
    return f"{value:,.2f}" if abs(value) < 1000.0 else f"{value:,.0f}"
