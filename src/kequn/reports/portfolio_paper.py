"""The portfolio overview as a paper: totals, classes of each dimension, concentration, signals, migration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kequn.domain.errors import Language, Text
from kequn.domain.money import MoneyUnit
from kequn.policy.telling import Teller
from kequn.reports.analysis import Origin
from kequn.reports.charts import Bar, Cell, Flow, bars, heat_map, sankey
from kequn.reports.customer_paper import NOT_KNOWN, foot_of
from kequn.reports.paper import Block, Charts, Column, Facts, Number, Paper, Table
from kequn.reports.paper import Cell as PaperCell

CHARTED = ("industry_family", "size", "region", "credit_tier")
CROSSED = ("industry_family", "credit_tier")
WIDTH = 430.0
WORDS = {
    "title": Text("资产组合概览", "Portfolio overview"),
    "customers": Text("客户数", "Customers"),
    "exposure": Text("敞口", "Exposure"),
    "net": Text("扣除保证金后敞口", "Exposure net of margin"),
    "without": Text("敞口未知的客户", "Customers with unknown exposure"),
    "totals": Text("总量", "Totals"),
    "share": Text("占比", "Share"),
    "class": Text("类别", "Class"),
    "dimension": Text("维度", "Dimension"),
    "by_dimension": Text("按维度分布", "By dimension"),
    "customer": Text("客户", "Customer"),
    "group": Text("集团", "Group"),
    "largest_customers": Text("最大客户", "Largest customers"),
    "largest_groups": Text("最大集团", "Largest groups"),
    "first": Text("前 {} 名合计 {}", "first {} together {}"),
    "index": Text("赫芬达尔指数 {}", "Herfindahl index {}"),
    "signals": Text("预警信号", "Signals"),
    "signal": Text("信号", "Signal"),
    "level": Text("级别", "Level"),
    "no_signals": Text("目前没有预警信号。", "No signal stands."),
    "migration": Text("信用层级迁徙", "Migration of credit tiers"),
    "nobody": Text("没有客户。", "There are no customers."),
    "no_class": Text("尚无类别", "No class"),
    "yes": Text("是", "yes"),
    "no": Text("否", "no"),
    "scope": Text("范围：{}", "Scope: {}"),
}


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class of a dimension. `value` is its code; amounts in fen."""

    dimension: str
    value: str
    customers: int
    exposure: int


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest names and how much the first of them hold together."""

    rows: Sequence[tuple[str, int, float | None]]  # name, exposure, share
    shares: Sequence[tuple[int, float]]
    index: float | None


@dataclass(frozen=True, slots=True)
class SignalLine:
    name: str
    level: str
    customers: int
    exposure: int


@dataclass(frozen=True, slots=True)
class PortfolioOverview:
    """Everything the paper says, within one person's scope, as that scope is said in the language of the paper."""

    origin: Origin
    scope: str
    customers: int
    exposure_gross: int
    exposure_net: int
    without_exposure: int
    classes: Sequence[ClassLine]  # in the order in which they are shown
    crossing: Mapping[tuple[str, str], int]
    largest_customers: Largest
    largest_groups: Largest
    signals: Sequence[SignalLine]
    migration: Mapping[tuple[str, str], int]
    since: date | None


def portfolio_paper(overview: PortfolioOverview, *, teller: Teller, unit: MoneyUnit) -> Paper:
    """The paper in the language of the teller, amounts in one unit."""
    return _Writing(overview, teller, unit).paper()


