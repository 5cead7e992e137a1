"""Repayment forms: which share of a loan is repaid at the end of each period.

True in every form: the shares are never below nil (a term loan is not drawn again) and sum to one.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array, Like, series

Form = Literal[
    "equal_principal", "annuity", "grace_equal_principal", "grace_annuity", "balloon", "annuity_balloon", "bullet",
    "step", "custom",
]  # fmt: skip
FORMS: tuple[str, ...] = get_args(Form)
_SUM_OF_SHARES = 1e-9


def repayment_shares(
    form: str,
    growth: Like,
    periods: int,
    *,
    grace_periods: int = 0,
    balloon_share: float = 0.0,
    step: float = 0.0,
    custom: Sequence[float] | None = None,
) -> Array:
    """Shares of the principal repaid in each period, shape (periods,) or (periods, scenarios) as `growth` is.

    `growth` is the interest on one unit over each period (rate x year fraction), a fraction. For `grace_periods` only
    interest is paid. `balloon_share` stays to the last period. Forms: equal_principal 等额本金; annuity 等额本息, where
    interest + principal is level, A = (1 - b d_n) / sum d_t with d the discount factors; balloon and annuity_balloon
    the same before a balloon; bullet; step, each instalment (1 + step) times the last; custom shares.
    Source: textbook annuity algebra; the level payment with uneven periods is the one that closes.

    >>> repayment_shares("equal_principal", 0.01, 4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    >>> repayment_shares("step", 0.01, 3, grace_periods=1, step=1.0).round(4).tolist()
    [0.0, 0.3333, 0.6667]
    """
    _check(form, periods, grace_periods, balloon_share)
    rates = series(growth, periods)
    if form == "custom":
        return _custom(custom, periods)
    if form == "bullet":
        return _last(1.0, periods)
    left = periods - grace_periods
    if form in ("annuity", "grace_annuity", "annuity_balloon"):
        paid = _level(rates[grace_periods:], balloon_share)
    else:
        weights = (1.0 + (step if form == "step" else 0.0)) ** np.arange(left)
        paid = (1.0 - balloon_share) * weights / weights.sum() + _last(balloon_share, left)
    return np.concatenate([np.zeros((grace_periods, *paid.shape[1:])), paid])


def level_payment(growth: Like, periods: int, *, balloon_share: float = 0.0) -> Array:
    """The level payment on one unit of principal that leaves `balloon_share` after the last payment.

    A = (1 - b d_n) / sum d_t, d_t = product of 1 / (1 + growth) to t. Twelve months at 1 % a month:
    `growth` per period, a fraction, shape (periods, ...). Source: textbook annuity algebra.

    >>> round(float(level_payment(0.01, 12)), 6)
    0.088849
    """
    discount = np.cumprod(1.0 / (1.0 + series(growth, periods)), axis=0)
    found: Array = (1.0 - balloon_share * discount[-1]) / discount.sum(axis=0)
    return found


def _level(rates: Array, balloon_share: float) -> Array:
    payment = level_payment(rates, len(rates), balloon_share=balloon_share)
    balance = np.ones_like(payment)
    shares = np.empty_like(rates, dtype=np.float64)
    for period, rate in enumerate(rates):
        shares[period] = payment - balance * rate
        balance = balance - shares[period]
    shares[-1] += balance
    return shares


def _last(share: float, periods: int) -> Array:
    found = np.zeros(periods)
    found[-1] = share
    return found


def _custom(shares: Sequence[float] | None, periods: int) -> Array:
    found = np.asarray([] if shares is None else shares, dtype=np.float64)
    if found.shape != (periods,) or (found < 0.0).any() or abs(found.sum() - 1.0) > _SUM_OF_SHARES:
        raise Misuse(
            Text(
                f"自定还款比例须为 {periods} 个非负数，合计为 1",
                f"custom repayment needs {periods} shares, none below nil, that sum to 1",
            )
        )
    return found


def _check(form: str, periods: int, grace_periods: int, balloon_share: float) -> None:
    if form not in FORMS:
        known = ", ".join(FORMS)
        raise Misuse(Text(f"没有还款方式 {form}；可选 {known}", f"no repayment form {form}; there is {known}"))
    if not 0 <= grace_periods < periods:
        raise Misuse(
            Text(
                f"宽限期 {grace_periods} 期须少于总期数 {periods}",
                f"the grace of {grace_periods} periods must be shorter than the {periods} periods of the loan",
            )
        )
    if not 0.0 <= balloon_share <= 1.0:
        raise Misuse(
            Text(f"期末大额本金比例须在 0 与 1 之间，发现 {balloon_share}",
                 f"the balloon share must be between 0 and 1, found {balloon_share}")
        )  # fmt: skip
