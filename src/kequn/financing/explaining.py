"""The cash of one period told line by line: what came, what was paid by which rule, what was left after each step.

True of every period: the cash after the last step is nil, or minus the bills that nobody could pay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kequn.domain.errors import Text
from kequn.financing.words import LINES, said

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One line: its name, what it adds to the cash (negative: it takes), what is left, and the rule applied."""

    label: Text
    amount: float
    left: float
    rule: Text
    is_sum: bool = False


def explain_period(rows: Sequence[Row], place: int, rules: Mapping[str, Any], loans: Sequence[str]) -> list[Step]:
    """The steps of the period at `place` of the rows that `results.kept_of` gives, in the order of payment."""
    before = rows[place - 1] if place else {}
    return _Telling(rows[place], before, rules, list(loans)).told()


class _Telling:
    """One period on its way down the waterfall."""

    def __init__(self, row: Row, before: Row, rules: Mapping[str, Any], loans: list[str]) -> None:
        self.row, self.before, self.rules, self.loans = row, before, rules, loans
        self.cash, self.steps = 0.0, list[Step]()

    def told(self) -> list[Step]:
        self._earn()
        for step in self.rules["order"]:
            if step.startswith("service:"):
                self._serve(step[8:])
            else:
                getattr(self, f"_{step}")()
        return self.steps

    def value(self, name: str) -> float:
        return float(self.row.get(name) or 0.0)

    def earlier(self, name: str) -> float:
        return float(self.before.get(name) or 0.0)

    def add(self, label: Text, amount: float, zh: str, en: str, *, always: bool = False) -> None:
        if amount or always:
            self.cash += amount
            self.steps.append(Step(label, amount, self.cash, Text(zh, en)))

    def sum_up(self, name: str, zh: str, en: str) -> None:
        self.steps.append(Step(LINES[name].label, self.cash, self.cash, Text(zh, en), is_sum=True))

    def _earn(self) -> None:
        """From revenue to the cash that may serve debt."""
        label = {name: word.label for name, word in LINES.items()}
        self.add(label["revenue"], self.value("revenue"), "价格 × 数量，按指数与爬坡",
                 "price times volume, indexed and ramped", always=True)  # fmt: skip
        self.add(label["subsidies"], self.value("subsidies"), "只计已确认的补助", "only subsidies that are confirmed")
        self.add(label["operating_costs"], -self.value("operating_costs"), "先付运营成本", "operating costs come first")
        self.add(label["working_capital"], -self.value("working_capital"), "应收减应付的增加占用现金",
                 "what is billed and not yet collected, less what is not yet paid, takes cash")  # fmt: skip
        self.add(label["maintenance"], -self.value("maintenance"), "大修按计划年份支出", "overhauls in their years")
        self.add(label["vat_interest"], -self.value("vat_interest"), "进项税由过桥贷款垫付，计息",
                 "input VAT is carried by a facility, which bears interest")  # fmt: skip
        self.add(
            label["tax"],
            -self.value("tax"),
            "按年内累计利润预缴，年末汇算",
            "prepaid on the year's profit, settled at its end",
        )
        self.sum_up("cfads", "以上合计，可用于偿债", "the sum of the above, which may serve debt")
        self.add(
            label["bills_unpaid"],
            -self.earlier("bills_unpaid"),
            "上期未付账单先付",
            "bills of the period before come first",
        )
        self.add(label["from_mra"], self.value("from_mra"), "大修准备金超过目标的部分支付本期大修",
                 "what the MRA holds beyond its target pays for this overhaul")  # fmt: skip
        level, most = self.rules["cure_dscr"], self.rules["cures"]
        self.add(label["cure"], self.value("cure"), f"股东补足至偿债备付率 {level:.2f}，最多 {most} 次",
                 f"the owners lift the DSCR to {level:.2f}, at most {most} time(s)")  # fmt: skip

    def _serve(self, name: str) -> None:
        """Interest, then principal, of one loan; the first loan's shortfall is met by its supports."""
        own = said(name)
        interest, scheduled = self.value(f"{name}_interest"), self.value(f"{name}_scheduled")
        if name == self.loans[0]:
            self._support(interest + scheduled)
        paid, repaid = self.value(f"{name}_interest_paid"), self.value(f"{name}_principal_paid")
        if interest:
            short = interest - paid
            self.add(Text(f"{own.zh}利息", f"Interest of the {own.en.lower()}"), -paid,
                     f"应付 {interest:,.2f}" + (f"，少付 {short:,.2f}，转入本金" if short > 1e-6 else "，付清"),
                     f"due {interest:,.2f}" + (f", {short:,.2f} added to the loan" if short > 1e-6 else ", paid"),
                     always=True)  # fmt: skip
        if scheduled:
            short = scheduled - repaid
            self.add(Text(f"{own.zh}本金", f"Principal of the {own.en.lower()}"), -repaid,
                     f"应还 {scheduled:,.2f}" + (f"，少还 {short:,.2f}，成为欠款" if short > 1e-6 else "，付清"),
                     f"due {scheduled:,.2f}" + (f", {short:,.2f} unpaid and in arrears" if short > 1e-6 else ", paid"),
                     always=True)  # fmt: skip

    def _support(self, due: float) -> None:
        short = max(0.0, due - self.cash)
        for name, zh, en in (
            ("from_dsra", "先动用偿债准备金", "the DSRA first"),
            ("from_lockup", "再动用锁定账户", "then the lock-up account"),
            ("dsrf_drawn", "再动用备用额度", "then the reserve facility"),
        ):
            self.add(LINES[name].label, self.value(name), f"偿债缺口 {short:,.2f}：{zh}", f"{short:,.2f} short: {en}")

    def _dsra(self) -> None:
        self.add(
            LINES["dsrf_interest"].label,
            -self.value("dsrf_interest"),
            "备用额度先付息",
            "the reserve facility's interest",
        )
        self.add(
            LINES["dsrf_repaid"].label, -self.value("dsrf_repaid"), "再归还备用额度", "then the reserve facility itself"
        )
        periods = self.rules["dsra_periods"]
        self.add(LINES["dsra_top_up"].label, -self.value("dsra_top_up"), f"补足至未来 {periods:g} 期本息",
                 f"filled up to the service of the next {periods:g} period(s)")  # fmt: skip
        self.add(LINES["dsra_release"].label, self.value("dsra_release"), f"超过未来 {periods:g} 期本息的部分释放",
                 f"what is beyond the service of the next {periods:g} period(s) is released")  # fmt: skip

    def _mra(self) -> None:
        saved = self.value("mra") - self.earlier("mra") + self.value("from_mra")
        self.add(
            Text("存入大修准备金", "Paid into the MRA"),
            -saved,
            "为以后的大修提前储备",
            "saved up for the next overhaul",
        )

    def _sweep(self) -> None:
        swept, share = self.value(f"{self.loans[0]}_sweep") if self.loans else 0.0, self.rules["sweep_share"]
        if self.value("is_in_default") or self.value("arrears"):
            zh, en = "违约或有欠款时，全部剩余现金提前还款", "in default or in arrears all cash left prepays the loan"
        else:
            zh, en = f"剩余现金的 {share:.0%} 提前还款", f"{share:.0%} of the cash left prepays the loan"
        self.add(Text("现金扫款", "Cash sweep"), -swept, zh, en)

    def _distribution(self) -> None:
        """Paid with what the lock-up account held, or held back there."""
        held, paid = self.earlier("lockup_account"), self.value("distribution")
        level, cover = self.rules["lockup_dscr"], self.row.get("tested_dscr")
        released = held - self.value("from_lockup")
        if self.row.get("is_locked_up"):
            kept = self.value("lockup_account") - released
            self.add(
                Text("留在锁定账户", "Held in the lock-up account"), -kept, *self._why_locked(level, cover), always=True
            )
            return
        self.add(Text("锁定账户释放", "Released from the lock-up account"), released, "条件恢复，一并分配",
                 "the tests are met again, so it is paid out")  # fmt: skip
        self.add(LINES["distribution"].label, -paid, f"偿债备付率不低于锁定线 {level:.2f}、准备金充足、无欠款",
                 f"DSCR not below lock-up at {level:.2f}, reserves full, nothing owed", always=True)  # fmt: skip

    def _why_locked(self, level: float, cover: float | None) -> tuple[str, str]:
        if cover is not None and cover < level:
            return f"偿债备付率 {cover:.2f} 低于锁定线 {level:.2f}", f"DSCR {cover:.2f} is below lock-up at {level:.2f}"
        if self.value("arrears"):
            return "有欠款，不得分配", "there are arrears, so nothing is distributed"
        if self.value("dsrf_balance"):
            return "备用额度未还清，不得分配", "the reserve facility is drawn, so nothing is distributed"
        return (
            "偿债准备金不足或账单未付，不得分配",
            "the DSRA is not full or bills are unpaid, so nothing is distributed",
        )
