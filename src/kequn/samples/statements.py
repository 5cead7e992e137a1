"""Statements of invented firms: twelve quarters, cumulative or discrete, that balance to the cent.

Assets are the sum of their items; liabilities and equity likewise; equity is assets less liabilities; operating,
investing and financing cash flow add up to the change in cash of the year so far. Amounts are integers in fen (分).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kequn.samples.firms import Firms, Floats

QUARTERS = 15  # the first three only start the first year's cumulation
KEPT = 12
Cents = NDArray[np.int64]
SOMETIMES_MISSING = {"rd_expense": 0.35, "depreciation": 0.12, "interest_expense": 0.07, "inventory": 0.03,
                     "receivables": 0.02, "capex": 0.05, "goodwill": 0.3, "operating_cash_flow": 0.03}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Statements:
    """One row a statement: which firm, which quarter, and its columns."""

    firm: NDArray[np.int64]  # place in the block
    columns: dict[str, Any]  # amounts in fen as int64 with a mask in `gaps`
    gaps: dict[str, NDArray[np.bool_]]
    latest: dict[str, Floats]  # last quarter's ratios by firm, from which default follows


def quarter_ends(as_of: date) -> list[date]:
    """The last QUARTERS quarter ends up to a date, the oldest first."""
    ends, year, quarter = [], as_of.year, (as_of.month - 1) // 3 + 1
    if (as_of.month, as_of.day) < _quarter_end(year, quarter):
        quarter -= 1
    for _ in range(QUARTERS):
        if quarter == 0:
            year, quarter = year - 1, 4
        ends.append(date(year, *_quarter_end(year, quarter)))
        quarter -= 1
    return ends[::-1]


def _quarter_end(_year: int, quarter: int) -> tuple[int, int]:
    return {1: (3, 31), 2: (6, 30), 3: (9, 30), 4: (12, 31)}[max(quarter, 1)]


def make_statements(draw: np.random.Generator, firms: Firms, as_of: date) -> Statements:
    ends = quarter_ends(as_of)
    failing = np.where(firms.is_failing[:, None], np.linspace(0, 1, QUARTERS)[None, :] ** 2, 0.0)
    flows = _income(draw, firms, ends, failing)
    balance = _balance(draw, firms, flows, failing)
    flows |= _financing(draw, firms, flows, balance)
    flows |= _profit(flows)
    flows |= _cash(draw, flows, balance)
    discrete = draw.random(firms.count) < 0.04
    year = np.array([end.year for end in ends])
    columns: dict[str, Any] = {name: cents(values) for name, values in balance.items()}
    columns |= {name: _cumulated(cents(values), year, discrete) for name, values in flows.items()}
    return _laid_out(draw, firms, ends, columns, discrete)


def cents(values: Floats) -> Cents:
    return np.rint(values * 100).astype(np.int64)


def _cumulated(values: Cents, year: NDArray[np.int64], discrete: NDArray[np.bool_]) -> Cents:
    """From January of each year on, as Chinese interim statements are; discrete firms keep the quarter alone."""
    summed = values.copy()
    for place in range(1, QUARTERS):
        if year[place] == year[place - 1]:
            summed[:, place] += summed[:, place - 1]
    return np.where(discrete[:, None], values, summed)


def whole_yuan(values: Floats) -> Floats:
    return np.round(values)


def _income(draw: np.random.Generator, firms: Firms, ends: list[date], failing: Floats) -> dict[str, Floats]:
    count = firms.count
    growth = draw.normal(0.06 + 0.05 * firms.quality, 0.10, count)[:, None]
    years = (np.arange(QUARTERS) / 4.0)[None, :]
    season = np.array([{3: 0.85, 6: 0.98, 9: 1.0, 12: 1.17}[end.month] for end in ends])[None, :]
    noise = np.exp(draw.normal(0, 0.06, (count, QUARTERS)))
    revenue = firms.revenue[:, None] / 4 * (1 + growth).clip(0.6) ** years * season * noise * (1 - 0.45 * failing)
    margin = (firms.trade_figure(4) + 0.02 * firms.quality + draw.normal(0, 0.02, count)).clip(0.02, 0.8)[:, None]
    margin = margin - failing * 0.10 + draw.normal(0, 0.008, (count, QUARTERS))
    revenue = whole_yuan(revenue)
    share = draw.uniform(0.1, 0.3, (3, count, 1)) * firms.trade_figure(4)[None, :, None]
    return {
        "revenue": revenue,
        "operating_cost": whole_yuan(revenue * (1 - margin)),
        "selling_expense": whole_yuan(revenue * share[0]),
        "admin_expense": whole_yuan(revenue * share[1] + firms.revenue[:, None] * 0.002),
        "rd_expense": whole_yuan(revenue * share[2] * np.isin(firms.trade, [2, 4, 5, 7, 26, 31])[:, None]),
        "depreciation": whole_yuan(revenue * 0.035 * firms.trade_figure(3)[:, None] / 1.5),
    }


ASSETS = {"cash": 1.3, "trading_assets": 0.2, "notes_receivable": 0.4, "receivables": 2.0, "prepayments": 0.4,
          "other_receivables": 0.5, "inventory": 1.8, "long_term_investments": 0.6, "fixed_assets": 3.0,
          "construction_in_progress": 0.6, "intangible_assets": 0.5, "goodwill": 0.1}  # fmt: skip
CURRENT = ("cash", "trading_assets", "notes_receivable", "receivables", "prepayments", "other_receivables", "inventory")
LIABILITIES = {"short_term_debt": 2.2, "notes_payable": 0.6, "payables": 2.2, "advances_received": 0.7,
               "current_portion_debt": 0.5, "long_term_debt": 1.8, "bonds_payable": 0.2,
               "lease_liabilities": 0.2}  # fmt: skip
SHORT = ("short_term_debt", "notes_payable", "payables", "advances_received", "current_portion_debt")
DEBT = ("short_term_debt", "current_portion_debt", "long_term_debt", "bonds_payable")


def _balance(draw: np.random.Generator, firms: Firms, flows: dict[str, Floats], failing: Floats) -> dict[str, Floats]:
    count = firms.count
    level = firms.revenue[:, None] * firms.trade_figure(3)[:, None] * np.exp(draw.normal(0, 0.25, (count, 1)))
    level = level * (0.75 + 0.25 * flows["revenue"] / flows["revenue"].mean(axis=1, keepdims=True))
    leverage = (0.52 - 0.10 * firms.quality + draw.normal(0, 0.10, count)).clip(0.05, 1.05)[:, None] + 0.22 * failing
    assets = _split(draw, level, ASSETS, count, drift={"receivables": failing, "inventory": failing})
    assets["cash"] = whole_yuan(assets["cash"] * (1 - 0.6 * failing))
    made = dict(assets)
    made["current_assets"] = sum_of(made, CURRENT)
    made["total_assets"] = sum_of(made, tuple(ASSETS))
    made |= _split(draw, made["total_assets"] * leverage, LIABILITIES, count, drift={"short_term_debt": failing})
    made["current_liabilities"] = sum_of(made, SHORT)
    made["total_liabilities"] = sum_of(made, tuple(LIABILITIES))
    made["equity"] = made["total_assets"] - made["total_liabilities"]
    made["share_capital"] = np.round(made["total_assets"][:, :1] * 0.18, -4) + np.zeros((1, QUARTERS))
    has_minority = (draw.random(count) < 0.15)[:, None]
    made["minority_interest"] = np.where(has_minority, whole_yuan(np.maximum(made["equity"], 0) * 0.06), 0.0)
    made["retained_earnings"] = made["equity"] - made["share_capital"] - made["minority_interest"]
    return made


def sum_of(made: dict[str, Floats], names: tuple[str, ...]) -> Floats:
    total = made[names[0]].copy()
    for name in names[1:]:
        total += made[name]
    return total


def _split(
    draw: np.random.Generator, level: Floats, shares: dict[str, float], count: int, drift: dict[str, Floats]
) -> dict[str, Floats]:
    """A total cut into items by each firm's own shares, in whole yuan."""
    weights = {}
    for name, share in shares.items():
        own = share * np.exp(draw.normal(0, 0.5, (count, 1)) + draw.normal(0, 0.05, (count, QUARTERS)))
        weights[name] = own * (1 + drift.get(name, 0.0))
    whole = sum(weights.values())
    return {name: whole_yuan(level * weight / whole) for name, weight in weights.items()}


