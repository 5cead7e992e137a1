"""One cell to one value, or the reason why not. Nothing is guessed: a text that can mean two things is refused."""

import dataclasses
import datetime as dt
import math
import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import ValidationError

from kequn.apps.ingest.units import unit_of
from kequn.domain.errors import Text

MINOR_LARGEST = 2**63 - 1
# The whole list of words that mean: not known. A word that is not here is read as what it says, or refused.
EMPTY = frozenset(
    {
        "",
        "-",
        "--",
        "–",
        "—",
        "——",
        "/",
        "n/a",
        "na",
        "n.a.",
        "null",
        "none",
        "nan",
        "无",
        "暂无",
        "不适用",
        "不详",
        "未知",
    }
)


@dataclass(frozen=True, slots=True)
class Percent:
    """A number that a workbook shows as a percentage; the value is the fraction."""

    value: Decimal

    def __str__(self) -> str:
        return f"{(self.value * 100).normalize():f}%"


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a cell cannot be taken: code, found, expected, in both languages."""

    code: str
    found: str
    expected: str
    text: Text


Parsed = object  # a value, None (empty: unknown), or Bad
Reader = Callable[[object], Parsed]


def is_empty(cell: object) -> bool:
    if cell is None or cell == "":
        return True
    if isinstance(cell, float):
        return math.isnan(cell)
    return isinstance(cell, str) and cell.strip().lower() in EMPTY


def _show(cell: object) -> str:
    text = str(cell)
    return text if len(text) <= 60 else text[:57] + "..."


def bad(code: str, cell: object, zh: str, en: str, expected: str = "") -> Bad:
    found = _show(cell)
    return Bad(code, found, expected or en, Text(f"填的是“{found}”，应为{zh}", f"found “{found}”, expected {en}"))


def text_of(largest: int) -> Reader:
    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        value = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        value = " ".join(unicodedata.normalize("NFC", value).split())  # a line break in a cell is a blank
        if len(value) > largest or any(ord(one) < 32 for one in value):
            return bad("text", cell, f"至多{largest}个字符的一行文字", f"one line of at most {largest} characters")
        return value

    return read


_CURRENCY_SIGN = r"¥|\$|US\$|HK\$|€|£|RMB|CNY|USD|EUR|HKD|人民币|美元"
_PLAIN = r"\d+(?:\.\d*)?|\.\d+"
_GROUPS = r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?|[1-9]\d{0,2}(?: \d{3})+(?:\.\d*)?|[1-9]\d{0,2}(?:'\d{3})+(?:\.\d*)?"
_WRITTEN = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<currency>{_CURRENCY_SIGN})?\s*(?P<after>[+-])?\s*"
    rf"(?P<number>{_GROUPS}|(?:{_PLAIN})(?:[eE][+-]?\d+)?)\s*(?P<inner>[^()]*?)\s*(?P<close>\))?(?P<tail>[^()]*)$",
    re.IGNORECASE,
)
_MINUS = str.maketrans({"−": "-", "﹣": "-", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "’": "'"})
_SIGN_CURRENCY = {
    "$": "USD",
    "US$": "USD",
    "HK$": "HKD",
    "€": "EUR",
    "£": "GBP",
    "RMB": "CNY",
    "人民币": "CNY",
    "美元": "USD",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A number as it stands in a cell, with the unit, percent sign or currency that stands beside it."""

    value: Decimal
    tail: str = ""
    currency: str = ""  # as the sign says; ¥ alone is left open between CNY and JPY
    percent: bool = False  # the value is already the fraction


def _has_raised_digits(text: str) -> bool:
    """Whether a raised, circled or fraction digit stands in a text. NFKC would join 1234² to 12342, a footnote's mark
    to the number.
    """
    return not text.isascii() and any(unicodedata.category(one) == "No" for one in text)


