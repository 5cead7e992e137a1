"""Facilities, projects, account months, groups, guarantees, agency ratings and events of invented firms.

Every function answers columns of one sheet; amounts are integers in fen (分).
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kequn.samples.firms import Firms, Flags, Floats
from kequn.samples.statements import Cents, cents

Columns = dict[str, Any]
PRODUCTS = ("working_capital_loan", "fixed_asset_loan", "acceptance_bill", "discounted_bill", "letter_of_credit",
            "performance_guarantee", "factoring", "finance_lease")  # fmt: skip
PRODUCT_WEIGHTS = (0.42, 0.16, 0.16, 0.06, 0.06, 0.05, 0.05, 0.04)
OFF_BALANCE = ("acceptance_bill", "letter_of_credit", "performance_guarantee")


def days(as_of: date, offsets: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return np.datetime64(as_of, "D") + offsets.astype("timedelta64[D]")


def distress(firms: Firms, latest: dict[str, Floats]) -> Floats:
    """Log-odds of default within a year, from the statements where there are some, and from what nobody sees."""
    shown = (
        -6.0
        + 4.2 * latest["debt_ratio"].clip(0, 1.5)
        - 0.35 * latest["coverage"].clip(-4, 8)
        - 0.5 * latest["liquidity"].clip(0, 3)
    )
    return np.where(firms.has_statements, shown, -3.4) - 0.5 * firms.quality


def make_facilities(
    draw: np.random.Generator, firms: Firms, latest: dict[str, Floats], as_of: date, carriers: dict[int, str]
) -> Columns:
    """Lines of about four firms in five; the weaker the firm, the later it pays."""
    lines = np.where(draw.random(firms.count) < 0.82, 1 + draw.poisson(0.9, firms.count), 0)
    firm = np.repeat(np.arange(firms.count), lines)
    count = len(firm)
    product = draw.choice(np.array(PRODUCTS), size=count, p=PRODUCT_WEIGHTS)
    carried = np.array([carriers.get(place, "") for place in firm.tolist()])
    first = np.ones(count, dtype=bool)
    first[1:] = firm[1:] != firm[:-1]
    project = np.where(first, carried, "")
    product = np.where(project != "", "project_loan", product)
    base = np.maximum(latest["debt"], firms.revenue * 0.08)[firm]
    committed = np.round(base * draw.uniform(0.1, 0.7, count), -4) + 1e5
    used = draw.beta(4, 1.6, count)
    off = np.isin(product, OFF_BALANCE)
    drawn = np.round(np.where(off, 0.0, committed * used))
    off_amount = np.round(np.where(off, committed * used, 0.0))
    margin_share = np.where(off, draw.choice([0.0, 0.3, 0.5, 1.0], size=count, p=[0.15, 0.4, 0.3, 0.15]), 0.0)
    start = -draw.integers(20, 900, count)
    tenor = np.where(np.isin(product, ["fixed_asset_loan", "project_loan", "finance_lease"]),
                     draw.integers(36, 180, count), draw.integers(6, 37, count))  # fmt: skip
    secured = draw.choice(["none", "guarantee", "mortgage", "pledge", "mixed"], size=count, p=[0.2, 0.3, 0.3, 0.1, 0.1])
    security = np.where(margin_share > 0, "margin", secured)
    collateral = np.where(
        np.isin(security, ["mortgage", "pledge", "mixed"]), committed * draw.uniform(0.8, 2.2, count), 0
    )
    ids = firms.ids
    made: Columns = {
        "firm": firm,
        "facility_id": [f"{ids[place]}-F{line}" for place, line in zip(firm.tolist(), _line(firm), strict=True)],
        "project_id": [one or None for one in project.tolist()],
        "product": product,
        "facility_currency": np.full(count, "CNY"),
        "committed": cents(committed),
        "drawn": cents(drawn),
        "undrawn": cents(committed - drawn - off_amount),
        "off_balance": cents(off_amount),
        "margin_deposit": cents(np.round(off_amount * margin_share)),
        "is_cancellable": draw.random(count) < 0.5,
        "start_date": days(as_of, start),
        "maturity_date": days(as_of, start + tenor * 30 + 60),
        "tenor_months": tenor.astype(float),
        "rate_pa": np.round(0.042 - 0.005 * firms.quality[firm] + draw.normal(0, 0.004, count), 4).clip(0.02, 0.12),
        "security": security,
        "collateral_value": cents(np.round(collateral)),
        "collateral_value_at_start": cents(np.round(collateral * draw.uniform(0.9, 1.3, count))),
        "status": np.full(count, "active"),
    }
    return made | _payment_record(draw, firms, latest, firm, made)


def _line(firm: NDArray[np.int64]) -> list[int]:
    """1, 2, 3 ... within each run of the same firm."""
    if not len(firm):
        return []
    starts = np.flatnonzero(np.r_[True, firm[1:] != firm[:-1]])
    return (np.arange(len(firm)) - np.repeat(starts, np.diff(np.r_[starts, len(firm)])) + 1).tolist()


def _payment_record(
    draw: np.random.Generator, firms: Firms, latest: dict[str, Floats], firm: NDArray[np.int64], made: Columns
) -> Columns:
    count = len(firm)
    odds = 1 / (1 + np.exp(-(distress(firms, latest) + 0.4)))[firm]
    late = draw.random(count) < odds
    overdue_days = np.where(late, np.ceil(draw.gamma(0.9, 60, count)), 0.0)
    past = draw.poisson(3 * odds) + late
    return {
        "days_past_due": overdue_days,
        "overdue_amount": np.where(late, made["drawn"] // draw.integers(2, 20, count), 0),
        "interest_arrears": np.where(late, made["drawn"] // 400, 0),
        "times_past_due_12m": past.astype(float),
        "worst_days_past_due_12m": np.where(past > 0, np.maximum(overdue_days, draw.integers(1, 45, count)), 0.0),
        "is_restructured": draw.random(count) < odds * 0.25,
        "is_renewed": draw.random(count) < 0.02 + odds * 0.3,
        "is_advanced": (made["off_balance"] > 0) & (draw.random(count) < odds * 0.3),
        "is_revolving": np.isin(made["product"], ["working_capital_loan", "factoring"]),
    }


SECTORS = {"D": ("energy", 0.55), "E": ("transport", 0.30), "G": ("transport", 0.25), "N": ("water", 0.5),
           "K": ("real_estate", 0.35), "B": ("mining", 0.3), "I": ("ict", 0.06), "M": ("industry", 0.08),
           "C": ("industry", 0.05), "L": ("transport", 0.25), "Q": ("social", 0.2)}  # fmt: skip
FUELS = ("wind", "solar", "hydro", "gas", "coal", "biomass", "storage")


def make_projects(draw: np.random.Generator, firms: Firms, as_of: date) -> tuple[Columns, dict[int, str]]:
    """Projects in planning, construction and operation, and which firm carries which by a loan."""
    sections = np.array([(code or "Z")[0] for code in firms.columns["industry_code"]])
    chance = np.array([SECTORS.get(section, ("", 0.0))[1] for section in sections])
    firm = np.flatnonzero(draw.random(firms.count) < chance)
    count = len(firm)
    sector = np.array([SECTORS[section][0] for section in sections[firm].tolist()], dtype=object)
    fuel = np.where(sector == "energy", draw.choice(np.array(FUELS), size=count), None)
    stage = draw.choice(["planning", "construction", "operation"], size=count, p=[0.12, 0.33, 0.55])
    building, running = stage == "construction", stage == "operation"
    weak = -firms.quality[firm]
    role = draw.choice(["borrower", "sponsor", "owner"], size=count, p=[0.55, 0.35, 0.10])
    ids = [f"P{one:07d}" for one in firms.number[firm].tolist()]
    green = np.where(np.isin(fuel.astype(str), ["wind", "solar", "hydro", "biomass", "storage"]), "energy_transition",
                     np.where(sector == "water", "environment", "none"))  # fmt: skip
    dscr = np.round(1.35 - 0.12 * weak + draw.normal(0, 0.12, count), 3).clip(0.6, 2.5)
    due = np.round(draw.uniform(0.3, 1.0, count), 2)
    short_of_equity = weak + draw.normal(0, 0.6, count) > 0.8
    can_be_curtailed = np.isin(fuel.astype(str), ["wind", "solar"])
    made: Columns = {
        "firm": firm,
        "project_id": ids,
        "project_name": _project_names(ids, sector.tolist()),
        "role": role,
        "project_country": [firms.columns["country"][place] for place in firm.tolist()],
        "project_province": [firms.columns["province"][place] for place in firm.tolist()],
        "sector": sector,
        "fuel": fuel,
        "stage": stage,
        "total_investment": cents(np.round(firms.revenue[firm] * draw.uniform(0.5, 3.0, count), -4) + 2e7),
        "capacity_mw": np.where(sector == "energy", np.round(draw.gamma(2, 60, count), 1), np.nan),
        "commissioning_year": np.where(running, as_of.year - draw.integers(1, 15, count), np.nan),
        "green_field": green,
        "is_infrastructure": np.isin(sector.astype(str), ["energy", "transport", "water", "ict", "social"]),
        "is_research": (sector == "industry") & (draw.random(count) < 0.4),
        "equator_category": draw.choice(["A", "B", "C"], size=count, p=[0.15, 0.5, 0.35]),
        "dscr_min": np.where(draw.random(count) < 0.85, dscr, np.nan),
        "dscr_actual": np.where(running, np.round(dscr + draw.normal(0.1, 0.15, count), 3), np.nan),
        "llcr": np.round(dscr * 1.15, 3),
        "dsra_months": np.where(running, draw.integers(0, 8, count), np.nan),
        "equity_required_share": np.where(building, due, np.nan),
        "equity_paid_share": np.where(building, np.round((due - 0.12 * short_of_equity).clip(0), 2), np.nan),
        "permits_complete": draw.random(count) < np.where(stage == "planning", 0.4, 0.93),
        "construction_delay_months": np.where(building, np.maximum(0, np.round(draw.normal(0.8 + weak, 2.5))), np.nan),
        "cost_overrun_share": np.where(building, np.round(draw.normal(0.02 + 0.02 * weak, 0.06, count), 3), np.nan),
        "completion_share": np.where(building, np.round(draw.random(count), 2), np.where(running, 1.0, 0.0)),
        "has_completion_guarantee": draw.random(count) < 0.5,
        "has_offtake_contract": draw.random(count) < 0.6,
        "offtaker_arrears_days": np.where(running, np.maximum(0, np.round(draw.normal(10 + 15 * weak, 30))), np.nan),
        "curtailment_share": np.where(can_be_curtailed, np.round(draw.beta(1.2, 25, count), 3), np.nan),
    }  # fmt: skip
    carriers = {int(place): one for place, one, part in zip(firm, ids, role, strict=True) if part == "borrower"}
    return made, carriers


SECTOR_NAMES = {"energy": "能源", "transport": "交通", "water": "水务", "real_estate": "园区", "mining": "矿山",
                "ict": "数据中心", "industry": "技改", "social": "医院"}  # fmt: skip
MONTHS = 18


def _project_names(ids: list[str], sectors: list[str]) -> list[str]:
    return [f"示例{one}号{SECTOR_NAMES[sector]}项目" for one, sector in zip(ids, sectors, strict=True)]


def make_account_months(draw: np.random.Generator, firms: Firms, as_of: date) -> Columns:
    """Eighteen months of the settlement account of most firms; failing firms' inflow dries up."""
    has_account = draw.random(firms.count) < 0.8
    firm = np.repeat(np.flatnonzero(has_account), MONTHS)
    count = len(firm)
    month = np.tile(np.arange(MONTHS), int(has_account.sum()))
    fade = np.where(firms.is_failing[firm], 1 - 0.75 * (month / (MONTHS - 1)) ** 2, 1.0)
    through_us = draw.beta(2, 2, firms.count)[firm]
    inflow = np.round(firms.revenue[firm] / 12 * through_us * fade * np.exp(draw.normal(0, 0.25, count)))
    outflow = np.round(inflow * draw.uniform(0.92, 1.06, count))
    wages = np.round(firms.employees[firm] * 6500 * through_us * np.where(fade < 0.35, 0, 1))
    balance = np.round(firms.revenue[firm] * 0.03 * through_us * fade * np.exp(draw.normal(0, 0.3, count)))
    keep = draw.random(count) > 0.03
    ends = _month_ends(as_of)
    accounts = np.array([f"{one}-A1" for one in firms.ids], dtype=object)
    made: Columns = {
        "firm": firm,
        "account_id": accounts[firm],
        "month": np.array(ends, dtype="datetime64[D]")[month],
        "inflow": cents(inflow),
        "outflow": cents(outflow),
        "average_balance": cents(balance),
        "month_end_balance": cents(np.round(balance * draw.uniform(0.4, 1.6, count))),
        "wage_payments": cents(wages),
        "tax_payments": cents(np.round(inflow * 0.03 * (fade > 0.3))),
        "loan_payments": cents(np.round(inflow * 0.05)),
        "related_party_outflow": cents(np.round(outflow * draw.beta(1, 14, count))),
        "returned_items": draw.poisson(np.where(fade < 0.5, 0.5, 0.03)).astype(float),
        "overdraft_days": np.where(draw.random(count) < 0.03, draw.integers(1, 10, count), 0).astype(float),
    }
    return {name: _kept(values, keep) for name, values in made.items()}


