"""Codes that must stand in their standard, not only have its form: industry, country, province."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from kequn.apps.ingest import cells
from kequn.domain.segmentation.industry import read_industry_code
from kequn.policy import load_pack
from kequn.policy.standards import Standards


def _standards() -> Standards:
    return load_pack(settings.KEQUN_PACK).standards


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
    cells.country,
    lambda code: code in _standards().countries(),
    "存在的国家代码（ISO 3166）",
    "a country code that exists (ISO 3166)",
)
province = _standing(
    cells.province,
    lambda code: code[:2] in _standards().provinces(),
    "存在的省级代码（GB/T 2260）",
    "a province that exists (GB/T 2260)",
)
