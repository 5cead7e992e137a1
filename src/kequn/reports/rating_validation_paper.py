"""The validation of the ratings on record as a paper: ranking and calibration apart, overrides, spread, moves.

It reads what `kequn.apps.ratings.validating` found as plain values and computes nothing.
"""

from collections.abc import Mapping
from typing import Any

from kequn.domain.errors import Language, Text
from kequn.reports.override_blocks import interval, override_blocks
from kequn.reports.paper import Block, Column, Facts, Number, Paper, Points, Table

WORDS = {
    "title": Text("评级验证报告", "Validation of ratings"),
    "all_models": Text("全部模型", "all models"),
    "population": Text("样本", "Population"),
    "ratings": Text("已批准的评级", "Ratings approved"),
    "customers": Text("客户", "Customers"),
    "window": Text("评级基准日", "Made as of"),
    "asked": Text("所选期间", "Window asked for"),
    "any": Text("不限", "any"),
    "known": Text("结果已知", "Outcome known"),
    "bad": Text("违约", "Defaults"),
    "horizon": Text(
        "结果指评级基准日之后 {} 个月内是否违约；未记录的、评级前已违约的为未知。样本限于您可见的客户。",
        "An outcome is default within {} months of the day a rating was made as of; unknown where nobody recorded it, "
        "or it came before the rating. Counted are the customers that you see.",
    ),
    "ranking": Text("区分能力", "Ranking"),
    "figure": Text("指标", "Figure"),
    "count": Text("个数", "Number"),
    "value": Text("数值", "Value"),
    "interval": Text("区间", "Interval"),
    "grade": Text("生效等级", "Grade in force"),
    "model_grade": Text("模型等级", "Grade of the model alone"),
    "same": Text(
        "两者用同一批结果已知的评级，区间为 DeLong 区间，置信水平 {}；差异即人工调整、支持与上限的作用。",
        "Both on the same ratings, those whose outcome is known. DeLong intervals at {}; what differs is the work of "
        "overrides, support and ceilings.",
    ),
    "few": Text("只有 {} 个违约，所有指标受偶然性影响较大。", "Only {} defaults: every figure moves much by chance."),
    "no_ranking": Text(
        "已知结果的评级没有同时包含违约与未违约，无法评价区分能力。",
        "The ratings whose outcome is known do not hold both defaults and others, so nothing can be said of ranking.",
    ),
    "by_grade": Text("按等级校准", "Calibration by grade"),
    "stated": Text("等级 PD", "PD of the grade"),
    "observed": Text("实际", "Observed"),
    "jeffreys": Text("Jeffreys 区间", "Jeffreys interval"),
    "binomial": Text("二项检验 p", "Binomial p"),
    "correlated": Text("相关违约 p", "p, correlated"),
    "verdict": Text("结论", "Verdict"),
    "agrees": Text("相符", "agrees"),
    "understated": Text("低估", "understated"),
    "overstated": Text("高估", "overstated"),
    "too few": Text("样本太少", "too few"),
    "no_outcomes": Text("没有结果已知的评级。", "No rating has a known outcome."),
    "concentration": Text("等级集中度", "Concentration of grades"),
    "index": Text("赫芬达尔指数（调整后）", "Herfindahl index (adjusted)"),
    "largest": Text("最大等级", "Largest grade"),
    "used": Text("用到的等级", "Grades used"),
    "migration": Text("与上一次评级相比", "Against the rating before"),
    "pairs": Text("再次评级", "Rated again"),
    "stayed": Text("未变", "Stayed"),
    "upgraded": Text("上调", "Upgraded"),
    "downgraded": Text("下调", "Downgraded"),
    "within_one_notch": Text("一级以内", "Within one notch"),
    "withdrawn": Text("到期未续", "Ran out with none after"),
    "no_moves": Text("还没有客户被再次评级。", "Nobody has been rated twice yet."),
    "nothing": Text("还没有已批准的评级，无可验证。", "No rating has been approved, so there is nothing to validate."),
}
AUTHORITIES = {
    "rating": Text("本人权限内，另一人审批", "Within the maker's authority, another approving"),
    "rating_beyond": Text("超出本人权限，上级审批", "Beyond the maker's authority, decided above"),
    "rating_book": Text("整批首次评级", "First ratings of the book"),
}


def rating_validation_paper(found: Mapping[str, Any], language: Language, *, foot: str, day: str) -> Paper:
    """The paper in one language; `foot` names run, policy and program."""
    writing = _Writing(found, language)
    of = found["population"]
    label = found["words"]["model"].get(of["model"], {}).get(language) or writing.say("all_models")
    return Paper(language, writing.say("title"), label, tuple(writing.blocks()), foot, day)