def _kept(values: Any, keep: Flags) -> Any:
    return (
        values[keep]
        if isinstance(values, np.ndarray)
        else [one for one, stays in zip(values, keep, strict=True) if stays]
    )


def _month_ends(as_of: date) -> list[date]:
    """The last MONTHS whole months up to a date, the oldest first."""
    following = as_of + timedelta(days=1)
    first = as_of.replace(day=1) if following.month == as_of.month else following.replace(day=1)
    ends = []
    for _ in range(MONTHS):
        end = first - timedelta(days=1)
        ends.append(end)
        first = end.replace(day=1)
    return ends[::-1]


def make_relations(draw: np.random.Generator, firms: Firms, as_of: date) -> Columns:
    """Groups of neighbours (a parent and up to five below it), and pairs that guarantee one another."""
    rows: list[tuple[str, str, str, float | None, int | None, str | None, date]] = []
    since = date(as_of.year - 5, 1, 1)
    ids, place = firms.ids, 0
    while place + 6 < firms.count:
        below = int(draw.integers(1, 6))
        if draw.random() < 0.06:
            for child in range(place + 1, place + 1 + below):
                share = float(np.round(draw.uniform(0.34, 1.0), 2))
                rows.append((ids[place], ids[child], "ownership", share, None, f"示例{ids[place]}集团", since))
        elif draw.random() < 0.04:
            amount = int(draw.integers(1, 50)) * 100_000_000
            rows.append((ids[place], ids[place + 1], "guarantee", None, amount, None, since))
            rows.append((ids[place + 1], ids[place], "guarantee", None, amount, None, since))
        place += below + 1
    names = ("parent_id", "child_id", "relation", "share", "amount", "group_label", "from_date")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


