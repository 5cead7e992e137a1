"""The validation pack of a model as a paper: ranking and calibration apart, each figure with its size and interval.

It reads the report of `kequn model validate` as plain values and computes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kequn.domain.errors import Language, Text
from kequn.reports.charts import Series, lines
from kequn.reports.override_blocks import override_blocks
from kequn.reports.paper import Block, Cell, Charts, Column, Facts, Number, Paper, Points, Table

WIDTH = 430.0
MOST_CHARACTERISTICS = 20
WORDS = {
    "title": Text("模型验证报告", "Validation of a model"),
    "scorecard": Text("评分卡", "Scorecard"),
    "challenger": Text("挑战模型", "Challenger"),
    "warning": Text("预警模型", "Warning model"),
    "population": Text("样本", "Population"),
    "rows": Text("行数", "Rows"),
    "events": Text("事件", "Events"),
    "effective": Text("等效行数", "Effective rows"),
    "weight": Text("权重", "Weight"),
    "none": Text("无", "none"),
    "rate": Text("事件率", "Event rate"),
    "window": Text("所选行", "Rows taken"),
    "all": Text("全部", "all"),
    "file": Text("文件", "File"),
    "discrimination": Text("区分能力", "Ranking"),
    "figure": Text("指标", "Figure"),
    "value": Text("数值", "Value"),
    "low": Text("下限", "Lower"),
    "high": Text("上限", "Upper"),
    "trained": Text("训练样本内 AUC", "AUC inside training"),
    "accuracy": Text("准确率比 AR", "Accuracy ratio"),
    "pr": Text("PR-AUC（随机为 {}）", "PR-AUC ({} by chance)"),
    "level": Text("区间的置信水平 {}", "Intervals at a confidence of {}"),
    "cap": Text("累积准确率曲线：按风险由高到低取客户，捕获的事件", "CAP: events caught, taking the riskiest first"),
    "model": Text("模型", "Model"),
    "chance": Text("随机", "By chance"),
    "calibration": Text("校准", "Calibration"),
    "observed": Text("实际", "Observed"),
    "stated": Text("模型 PD", "Stated PD"),
    "brier": Text("Brier 分数", "Brier score"),
    "reliability": Text("可靠性（越小越好）", "of which reliability (smaller is better)"),
    "resolution": Text("分辨率（越大越好）", "of which resolution (larger is better)"),
    "uncertainty": Text("不确定性", "of which uncertainty"),
    "error": Text("校准误差 ECE", "Calibration error (ECE)"),
    "hl": Text("Hosmer-Lemeshow，{} 个自由度，p 值", "Hosmer-Lemeshow, {} degrees, p-value"),
    "spiegelhalter": Text("Spiegelhalter z 的 p 值", "Spiegelhalter's z, p-value"),
    "by_grade": Text("按等级校准", "Calibration by grade"),
    "grade": Text("等级", "Grade"),
    "jeffreys": Text("Jeffreys 区间", "Jeffreys interval"),
    "binomial": Text("二项检验 p", "Binomial p"),
    "correlated": Text("相关违约 p", "p, correlated"),
    "bound": Text("低违约上限", "Low-default bound"),
    "verdict": Text("结论", "Verdict"),
    "agrees": Text("相符", "agrees"),
    "understated": Text("低估", "understated"),
    "overstated": Text("高估", "overstated"),
    "too few": Text("样本太少", "too few"),
    "grade_note": Text(
        "加权样本按等效行数计；二项检验假定违约相互独立，下行期过严，旁列相关违约（Vasicek）的 p 值；"
        "低违约上限为 Pluto-Tasche 最审慎估计。",
        "Weighted rows count by their effective size. The binomial test holds defaults independent and is too strict "
        "in a downturn; beside it the p-value with correlated defaults (Vasicek). The bound is Pluto and Tasche's most "
        "prudent.",
    ),
    "stability": Text("稳定性", "Stability"),
    "what": Text("对象", "Of"),
    "score": Text("评分", "Score"),
    "psi": Text("PSI", "PSI"),
    "by_chance": Text("偶然可达", "By chance up to"),
    "stable": Text("稳定", "stable"),
    "watch": Text("关注", "watch"),
    "act": Text("需处理", "act"),
    "limits": Text("关注线 {}，行动线 {}（政策）", "Watched from {}, acted on from {} (policy)"),
    "concentration": Text("等级集中度", "Concentration of grades"),
    "herfindahl": Text("赫芬达尔指数", "Herfindahl index"),
    "adjusted": Text("调整后（0 均匀，1 集中）", "Adjusted (0 even, 1 one grade)"),
    "largest": Text("最大等级", "Largest grade"),
    "migration": Text("等级迁徙", "Migration of grades"),
    "stayed": Text("未变", "Stayed"),
    "upgraded": Text("上调", "Upgraded"),
    "downgraded": Text("下调", "Downgraded"),
    "one_notch": Text("一级以内", "Within one notch"),
    "withdrawn": Text("退出评级", "Withdrawn"),
    "remarks": Text("说明", "Remarks"),
    "no_remarks": Text("没有。", "None."),
    "leakage": Text("准许使用的知晓结果字段", "Fields that know the outcome, allowed"),
    "failed": Text("未采用的指标", "Features left out"),
    "foot": Text(
        "模型拟合于 {}，数据 {}，政策包 {} {}，程序 {}", "Model fitted on {}, data {}, policy {} {}, program {}"
    ),
}


def validation_paper(found: Mapping[str, Any], language: Language) -> Paper:
    """The paper in one language; a second model stands after the first."""
    writings = [_Writing(found, language)]
    if "beside" in found:
        writings.append(_Writing(found["beside"], language))
    blocks = [block for one in writings for block in one.blocks(named=len(writings) > 1)]
    model = found["model"]
    pack = model["pack"]
    foot = WORDS["foot"].in_language(language).format(
        model["fitted_on"], model["data_sha256"][:12], pack["id"], pack["version"], model["program"]
    )  # fmt: skip
    subtitle = " · ".join(one.subtitle() for one in writings)
    return Paper(language, WORDS["title"].in_language(language), subtitle, tuple(blocks), foot, model["fitted_on"])


class _Writing:
    def __init__(self, found: Mapping[str, Any], language: Language) -> None:
        self.found, self.language = found, language

    def say(self, word: str, *parts: object) -> str:
        return WORDS[word].in_language(self.language).format(*parts)

    def subtitle(self) -> str:
        model = self.found["model"]
        return f"{self.say(model['kind'])} · {model['target']} = {model['event']}"

    def blocks(self, *, named: bool) -> list[Block]:
        found: list[Block] = [self.population(named=named), self.ranking(), self.cap(), self.calibration()]
        found += [self.by_grade(), self.stability(), self.concentration()]
        if "migration" in self.found:
            found.append(self.migration())
        if "overrides" in self.found:
            found += override_blocks(self.found["overrides"], self.language)
        return [*found, *self.remarks()]

    def population(self, *, named: bool) -> Facts:
        of = self.found["population"]
        spans = [(name, " – ".join(span)) for name, span in of["spans"].items()]
        pairs = (
            (self.say("rows"), f"{of['rows']:,}"),
            (self.say("events"), f"{of['events']:,}"),
            (self.say("rate"), percent(of["event_rate"])),
            (self.say("effective"), f"{of['effective_rows']:,.0f}"),
            (self.say("weight"), of["weighted_by"] or self.say("none")),
            (self.say("file"), f"{of['file']} ({of['sha256'][:12]})"),
            *spans,
        )
        title = self.say("population")
        return Facts(
            f"{self.subtitle()} · {title}" if named else title,
            pairs,
            f"{self.say('window')}: {of['window'] or self.say('all')}",
        )

    def ranking(self) -> Table:
        of = self.found["discrimination"]
        auc = of["auc"]
        trained = self.found["model"]["trained"]["auc"]
        rows = [
            self.row("AUC", auc["value"], auc["low"], auc["high"]),
            self.row(self.say("trained"), trained["value"], trained["low"], trained["high"]),
            self.row(self.say("accuracy"), of["accuracy_ratio"]),
            self.row("KS", of["ks"]),
            self.row(self.say("pr", f"{of['pr_auc_by_chance']:.4f}"), of["pr_auc"]),
        ]
        head = (
            Column(self.say("figure"), share=2.4),
            *(Column(self.say(one), right=True) for one in ("value", "low", "high")),
        )
        return Table(self.say("discrimination"), head, tuple(rows), self.say("level", percent(of["confidence"])))

    def row(self, name: str, *values: float | None) -> tuple[Cell, ...]:
        shown = [Number(one, "" if one is None else f"{one:.4f}") for one in values]
        return (name, *shown, *(Number(None, "") for _ in range(3 - len(shown))))

    def cap(self) -> Charts:
        points: Sequence[tuple[float, float]] = self.found["discrimination"]["cap"]
        drawn = lines(
            title=self.say("cap"),
            categories=[f"{share:.0%}" for share, _ in points],
            series=[
                Series(self.say("model"), tuple(caught for _, caught in points)),
                Series(self.say("chance"), tuple(share for share, _ in points)),
            ],
            shown=lambda value: f"{value:.0%}",
            width=WIDTH * 1.6,
        )
        return Charts(((self.say("cap"), drawn),))

    def calibration(self) -> Facts:
        of = self.found["calibration"]
        interval, brier, hl = of["observed_interval"], of["brier"], of["hosmer_lemeshow"]
        observed = f"{percent(of['observed'])} ({percent(interval['low'])} – {percent(interval['high'])})"
        pairs = (
            (self.say("observed"), observed),
            (self.say("stated"), percent(of["stated"])),
            (self.say("error"), f"{of['calibration_error']:.4f}"),
            (self.say("brier"), f"{brier['score']:.4f}"),
            (self.say("reliability"), f"{brier['reliability']:.4f}"),
            (self.say("resolution"), f"{brier['resolution']:.4f}"),
            (self.say("uncertainty"), f"{brier['uncertainty']:.4f}"),
            (self.say("hl", hl["degrees"]), f"{hl['p_value']:.4f}"),
            (self.say("spiegelhalter"), f"{of['spiegelhalter']['p_value']:.4f}"),
        )
        return Facts(self.say("calibration"), pairs)

    def by_grade(self) -> Table:
        rows = []
        for one in self.found["calibration"]["by_grade"]:
            if not one["rows"]:
                continue
            low, high = one["jeffreys"]["low"], one["jeffreys"]["high"]
            rows.append((
                one["grade"], Number(one["rows"], f"{one['rows']:,}", "count"),
                Number(one["events"], f"{one['events']:,}", "count"),
                Number(one["stated"], percent(one["stated"]), "percent"),
                Number(one["observed"], percent(one["observed"]), "percent"),
                f"{percent(low)} – {percent(high)}", Number(one["p_value"], f"{one['p_value']:.3f}"),
                Number(one["p_correlated"], f"{one['p_correlated']:.3f}"),
                Number(one["low_default_bound"], percent(one["low_default_bound"]), "percent"),
                self.say(one["verdict"]),
            ))  # fmt: skip
        words = ("rows", "events", "stated", "observed", "jeffreys", "binomial", "correlated", "bound")
        head = (
            Column(self.say("grade"), share=0.7),
            *(Column(self.say(word), right=True, share=1.7 if word == "jeffreys" else 1.0) for word in words),
            Column(self.say("verdict"), share=1.2),
        )
        return Table(self.say("by_grade"), head, tuple(rows), self.say("grade_note"))

    def stability(self) -> Table:
        of = self.found["stability"]
        ranked = sorted(of["characteristics"].items(), key=lambda one: -one[1]["psi"])[:MOST_CHARACTERISTICS]
        rows = [
            (name, Number(one["psi"], f"{one['psi']:.4f}"), Number(one["by_chance"], f"{one['by_chance']:.4f}"),
             self.say(one["verdict"]))
            for name, one in ((self.say("score"), of["score"]), *ranked)
        ]  # fmt: skip
        head = (
            Column(self.say("what"), share=2.4),
            Column(self.say("psi"), right=True),
            Column(self.say("by_chance"), right=True),
            Column(self.say("verdict")),
        )
        limits = of["limits"]
        return Table(self.say("stability"), head, tuple(rows), self.say("limits", limits["watch"], limits["act"]))

    def concentration(self) -> Facts:
        of = self.found["concentration"]
        pairs = (
            (self.say("herfindahl"), f"{of['herfindahl']:.4f}"),
            (self.say("adjusted"), f"{of['adjusted']:.4f}"),
            (self.say("largest"), f"{of['largest_grade']} ({percent(of['largest_share'])})"),
        )
        return Facts(self.say("concentration"), pairs)

    def migration(self) -> Facts:
        moves = self.found["migration"]["moves"]
        words = (("stayed", "stayed"), ("upgraded", "upgraded"), ("downgraded", "downgraded"),
                 ("one_notch", "within_one_notch"), ("withdrawn", "withdrawn"))  # fmt: skip
        pairs = [(self.say("rows"), f"{moves['rows']:,.0f}")]
        pairs += [(self.say(word), percent(moves[key])) for word, key in words if key in moves]
        pairs.append((self.say("psi"), f"{self.found['migration']['grade_psi']:.4f}"))
        return Facts(self.say("migration"), tuple(pairs))

    def remarks(self) -> list[Block]:
        model = self.found["model"]
        found: list[Block] = []
        if model["leakage"]:
            allowed = tuple(f"{name}: {one['allowed_because']}" for name, one in model["leakage"].items())
            found.append(Points(self.say("leakage"), allowed))
        if model["failed"]:
            found.append(
                Points(
                    self.say("failed"), tuple(f"{name}: {why[self.language]}" for name, why in model["failed"].items())
                )
            )
        said = tuple(one[self.language] for one in self.found["remarks"])
        found.append(Points(self.say("remarks"), said, self.say("no_remarks")))
        return found


def percent(value: float | None) -> str:
    """A share as percent with the digits a reader needs."""
    if value is None:
        return ""
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"
