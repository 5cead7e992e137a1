"""Amounts, numbers, shares as people write them, with the unit and currency that a cell or its head states."""

import dataclasses
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from kequn.apps.ingest.cells.answer import Bad, Parsed, Percent, Reader, bad, has_raised_digits, is_empty
from kequn.apps.ingest.units import unit_of

MINOR_LARGEST = 2**63 - 1
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
    if has_raised_digits(str(cell)):
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
