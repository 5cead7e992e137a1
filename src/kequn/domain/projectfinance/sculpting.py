"""Sculpted debt: the service of each period is what its cash flow can bear, the debt is what that service repays.

All of it is closed backward recursion; nothing here iterates. CFADS is the cash flow available for debt service, at
the end of its period; `rates` are per period (a fraction), not per annum.
"""

from dataclasses import dataclass

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array, Like, series, widened


@dataclass(frozen=True, slots=True)
class DebtSchedule:
    """A loan by period, shape (periods, ...); `balance` has one row more and begins with the opening debt."""

    balance: Array
    interest: Array
    principal: Array

    @property
    def debt(self) -> Array:
        """The opening balance; shape (...)."""
        found: Array = self.balance[0]
        return found

    @property
    def service(self) -> Array:
        """Interest + principal of each period."""
        return self.interest + self.principal


def balances_of_service(service: Array, rates: Like, balloon: Like = 0.0) -> Array:
    """Balances that a service repays: B[t-1] = (B[t] + service[t]) / (1 + r[t]), B[n] = balloon.

    Amounts in one unit, shape (periods, ...); rates per period; the balances (periods + 1, ...). Source: the balance of
    a loan, B[t] = B[t-1] (1 + r[t]) - service[t], solved for B[t-1].
    """
    if service.ndim == 1 and np.ndim(rates) <= 1 and np.ndim(balloon) == 0:
        return _plain_balances(service, series(rates, len(service)), float(np.asarray(balloon)))
    growth = 1.0 + widened(rates, len(service), service)
    shape = np.broadcast_shapes(service.shape[1:], growth.shape[1:])
    balance = np.empty((len(service) + 1, *shape))
    balance[-1] = balloon
    for period in range(len(service) - 1, -1, -1):
        balance[period] = (balance[period + 1] + service[period]) / growth[period]
    return balance


def _plain_balances(service: Array, rates: Array, balloon: float) -> Array:
    """The same of one case in plain numbers, which is quicker."""
    balance = [balloon]
    for paid, rate in zip(service.tolist()[::-1], rates.tolist()[::-1], strict=True):
        balance.append((balance[-1] + paid) / (1.0 + rate))
    return np.asarray(balance[::-1])


def schedule_of_balances(balance: Array, rates: Like) -> DebtSchedule:
    """Interest on each opening balance, principal as the fall of the balance.

    I[t] = r[t] B[t-1], P[t] = B[t-1] - B[t]; one unit, shape (periods + 1, ...) in. Source: the balance of a loan.
    """
    interest = balance[:-1] * widened(rates, len(balance) - 1, balance)
    return DebtSchedule(balance, interest, balance[:-1] - balance[1:])


def sculpted(cfads: Array, rates: Like, dscr: Like, balloon: Like = 0.0) -> DebtSchedule:
    """Debt whose service is CFADS / DSCR in every period, whatever sign CFADS has.

    Debt = sum of discounted CFADS / DSCR + discounted balloon; so with one DSCR and no balloon LLCR = DSCR.
    A period without enough CFADS would mean a second drawing (negative principal); `without_redraw` forbids it.
    Amounts in one unit, shape (periods, ...). Source: derived from the balance of a loan; known as sculpting by PV.

    >>> round(float(sculpted(np.array([110.0, 121.0]), 0.1, 1.0).debt), 9)
    200.0
    """
    service = cfads / widened(dscr, len(cfads), cfads)
    return schedule_of_balances(balances_of_service(service, rates, balloon), rates)


def without_redraw(cfads: Array, rates: Like, dscr: Like, balloon: Like = 0.0) -> DebtSchedule:
    """The largest debt with principal >= 0 and service <= max(CFADS, 0) / DSCR in every period.

    Envelope recursion, equal to the linear programme: M[n] = balloon,
    M[t-1] = (min(M[t], s[t]/r[t]) + s[t]) / (1 + r[t]), s the largest service: the balance after period t may neither
    exceed what the later periods repay nor what this period can pay the interest on. The schedule pays as much as it
    may as early as it may, which among the optimal ones has the shortest life. The balloon is refinanced outside CFADS.
    Amounts in one unit, shape (periods, ...). Source: derived; the worked cases hold it against a linear programme.

    >>> bad_year = np.array([100.0, 0.0, 100.0])
    >>> round(float(without_redraw(bad_year, 0.0, 1.0).debt), 6)
    200.0
    >>> round(float(without_redraw(bad_year, 0.1, 1.0).debt), 6)
    90.909091
    """
    service = np.maximum(cfads, 0.0) / widened(dscr, len(cfads), cfads)
    growth = np.broadcast_to(widened(rates, len(cfads), cfads), service.shape)
    envelope = envelope_of(service, growth, balloon)
    if bool(np.any(envelope < np.asarray(balloon) * (1.0 - 1e-12))):
        raise Misuse(Text("有年度的现金流付不起期末大额本金的利息", "a period cannot pay the interest on the balloon"))
    if service.ndim == 1 and np.ndim(balloon) == 0:
        return schedule_of_balances(
            _plain_fast(float(envelope[0]), service, growth, float(np.asarray(balloon))), growth
        )
    balance = np.empty_like(envelope)
    balance[0] = envelope[0]
    for period in range(len(service)):
        owed = balance[period] * (1.0 + growth[period]) - service[period]
        balance[period + 1] = np.minimum(np.maximum(owed, balloon), balance[period])
    return schedule_of_balances(balance, growth)


