"""The page `docs/models/facts.md`: every fact of the dictionary and every key of an import sheet, in both languages.

python -m kequn.policy.facts_page > docs/models/facts.md
"""

import math
from collections.abc import Iterator

from kequn.domain.facts import Fact, Grain
from kequn.policy.dictionary import Bounds, Column
from kequn.policy.loading import load_pack
from kequn.policy.pack import Pack
from kequn.policy.words import Words, words_of

INTRODUCTION = """# Facts · 事实字典

This page is written from the policy pack `cn`; change the pack, then write it again with
`python -m kequn.policy.facts_page > docs/models/facts.md`. A test holds the two together.
本页由政策包 `cn` 生成；修改政策包后重新生成。

A fact is named once and means the same in rules, imports, screens, views and frames. Empty is unknown, never zero.
Amounts (unit CNY) are kept as whole fen, or the smallest unit of the record's currency, and read as yuan in rules;
shares and rates are fractions of 1 (`ratio`). *Supplied*: **handed in** by people or files; **counted** by the machine
from the row's dates or from related records; **model**, from the kept model of the project;
**outcome**, known only afterwards, which no rule may read.
每个事实只有一个名称，在规则、导入、页面、视图和数据框中含义相同。空白即未知，绝不是零。
金额（单位 CNY）按分（或该币种最小单位）存整数，规则中按元读取；比例与利率一律为小数（`ratio`）。
“来源”一栏：handed in 由人或文件提供；counted 由程序推算；model 取自保存的项目模型；outcome 事后才知道，
任何规则不得读取。
"""
SUPPLIED = {"person": "handed in", "model": "model"}
TITLES = {
    Grain.CUSTOMER: ("Customer", "客户"),
    Grain.STATEMENT: ("Statement", "财务报表"),
    Grain.FACILITY: ("Facility", "授信"),
    Grain.PROJECT: ("Project", "项目"),
    Grain.ACCOUNT_MONTH: ("Account month", "账户月"),
    Grain.EVENT: ("Event", "事件"),
}


def render(pack: Pack) -> str:
    """The whole page as Markdown."""
    words = words_of(pack)
    parts = [INTRODUCTION]
    for grain in Grain:
        en, zh = TITLES[grain]
        parts.append(f"## {en} · {zh}\n")
        parts.append(
            "| Fact 名称 | English | 中文 | Type 类型 | Unit, bounds, choices 单位、范围、取值 | Supplied 来源 |"
        )
        parts.append("|---|---|---|---|---|---|")
        parts.extend(_fact_line(pack, fact, words) for fact in pack.vocabulary.of_grain(grain))
        parts.append("")
    parts.extend(_keys(pack, words))
    return "\n".join(parts) + "\n"


def _fact_line(pack: Pack, fact: Fact, words: Words) -> str:
    supplied = "outcome" if fact.outcome else SUPPLIED.get(fact.source, "counted")
    says = [fact.unit, _bounds(pack.dictionary.bounds[fact.name]), _choices(fact.name, fact.choices, words)]
    if fact.max_age_days is not None:
        says.append(f"stale after {fact.max_age_days} days")
    cells = [f"`{fact.name}`", fact.en, fact.zh, fact.type.value, "; ".join(one for one in says if one), supplied]
    return f"| {' | '.join(cells)} |"


def _bounds(bounds: Bounds) -> str:
    low = f"≥ {bounds.minimum:g}" if bounds.minimum != -math.inf else ""
    high = f"≤ {bounds.maximum:g}" if bounds.maximum != math.inf else ""
    return " and ".join(one for one in (low, high) if one)


def _choices(name: str, choices: tuple[str, ...], words: Words) -> str:
    said = ((choice, words.of(name, choice)) for choice in choices)
    return ", ".join(f"`{choice}`" if text.zh == choice else f"`{choice}` {text.en} {text.zh}" for choice, text in said)


def _keys(pack: Pack, words: Words) -> Iterator[str]:
    yield "## Keys of the import sheets · 导入工作表的关键列\n"
    yield "Every sheet also takes the facts of its grain that are handed in. 每张表另可填写其粒度下由人提供的事实。\n"
    yield "| Sheet 工作表 | Key 名称 | English | 中文 | Type 类型 | Unit, choices 单位、取值 |"
    yield "|---|---|---|---|---|---|"
    for sheet in pack.dictionary.sheets:
        for key in sheet.keys:
            yield _key_line(f"{sheet.label.en} {sheet.label.zh}", key, words)


def _key_line(sheet: str, key: Column, words: Words) -> str:
    says = [
        key.unit,
        "required 必填" if key.required else "",
        _bounds(key.bounds),
        _choices(key.name, key.choices, words),
    ]
    told = "; ".join(one for one in says if one)
    return f"| {sheet} | `{key.name}` | {key.label.en} | {key.label.zh} | {key.type.value} | {told} |"


if __name__ == "__main__":
    print(render(load_pack("cn")), end="")
