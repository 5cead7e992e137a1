"""Codes that must stand in their standard, not only have its form: industry, country, province.

A country or province may also be written as the standard names it, in either language; a province without its 省, 市 or
自治区 too, as people write it.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache, lru_cache

from babel import Locale
from django.conf import settings

from kequn.apps.ingest import cells
from kequn.domain.segmentation.industry import read_industry_code
from kequn.policy import load_pack
from kequn.policy.standards import Standards


def _standards() -> Standards:
    return load_pack(settings.KEQUN_PACK).standards


PROVINCE_ENDS = re.compile("(维吾尔自治区|壮族自治区|回族自治区|自治区|特别行政区|省|市)$")


SAID_SHORTER = {
    "中华人民共和国": "CN", "中国大陆": "CN", "内地": "CN", "香港": "HK", "香港特别行政区": "HK", "澳门": "MO",
    "澳门特别行政区": "MO", "台湾": "TW", "hong kong": "HK", "macau": "MO", "macao": "MO", "usa": "US", "uk": "GB",
}  # fmt: skip


@cache
def country_names() -> dict[str, str]:
    """The code of each country by its names: those of the standard, its three letters, and those in common use."""
    rows = _standards().at("countries", date.max)
    codes = {str(row["iso2"]) for row in rows}
    names = {name.casefold(): code for spoken in ("en", "zh") for code, name in Locale(spoken).territories.items()}
    names |= {str(row[name]).casefold(): str(row["iso2"]) for row in rows for name in ("iso3", "name_en", "name_zh")}
    return {name: code for name, code in (names | SAID_SHORTER).items() if code in codes}


@cache
def _province_names() -> dict[str, str]:
    found = {}
    for row in _standards().at("provinces", date.max):
        zh, en, code = str(row["name_zh"]), str(row["name_en"]), str(row["gbt2260"])
        found |= {zh: code, PROVINCE_ENDS.sub("", zh): code, en.casefold(): code}
    return found


def _or_named(read: cells.Reader, names: Callable[[], Mapping[str, str]]) -> cells.Reader:
    """A code, or a name as the standard writes it."""

    def code_of(cell: object) -> cells.Parsed:
        name = " ".join(cell.split()).casefold() if isinstance(cell, str) else ""
        return read(names().get(name, cell))

    return code_of


def _standing(read: cells.Reader, stands: Callable[[str], bool], zh: str, en: str) -> cells.Reader:
    known = lru_cache(maxsize=8192)(stands)  # a book has few codes; the pack is looked at once for each

    def checked(cell: object) -> cells.Parsed:
        value = read(cell)
        return value if not isinstance(value, str) or known(value) else cells.bad("code", cell, zh, en)

    return checked


industry = _standing(
    cells.industry,
    lambda code: read_industry_code(code, _standards().sections()) is not None,
    "门类字母与数字相符的行业代码，如 C39",
    "an industry code whose letter owns its digits, such as C39 (GB/T 4754)",
)
country = _standing(
    _or_named(cells.country, country_names),
    lambda code: code in _standards().countries(),
    "存在的国家代码或名称（ISO 3166），如 CN、中国",
    "a country code or name that exists (ISO 3166), such as CN",
)
province = _standing(
    _or_named(cells.province, _province_names),
    lambda code: code[:2] in _standards().provinces(),
    "存在的省级代码或名称（GB/T 2260），如 32、江苏",
    "a province that exists (GB/T 2260), by code or name",
)
