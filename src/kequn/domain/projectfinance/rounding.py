"""Cents: a schedule as it stands in a contract, each instalment rounded, the last one taking the rest.

A separate step after the unrounded schedule. The rounded principals sum to the loan exactly, in decimals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from kequn.domain.projectfinance.loan_schedule import Instalment

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class RoundedInstalment:
    """Amounts in whole cents; payment = interest + principal."""

    opening: Decimal
    interest: Decimal
    principal: Decimal
    payment: Decimal
    closing: Decimal


def to_cents(value: Decimal | float, unit: Decimal = CENT) -> Decimal:
    """Half a cent goes up in size, as Chinese banks round.

    An amount rounded to `unit`. Source: 四舍五入, half away from nil.

    >>> to_cents(2.675), to_cents(Decimal("-2.675"))
    (Decimal('2.68'), Decimal('-2.68'))
    """
    return Decimal(str(value)).quantize(unit, ROUND_HALF_UP)


def rounded(rows: Sequence[Instalment], unit: Decimal = CENT) -> tuple[RoundedInstalment, ...]:
    """The schedule in cents: interest on the rounded opening balance, principal rounded, the last taking the rest.

    Where the unrounded payments are level, the rounded payment is kept level instead and principal is what remains of
    it after interest, so that the borrower pays the same sum each time but the last.
    Amounts in yuan, rounded to `unit`. Source: the habit of loan contracts; the last instalment takes the rest.
    """
    opening = to_cents(rows[0].opening, unit)
    level = _level(rows)
    found = []
    for place, row in enumerate(rows):
        growth = Decimal(repr(row.interest)) / Decimal(repr(row.opening)) if row.opening else Decimal(0)
        interest = to_cents(opening * growth, unit)
        principal = to_cents(row.principal, unit) if level is None else to_cents(level, unit) - interest
        if row.principal == 0.0:
            principal = Decimal(0)
        if place == len(rows) - 1:
            principal = opening
        principal = max(Decimal(0), min(principal, opening))
        found.append(RoundedInstalment(opening, interest, principal, interest + principal, opening - principal))
        opening -= principal
    return tuple(found)


def _level(rows: Sequence[Instalment]) -> float | None:
    payments = [row.payment for row in rows if row.principal > 0.0][:-1]
    if len(payments) < 2 or max(payments) - min(payments) > 1e-9 * max(payments):
        return None
    return payments[0]
