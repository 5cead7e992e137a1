"""Champion against challenger as a paper: how far they agree, the matrix of grades, who moves most, who ranks better.

It reads what `kequn.modelling.comparing` found as plain values and computes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kequn.domain.errors import Language, Text
from kequn.reports.override_blocks import interval
from kequn.reports.paper import Block, Cell, Column, Facts, Number, Paper, Points, Table

WORDS = {
    "title": Text("冠军与挑战模型", "Champion against challenger"),
    "subtitle": Text("冠军：政策评分卡；挑战：{}", "Champion: the scorecard of policy; challenger: {}"),
    "population": Text("样本", "Population"),
    "customers": Text("客户", "Customers"),
    "both": Text("两者均有等级", "Graded by both"),
    "only_champion": Text("仅冠军有等级", "Graded by the champion alone"),
    "only_challenger": Text("仅挑战模型有等级", "Graded by the challenger alone"),
    "of": Text(
        "限于您可见的客户；违约级不计入。挑战模型拟合于 {}，{} 行、{} 个事件。",
        "Of the customers that you see; the grade of default is left out. The challenger was fitted on {}: {} rows, {} "
        "events.",
    ),
    "agreement": Text("一致程度", "Agreement"),
    "what": Text("内容", "What"),
    "count": Text("个数", "Number"),
    "share": Text("占比", "Share"),
    "interval": Text("区间", "Interval"),
    "equal": Text("等级相同", "Same grade"),
    "within_one": Text("相差一级以内", "Within one notch"),
    "safer": Text("挑战模型更优", "Challenger safer"),
    "worse": Text("挑战模型更差", "Challenger worse"),
    "agreed": Text(
        "平均相差 {} 级，评分的秩相关 {}；Jeffreys 区间，置信水平 {}。",
        "{} notches apart on average, rank correlation of the scores {}; Jeffreys intervals at {}.",
    ),
    "ranking": Text("对结果的区分能力", "Ranking of the outcome"),
    "figure": Text("指标", "Figure"),
    "events": Text("违约", "Defaults"),
    "value": Text("数值", "Value"),
    "champion": Text("冠军", "Champion"),
    "challenger": Text("挑战模型", "Challenger"),
    "difference": Text("挑战模型减冠军", "Challenger less champion"),
    "ranked": Text(
        "两者用同一批结果已知的客户；DeLong 区间，置信水平 {}，差异按配对计。区间含零则不能说谁更好。"
        "若挑战模型正是用这些客户拟合的，其数值偏好。",
        "Both on the same customers, those whose outcome is known. DeLong intervals at {}, the difference as a pair: "
        "where it holds nil, neither can be called better. On customers that it was fitted on the challenger flatters "
        "itself.",
    ),
    "few": Text("只有 {} 个违约，所有指标受偶然性影响较大。", "Only {} defaults: every figure moves much by chance."),
    "no_ranking": Text(
        "这些客户中没有同时出现违约与未违约的已知结果（{} 户已知，{} 户违约），无法比较区分能力。",
        "Of these customers the outcome of {} is known and {} defaulted: both classes are needed to compare a ranking.",
    ),
    "matrix": Text("等级矩阵：行为冠军，列为挑战模型", "Matrix of grades: rows the champion, columns the challenger"),
    "movers": Text("相差最大的客户", "Who moves most"),
    "customer": Text("客户", "Customer"),
    "notches": Text("级", "Notches"),
    "nobody": Text("没有客户等级不同。", "Nobody is graded differently."),
}


def comparison_paper(
    figures: Mapping[str, Any], *, language: Language, model: str, trained: Mapping[str, Any], grades: Sequence[str],
    movers: Sequence[tuple[str, str, str, str, int]], foot: str, day: str,
) -> Paper:  # fmt: skip
    """The paper in one language. `movers`: code, name, both grades, notches."""
    writing = _Writing(figures, language)
    blocks = [*writing.summary(trained), writing.matrix(grades), writing.movers(movers)]
    return Paper(language, writing.say("title"), writing.say("subtitle", model), tuple(blocks), foot, day)


def summary_blocks(figures: Mapping[str, Any], language: Language, trained: Mapping[str, Any]) -> list[Block]:
    """Population, agreement and ranking, for a page that shows matrix and customers in its own way."""
    return _Writing(figures, language).summary(trained)


class _Writing:
    def __init__(self, found: Mapping[str, Any], language: Language) -> None:
        self.found, self.language = found, language

    def say(self, word: str, *parts: object) -> str:
        return WORDS[word].in_language(self.language).format(*parts)

    def summary(self, trained: Mapping[str, Any]) -> list[Block]:
        of = self.found
        names = ("customers", "both", "only_champion", "only_challenger")
        note = self.say("of", trained["fitted_on"], f"{trained['rows']:,}", f"{trained['events']:,}")
        pairs = tuple((self.say(name), f"{of[name]:,}") for name in names)
        return [Facts(self.say("population"), pairs, note), self.agreement(), self.ranking()]

    def agreement(self) -> Table:
        of = self.found
        rows = []
        for name in ("equal", "within_one", "safer", "worse"):
            one = of[name]
            shown = Number(one["value"], "–" if one["value"] is None else f"{one['value']:.1%}", "percent")
            rows.append((self.say(name), Number(one["count"], f"{one['count']:,}", "count"), shown, interval(one)))
        words = ("count", "share", "interval")
        head = (Column(self.say("what"), share=2.0), *(Column(self.say(word), right=True) for word in words))
        mean, rank = of["mean_notches"], of["rank_correlation"]
        said = ("–" if one is None else f"{one:.2f}" for one in (mean, rank))
        return Table(self.say("agreement"), head, tuple(rows), self.say("agreed", *said, f"{of['confidence']:.0%}"))

    def ranking(self) -> Table | Points:
        of = self.found["ranking"]
        if "champion" not in of:
            return Points(self.say("ranking"), (), self.say("no_ranking", f"{of['rows']:,}", f"{of['events']:,}"))
        sizes = (Number(of["rows"], f"{of['rows']:,}", "count"), Number(of["events"], f"{of['events']:,}", "count"))
        rows = []
        for name in ("champion", "challenger", "difference"):
            one = of[name]
            reach = "–" if one["low"] is None else f"{one['low']:.3f} – {one['high']:.3f}"
            value = f"{one['value']:+.3f}" if name == "difference" else f"{one['value']:.3f}"
            rows.append((f"AUC · {self.say(name)}", *sizes, Number(one["value"], value), reach))
        rows += [
            (f"KS · {self.say(name)}", *sizes, Number(of[name]["ks"], f"{of[name]['ks']:.3f}"), "")
            for name in ("champion", "challenger")
        ]
        words = ("customers", "events", "value", "interval")
        head = (Column(self.say("figure"), share=2.2), *(Column(self.say(word), right=True) for word in words))
        few = self.say("few", of["events"]) if of["is_few"] else ""
        level = f"{of['confidence']:.0%}"
        note = " ".join(filter(None, (few, self.say("ranked", level))))
        return Table(self.say("ranking"), head, tuple(rows), note)

    def matrix(self, grades: Sequence[str]) -> Table:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (grade, *(Number(n, f"{n:,}" if n else "·", "count") for n in row))
            for grade, row in zip(grades, self.found["matrix"], strict=True)
        )
        return Table(
            self.say("matrix"), (Column(self.say("champion")), *(Column(one, right=True) for one in grades)), rows
        )

    def movers(self, movers: Sequence[tuple[str, str, str, str, int]]) -> Table:
        words = ("champion", "challenger", "notches")
        head = (Column(self.say("customer"), share=3.0), *(Column(self.say(word), right=True) for word in words))
        rows = tuple(
            (f"{name} ({code})", first, second, Number(notches, f"{notches:+d}"))
            for code, name, first, second, notches in movers
        )
        return Table(self.say("movers"), head, rows, empty=self.say("nobody"))