def _financing(
    draw: np.random.Generator, firms: Firms, flows: dict[str, Floats], balance: dict[str, Floats]
) -> dict[str, Floats]:
    rate = (0.048 - 0.006 * firms.quality + draw.normal(0, 0.004, firms.count)).clip(0.02, 0.12)[:, None]
    interest = whole_yuan(sum_of(balance, DEBT) * rate / 4)
    return {"interest_expense": interest, "finance_cost": whole_yuan(interest * 1.03 + flows["revenue"] * 0.0005)}


def _profit(flows: dict[str, Floats]) -> dict[str, Floats]:
    spent = ("operating_cost", "selling_expense", "admin_expense", "rd_expense", "finance_cost")
    operating = flows["revenue"] - sum_of(flows, spent)
    before_tax = operating + whole_yuan(flows["revenue"] * 0.002)
    tax = whole_yuan(np.maximum(before_tax, 0) * 0.25)
    return {
        "operating_profit": operating,
        "total_profit": before_tax,
        "income_tax": tax,
        "net_profit": before_tax - tax,
    }


def _cash(draw: np.random.Generator, flows: dict[str, Floats], balance: dict[str, Floats]) -> dict[str, Floats]:
    shape = flows["revenue"].shape
    operating = whole_yuan(
        flows["net_profit"] + flows["depreciation"] + flows["interest_expense"]
        + flows["revenue"] * draw.normal(0, 0.04, shape)
    )  # fmt: skip
    capex = whole_yuan(flows["depreciation"] * np.exp(draw.normal(0, 0.5, shape)))
    change = np.diff(balance["cash"], axis=1, prepend=balance["cash"][:, :1])
    return {
        "cash_from_sales": whole_yuan(flows["revenue"] * draw.uniform(0.95, 1.15, shape)),
        "operating_cash_flow": operating,
        "capex": capex,
        "investing_cash_flow": -capex,
        "debt_repaid": whole_yuan(balance["short_term_debt"] * draw.uniform(0.15, 0.35, shape)),
        "financing_cash_flow": change - operating + capex,
    }


