"""Who the invented customers are: trade, place, size, quality, and what an analyst noted of them."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kequn.samples.names import company_names, credit_codes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# code, weight, yearly revenue per employee (yuan), assets over revenue, gross margin
TRADES = (
    ("A0111", 2, 4e5, 1.6, 0.22), ("B0610", 1, 1.2e6, 2.2, 0.34), ("C2710", 4, 1.1e6, 1.4, 0.45),
    ("C3484", 7, 7e5, 1.3, 0.24), ("C3562", 5, 8e5, 1.4, 0.27), ("C3670", 5, 1.1e6, 1.1, 0.17),
    ("C3824", 5, 9e5, 1.2, 0.20), ("C3921", 6, 1.2e6, 1.1, 0.21), ("C1751", 4, 5e5, 1.2, 0.15),
    ("C2614", 4, 1.4e6, 1.3, 0.19), ("C3011", 3, 8e5, 1.5, 0.24), ("D4411", 3, 2.5e6, 4.0, 0.24),
    ("D4415", 4, 4.0e6, 5.5, 0.45), ("D4511", 2, 2.0e6, 2.5, 0.18), ("D4610", 2, 9e5, 5.0, 0.33),
    ("E4710", 5, 9e5, 1.3, 0.10), ("E4813", 4, 1.1e6, 1.8, 0.11), ("F5162", 8, 3.5e6, 0.6, 0.06),
    ("F5212", 5, 1.0e6, 0.7, 0.12), ("G5430", 4, 5e5, 1.3, 0.11), ("G5531", 1, 2.0e6, 3.0, 0.26),
    ("G5910", 1, 6e5, 1.8, 0.18), ("G5990", 1, 8e5, 2.0, 0.24), ("H6110", 2, 3e5, 2.2, 0.45),
    ("H6210", 2, 2e5, 0.9, 0.40), ("I6311", 1, 1.0e6, 1.8, 0.35), ("I6513", 6, 7e5, 1.1, 0.48),
    ("J6631", 1, 6.0e6, 9.0, 0.45), ("K7010", 3, 4.0e6, 4.5, 0.22), ("K7020", 1, 2e5, 0.8, 0.18),
    ("L7212", 3, 9e5, 3.0, 0.24), ("M7320", 3, 6e5, 1.4, 0.40), ("M7491", 2, 6e5, 1.2, 0.30),
    ("N7721", 2, 7e5, 3.2, 0.28), ("O8111", 1, 3e5, 0.8, 0.25), ("P8331", 1, 3e5, 1.5, 0.35),
    ("Q8411", 1, 5e5, 1.4, 0.30), ("R8720", 1, 5e5, 1.3, 0.30),
)  # fmt: skip
PROVINCES = (
    "110000", "120000", "130000", "140000", "210000", "220000", "310000", "320000", "330000", "340000", "350000",
    "360000", "370000", "410000", "420000", "430000", "440000", "450000", "500000", "510000", "530000", "610000",
    "650000",
)  # fmt: skip
PROVINCE_WEIGHTS = (5, 2, 4, 2, 3, 1, 7, 11, 11, 4, 5, 3, 8, 5, 5, 4, 13, 2, 3, 6, 2, 2, 1)
ABROAD = ("SG", "DE", "US", "VN", "ID", "KZ", "PK", "ET", "KE", "MX", "HK", "LA")


@dataclass(frozen=True, slots=True)
class Firms:
    """One block of customers, column by column. `quality` is what nobody sees and everything follows from."""

    number: NDArray[np.int64]
    columns: dict[str, Any]
    trade: NDArray[np.int64]
    quality: Floats
    revenue: Floats  # yuan a year, at the first year of the history
    employees: Floats
    is_failing: Flags
    has_statements: Flags

    @property
    def count(self) -> int:
        return len(self.number)

    @property
    def ids(self) -> list[str]:
        made: list[str] = self.columns["customer_id"]
        return made

    def trade_figure(self, place: int) -> Floats:
        return np.array([float(row[place]) for row in TRADES])[self.trade]  # type: ignore[arg-type]


def missing(draw: np.random.Generator, values: Any, share: float) -> list[Any]:
    """The values with a share of them unknown."""
    gone = draw.random(len(values)) < share
    return [None if lost else value for lost, value in zip(gone, values, strict=True)]


def make_firms(draw: np.random.Generator, *, first: int, count: int, as_of: date) -> Firms:
    number = np.arange(first, first + count, dtype=np.int64)
    weights = np.array([row[1] for row in TRADES], dtype=float)
    trade = draw.choice(len(TRADES), size=count, p=weights / weights.sum())
    quality = draw.normal(size=count)
    revenue = np.exp(draw.normal(17.4 + 0.25 * quality, 1.9, count))  # median about 36 million yuan
    per_head = np.array([row[2] for row in TRADES])[trade] * np.exp(draw.normal(0, 0.4, count))
    employees = np.maximum(1, np.round(revenue / per_head))
    failing = draw.random(count) < 1 / (1 + np.exp(3.1 + 1.3 * quality))
    columns = _who(draw, number, trade, as_of)
    columns |= _noted(draw, quality=quality, revenue=revenue, employees=employees, trade=trade, as_of=as_of)
    has_statements = draw.random(count) > np.where(employees < 10, 0.35, 0.06)
    return Firms(number, columns, trade, quality, revenue, employees, failing, has_statements)


def _who(draw: np.random.Generator, number: NDArray[np.int64], trade: NDArray[np.int64], as_of: date) -> dict[str, Any]:
    count = len(number)
    codes = np.array([row[0] for row in TRADES])[trade]
    province = draw.choice(np.array(PROVINCES), size=count, p=np.array(PROVINCE_WEIGHTS) / sum(PROVINCE_WEIGHTS))
    abroad = draw.random(count) < 0.05
    full, short = company_names(number, np.array([code[0] for code in codes]))
    uscc = credit_codes(number, province)
    # a third digit is often left out where somebody only knew the division
    shortened = [code[:3] if rough else code for code, rough in zip(codes, draw.random(count) < 0.1, strict=True)]
    founded = [date(as_of.year - int(years), 1 + int(month), 15) for years, month in
               zip(2 + draw.gamma(3.0, 4.0, count), draw.integers(0, 9, count), strict=True)]  # fmt: skip
    return {
        "customer_id": [f"C{one:07d}" for one in number.tolist()],
        "name": full,
        "short_name": short,
        "uscc": [None if far else code for far, code in zip(abroad, uscc, strict=True)],
        "country": np.where(abroad, draw.choice(np.array(ABROAD), size=count), "CN").tolist(),
        "province": [None if far else one for far, one in zip(abroad, province.tolist(), strict=True)],
        "industry_code": missing(draw, shortened, 0.02),
        "ownership_type": draw.choice(["state", "private", "foreign", "joint"], size=count, p=[0.14, 0.74, 0.07, 0.05]),
        "founded_date": missing(draw, founded, 0.03),
        "relationship_date": [
            min(as_of, date(year.year + min(int(lag), as_of.year - year.year), year.month, 1))
            for year, lag in zip(founded, draw.gamma(2.0, 2.0, count), strict=True)
        ],
    }


def _noted(
    draw: np.random.Generator,
    *,
    quality: Floats,
    revenue: Floats,
    employees: Floats,
    trade: NDArray[np.int64],
    as_of: date,
) -> dict[str, Any]:
    count = len(quality)
    high_tech = np.isin(trade, [2, 4, 5, 7, 26, 31]) & (draw.random(count) < 0.35)
    columns: dict[str, Any] = {
        "employees": missing(draw, employees, 0.08),
        "registered_capital": np.round(revenue * draw.uniform(0.05, 0.4, count), -4),
        "is_listed": draw.random(count) < np.where(revenue > 1e9, 0.35, 0.004),
        "is_hnte": missing(draw, high_tech, 0.05),
        "is_srdi": high_tech & (draw.random(count) < 0.4),
        "is_tech_sme": high_tech & (employees <= 500) & (draw.random(count) < 0.6),
        "marks_date": [date(as_of.year, 1 + int(month), 20) for month in draw.integers(0, 6, count)],
        "lender_count": draw.poisson(1.5 + np.log10(revenue) / 4, count),
        "credit_inquiries_6m": draw.poisson(np.clip(2.2 - 0.9 * quality, 0.2, 8), count),
        "has_npl_elsewhere": missing(draw, draw.random(count) < 1 / (1 + np.exp(4.2 + 1.1 * quality)), 0.04),
        "is_bankrupt": draw.random(count) < 1 / (1 + np.exp(7.5 + quality)),
    }
    for mark in ("management_quality", "market_position", "governance_quality", "information_quality"):
        given = np.clip(np.round(3 + 0.7 * quality + draw.normal(0, 0.8, count)), 1, 5)
        columns[mark] = missing(draw, given, 0.12)
    (aside,) = draw.spawn(1)  # so that what is drawn after this stays as it was
    abroad = (revenue > 1e9) & (aside.random(count) < 0.3)
    columns["is_multinational"] = missing(aside, abroad, 0.06)
    columns["group_country_count"] = np.where(abroad, aside.integers(2, 9, count), 1)
    return columns