def written(cell: object) -> Written | None:
    """The number of a cell: full-width digits and signs, thousands marks and (negative) are understood."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int):
        return Written(Decimal(cell))
    if isinstance(cell, float):
        return Written(Decimal(repr(cell))) if math.isfinite(cell) else None
    if isinstance(cell, Decimal):
        return Written(cell) if cell.is_finite() else None
    if isinstance(cell, Percent):
        return Written(cell.value, percent=True)
    if _has_raised_digits(str(cell)):
        return None
    text = unicodedata.normalize("NFKC", str(cell)).translate(_MINUS).strip()
    match = _WRITTEN.fullmatch(text)
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    inner, tail = match["inner"].strip(), match["tail"].strip()
    signs = (match["sign"] or "") + (match["after"] or "")
    if (inner and tail) or len(signs) > 1 or (match["open"] and signs):
        return None
    try:
        value = Decimal(re.sub("[, ']", "", match["number"]))
    except InvalidOperation:
        return None
    value = -value if match["open"] or signs == "-" else value
    sign = (match["currency"] or "").upper()
    tail = inner or tail
    if tail in {"%", "‰"}:
        return None if sign else Written(value * (Decimal("0.01") if tail == "%" else Decimal("0.001")), percent=True)
    return Written(value, tail, _SIGN_CURRENCY.get(sign, sign))


def decimal_of(cell: object) -> Decimal | None:
    """The number of a cell that carries no unit; a percent sign makes it a fraction."""
    found = written(cell)
    return None if found is None or found.tail or found.currency else found.value


@dataclass(frozen=True, slots=True)
class Stated:
    """What header, title or person say of the numbers of a column. A cell may say the same, never something else."""

    factor: Decimal | None = Decimal(1)  # None: every cell must carry its own unit
    currency: str = ""
    unit: str = ""  # the unit of the dictionary, for numbers that are no amounts
    own: Mapping[str, Decimal] = dataclasses.field(
        default_factory=dict
    )  # words that may stand in a cell: how many units
    is_open: bool = False  # a cell may state its own unit: the header says none
    unclear: bool = False  # percent formats of this sheet cannot be told


def number(stated: Stated | None = None, *, least: float | None = None) -> Reader:
    """A number that is not money, as a float; the stated factor brings it to the unit of the dictionary."""
    said = stated or Stated()
    factor = said.factor if said.factor is not None else Decimal(1)
    plain, is_rate = factor == 1, said.unit == "ratio"

    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        if plain and type(cell) in (int, float):
            value = float(cell)  # type: ignore[arg-type]
        else:
            found = written(cell)
            if found is None or found.currency:
                return bad("number", cell, "数字", "a number")
            if found.percent:
                if not is_rate or factor not in (1, Decimal("0.01")):
                    return bad("unit_conflict", cell, "与列头单位相符的数字", "a number in the unit of its header")
                value = float(found.value)
            elif found.tail:
                own = said.own.get(found.tail.casefold())
                if own is None or (own != factor and not said.is_open):
                    return bad(
                        "number", cell, f"以{said.unit or '个'}计的数字", f"a number of {said.unit or 'no unit'}"
                    )
                value = float(found.value * own)
            elif said.unclear and not plain and abs(found.value) <= 1 and found.value and not isinstance(cell, str):
                zh, en = (
                    "可看出是否百分数的格（请另存为 .xlsx）",
                    "a cell that shows whether it is a percentage (save as .xlsx)",
                )
                return bad("percent_unclear", cell, zh, en)
            else:
                value = float(found.value * factor)
        if math.isinf(value) or math.isnan(value) or (least is not None and value < least):
            return bad(
                "number", cell, f"不小于{least}的数" if least is not None else "有限的数", f"a number >= {least}"
            )
        return value

    return read


def money(stated: Stated | Decimal) -> Reader:
    """An amount as integer minor units; half a fen goes to even. A unit in the cell may not contradict it."""
    said = stated if isinstance(stated, Stated) else Stated(stated)
    minor = None if said.factor is None else said.factor * 100

    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        found = written(cell)
        if found is None or found.percent:
            return bad("amount", cell, "金额", "an amount")
        scale = minor
        if found.tail:
            unit = unit_of(found.tail)
            if unit is None:
                return bad("amount", cell, "金额", "an amount")
            fixed = said.factor is not None and not said.is_open
            if (fixed and unit.factor != said.factor) or _differs(unit.currency, said.currency):
                return bad("unit_conflict", cell, "与列头单位相符的金额", "an amount in the unit of its header")
            scale = unit.factor * 100
        if _differs(found.currency, said.currency):
            return bad("unit_conflict", cell, f"{said.currency}金额", f"an amount in {said.currency}")
        if scale is None:
            zh, en = (
                "带单位的金额（列头和标题都没有写单位）",
                "an amount with its unit (neither header nor title states one)",
            )
            return bad("unit_unstated", cell, zh, en)
        value = found.value
        units = (
            int((value * scale).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
            if abs(value) < 10**20
            else MINOR_LARGEST + 1
        )
        if abs(units) > MINOR_LARGEST:
            return bad("amount", cell, "绝对值小于92千万亿元的金额", "an amount below 92 quadrillion")
        return units

    return read


def _differs(mark: str, currency: str) -> bool:
    """Whether a sign in a cell names another currency than the one that holds."""
    if not mark:
        return False
    return currency not in {"CNY", "JPY"} if mark == "¥" else mark != currency


def whole(least: int = 0, largest: int = 2**31 - 1) -> Reader:
    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        found = written(cell)
        value = None if found is None or found.percent or found.tail or found.currency else found.value
        if value is None or value != value.to_integral_value() or not least <= value <= largest:
            return bad("whole", cell, f"{least}到{largest}的整数", f"a whole number from {least} to {largest}")
        return int(value)

    return read


def share(stated: Stated | None = None) -> Reader:
    """A fraction of one: 0.35 or 35%, or 35 under a header that says %."""
    read_number = number(dataclasses.replace(stated or Stated(), unit="ratio"))

    def read(cell: object) -> Parsed:
        value = read_number(cell)
        if value is None or isinstance(value, Bad):
            return value
        if not 0 <= value <= 1:  # type: ignore[operator]
            return bad("share", cell, "0到1之间的比例或带%的百分数", "a fraction from 0 to 1, or a percentage with %")
        return Decimal(repr(value)).quantize(Decimal("0.00000001"))

    return read


_DATES = (
    re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?(?:\.0+)?)?$"),
    re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?: 0?0:00(?::00)?)?$"),
    re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})$"),
    re.compile(r"(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?[日号]$"),
    re.compile(r"(\d{4})(\d{2})(\d{2})$"),
)
_MONTHS = (
    re.compile(r"(\d{4})[-/](\d{1,2})$"),
    re.compile(r"(\d{4})\.(\d{2})$"),  # 2026.1 may be October, cut short by a spreadsheet
    re.compile(r"(\d{4}) ?年 ?(\d{1,2}) ?月(?:份|末|底)?$"),
    re.compile(r"(\d{4})(\d{2})$"),
)
_YEAR = re.compile(r"(\d{4}) ?年(?:度|末|底|年报|年度)?$")
_ENGLISH = re.compile(r"(?:(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ ,-]+(\d{4})|([A-Za-z]{3,9})\.? (\d{1,2}), ?(\d{4}))$")
_MONTH_NAMES = {
    name: at
    for at, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_LONG_NAMES = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DIGITS = {sign: at for at, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "Ｏ": 0}
_CHINESE_DATE = re.compile(
    r"([〇○零一二三四五六七八九]{4}) ?年"
    r"(?: ?([一二三四五六七八九十]{1,2}) ?月(?: ?([一二三四五六七八九十廿卅]{1,3}) ?[日号])?)?"
)
SERIALS = (18_264, 73_050)  # 1950 to 2099: other numbers are no days that a record would hold
EPOCHS = {"1900": dt.date(1899, 12, 30), "1904": dt.date(1904, 1, 1)}


def _small(text: str) -> int:
    """A Chinese number below a hundred: 五, 十二, 三十一, 廿三."""
    text = text.replace("廿", "二十").replace("卅", "三十")
    tens, ten, ones = text.partition("十")
    if not ten:
        return _DIGITS[text] if len(text) == 1 else 99
    if len(tens) > 1 or len(ones) > 1:
        return 99
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _day_text(cell: object) -> str:
    """The text of a date, Chinese numerals as digits."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = " ".join(unicodedata.normalize("NFKC", str(cell).replace("○", "〇")).split())

    def digits(found: re.Match[str]) -> str:
        year = "".join(str(_DIGITS[one]) for one in found[1])
        return (
            f"{year}年" + (f"{_small(found[2])}月" if found[2] else "") + (f"{_small(found[3])}日" if found[3] else "")
        )

    return _CHINESE_DATE.sub(digits, text)


