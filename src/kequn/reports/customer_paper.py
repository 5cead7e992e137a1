"""The financial analysis of a customer as a paper of two or three pages: who it is, how it earns and owes, how policy
judges it, and what it borrows here.
"""

from collections.abc import Callable, Iterable
from functools import partial

from kequn.domain.definitions import Definition
from kequn.domain.errors import Language, Text
from kequn.domain.money import MoneyUnit
from kequn.domain.rules.tree import Constant, Expr, FirstHit, Value, facts_in
from kequn.policy.telling import Teller
from kequn.policy.thresholds import Bound, bounds_of
from kequn.reports.analysis import CustomerAnalysis, Origin, Period
from kequn.reports.charts import Series, Threshold, columns, lines
from kequn.reports.paper import Cell, Charts, Column, Facts, Number, Paper, Points, Table

NOT_KNOWN = "–"
CHART_WIDTH, CHART_HEIGHT = 430.0, 220.0
DIMENSIONS_TOLD = ("industry_family", "size", "geography", "region", "development", "income_group")
AMOUNTS_CHARTED = ("annual_revenue", "annual_ebitda")
CHARTED = (("debt_ratio", "debt_to_assets"), ("current_ratio", "cash_to_short_debt"), ("interest_coverage",))
RATIOS = (
    "debt_ratio", "debt_to_assets", "short_debt_share", "current_ratio", "quick_ratio", "cash_to_short_debt",
    "interest_coverage", "ebitda_to_debt", "cash_flow_to_debt", "gross_margin", "net_margin", "return_on_assets",
    "revenue_growth", "debt_growth", "receivable_days", "inventory_days", "free_cash_flow",
)  # fmt: skip
ITEMS = (
    "total_assets", "current_assets", "cash", "receivables", "inventory", "fixed_assets", "total_liabilities",
    "current_liabilities", "short_term_debt", "long_term_debt", "equity", "revenue", "operating_cost",
    "operating_profit", "total_profit", "net_profit", "interest_expense", "operating_cash_flow", "capex",
)  # fmt: skip
SIGNS = {
    ">": Text("高于 {} 预警", "warned above {}"),
    ">=": Text("达到 {} 预警", "warned from {}"),
    "<": Text("低于 {} 预警", "warned below {}"),
    "<=": Text("不高于 {} 预警", "warned at or below {}"),
}
WORDS = {
    "title": Text("财务分析报告", "Financial analysis"),
    "overview": Text("概况", "Overview"),
    "grade": Text("信用等级", "Grade"),
    "pd": Text("违约概率", "Probability of default"),
    "score": Text("评分", "Score"),
    "tier": Text("信用层级", "Credit tier"),
    "exposure": Text("敞口", "Exposure"),
    "net": Text("扣除保证金后敞口", "Exposure net of margin"),
    "group": Text("所属集团", "Group"),
    "manager": Text("客户经理", "Manager"),
    "signals": Text("预警信号", "Signals"),
    "no_signals": Text("目前没有预警信号。", "No signal stands."),
    "ratios": Text("财务指标", "Ratios"),
    "indicator": Text("指标", "Ratio"),
    "bound": Text("预警线", "Warning bound"),
    "no_statements": Text("该客户尚未提供财务报表。", "This customer has handed in no statements."),
    "statements": Text("财务报表", "Statements"),
    "item": Text("项目", "Item"),
    "facilities": Text("授信明细", "Facilities"),
    "no_facilities": Text("没有登记授信。", "No facility is recorded."),
    "facility": Text("授信编号", "Facility"),
    "product": Text("产品", "Product"),
    "security": Text("担保", "Security"),
    "committed": Text("授信额度", "Committed"),
    "drawn": Text("已用", "Drawn"),
    "off_balance": Text("表外", "Off balance"),
    "margin": Text("保证金", "Margin deposit"),
    "maturity": Text("到期日", "Maturity"),
    "past_due": Text("逾期天数", "Days past due"),
    "scoring": Text("评分构成", "Score by characteristic"),
    "characteristic": Text("评分项", "Characteristic"),
    "points": Text("得分", "Points"),
    "found": Text("取值", "Found"),
    "most": Text("满分", "Most"),
    "served": Text("策略与定价（示意）", "Strategy and prices (illustration)"),
    "illustrated": Text(
        "评分卡、策略与价格为随附政策包的示意值，采用前须经本机构批准。",
        "The scorecard, strategy and prices are illustrations of the shipped policy pack; approve your own before use.",
    ),
    "since": Text("自 {} 起", "since {}"),
    "missing": Text("“–”表示未知，从不视为零。", "“–” means unknown; it is never taken as zero."),
    "not_assessed": Text("尚未评估：请先运行一次评估。", "Not assessed yet: start a run first."),
    "trend": Text("近十二个月收入与利润", "Revenue and EBITDA of twelve months"),
}
FOOT = Text(
    "运行 {run} · 截至 {day} · 政策 {pack}（{digest}） · Kequn {program}",
    "Run {run} · as of {day} · policy {pack} ({digest}) · Kequn {program}",
)


