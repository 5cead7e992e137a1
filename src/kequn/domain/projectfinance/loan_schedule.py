"""A dated loan: the accrual periods, the interest by day count and rate, the principal by repayment form.

Amounts are not rounded here; `rounding` makes cents of a schedule as a step of its own. The closing balance of each
row is the opening of the next, and the last is nil.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from kequn.domain.projectfinance.accruals import accrual_dates
from kequn.domain.projectfinance.calendars import WEEKENDS, Adjustment, Calendar
from kequn.domain.projectfinance.daycounts import days, year_fraction
from kequn.domain.projectfinance.rates import RatePart, RatePlan
from kequn.domain.projectfinance.repayment import level_payment, repayment_shares

_LEVEL = ("annuity", "grace_annuity", "annuity_balloon")


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """What a loan contract says. Give `maturity` or `periods`; rates are fractions per annum."""

    principal: float
    start: date
    frequency: str
    form: str
    rates: RatePlan
    day_count: str
    maturity: date | None = None
    periods: int | None = None
    settlement: str = "anniversary"
    end_of_month: bool = False
    accrual_adjustment: Adjustment = "none"
    calendar: Calendar = WEEKENDS
    grace_periods: int = 0
    balloon_share: float = 0.0
    step: float = 0.0
    custom: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    """One period of a loan. Amounts in the unit of the principal; `year_fraction` by the day count of the loan."""

    start: date
    end: date
    days: int
    year_fraction: float
    opening: float
    interest: float
    principal: float
    closing: float
    parts: tuple[RatePart, ...]

    @property
    def payment(self) -> float:
        """Interest + principal."""
        return self.interest + self.principal


def loan_schedule(terms: LoanTerms) -> tuple[Instalment, ...]:
    """The instalments of a loan, unrounded.

    Interest of a period = opening balance x sum over its rate parts of rate x year fraction. Where a level payment
    meets a rate that floats, the payment is reckoned again at each reset over the periods left, as if the new rate
    stayed, as Chinese loans agree it.
    Source: the definition of a loan's balance; closing = opening - principal, the last closing nil.
    """
    bounds = [terms.calendar.adjusted(day, terms.accrual_adjustment) for day in _bounds(terms)]
    spans = list(pairwise(bounds))
    growth = [terms.rates.growth(start, end, terms.day_count) for start, end in spans]
    shares = _shares(terms, spans, growth)
    rows, opening = [], terms.principal
    for place, (start, end) in enumerate(spans):
        last = place == len(spans) - 1
        principal = opening if last else terms.principal * shares[place]
        closing = 0.0 if last else opening - principal
        rows.append(
            Instalment(
                start, end, days(terms.day_count, start, end), year_fraction(terms.day_count, start, end),
                opening, opening * growth[place], principal, closing, terms.rates.parts(start, end),
            )
        )  # fmt: skip
        opening = closing
    return tuple(rows)


def _bounds(terms: LoanTerms) -> list[date]:
    return accrual_dates(
        terms.start, frequency=terms.frequency, maturity=terms.maturity, periods=terms.periods,
        settlement=terms.settlement, end_of_month=terms.end_of_month,
    )  # fmt: skip


def _shares(terms: LoanTerms, spans: list[tuple[date, date]], growth: list[float]) -> list[float]:
    floating = len({part.rate for start, end in spans for part in terms.rates.parts(start, end)}) > 1
    if terms.form in _LEVEL and floating:
        return _relevelled(terms, spans, growth)
    found = repayment_shares(
        terms.form, growth, len(spans), grace_periods=terms.grace_periods, balloon_share=terms.balloon_share,
        step=terms.step, custom=terms.custom,
    )  # fmt: skip
    return [float(one) for one in found]


def _relevelled(terms: LoanTerms, spans: list[tuple[date, date]], growth: list[float]) -> list[float]:
    shares, balance, payment, held = [0.0] * terms.grace_periods, 1.0, 0.0, None
    for place in range(terms.grace_periods, len(spans)):
        rate = terms.rates.at(spans[place][0])
        if rate != held:
            ahead = [rate * year_fraction(terms.day_count, *span) for span in spans[place:]]
            share = terms.balloon_share / balance if balance else 0.0
            payment, held = float(level_payment(ahead, len(ahead), balloon_share=share)) * balance, rate
        shares.append(payment - balance * growth[place])
        balance -= shares[-1]
    return shares


def level_of(rows: Sequence[Instalment], balloon: float) -> float | None:
    """The level payment of a schedule, where its payments are level but for grace and balloon; None where they vary.

    Amounts in the unit of the principal. Source: the definition of a level payment.
    """
    paying = [row for row in rows if row.principal > 0.0]
    payments = [row.payment for row in paying[:-1]] + [paying[-1].payment - balloon]
    wanted = payments[0]
    return wanted if all(abs(one - wanted) <= 1e-9 * abs(wanted) for one in payments) else None