class _Writing:
    def __init__(self, overview: PortfolioOverview, teller: Teller, unit: MoneyUnit) -> None:
        self.overview, self.teller, self.unit = overview, teller, unit
        self.language: Language = teller.language

    def say(self, word: str, *parts: object) -> str:
        return WORDS[word].in_language(self.language).format(*parts)

    def paper(self) -> Paper:
        origin = self.overview.origin
        day = origin.as_of.isoformat()
        blocks: list[Block] = [self.totals(), *self.charts(), *self.migrated()]
        blocks += [self.largest("customer", self.overview.largest_customers)]
        blocks += [self.largest("group", self.overview.largest_groups), self.signals(), self.dimensions()]
        subtitle = f"{self.say('scope', self.overview.scope)} · {day}"
        return Paper(self.language, self.say("title"), subtitle, tuple(blocks), foot_of(origin, self.language), day)

    def amount(self, minor: int) -> Number:
        return Number(self.unit.of(minor), self.unit.bare(minor), "amount")

    def count(self, value: int) -> Number:
        return Number(value, f"{value:,}", "count")

    def share(self, part: int) -> Number:
        whole = self.overview.exposure_gross
        ratio = part / whole if whole else None
        return Number(ratio, NOT_KNOWN if ratio is None else f"{ratio:.1%}", "percent")

    def class_of(self, dimension: str, value: str) -> str:
        if value in {"true", "false"}:
            return self.say("yes" if value == "true" else "no")
        return self.say("no_class") if value == "-" else self.teller.word(dimension, value)

    def totals(self) -> Facts:
        overview = self.overview
        pairs = (
            (self.say("customers"), f"{overview.customers:,}"),
            (self.say("exposure"), self.unit.said(overview.exposure_gross, self.language)),
            (self.say("without"), f"{overview.without_exposure:,}"),
            (self.say("net"), self.unit.said(overview.exposure_net, self.language)),
        )
        return Facts(self.say("totals"), pairs)

    def charts(self) -> list[Charts]:
        unit = self.unit.name(self.language)
        drawn = []
        for dimension in CHARTED:
            lines = [one for one in self.overview.classes if one.dimension == dimension]
            if lines:
                title = f"{self.teller.name(dimension)} ({unit})"
                rows = [
                    Bar(
                        self.class_of(dimension, one.value),
                        float(max(one.exposure, 0)),
                        f"{self.unit.bare(one.exposure)}  {self.share(one.exposure).shown}",
                    )
                    for one in lines
                ]
                drawn.append((title, bars(title=title, rows=rows, width=WIDTH)))
        found = [Charts(tuple(drawn))] if drawn else []
        return [*found, *self.heat()]

    def heat(self) -> list[Charts]:
        crossing = self.overview.crossing
        if not crossing:
            return []
        order = {(one.dimension, one.value): place for place, one in enumerate(self.overview.classes)}
        rows = sorted({one for one, _ in crossing}, key=lambda value: order.get((CROSSED[0], value), 0))
        columns = sorted({two for _, two in crossing}, key=lambda value: order.get((CROSSED[1], value), 0))
        cells = {
            (rows.index(one), columns.index(two)): Cell(float(exposure), self.unit.bare(exposure))
            for (one, two), exposure in crossing.items()
        }
        names = " × ".join(self.teller.name(one) for one in CROSSED)
        title = f"{names} ({self.unit.name(self.language)})"
        drawn = heat_map(
            title=title,
            rows=[self.class_of(CROSSED[0], one) for one in rows],
            columns=[self.class_of(CROSSED[1], one) for one in columns],
            cells=cells,
            width=640,
        )
        return [Charts(((title, drawn),))]

    def dimensions(self) -> Table:
        heads = (
            Column(self.say("dimension"), share=1.4),
            Column(self.say("class"), share=2.2),
            Column(self.say("customers"), right=True),
            Column(f"{self.say('exposure')} ({self.unit.name(self.language)})", right=True, share=1.3),
            Column(self.say("share"), right=True),
        )
        before = ("", *(one.dimension for one in self.overview.classes))
        rows = tuple(
            (
                "" if one.dimension == last else self.teller.name(one.dimension),
                self.class_of(one.dimension, one.value),
                self.count(one.customers),
                self.amount(one.exposure),
                self.share(one.exposure),
            )
            for one, last in zip(self.overview.classes, before, strict=False)
        )
        return Table(self.say("by_dimension"), heads, rows, empty=self.say("nobody"))

    def largest(self, kind: str, found: Largest) -> Table:
        heads = (
            Column(self.say(kind), share=3.0),
            Column(f"{self.say('exposure')} ({self.unit.name(self.language)})", right=True, share=1.3),
            Column(self.say("share"), right=True),
        )
        rows: list[tuple[PaperCell, ...]] = [
            (name, self.amount(exposure), self.share(exposure)) for name, exposure, _ in found.rows
        ]
        said = [self.say("first", count, f"{share:.1%}") for count, share in found.shares]
        if found.index is not None:
            said.append(self.say("index", f"{found.index:.4f}"))
        note = " · ".join(said)
        return Table(self.say(f"largest_{kind}s"), heads, tuple(rows), note, self.say("nobody"))

    def signals(self) -> Table:
        heads = (
            Column(self.say("signal"), share=2.4),
            Column(self.say("level")),
            Column(self.say("customers"), right=True),
            Column(f"{self.say('exposure')} ({self.unit.name(self.language)})", right=True, share=1.3),
            Column(self.say("share"), right=True),
        )
        rows = tuple(
            (
                self.teller.name(one.name),
                self.teller.word("level", one.level),
                self.count(one.customers),
                self.amount(one.exposure),
                self.share(one.exposure),
            )
            for one in self.overview.signals
        )
        return Table(self.say("signals"), heads, rows, empty=self.say("no_signals"))

    def migrated(self) -> list[Charts]:
        overview, key = self.overview, CROSSED[1]
        if overview.since is None or not overview.migration:
            return []
        order = [one.value for one in overview.classes if one.dimension == key]
        found = {value for pair in overview.migration for value in pair}
        values = sorted(found, key=lambda value: order.index(value) if value in order else len(order))
        flows = [
            Flow(values.index(one), values.index(two), float(count), f"{count:,}")
            for (one, two), count in overview.migration.items()
        ]
        heads = (overview.since.isoformat(), overview.origin.as_of.isoformat())
        title = self.say("migration")
        drawn = sankey(
            title=title, classes=[self.class_of(key, one) for one in values], flows=flows, heads=heads, height=260
        )
        return [Charts(((title, drawn),))]