def foot_of(origin: Origin, language: Language) -> str:
    """The line at the foot of each page: facts as of a date, policy and program."""
    run = str(origin.run) if origin.run is not None else NOT_KNOWN
    said = {"run": run, "day": origin.as_of.isoformat(), "pack": origin.pack}
    digest = origin.pack_digest[:8]
    return FOOT.in_language(language).format(**said, digest=digest, program=origin.program)


def customer_paper(analysis: CustomerAnalysis, *, language: Language, unit: MoneyUnit) -> Paper:
    """The paper of one customer in one language, amounts in one unit."""
    return _Writing(analysis, language, unit).paper()


class _Writing:
    """One customer, one language, one unit: what every part of the paper needs at hand."""

    def __init__(self, analysis: CustomerAnalysis, language: Language, unit: MoneyUnit) -> None:
        self.analysis, self.language, self.unit = analysis, language, unit
        self.teller = Teller(analysis.pack, analysis.plan, language)
        self.bounds: dict[str, Bound] = {}
        for bound in bounds_of(analysis.plan):
            self.bounds.setdefault(bound.fact, bound)

    def say(self, word: str) -> str:
        return WORDS[word].in_language(self.language)

    def paper(self) -> Paper:
        analysis = self.analysis
        code = " · ".join(part for part in (analysis.code, analysis.uscc) if part)
        day = analysis.origin.as_of.isoformat()
        return Paper(
            language=self.language,
            title=analysis.name,
            subtitle=f"{self.say('title')} · {code} · {day}",
            blocks=tuple(self.blocks()),
            foot=foot_of(analysis.origin, self.language),
            day=day,
        )

    def blocks(self) -> Iterable[Facts | Table | Charts | Points]:
        yield self.overview()
        yield self.signals()
        if self.analysis.periods:
            yield self.charts()
        yield self.ratios()
        yield self.scoring()
        yield self.statements()
        yield self.facilities()
        yield self.served()

    # -- how values are written --------------------------------------------------------------------------

    def amount(self, minor: float | None) -> Number:
        if minor is None:
            return Number(None, NOT_KNOWN, "amount")
        return Number(self.unit.of(minor), self.unit.bare(minor), "amount")

    def said(self, minor: int | None) -> str:
        return NOT_KNOWN if minor is None else self.unit.said(minor, self.language)

    def figure(self, name: str, value: Value | None) -> Number:
        """A ratio as a percentage, money in the unit of the paper, all else as a number."""
        if not isinstance(value, float | int) or isinstance(value, bool):
            return Number(None, NOT_KNOWN)
        kind = self.teller.unit(name)
        if kind == "CNY":
            return self.amount(value * 100)
        if kind == "ratio":
            return Number(value, f"{value:.1%}", "percent")
        return Number(value, f"{value:,.0f}" if kind == "days" else f"{value:,.2f}")

    def axis(self, name: str, value: float) -> str:
        kind = self.teller.unit(name)
        if kind == "ratio":
            return f"{value:.0%}"
        return self.unit.bare(value * 100) if kind == "CNY" else f"{value:,.4g}"

    # -- the parts ---------------------------------------------------------------------------------------

    def overview(self) -> Facts:
        analysis, answers = self.analysis, self.analysis.answers
        pairs = [
            (self.say("grade"), self.class_of("grade")),
            (self.say("pd"), self.share("pd", 2)),
            (self.say("tier"), self.class_of("credit_tier")),
            (self.say("score"), self.figure("score", answers.get("score")).shown),
            (self.say("exposure"), self.said(analysis.exposure_gross)),
            (self.say("net"), self.said(analysis.exposure_net)),
            (self.say("group"), analysis.group or NOT_KNOWN),
            (self.say("manager"), analysis.manager or NOT_KNOWN),
        ]
        pairs += [(self.teller.name(one), self.class_of(one)) for one in DIMENSIONS_TOLD if answers.get(one)]
        note = "" if analysis.origin.run is not None else self.say("not_assessed")
        return Facts(self.say("overview"), tuple(pairs), note)

    def class_of(self, name: str) -> str:
        value = self.analysis.answers.get(name)
        return self.teller.word(name, value) if isinstance(value, str) else NOT_KNOWN

    def share(self, name: str, decimals: int) -> str:
        value = self.analysis.answers.get(name)
        return f"{value:.{decimals}%}" if isinstance(value, float) else NOT_KNOWN

    def signals(self) -> Points:
        told = []
        for one in self.analysis.standing:
            since = self.say("since").format(one.since.isoformat())
            why = f"：{one.reason}" if self.language == "zh" else f": {one.reason}"
            told.append(f"{self.teller.name(one.key)}（{since}）{why if one.reason else ''}")
        plain = (
            tuple(one.replace("（", " (").replace("）", ")") for one in told) if self.language == "en" else tuple(told)
        )
        return Points(self.say("signals"), plain, self.say("no_signals"))

    def charts(self) -> Charts:
        earned = columns(
            title=self.say("trend"),
            categories=self.ends(),
            series=[self.series(name) for name in self.known(AMOUNTS_CHARTED)],
            shown=partial(self.axis, AMOUNTS_CHARTED[0]),
            width=CHART_WIDTH,
            height=CHART_HEIGHT,
        )
        unit = self.unit.name(self.language)
        drawn = [(f"{self.say('trend')} ({unit})", earned)]
        drawn += [self.ratio_chart(names) for names in CHARTED if self.known(names)]
        return Charts(tuple(drawn))

    def ratio_chart(self, names: tuple[str, ...]) -> tuple[str, str]:
        used = self.known(names)
        marks = [
            Threshold(self.bound_said(bound), bound.value)
            for name in used
            if (bound := self.bounds.get(name)) is not None
        ]
        title = " · ".join(self.teller.name(name) for name in used)
        drawn = lines(
            title=title,
            categories=self.ends(),
            series=[self.series(name) for name in used],
            shown=partial(self.axis, used[0]),
            thresholds=marks,
            width=CHART_WIDTH,
            height=CHART_HEIGHT,
        )
        return title, drawn

    def known(self, names: Iterable[str]) -> list[str]:
        """Those that the policy in force defines."""
        return [name for name in names if self.analysis.plan.vocabulary.get(name) is not None]

    def series(self, name: str) -> Series:
        return Series(self.teller.name(name), tuple(_number(one.answers.get(name)) for one in self.analysis.periods))

    def ends(self) -> list[str]:
        return [f"{one.end:%Y-%m}" for one in self.analysis.periods]

    def bound_said(self, bound: Bound) -> str:
        pattern = SIGNS.get(bound.sign)
        value = self.figure(bound.fact, bound.value).shown
        return pattern.in_language(self.language).format(value) if pattern else value

    def ratios(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for name in self.known(RATIOS):
            values = [self.figure(name, one.answers.get(name)) for one in self.analysis.periods]
            if any(one.value is not None for one in values):
                bound = self.bounds.get(name)
                said = f"{bound.sign} {self.figure(name, bound.value).shown}" if bound else ""
                rows.append((self.teller.name(name), *values, said))
        heads = (
            Column(self.say("indicator"), share=1.8),
            *self.period_columns(),
            Column(self.say("bound"), right=True),
        )
        return Table(self.say("ratios"), heads, tuple(rows), self.say("missing"), self.say("no_statements"))

    def period_columns(self, say: Callable[[Period], str] | None = None) -> list[Column]:
        return [Column(say(one) if say else f"{one.end:%Y-%m}", right=True) for one in self.analysis.periods]

    def statements(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for name in ITEMS:
            amounts = [self.amount(one.items.get(name)) for one in self.analysis.periods]
            if any(one.value is not None for one in amounts):
                rows.append((self.teller.name(name), *amounts))
        flows = self.period_columns(lambda one: f"{one.end:%Y-%m} {self.teller.word('flows', one.flows)}")
        basis = self.analysis.basis
        said = f"{self.teller.word('scope', basis[0])}，{self.teller.word('standard', basis[1])}" if basis else ""
        said = said.replace("，", ", ") if self.language == "en" else said
        note = "；".join(part for part in (said, self.unit.name(self.language)) if part)
        note = note.replace("；", "; ") if self.language == "en" else note
        heads = (Column(self.say("item"), share=1.8), *flows)
        return Table(self.say("statements"), heads, tuple(rows), note, self.say("no_statements"))

    def facilities(self) -> Table:
        heads = (
            Column(self.say("facility"), share=1.3),
            Column(self.say("product"), share=1.4),
            Column(self.say("security")),
            *(Column(self.say(one), right=True) for one in ("committed", "drawn", "off_balance", "margin")),
            Column(self.say("maturity"), right=True),
            Column(self.say("past_due"), right=True, share=0.8),
        )
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (
                one.facility_id,
                self.teller.word("product", one.product) if one.product else NOT_KNOWN,
                self.teller.word("security", one.security) if one.security else NOT_KNOWN,
                *(self.amount(value) for value in (one.committed, one.drawn, one.off_balance, one.margin_deposit)),
                one.maturity.isoformat() if one.maturity else NOT_KNOWN,
                self.days(one.days_past_due),
            )
            for one in self.analysis.facilities
        )
        note = self.unit.name(self.language) if rows else ""
        return Table(self.say("facilities"), heads, rows, note, self.say("no_facilities"))

    def days(self, value: float | None) -> Number:
        return Number(None, NOT_KNOWN, "count") if value is None else Number(value, f"{value:,.0f}", "count")

    def scoring(self) -> Table:
        """Each characteristic with what was found, what it earned and the most it could earn; then the sum."""
        heads = (
            Column(self.say("characteristic"), share=2.0),
            Column(self.say("found"), right=True),
            Column(self.say("points"), right=True),
            Column(self.say("most"), right=True),
        )
        scored = [one for one in self.analysis.plan.definitions if one.kind == "points"]
        rows: list[tuple[Cell, ...]] = [self.scored(one) for one in scored]
        if rows:
            total = self.figure("score", self.analysis.answers.get("score"))
            rows.append((self.say("score"), "", total, ""))
        return Table(self.say("scoring"), heads, tuple(rows), self.say("illustrated"))

    def scored(self, one: Definition) -> tuple[Cell, ...]:
        read = next(iter(facts_in(one.expr)), None)
        name = self.teller.name(read.name) if read else self.teller.name(one.name)
        value = self.analysis.answers.get(read.name, self.analysis.facts.get(read.name)) if read else None
        found = self.figure(read.name, value) if read else ""
        most = _most(one.expr)
        best = NOT_KNOWN if most is None else Number(most, f"{most:,.2f}")
        return (name, found, self.figure(one.name, self.analysis.answers.get(one.name)), best)

    def served(self) -> Facts:
        answers = self.analysis.answers
        pairs = [
            (self.teller.name(one.name), self.teller.as_percent(one.name, answers.get(one.name)))
            for one in self.analysis.plan.definitions
            if one.kind in {"strategy", "price"} and one.output and answers.get(one.name) is not None
        ]
        return Facts(self.say("served"), tuple(pairs), self.say("illustrated"))


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, float | int) and not isinstance(value, bool) else None


def _most(expr: Expr) -> float | None:
    """The best outcome of a decision table of points; None for any other form."""
    if not isinstance(expr, FirstHit):
        return None
    outcomes = [then.value for _, then in expr.rows if isinstance(then, Constant)]
    return max((one for one in outcomes if isinstance(one, float)), default=None)
