"""Overrides as blocks of a paper: shares by direction, notches, reason and authority, and how the overridden ended.

It reads what `kequn.modelling.overriding` found as plain values and computes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kequn.domain.errors import Language, Text
from kequn.reports.paper import Block, Cell, Column, Number, Points, Table

WORDS = {
    "title": Text("人工调整", "Overrides"),
    "none": Text("没有评级，因此没有人工调整可言。", "There are no ratings, so nothing could be overridden."),
    "untouched": Text("没有一个等级被人工调整。", "Not one grade was moved by hand."),
    "what": Text("内容", "What"),
    "count": Text("个数", "Number"),
    "of": Text("总数", "Of"),
    "share": Text("占比", "Share"),
    "interval": Text("区间", "Interval"),
    "overridden": Text("人工调整", "Moved by hand"),
    "upgraded": Text("上调", "Up"),
    "downgraded": Text("下调", "Down"),
    "notches": Text("{:+d} 级", "by {:+d}"),
    "by_reason": Text("人工调整的理由", "Overrides by reason"),
    "reason": Text("理由", "Reason"),
    "by_authority": Text("人工调整的权限", "Overrides by authority"),
    "authority": Text("权限", "Authority"),
    "unsaid": Text("未记录", "not recorded"),
    "outcomes": Text("调整与未调整的结果", "How overridden and untouched ended"),
    "group": Text("组", "Group"),
    "as_model": Text("按模型", "As the model says"),
    "up": Text("其中上调", "of which up"),
    "down": Text("其中下调", "of which down"),
    "rows": Text("个数", "Number"),
    "unknown": Text("结果未知", "Outcome unknown"),
    "known": Text("结果已知", "Outcome known"),
    "bad": Text("违约", "Defaults"),
    "rate": Text("违约率", "Rate"),
    "level": Text(
        "区间为 Jeffreys 区间，置信水平 {}；平均调整 {} 级", "Jeffreys intervals at {}; {} notches on average"
    ),
    "counted": Text(
        "结果未知的不计入违约率；个数少时区间很宽，不足以比较。",
        "Unknown outcomes do not enter the rate; where few are known the interval is wide and compares nothing.",
    ),
}
Named = Callable[[str, str], str]


def override_blocks(found: Mapping[str, Any], language: Language, named: Named = lambda _kind, key: key) -> list[Block]:
    """The blocks in one language. `named` says a reason or an authority in words, from its kind and key."""

    def say(word: str, *parts: object) -> str:
        return WORDS[word].in_language(language).format(*parts)

    if not found["rows"]:
        return [Points(say("title"), (), say("none"))]
    mean = found["mean_notches"]
    note = say("level", f"{found['confidence']:.0%}", "–" if mean is None else f"{mean:.2f}")
    rows = [(say(key), *_share(found[key])) for key in ("overridden", "upgraded", "downgraded")]
    rows += [(say("notches", one["notches"]), *_share(one)) for one in found["by_notches"]]
    blocks: list[Block] = [Table(say("title"), _head(say, "what"), tuple(rows), note)]
    if not found["overridden"]["count"]:
        return [*blocks, Points(say("by_reason"), (), say("untouched"))]
    for kind in ("reason", "authority"):
        listed = tuple(
            (named(kind, one[kind]) or say("unsaid"), _count(one["upgraded"]), _count(one["downgraded"]), *_share(one))
            for one in found[f"by_{kind}"]
        )
        ways = (Column(say("upgraded"), right=True, share=0.7), Column(say("downgraded"), right=True, share=0.7))
        head = _head(say, kind)
        blocks.append(Table(say(f"by_{kind}"), (head[0], *ways, *head[1:]), listed))
    return [*blocks, _outcomes(found["outcomes"], say)]


def _head(say: Callable[..., str], first: str) -> tuple[Column, ...]:
    return (
        Column(say(first), share=2.2),
        *(Column(say(word), right=True, share=0.8) for word in ("count", "of", "share")),
        Column(say("interval"), right=True, share=1.4),
    )


def _share(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    value = one["value"]
    shown = Number(value, "–" if value is None else f"{value:.1%}", "percent")
    return (_count(one["count"]), _count(one["of"]), shown, interval(one))


def interval(one: Mapping[str, Any]) -> str:
    """The two ends as percent; a dash where there is none."""
    return "–" if one["low"] is None else f"{one['low']:.1%} – {one['high']:.1%}"


def _count(value: int) -> Number:
    return Number(value, f"{value:,}", "count")


def _outcomes(groups: Sequence[Mapping[str, Any]], say: Callable[..., str]) -> Table:
    head = (
        Column(say("group"), share=1.6),
        *(Column(say(word), right=True, share=0.9) for word in ("rows", "unknown", "known", "bad", "rate")),
        Column(say("interval"), right=True, share=1.5),
    )
    rows: list[tuple[Cell, ...]] = []
    for one in groups:
        value = one["value"]
        rate = Number(value, "–" if value is None else f"{value:.1%}", "percent")
        numbers = (one["rows"], one["unknown"], one["of"], one["count"])
        rows.append((say(one["group"]), *map(_count, numbers), rate, interval(one)))
    return Table(say("outcomes"), head, tuple(rows), say("counted"))
