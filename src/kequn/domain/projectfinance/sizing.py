"""How large a loan may be: every limit worked out, and the one that binds named."""

from collections.abc import Mapping
from dataclasses import dataclass

from kequn.domain.errors import Misuse, Text


@dataclass(frozen=True, slots=True)
class SizedDebt:
    """The debt, every limit, the name of the one that binds, and what the next one would allow on top.

    `headroom` is how far the next limit lies above the binding one: what lifting the binding one is worth.
    """

    debt: float
    caps: Mapping[str, float]
    binding: str
    headroom: float | None


def smallest_cap(caps: Mapping[str, float]) -> SizedDebt:
    """The smallest of several limits (same unit each); of equal ones the first named binds.

    Source: the definition of a limit; the debt is the least of them, never below nil.

    >>> smallest_cap({"dscr": 120.0, "gearing": 100.0}).binding
    'gearing'
    """
    if not caps:
        raise Misuse(Text("没有任何限额", "there is no limit at all"))
    ordered = sorted(caps, key=lambda name: caps[name])
    rest = [caps[name] for name in ordered[1:]]
    debt = max(0.0, caps[ordered[0]])
    return SizedDebt(debt, dict(caps), ordered[0], rest[0] - caps[ordered[0]] if rest else None)


def debt_at_gearing(
    uses: float, *, gearing: float, fee_rate: float, dsra_months: float, first_year_service: float
) -> float:
    """Debt of a gearing when fee and reserve depend on the debt itself: D = g C / (1 - g (f + m/12 k)).

    C the other uses, g gearing, f the upfront fee per unit of debt, m the months of reserve, k the first year's debt
    service per unit of debt. All uses are then C + f D + m/12 k D, and D is exactly g of them.
    Amounts in one unit. Source: derived from D = g (C + f D + m/12 k D).

    >>> round(debt_at_gearing(100.0, gearing=0.5, fee_rate=0.02, dsra_months=0.0, first_year_service=0.1), 6)
    50.505051
    """
    linked = gearing * (fee_rate + dsra_months / 12.0 * first_year_service)
    if linked >= 1.0:
        raise Misuse(Text("费用与储备超过贷款本身", "fee and reserve exceed the loan itself"))
    return gearing * uses / (1.0 - linked)
