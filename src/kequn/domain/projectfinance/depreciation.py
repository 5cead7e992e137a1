"""Depreciation: the share of an asset's cost that is charged in each period of its life."""

from typing import Literal, get_args

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array

Method = Literal["straight_line", "double_declining", "sum_of_years"]


def depreciation_shares(
    method: str, life_years: int, periods: int, periods_per_year: int, *, salvage: float = 0.0
) -> Array:
    """Shares of cost by period, shape (periods,), summing to 1 - salvage once the life is over.

    straight_line 年限平均法: (1 - s) / n. double_declining 双倍余额递减法: 2/n of the book value, the last two years
    straight to the salvage value. sum_of_years 年数总和法: (n - k + 1) / (n (n + 1) / 2) of the depreciable amount.
    Within a year every period bears the same. Source: 企业会计准则第4号——固定资产 (2006), article 17.

    >>> depreciation_shares("sum_of_years", 3, 3, 1).round(4).tolist()
    [0.5, 0.3333, 0.1667]
    """
    if method not in get_args(Method):
        known = ", ".join(get_args(Method))
        raise Misuse(Text(f"没有折旧方法 {method}；可选 {known}", f"no depreciation {method}; there is {known}"))
    if life_years < 1:
        raise Misuse(Text("折旧年限至少一年", "the life must be at least one year"))
    years = np.array({"straight_line": _straight, "double_declining": _double, "sum_of_years": _digits}[method](
        life_years, salvage
    ))  # fmt: skip
    spread = np.repeat(years / periods_per_year, periods_per_year)
    found = np.zeros(periods)
    found[: min(periods, len(spread))] = spread[:periods]
    return found


def _straight(life: int, salvage: float) -> list[float]:
    return [(1.0 - salvage) / life] * life


def _digits(life: int, salvage: float) -> list[float]:
    return [(1.0 - salvage) * (life - year) / (life * (life + 1) / 2.0) for year in range(life)]


def _double(life: int, salvage: float) -> list[float]:
    found, book = [], 1.0
    for _ in range(max(0, life - 2)):
        found.append(min(book * 2.0 / life, book - salvage))
        book -= found[-1]
    left = life - len(found)
    return [*found, *[(book - salvage) / left] * left]
