"""Units as people write them: in a header, in a cell, in a line above the table. Unstated is asked, never guessed.

A unit of amounts is a scale and a currency: 万元, 人民币亿元, 万美元, CNY, 10k CNY, million USD, RMB'000.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

CURRENCY_WORDS = {
    "": "", "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "美元": "USD", "美金": "USD", "us$": "USD",
    "欧元": "EUR", "€": "EUR", "港元": "HKD", "港币": "HKD", "hk$": "HKD", "日元": "JPY", "英镑": "GBP", "£": "GBP",
}  # fmt: skip
CHINESE_SCALES = {
    "": Decimal(1), "百": Decimal(100), "千": Decimal(1000), "万": Decimal(10_000), "十万": Decimal(100_000),
    "百万": Decimal(1_000_000), "千万": Decimal(10_000_000), "亿": Decimal(100_000_000), "十亿": Decimal(1_000_000_000),
}  # fmt: skip
ENGLISH_SCALES = {
    "": Decimal(1), "k": Decimal(1000), "'000": Decimal(1000), "000": Decimal(1000), "000s": Decimal(1000),
    "thousand": Decimal(1000), "thousands": Decimal(1000), "10k": Decimal(10_000), "10,000": Decimal(10_000),
    "m": Decimal(1_000_000), "mn": Decimal(1_000_000), "million": Decimal(1_000_000), "millions": Decimal(1_000_000),
    "100m": Decimal(100_000_000), "bn": Decimal(1_000_000_000), "billion": Decimal(1_000_000_000),
}  # fmt: skip
PERCENT, PER_MILLE, BASIS_POINT = Decimal("0.01"), Decimal("0.001"), Decimal("0.0001")
RATE_UNITS = {
    "%": PERCENT, "percent": PERCENT, "pct": PERCENT, "百分比": PERCENT, "百分数": PERCENT, "百分点": PERCENT,
    "‰": PER_MILLE, "千分比": PER_MILLE, "bp": BASIS_POINT, "bps": BASIS_POINT, "基点": BASIS_POINT,
}  # fmt: skip
UNIT_CHOICES = ("元", "千元", "万元", "百万元", "亿元", "CNY", "10k CNY", "million CNY")

_SCALE = "|".join(sorted((one for one in CHINESE_SCALES if one), key=len, reverse=True))
_CHINESE = re.compile(
    rf"(?:(?P<before>人民币|rmb|cny)\s*)?(?P<scale>{_SCALE})?(?P<base>元|美元|美金|欧元|港元|港币|日元|英镑)"
    r"(?:\s*(?P<after>人民币|整))?$",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?P<before>人民币)?(?P<scale>{_SCALE})$")
_ENGLISH = "|".join(re.escape(one) for one in sorted((o for o in ENGLISH_SCALES if o), key=len, reverse=True))
_CODE = r"rmb|yuan|us\$|hk\$|€|£|[a-z]{3}"
_SCALE_FIRST = re.compile(rf"(?:(?P<scale>{_ENGLISH})\s*)?(?:of\s+)?(?P<code>{_CODE})$", re.IGNORECASE)
_CODE_FIRST = re.compile(rf"(?P<code>{_CODE})\s*(?P<scale>{_ENGLISH})$", re.IGNORECASE)
ISO = re.compile(
    r"CNY|USD|EUR|HKD|JPY|GBP|SGD|AUD|CAD|CHF|KRW|INR|BRL|ZAR|RUB|AED|SAR|THB|IDR|MYR|PHP|VND|TWD|MOP|NZD|SEK|NOK|DKK|"
    r"PLN|CZK|HUF|TRY|MXN|EGP|KZT|PKR|BDT|LKR|KES|NGN|CNH"
)


@dataclass(frozen=True, slots=True)
class AmountUnit:
    factor: Decimal  # main units of the currency in one unit
    currency: str  # empty where the unit does not name it (万)


@lru_cache(maxsize=4096)
def unit_of(text: str) -> AmountUnit | None:
    """The scale and the currency of a unit; None where the words are no unit of amounts."""
    plain = " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").split()).strip(" :()[]")
    if match := _CHINESE.fullmatch(plain):
        base = match["base"]
        currency = "CNY" if base == "元" else CURRENCY_WORDS[base]
        if base != "元" and (match["before"] or match["after"] == "人民币"):
            return None  # 人民币万美元: two currencies
        return AmountUnit(CHINESE_SCALES[match["scale"] or ""], currency)
    if match := _BARE.fullmatch(plain):
        return AmountUnit(CHINESE_SCALES[match["scale"]], "CNY" if match["before"] else "")
    match = _SCALE_FIRST.fullmatch(plain) or _CODE_FIRST.fullmatch(plain)
    if match is None:
        return None
    word = match["code"].casefold()
    currency = CURRENCY_WORDS.get(word, word.upper())
    return AmountUnit(ENGLISH_SCALES[(match["scale"] or "").casefold()], currency) if ISO.fullmatch(currency) else None


def amount_unit(text: str) -> tuple[Decimal, str] | None:
    """The factor and the currency of a unit such as 万元, CNY, 10k CNY, million USD."""
    found = unit_of(text)
    return (found.factor, found.currency or "CNY") if found else None


def _words(text: str, factor: str = "1") -> dict[str, Decimal]:
    return {word: Decimal(factor) for word in text.split()}


# by the unit of the dictionary: the words that may stand for it, and how many of it each is
OWN_UNITS: dict[str, dict[str, Decimal]] = {
    "persons": _words("人 名 persons people") | _words("千人", "1000") | _words("万人", "10000"),
    "count": _words("个 次 笔 家 户 count"),
    "days": _words("天 日 days day d"),
    "months": _words("月 个月 months month") | _words("年 years year", "12"),
    "years": _words("年 years year"),
    "year": _words("年 year"),
    "times": _words("倍 次 times x"),
    "ratio": _words("ratio 比例 小数"),
    "MW": _words("mw 兆瓦") | _words("kw 千瓦", "0.001") | _words("万千瓦", "10") | _words("gw 吉瓦", "1000"),
    "MWh": _words("mwh 兆瓦时") | _words("kwh 千瓦时 度", "0.001") | _words("万千瓦时 万度", "10")
    | _words("gwh", "1000") | _words("亿千瓦时", "100000"),
}  # fmt: skip


def own_units(unit: str) -> dict[str, Decimal]:
    return OWN_UNITS.get(unit, {}) | {unit.casefold(): Decimal(1)} if unit else {}


def rate_unit(text: str) -> Decimal | None:
    return RATE_UNITS.get(unicodedata.normalize("NFKC", text).strip().casefold())


_TAIL = re.compile(r"^(?P<label>.+?)\s*[(\[【〔](?P<unit>[^()\[\]【】〔〕]*)[)\]】〕]\s*$")
_LOOSE = re.compile(r"^(?P<label>.+?)\s*[\s/,:;、_\-—]\s*(?P<unit>[^\s/,:;、_—][^/,:;、_—]*)$")
_SAID = re.compile(r"^(?:金额|货币|计量)?单位\s*[::]?\s*|^units?\s*:?\s*|^in\s+", re.IGNORECASE)


def split_header(header: str) -> tuple[str, str]:
    """`营业收入（万元）` is label and unit; so are `营业收入/万元` and `营业收入（单位：万元）`."""
    text = " ".join(unicodedata.normalize("NFKC", header).split()).strip().rstrip("*").strip()
    if match := _TAIL.match(text):
        return match["label"].strip(), _SAID.sub("", match["unit"].strip()).strip()
    if text.endswith(("%", "‰")) and len(text) > 1:
        return text[:-1].rstrip(" /,:;、_-"), text[-1]
    match = _LOOSE.match(text)
    if match and (unit_of(match["unit"]) or rate_unit(match["unit"])):
        return match["label"].strip(), match["unit"].strip()
    words = text.split(" ")
    if len(words) > 2 and unit_of(" ".join(words[-2:])):
        return " ".join(words[:-2]).rstrip(","), " ".join(words[-2:])
    return text, ""


# --- a line above the table ---------------------------------------------------------------------------------

_STATED = re.compile(
    r"(?:(?:金额|货币|计量|计价|报表|数据)\s*)?(?<![制报送在款位户收付产用本该同我])单位\s*(?:[::为是均])*\s*(?P<zh>[^\s:;。,()]+(?:\s+人民币)?)"
    r"|(?:以|按)\s*(?P<by>(?:人民币)?[百千万十亿]*元)\s*(?:为单位|列示|计)"
    r"|(?:amounts?|figures?|expressed|stated|units?|currency)\s*(?:are\s+)?(?:in|:)\s*(?P<en>[^;.()]+)",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"(?:币种|货币)\s*[::]\s*(?P<word>[^\s:;。,()]+)")
_BRACKETED = re.compile(r"^[(](?P<unit>[^()]+)[)]$")


def stated_units(lines: list[str]) -> list[AmountUnit]:
    """The units of amounts that lines above a table state; more than one where they disagree."""
    found: dict[AmountUnit, None] = {}
    currencies: dict[str, None] = {}
    for line in lines:
        text = unicodedata.normalize("NFKC", line).strip()
        for match in _CURRENCY.finditer(text):
            word = match["word"].casefold()
            currency = CURRENCY_WORDS.get(word, word.upper())
            if ISO.fullmatch(currency):
                currencies[currency] = None
        if (alone := _BRACKETED.match(text)) and (unit := unit_of(_SAID.sub("", alone["unit"]))):
            found[unit] = None
            continue
        for match in _STATED.finditer(text):
            unit = _first_unit(match["zh"] or match["by"] or match["en"] or "")
            if unit is not None:
                found[unit] = None
    if len(currencies) == 1:
        only = next(iter(currencies))
        return [AmountUnit(one.factor, only if one.currency in {"", "CNY"} else one.currency) for one in found]
    return list(found)


def _first_unit(text: str) -> AmountUnit | None:
    """The unit at the start of what follows the word `unit`: 万元, 万元、%, CNY million unless ..."""
    plain = text.strip()
    for cut in (plain, plain.split("、")[0], " ".join(plain.split()[:2]), plain.split()[0] if plain else ""):
        if unit := unit_of(cut.strip(" ,;")):
            return unit
    return None