def day_of_serial(cell: object, epoch: str) -> object:
    """A bare number of a workbook as the day it stands for; anything else as it is. No epoch, no day."""
    if isinstance(cell, bool) or not isinstance(cell, int | float) or epoch not in EPOCHS or not math.isfinite(cell):
        return cell
    first = SERIALS[0] - (1462 if epoch == "1904" else 0)
    return EPOCHS[epoch] + dt.timedelta(days=int(cell)) if first <= cell <= SERIALS[1] else cell


def date(cell: object) -> Parsed:
    """A day with its year first; 3/5/2026 is refused because it is read differently in two countries."""
    if is_empty(cell):
        return None
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    text = "" if _has_raised_digits(str(cell)) else _day_text(cell)
    parts = next((tuple(int(one) for one in found.groups()) for form in _DATES if (found := form.match(text))), None)
    if parts is None and (found := _ENGLISH.match(text)):
        parts = _english_parts(found)
    try:
        if parts is not None and not isinstance(cell, bool):
            return dt.date(*parts)  # type: ignore[arg-type]
    except ValueError:
        pass
    return bad("date", cell, "日期，如 2026-03-31", "a date such as 2026-03-31")


def _english_parts(found: re.Match[str]) -> tuple[int, ...] | None:
    day, name, year = (found[1], found[2], found[3]) if found[1] else (found[5], found[4], found[6])
    word = name.casefold()
    month_number = _MONTH_NAMES.get(word) or (_LONG_NAMES.index(word) + 1 if word in _LONG_NAMES else None)
    return None if month_number is None else (int(year), month_number, int(day))