class _Writing:
    def __init__(self, found: Mapping[str, Any], language: Language) -> None:
        self.found, self.language = found, language

    def say(self, word: str, *parts: object) -> str:
        return WORDS[word].in_language(self.language).format(*parts)

    def named(self, kind: str, key: str) -> str:
        """A reason in the words of policy, an authority in ours."""
        if kind == "authority":
            return AUTHORITIES[key].in_language(self.language) if key in AUTHORITIES else key
        said: str = self.found["words"]["reason"].get(key, {}).get(self.language, key)
        return said

    def blocks(self) -> list[Block]:
        if not self.found["population"]["ratings"]:
            return [self.population(), Points(self.say("title"), (), self.say("nothing"))]
        overrides = override_blocks(self.found["overrides"], self.language, self.named)
        return [self.population(), *overrides, self.concentration(), self.ranking(), self.by_grade(), self.migration()]

    def population(self) -> Facts:
        of = self.found["population"]
        asked = " – ".join(str(one) if one else self.say("any") for one in (of["first"], of["last"]))
        seen = f"{of['earliest']} – {of['latest']}" if of["ratings"] else "–"
        pairs = (
            (self.say("ratings"), f"{of['ratings']:,}"), (self.say("customers"), f"{of['customers']:,}"),
            (self.say("asked"), asked), (self.say("window"), seen),
            (self.say("known"), f"{of['known']:,}"), (self.say("bad"), f"{of['bad']:,}"),
        )  # fmt: skip
        return Facts(self.say("population"), pairs, self.say("horizon", of["horizon_months"]))

    def ranking(self) -> Table | Points:
        of = self.found["discrimination"]
        if "grade" not in of:
            return Points(self.say("ranking"), (), self.say("no_ranking"))
        rows = []
        for name in ("grade", "model_grade"):
            one, label = of[name], self.say(name)
            low, high = one["low"], one["high"]
            reach = "–" if low is None else f"{low:.3f} – {high:.3f}"
            size = Number(of["ratings"], f"{of['ratings']:,}", "count")
            rows.append((f"AUC · {label}", size, Number(one["value"], f"{one['value']:.3f}"), reach))
            rows.append((f"KS · {label}", size, Number(one["ks"], f"{one['ks']:.3f}"), ""))
        head = (
            Column(self.say("figure"), share=2.4),
            Column(self.say("count"), right=True),
            Column(self.say("value"), right=True),
            Column(self.say("interval"), right=True, share=1.4),
        )
        few = self.say("few", of["bad"]) if of["is_few"] else ""
        level = f"{of['confidence']:.0%}"
        note = " ".join(filter(None, (few, self.say("same", level))))
        return Table(self.say("ranking"), head, tuple(rows), note)

    def by_grade(self) -> Table:
        rows = tuple(
            (
                one["grade"], Number(one["rows"], f"{one['rows']:,}", "count"),
                Number(one["events"], f"{one['events']:,}", "count"),
                Number(one["stated"], f"{one['stated']:.2%}", "percent"),
                Number(one["observed"], f"{one['observed']:.1%}", "percent"), interval(one["jeffreys"]),
                Number(one["p_value"], f"{one['p_value']:.3f}"),
                Number(one["p_correlated"], f"{one['p_correlated']:.3f}"), self.say(one["verdict"]),
            )
            for one in self.found["calibration"]
        )  # fmt: skip
        words = ("count", "bad", "stated", "observed", "jeffreys", "binomial", "correlated")
        head = (
            Column(self.say("grade"), share=1.1),
            *(Column(self.say(word), right=True, share=1.6 if word == "jeffreys" else 1.0) for word in words),
            Column(self.say("verdict"), share=1.1),
        )
        return Table(self.say("by_grade"), head, rows, empty=self.say("no_outcomes"))

    def concentration(self) -> Table:
        rows = []
        for name in ("grade", "model_grade"):
            one = self.found["concentration"][name]
            if not one["ratings"]:
                continue
            largest = one["largest"]
            rows.append((
                self.say(name), Number(one["ratings"], f"{one['ratings']:,}", "count"),
                Number(one["herfindahl"], f"{one['herfindahl']:.3f} ({one['adjusted']:.3f})"),
                Number(one["grades_used"], str(one["grades_used"]), "count"),
                f"{one['largest_grade']} {largest['value']:.1%}", interval(largest),
            ))  # fmt: skip
        words = ("count", "index", "used", "largest", "interval")
        head = (
            Column(self.say("figure"), share=1.6),
            *(Column(self.say(word), right=True, share=1.2) for word in words),
        )
        return Table(self.say("concentration"), head, tuple(rows))

    def migration(self) -> Facts | Points:
        of = self.found["migration"]
        if not of["rows"]:
            return Points(self.say("migration"), (), self.say("no_moves"))
        names = ("stayed", "upgraded", "downgraded", "within_one_notch", "withdrawn")
        pairs = ((self.say("pairs"), f"{of['rows']:,.0f}"), *((self.say(one), f"{of[one]:.1%}") for one in names))
        return Facts(self.say("migration"), pairs)