def _plain_fast(debt: float, service: Array, growth: Array, balloon: float) -> Array:
    balance = [debt]
    for paid, rate in zip(service.tolist(), growth.tolist(), strict=True):
        balance.append(min(max(balance[-1] * (1.0 + rate) - paid, balloon), balance[-1]))
    return np.asarray(balance)


def envelope_of(service: Array, growth: Array, balloon: Like = 0.0) -> Array:
    """The largest balance after each period from which the rest can still be repaid without another drawing.

    The recursion M of `without_redraw`; one unit, shape (periods, ...) in, (periods + 1, ...) out. Source: derived
    there.
    """
    if service.ndim == 1 and np.ndim(balloon) == 0:
        found = [float(np.asarray(balloon))]
        for paid, rate in zip(service.tolist()[::-1], growth.tolist()[::-1], strict=True):
            carried = paid / rate if rate > 0.0 else np.inf
            found.append((min(found[-1], carried) + paid) / (1.0 + rate))
        return np.asarray(found[::-1])
    envelope = np.empty((len(service) + 1, *service.shape[1:]))
    envelope[-1] = balloon
    for period in range(len(service) - 1, -1, -1):
        carried = np.full(service.shape[1:], np.inf)
        np.divide(service[period], growth[period], out=carried, where=growth[period] > 0.0)
        envelope[period] = (np.minimum(envelope[period + 1], carried) + service[period]) / (1.0 + growth[period])
    return envelope


def with_tax(
    ebitda: Array, depreciation: Array, rates: Like, dscr: Like, tax_rate: Like
) -> tuple[DebtSchedule, Array, Array]:
    """Sculpted debt where tax depends on the interest, without loss carry-forward: (schedule, tax, CFADS).

    tax = tau max(0, E - dep - I), CFADS = E - tax, service = CFADS / DSCR, I = r B[t-1]. Closed: where taxable,
    B[t-1] = (B[t] + ((1 - tau) E + tau dep) / DSCR) / (1 + r - tau r / DSCR), else B[t-1] = (B[t] + E / DSCR) / (1 +
    r); the larger interest decides, so that exactly one of the two is consistent.
    Amounts in one unit, shape (periods, ...); rates per period. Source: derived by putting the tax into the sculpting
    recursion and solving for B[t-1].
    """
    periods = len(ebitda)
    growth, cover, tau, worn = (widened(one, periods, ebitda) for one in (rates, dscr, tax_rate, depreciation))
    balance = np.empty((periods + 1, *np.broadcast_shapes(ebitda.shape[1:], growth.shape[1:], cover.shape[1:])))
    balance[-1] = 0.0
    for t in range(periods - 1, -1, -1):
        free = (balance[t + 1] + ebitda[t] / cover[t]) / (1.0 + growth[t])
        taxed = (balance[t + 1] + ((1.0 - tau[t]) * ebitda[t] + tau[t] * worn[t]) / cover[t]) / (
            1.0 + growth[t] - tau[t] * growth[t] / cover[t]
        )
        balance[t] = np.where(ebitda[t] - worn[t] - growth[t] * taxed > 0.0, taxed, free)
    found = schedule_of_balances(balance, rates)
    tax = tau * np.maximum(0.0, ebitda - worn - found.interest)
    return found, tax, ebitda - tax


def given_debt(cfads: Array, rates: Like, debt: Like) -> tuple[DebtSchedule, Array]:
    """The schedule of a given debt at one DSCR, and that DSCR = PV(CFADS) / debt = LLCR.

    Amounts in one unit, shape (periods, ...). Source: derived; LLCR = DSCR for a debt at one DSCR.
    """
    cover = balances_of_service(cfads, rates)[0] / np.asarray(debt, dtype=np.float64)
    found = sculpted(cfads, rates, np.broadcast_to(cover, cfads.shape))
    return found, cover


def two_tranches(
    cfads: Array, senior_rates: Like, mezzanine_rates: Like, senior_dscr: Like, total_dscr: Like
) -> tuple[DebtSchedule, DebtSchedule]:
    """Senior service = CFADS / senior DSCR; mezzanine service = CFADS / total DSCR - senior service, each at its
    rate.
    Amounts in one unit, shape (periods, ...); rates per period. Source: the definition of senior and total DSCR.
    """
    first = cfads / widened(senior_dscr, len(cfads), cfads)
    second = cfads / widened(total_dscr, len(cfads), cfads) - first
    return (
        schedule_of_balances(balances_of_service(first, senior_rates), senior_rates),
        schedule_of_balances(balances_of_service(second, mezzanine_rates), mezzanine_rates),
    )