SYMBOLS = ("AAA", "AA+", "AA", "AA-", "A+", "A", "BBB+", "BBB", "BB", "B")


def make_ratings(draw: np.random.Generator, firms: Firms, as_of: date) -> Columns:
    """Domestic agency grades of the larger firms; better firms stand higher, with noise."""
    firm = np.flatnonzero((firms.revenue > 5e8) & (draw.random(firms.count) < 0.5))
    rank = np.clip(np.round(3.2 - 1.1 * firms.quality[firm] + draw.normal(0, 0.8, len(firm))), 0, 9).astype(int)
    return {
        "firm": firm,
        "agency": np.full(len(firm), "示例资信评估"),
        "scale": np.full(len(firm), "cn_domestic"),
        "symbol": np.array(SYMBOLS)[rank],
        "rating_date": days(as_of, -draw.integers(10, 500, len(firm))),
        "outlook": draw.choice(["stable", "positive", "negative"], size=len(firm), p=[0.85, 0.08, 0.07]),
    }


EVENTS = ("lawsuit", "penalty", "tax_arrears", "enforcement", "asset_freeze", "negative_news", "auditor_change",
          "legal_representative_change", "bill_overdue", "environment_penalty")  # fmt: skip


def make_events(draw: np.random.Generator, firms: Firms, latest: dict[str, Floats], as_of: date) -> Columns:
    """What courts, registers and papers said in the last two years, more often of weak firms."""
    odds = 1 / (1 + np.exp(-distress(firms, latest)))
    firm = np.repeat(np.arange(firms.count), draw.poisson(0.08 + 1.2 * odds))
    count = len(firm)
    return {
        "firm": firm,
        "kind": draw.choice(np.array(EVENTS), size=count),
        "event_date": days(as_of, -draw.integers(0, 730, count)),
        "event_amount": cents(np.round(firms.revenue[firm] * draw.beta(1, 20, count))),
        "event_source": np.full(count, "示例数据"),
    }


def default_columns(draw: np.random.Generator, firms: Firms, latest: dict[str, Floats], as_of: date) -> Columns:
    """Who defaults in the year after the date: drawn from the log-odds, so that facts explain it and noise remains."""
    defaulted = draw.random(firms.count) < 1 / (1 + np.exp(-(distress(firms, latest) - 0.6)))
    on: Cents = draw.integers(1, 365, firms.count)
    dates = [one if bad else None for one, bad in zip(days(as_of, on).tolist(), defaulted, strict=True)]
    return {"defaulted": defaulted, "default_date": dates}
