"""Days, months and periods as people write them, also in Chinese numerals and as bare numbers of a workbook."""

import datetime as dt
import math
import re
import unicodedata
from calendar import monthrange

from kequn.apps.ingest.cells.answer import Bad, Parsed, Reader, bad, has_raised_digits, is_empty

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
    text = "" if has_raised_digits(str(cell)) else _day_text(cell)
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
        is_unclear = (isinstance(cell, float) and not cell.is_integer()) or has_raised_digits(str(cell))
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
