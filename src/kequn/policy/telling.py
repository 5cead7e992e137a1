"""Findings in words: conditions, values with their units, missing facts and changes, in one language."""

from dataclasses import dataclass
from datetime import date

from kequn.domain.definitions import Plan
from kequn.domain.errors import Language, Text
from kequn.domain.money import MoneyUnit
from kequn.domain.rules.changing import Change
from kequn.domain.rules.explaining import Condition, Reading, Reason
from kequn.domain.rules.rendering import render_sentence, shown_number
from kequn.domain.rules.tree import Expr, History, Value
from kequn.policy.pack import Pack
from kequn.policy.words import words_of

RATIO = "ratio"
UNITS = {
    "CNY": Text("元", "CNY"),
    "persons": Text("人", "persons"),
    "days": Text("天", "days"),
    "months": Text("个月", "months"),
    "years": Text("年", "years"),
    "times": Text("倍", "times"),
}
UNIT_NAMES = UNITS | {  # where a unit is named alone, and not behind a number
    "ratio": Text("比率，0.8 即 80%", "ratio, 0.8 is 80 %"),
    "count": Text("数目", "number"),
    "points": Text("分", "points"),
    "mark 1-5": Text("1 至 5 分", "mark, 1 to 5"),
    "rank": Text("级次", "rank"),
    "year": Text("年份", "year"),
    "MW": Text("兆瓦", "MW"),
    "MWh": Text("兆瓦时", "MWh"),
}
TRUTHS: dict[bool | None, Text] = {True: Text("是", "yes"), False: Text("否", "no"), None: Text("未知", "unknown")}
VERDICTS: dict[bool | None, Text] = {
    True: Text("满足", "holds"),
    False: Text("不满足", "does not hold"),
    None: Text("无法判断", "cannot be told"),
}
TEN_THOUSAND, MILLION = 1e4, 1e6
MOST_ROWS = 6
NO_ROWS = Text("无", "none")


def unit_name(unit: str, language: Language) -> str:
    """A unit of the dictionary in words; the name of a standard, such as GB/T 2260, is the same in both languages."""
    said = UNIT_NAMES.get(unit)
    return said.in_language(language) if said is not None else unit


@dataclass(frozen=True, slots=True)
class Teller:
    """Speaks of one plan in one language."""

    pack: Pack
    plan: Plan
    language: Language
    money: MoneyUnit | None = None  # the unit a reader chose; else the one that suits the amount

    def say(self, text: Text) -> str:
        return text.in_language(self.language)

    def name(self, name: str) -> str:
        """The label of a fact or definition."""
        known = self.plan.vocabulary.get(name)
        label = (known.zh if self.language == "zh" else known.en) if known is not None else ""
        return label or name

    def unit(self, name: str) -> str:
        known = self.plan.vocabulary.get(name)
        return known.unit if known is not None else ""

    def value(self, name: str, value: Value | None) -> str:
        """A value with its unit; money in 万元 or in millions where it is that large."""
        if value is None or isinstance(value, bool):
            return self.say(TRUTHS[value])
        if isinstance(value, str):
            return self.word(name, value)
        if isinstance(value, date):
            return value.isoformat()
        return self.number(value, self.unit(name))

    def as_percent(self, name: str, value: Value | None) -> str:
        """Like `value`, with ratios as percentages: for tables of terms, where no rule stands beside them."""
        if isinstance(value, float) and self.unit(name) == RATIO:
            return f"{value * 100:.2f}%"
        return self.value(name, value)

    def number(self, value: float, unit: str) -> str:
        if unit == RATIO:
            return percent_of(value)
        if unit == "CNY" and self.money is not None:
            return self.money.said(value * 100, self.language)
        if unit == "CNY" and self.language == "zh" and abs(value) >= TEN_THOUSAND:
            return f"{grouped(value / TEN_THOUSAND)} 万元"
        if unit == "CNY" and self.language == "en" and abs(value) >= MILLION:
            return f"CNY {grouped(value / MILLION)} m"
        said = UNITS.get(unit)
        return f"{grouped(value)} {self.say(said)}" if said else grouped(value)

    def sentence(self, expr: Expr) -> str:
        """A rule or a part of one, with the words of the pack for its codes."""
        return render_sentence(expr, self.plan.vocabulary, self.language, self.word, self.beside)

    def beside(self, name: str, value: float) -> str:
        """A number that a rule compares with a fact: a share as a percentage, an amount in whole yuan."""
        unit = self.unit(name)
        if unit == "CNY":
            return f"{grouped(value)} 元" if self.language == "zh" else f"CNY {grouped(value)}"
        return percent_of(value) if unit == RATIO else shown_number(value)

    def word(self, name: str, code: str) -> str:
        return self.say(words_of(self.pack).of(name, code))

    def condition(self, condition: Condition) -> str:
        return self.sentence(condition.expr)

    def reading(self, reading: Reading) -> str:
        """What was read, with its value; of child rows the value in each of them."""
        if reading.rows is not None:
            values = [self.value(reading.name, value) for value in reading.rows[:MOST_ROWS]]
            more = " …" if len(reading.rows) > MOST_ROWS else ""
            none = self.say(NO_ROWS)
            return f"{self.name(reading.name)}: {', '.join(values) + more if values else none}"
        label = self.sentence(reading.term)
        if isinstance(reading.term, History) and reading.term.function == "streak":
            return f"{label}: {self.number(reading.value, '') if reading.value is not None else self.say(TRUTHS[None])}"
        return f"{label} {self.value(reading.name, reading.value)}"

    def verdict(self, name: str, answer: Value | None) -> str:
        """Whether a condition holds; of a formula, the value it gives to the definition of that name."""
        if answer is None or isinstance(answer, bool):
            return self.say(VERDICTS[answer])
        return self.value(name, answer)

    def missing(self, reason: Reason) -> list[str]:
        return [self.name(name) for name in reason.missing]

    def change(self, change: Change, result: str) -> str:
        """One change as a sentence; `result` is the name of the definition it changes."""
        row = f"（第{change.row + 1}笔）" if change.row is not None else ""
        row_en = f" of row {change.row + 1}" if change.row is not None else ""
        before, after = self.value(change.fact, change.before), self.value(change.fact, change.after)
        answer = self.value(result, change.answer)
        zh = f"若{self.name(change.fact)}{row}由 {before} 变为 {after}，则{self.name(result)}为“{answer}”"
        fact = self.name(change.fact)
        en = f"If {fact}{row_en} went from {before} to {after}, {self.name(result)} would be “{answer}”"
        return zh if self.language == "zh" else en


def grouped(value: float) -> str:
    """Thousands marks and as many decimals as matter.

    >>> grouped(1234567.0), grouped(0.123456), grouped(12.5)
    ('1,234,567', '0.1235', '12.5')
    """
    if value == int(value):
        return f"{int(value):,}"
    places = 4 if abs(value) < 10 else 2
    return f"{value:,.{places}f}".rstrip("0").rstrip(".")


def percent_of(value: float) -> str:
    """A share in percent with as many decimals as it takes to tell it from its neighbours.

    >>> percent_of(0.25), percent_of(0.721349), percent_of(-0.2), percent_of(0.69999)
    ('25%', '72.13%', '-20%', '69.999%')
    """
    share = value * 100
    whole = abs(share - round(share)) < 1e-9
    places = next((one for one in range(2, 7) if whole or round(share, one) != round(share)), 6)
    return f"{share:,.{places}f}".rstrip("0").rstrip(".") + "%"
