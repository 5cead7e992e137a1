"""Texts, yes and no, choices from a list, and codes of a fixed form."""

import re
import unicodedata
from collections.abc import Mapping

from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import ValidationError

from kequn.apps.ingest.cells.answer import Parsed, Reader, bad, is_empty


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
    names = {str(value): label for label, value in reversed(labels.items()) if not label.isascii()}
    codes = ", ".join(dict.fromkeys(str(one) for one in labels.values()))
    said = "、".join(f"{names[one]} ({one})" if one in names else one for one in codes.split(", "))

    def read(cell: object) -> Parsed:
        if is_empty(cell):
            return None
        text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
        found = known.get(text.casefold())
        return bad("choice", cell, f"其中之一：{said}", f"one of {codes}") if found is None else found

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


_two_letters = code(r"[A-Z]{2}", "国家名称或两位代码（ISO 3166）", "a country by name or two-letter code (ISO 3166)")


def country(cell: object) -> Parsed:
    """NA is Namibia here, not `not available`."""
    return "NA" if isinstance(cell, str) and cell.strip() == "NA" else _two_letters(cell)


province = code(
    r"\d{2}(\d{4})?",
    "省份名称，或两位、六位行政区划代码（GB/T 2260）",
    "a province by name, or by two or six digits (GB/T 2260)",
)
industry = code(
    r"[A-T](\d{2,4})?", "门类字母加数字的行业代码，如 C39", "a section letter and digits such as C39 (GB/T 4754)"
)
currency = code(r"[A-Z]{3}", "三位货币代码（ISO 4217）", "a currency code of three letters (ISO 4217)")