def _laid_out(
    draw: np.random.Generator, firms: Firms, ends: list[date], columns: dict[str, Any], discrete: NDArray[np.bool_]
) -> Statements:
    """Keep the quarters that were handed in; leave gaps; say on which basis they stand."""
    count, quarters = firms.count, np.arange(QUARTERS)
    month = np.array([end.month for end in ends])
    rhythm = draw.choice(3, size=count, p=[0.6, 0.22, 0.18])[:, None]  # quarterly, half-yearly, yearly
    rhythm = np.where(discrete[:, None], 0, rhythm)
    due = (rhythm == 0) | ((rhythm == 1) & np.isin(month, [6, 12])) | ((rhythm == 2) & (month == 12))
    late = np.where(draw.random(count) < 0.04, QUARTERS - draw.integers(5, 9, count), QUARTERS)[:, None]
    handed_in = due & (draw.random((count, QUARTERS)) > 1 / 15) & (quarters < late) & firms.has_statements[:, None]
    handed_in[:, : QUARTERS - KEPT] = False
    firm, place = np.nonzero(handed_in)
    opinion = np.where(draw.random((count, QUARTERS)) < 1 / (1 + np.exp(3.4 + 1.2 * firms.quality))[:, None],
                       draw.choice(["emphasis", "qualified", "disclaimer"], size=(count, QUARTERS), p=[0.6, 0.3, 0.1]),
                       "unqualified")  # fmt: skip
    opinion = np.where(month[None, :] == 12, opinion, "unaudited")
    rows = len(firm)
    made: dict[str, Any] = {
        "period_end": np.array(ends, dtype="datetime64[D]")[place],
        "months": np.where(discrete[firm], 3, month[place]),
        "flows": np.where(discrete[firm], "discrete", "cumulative"),
        "scope": np.where(firms.revenue[firm] > 3e8, "consolidated", "parent"),
        "standard": np.full(rows, "CAS"),
        "version": np.ones(rows, dtype=np.int64),
        "currency": np.full(rows, "CNY"),
        "audit_opinion": opinion[firm, place],
        "period_employees": np.where(month[place] == 12, firms.employees[firm], np.nan),
    }
    made |= {name: values[firm, place] for name, values in columns.items()}
    gaps = {name: draw.random(rows) < share for name, share in SOMETIMES_MISSING.items()}
    return Statements(firm, made, gaps, _latest(columns))


def _latest(columns: dict[str, Cents]) -> dict[str, Floats]:
    """The figures of the last quarter from which default follows."""
    end = {name: values[:, -1].astype(float) for name, values in columns.items()}
    assets = np.maximum(end["total_assets"], 1.0)
    debt = sum_of(end, DEBT)
    return {
        "debt_ratio": end["total_liabilities"] / assets,
        "coverage": (end["total_profit"] + end["interest_expense"]) / np.maximum(end["interest_expense"], 1.0),
        "liquidity": end["current_assets"] / np.maximum(end["current_liabilities"], 1.0),
        "debt": debt / 100,
        "assets": assets / 100,
    }
