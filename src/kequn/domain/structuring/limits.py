"""The limit of a loan to one customer: every cap worked out, the smallest named.

The shares of capital that a single name or a group may take are policy and are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kequn.domain.projectfinance.sizing import SizedDebt, smallest_cap


@dataclass(frozen=True, slots=True)
class ConcentrationShares:
    """Largest shares: of net capital for loans to one customer, of tier-1 capital for all exposure to it and its
    group.
    """

    single_loan: float
    single_exposure: float
    group_exposure: float


@dataclass(frozen=True, slots=True)
class LimitQuestion:
    """What is known; a cap whose inputs are None is not worked out. Amounts in one unit, shares as fractions."""

    dscr_capacity: float | None = None
    total_investment: float | None = None
    min_capital_ratio: float | None = None
    collateral: Sequence[tuple[float, float]] = ()  # value, advance rate
    is_collateral_binding: bool = False
    net_capital: float | None = None
    tier1: float | None = None
    existing_loans: float = 0.0
    existing_exposure: float = 0.0
    existing_group_exposure: float | None = None
    policy_cap: float | None = None
    requested: float | None = None


def binding_limit(question: LimitQuestion, shares: ConcentrationShares) -> SizedDebt:
    """The smallest of: DSCR capacity; (1 - capital ratio) x investment; collateral x advance rate where it binds;
    net capital x share - existing loans; tier-1 x share - existing exposure, of the customer and of its group; the
    policy cap; what is asked for. A cap below nil leaves nothing to lend.
    """
    q = question
    found = {
        "dscr": q.dscr_capacity,
        "gearing": None
        if q.total_investment is None or q.min_capital_ratio is None
        else (1.0 - q.min_capital_ratio) * q.total_investment,
        "collateral": sum(value * rate for value, rate in q.collateral) if q.is_collateral_binding else None,
        "single_name_loan": None if q.net_capital is None else shares.single_loan * q.net_capital - q.existing_loans,
        "single_name_exposure": None if q.tier1 is None else shares.single_exposure * q.tier1 - q.existing_exposure,
        "group": None
        if q.tier1 is None or q.existing_group_exposure is None
        else shares.group_exposure * q.tier1 - q.existing_group_exposure,
        "policy": q.policy_cap,
        "request": q.requested,
    }
    return smallest_cap({name: cap for name, cap in found.items() if cap is not None})
