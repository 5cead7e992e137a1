"""The standards of a pack as look-ups: industry by code, place by country and province, agency ratings by scale.

A look-up is resolved once per distinct key. Each table is read in the edition in force at the as-of date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from kequn.domain.definitions import Lookup
from kequn.domain.facts import Fact, FactType, Grain
from kequn.domain.rules.tree import Value
from kequn.domain.segmentation.industry import IndustryCode, longest_prefix, read_industry_code
from kequn.policy.documents import Standard, in_force

Answer = tuple[Value | None, ...]
Key = tuple[str | None, ...]
CLASSES = ("large", "medium", "small")
MEASURES = ("employees", "revenue", "total_assets", "trust_assets")
MULTIPLES = {"人": 1, "万元": 10_000, "亿元": 100_000_000}
OUTSIDE = {"71": "TW", "81": "HK", "82": "MO"}  # provinces of GB/T 2260 with an ISO country code of their own

_INDUSTRY_OUTPUTS = (
    ("industry_section", "行业门类", "Industry section"),
    ("industry_division", "行业大类", "Industry division"),
    ("industry_family", "行业族", "Industry family"),
    ("industry_basis", "行业依据", "Industry basis"),
    ("size_group", "划型行业", "Size group"),
    ("size_rule", "划型适用", "Size rule"),
)
_BOUND_ZH = {"large": "大型", "medium": "中型", "small": "小型"}
_MEASURE_ZH = {"employees": "从业人员", "revenue": "营业收入", "total_assets": "资产总额", "trust_assets": "信托资产"}
_PLACE_OUTPUTS = (
    ("geography", "境内境外", "Geography"),
    ("region", "区域", "Region"),
    ("income_group", "收入组", "Income group"),
)


def bound_name(size: str, measure: str) -> str:
    return f"bound_{size}_{measure}"


@dataclass(frozen=True, slots=True)
class Standards:
    """All editions of the standards of a pack, by key of their file."""

    editions: Mapping[str, tuple[Standard, ...]]

    def at(self, key: str, as_of: date) -> Sequence[Mapping[str, str]]:
        """The rows in force at a date; none before the first edition."""
        found = in_force(self.editions.get(key, ()), as_of)
        return found.rows if isinstance(found, Standard) else ()

    def sections(self) -> dict[str, str]:
        """Section letter by division, of the newest edition."""
        return {row["division"]: row["section"] for row in self.at("industries", date.max)}

    def provinces(self) -> dict[str, str]:
        return {row["gbt2260"][:2]: row["region"] for row in self.at("provinces", date.max)}

    def countries(self) -> frozenset[str]:
        return frozenset(row["iso2"] for row in self.at("countries", date.max))

    def lookups(self) -> tuple[Lookup, ...]:
        industry = _IndustryTable(self)
        place = _PlaceTable(self)
        agencies = _AgencyTable(self)
        bounds = tuple((bound_name(size, measure), FactType.NUMBER) for size in CLASSES for measure in MEASURES)
        texts = tuple((name, FactType.TEXT) for name, _, _ in _INDUSTRY_OUTPUTS)
        return (
            Lookup(
                "industry",
                ("industry_code", "isic_code", "naics_code"),
                (*texts, *bounds),
                industry.resolve,
                ("industry_section", "industry_family"),
            ),
            Lookup(
                "place",
                ("country", "province"),
                tuple((n, FactType.TEXT) for n, _, _ in _PLACE_OUTPUTS),
                place.resolve,
                ("geography", "region", "income_group"),
            ),
            Lookup(
                "agency_rating",
                ("external_rating_scale", "external_rating"),
                (("external_rank", FactType.NUMBER), ("external_tier", FactType.TEXT)),
                agencies.resolve,
            ),
        )


def lookup_facts() -> tuple[Fact, ...]:
    """The outputs of the look-ups as words of the vocabulary."""
    found = [_text(name, zh, en) for name, zh, en in (*_INDUSTRY_OUTPUTS, *_PLACE_OUTPUTS)]
    found += [
        _text("external_tier", "外部评级分层", "Tier of external rating"),
        Fact(
            "external_rank",
            Grain.CUSTOMER,
            FactType.NUMBER,
            "外部评级序位",
            "Rank of external rating",
            source="machine",
        ),
    ]
    for size in CLASSES:
        for measure in MEASURES:
            found.append(
                Fact(
                    bound_name(size, measure),
                    Grain.CUSTOMER,
                    FactType.NUMBER,
                    f"{_BOUND_ZH[size]}{_MEASURE_ZH[measure]}下限",
                    f"Lower bound of {size}: {measure}",
                    "persons" if measure == "employees" else "CNY",
                    "machine",
                )
            )
    return tuple(found)


def _text(name: str, zh: str, en: str) -> Fact:
    choices = {
        "industry_family": ("technology", "energy", "infrastructure", "manufacturing", "services", "other"),
        "size_rule": ("bounds", "not_applicable"),
        "geography": ("domestic", "international", "unknown"),
        "region": ("east", "central", "west", "northeast", "outside"),
        "income_group": ("HIC", "UMC", "LMC", "LIC"),
        "external_tier": ("high", "middle", "low"),
    }.get(name, ())
    return Fact(name, Grain.CUSTOMER, FactType.TEXT, zh, en, source="machine", choices=choices)


@dataclass(frozen=True, slots=True)
class _SizeRow:
    """What the size standard says of one industry: the group and its lower bounds, or that it does not apply."""

    group: str | None
    rule: str
    bounds: tuple[float | None, ...]


class _IndustryTable:
    """Section, family and size bounds of a code, bridged from ISIC or NAICS where no national code is given."""

    def __init__(self, standards: Standards) -> None:
        self.standards = standards
        self.sections = standards.sections()
        self.rows_at = lru_cache(maxsize=32)(self._rows_at)

    def _rows_at(self, as_of: date) -> tuple[dict[str, _SizeRow], dict[str, str], dict[str, str], dict[str, str]]:
        read = self.standards
        sizes: dict[str, _SizeRow] = {}
        for key in ("enterprise_size", "financial_enterprise_size"):
            sizes.update(_size_rows(read.at(key, as_of)))
        for row in read.at("size_exclusions", as_of):
            sizes.update({code: _SizeRow(None, "not_applicable", (None,) * 12) for code in row["gbt_codes"].split("|")})
        families = {row["division"]: row["family"] for row in read.at("industries", date.max)}
        isic = {row["isic_division"]: row["gbt_code"] for row in read.at("isic_bridge", date.max)}
        naics = {row["naics_prefix"]: row["gbt_code"] for row in read.at("naics_bridge", date.max)}
        return sizes, families, isic, naics

    def resolve(self, key: Key, as_of: date) -> Answer:
        sizes, families, isic, naics = self.rows_at(as_of)
        code, basis = self._code(key, isic, naics)
        if code is None:
            return (None,) * 18
        size = longest_prefix(code.text, sizes) or _SizeRow(None, "", ())
        family = families.get(code.division) or self._family_of_section(code.section, families)
        answer = (code.section, code.division or None, family, basis, size.group, size.rule or None)
        return (*answer, *(size.bounds or (None,) * 12))

    def _code(self, key: Key, isic: Mapping[str, str], naics: Mapping[str, str]) -> tuple[IndustryCode | None, str]:
        own, isic_code, naics_code = key
        if own:
            return read_industry_code(own, self.sections), "GB/T 4754-2017"
        digits = (isic_code or "").lstrip("ABCDEFGHIJKLMNOPQRSTU")
        bridged = isic.get(digits[:2]) if digits else None
        if bridged is not None:
            return read_industry_code(bridged, self.sections), "ISIC Rev.4"
        bridged = longest_prefix(naics_code, naics) if naics_code else None
        return (read_industry_code(bridged, self.sections), "NAICS") if bridged else (None, "")

    def _family_of_section(self, section: str, families: Mapping[str, str]) -> str | None:
        """The family of a whole section, where all its divisions are of one."""
        found = {family for division, family in families.items() if self.sections.get(division) == section}
        return found.pop() if len(found) == 1 else None


def _size_rows(rows: Sequence[Mapping[str, str]]) -> dict[str, _SizeRow]:
    """Bounds by code prefix. A bound is in yuan or persons; None where the measure does not count."""
    bounds: dict[str, dict[str, float]] = {}
    codes: dict[str, str] = {}
    for row in rows:
        codes[row["group"]] = row["gbt_codes"]
        multiple = MULTIPLES[row["unit"]]
        for size in CLASSES:
            bounds.setdefault(row["group"], {})[bound_name(size, row["indicator"])] = (
                float(row[f"{size}_min"]) * multiple
            )
    found = {}
    for group, prefixes in codes.items():
        listed = tuple(bounds[group].get(bound_name(size, measure)) for size in CLASSES for measure in MEASURES)
        found.update({prefix: _SizeRow(group, "bounds", listed) for prefix in prefixes.split("|")})
    return found


class _PlaceTable:
    """Domestic or international, region and income group. Without a country a mainland province says China."""

    def __init__(self, standards: Standards) -> None:
        self.standards = standards
        self.regions = standards.provinces()
        self.income_at = lru_cache(maxsize=32)(self._income_at)

    def _income_at(self, as_of: date) -> dict[str, str]:
        """Income group by country, of the World Bank fiscal year in force (from 1 July to 30 June)."""
        rows = self.standards.at("countries", date.max)
        years = sorted(column for column in rows[0] if column[:2] == "20" and column <= as_of.isoformat())
        return {row["iso2"]: row[years[-1]] for row in rows} if years else {}

    def resolve(self, key: Key, as_of: date) -> Answer:
        country, province = key
        region = self.regions.get((province or "")[:2])
        if not country and region is not None:
            country = OUTSIDE.get((province or "")[:2], "CN")
        if not country:
            return ("unknown", None, None)
        income = self.income_at(as_of).get(country) or None
        if country in OUTSIDE.values() or (country == "CN" and region == "outside"):
            return ("international", "outside", income)
        if country == "CN":
            return ("domestic", region, income)
        return ("international", None, income)


class _AgencyTable:
    """Rank and tier of an agency's symbol on its own scale; a letter of another scale is not looked at."""

    def __init__(self, standards: Standards) -> None:
        self.rows = {
            (row["scale"], row["symbol"]): (float(row["rank"]), row["band"])
            for row in standards.at("rating_scales", date.max)
        }

    def resolve(self, key: Key, as_of: date) -> Answer:  # noqa: ARG002 - the scales are not dated yet
        scale, symbol = key
        return self.rows.get((scale or "", symbol or ""), (None, None))
