"""The units that amounts of yuan are shown in. Amounts are integers of fen everywhere below the screens and papers."""

from dataclasses import dataclass
from decimal import Decimal

from kequn.domain.errors import Language


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """A unit of money: how many fen it holds, and how it is written in both languages."""

    code: str
    minor: Decimal
    zh: str
    en: str

    def name(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def of(self, minor: float) -> Decimal:
        """An amount of fen in this unit.

        >>> UNITS["ten_thousand"].of(123_456_789)
        Decimal('123.456789')
        """
        return Decimal(minor) / self.minor

    def bare(self, minor: float) -> str:
        """The amount without the unit, with as many decimals as a reader wants: two below a thousand, none above."""
        value = self.of(minor)
        return f"{value:,.{2 if 0 < abs(value) < 1000 else 0}f}"

    def said(self, minor: float, language: Language) -> str:
        """The amount with the unit, where each language puts it."""
        return f"{self.bare(minor)} {self.zh}" if language == "zh" else f"{self.en} {self.bare(minor)}"


UNITS = {
    one.code: one
    for one in (
        MoneyUnit("yuan", Decimal(100), "元", "CNY"),
        MoneyUnit("thousand", Decimal(100_000), "千元", "CNY k"),
        MoneyUnit("ten_thousand", Decimal(1_000_000), "万元", "CNY 10k"),
        MoneyUnit("million", Decimal(100_000_000), "百万元", "CNY m"),
        MoneyUnit("hundred_million", Decimal(10_000_000_000), "亿元", "CNY 100m"),
    )
}
USUAL: dict[Language, str] = {"zh": "ten_thousand", "en": "million"}


def unit_of(code: str, language: Language) -> MoneyUnit:
    """The unit of a code; of an empty or unknown one, the usual unit of the language."""
    return UNITS.get(code) or UNITS[USUAL[language]]