def date_in(form: str) -> Reader:
    """A day in the one form that a mapping states, such as %m/%d/%Y."""

    def read(cell: object) -> Parsed:
        if is_empty(cell) or isinstance(cell, dt.date):
            return date(cell)
        try:
            return dt.datetime.strptime(str(cell).strip(), form).date()
        except ValueError:
            return bad("date", cell, f"{form} 形式的日期", f"a date in the form {form}")

    return read


def month(cell: object) -> Parsed:
    """A month, as its last day."""
    value = date(cell)
    if isinstance(value, Bad):
        is_unclear = (isinstance(cell, float) and not cell.is_integer()) or _has_raised_digits(str(cell))
        text = "" if is_unclear else _day_text(cell)
        found = next((match for form in _MONTHS if (match := form.match(text))), None)
        if found is None or not 1 <= int(found.group(2)) <= 12 or int(found.group(1)) < 1900:
            return bad("month", cell, "月份，如 2026-03", "a month such as 2026-03")
        value = dt.date(int(found.group(1)), int(found.group(2)), 1)
    if value is None:
        return None
    return value.replace(day=monthrange(value.year, value.month)[1])  # type: ignore[attr-defined]


def period(cell: object) -> Parsed:
    """The end of a reporting period: a day; a month, meaning its last day; 2025年度, which ends in December by law."""
    value = date(cell)
    if not isinstance(value, Bad):
        return value
    value = month(cell)
    if not isinstance(value, Bad):
        return value
    if found := _YEAR.match(_day_text(cell)):
        return dt.date(int(found[1]), 12, 31)
    return bad(
        "date",
        cell,
        "报告期末，如 2026-03-31、2026年3月、2025年度",
        "the end of a period, such as 2026-03-31 or 2026-03",
    )


_YES, _NO = frozenset({"1", "true", "yes", "y", "是", "有"}), frozenset({"0", "false", "no", "n", "否", "没有"})


def truth(cell: object) -> Parsed:
    if is_empty(cell):
        return None
    text = "1" if cell is True else "0" if cell is False else str(cell).strip().lower().removesuffix(".0")
    if text in _YES or text in _NO:
        return text in _YES
    return bad("truth", cell, "是或否", "yes or no")


def choice(labels: Mapping[str, str | int]) -> Reader:
    """One of a list: the code itself or a label of it in either language."""
    known = {key.casefold(): value for key, value in labels.items()}
    codes = ", ".join(dict.fromkeys(str(one) for one in labels.values()))

    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
        found = known.get(text.casefold())
        return bad("choice", cell, f"其中之一：{codes}", f"one of {codes}") if found is None else found

    return read


def uscc(cell: object) -> Parsed:
    """A unified social credit code whose check digit is right (GB 32100)."""
    if is_empty(cell):
        return None
    text = unicodedata.normalize("NFKC", str(cell)).strip().upper()
    try:
        return str(stdnum_uscc.validate(text))
    except ValidationError:
        expected = (
            f"，校验位应为 {stdnum_uscc.calc_check_digit(text)}"
            if re.fullmatch(r"[0-9A-Z]{18}", text) and _can(text)
            else ""
        )
        english = expected.replace("，校验位应为", ", check digit") if expected else ""
        return bad(
            "uscc", cell, f"18位统一社会信用代码{expected}", f"a unified social credit code of 18 characters{english}"
        )


def _can(text: str) -> bool:
    try:
        stdnum_uscc.calc_check_digit(text)
    except (ValidationError, ValueError):
        return False
    return True


def code(form: str, zh: str, en: str) -> Reader:
    """A code of a fixed form, upper case."""
    pattern = re.compile(form)

    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
        text = unicodedata.normalize("NFKC", text).strip().upper()
        return text if pattern.fullmatch(text) else bad("code", cell, zh, en)

    return read


_two_letters = code(r"[A-Z]{2}", "两位国家代码（ISO 3166）", "a two-letter country code (ISO 3166)")


def country(cell: object) -> Parsed:
    """NA is Namibia here, not `not available`."""
    return "NA" if isinstance(cell, str) and cell.strip() == "NA" else _two_letters(cell)


province = code(r"\d{2}(\d{4})?", "两位或六位行政区划代码", "a division code of two or six digits (GB/T 2260)")
industry = code(
    r"[A-T](\d{2,4})?", "门类字母加数字的行业代码，如 C39", "a section letter and digits such as C39 (GB/T 4754)"
)
currency = code(r"[A-Z]{3}", "三位货币代码（ISO 4217）", "a currency code of three letters (ISO 4217)")
