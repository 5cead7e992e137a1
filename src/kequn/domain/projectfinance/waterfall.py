"""The waterfall: in which order the cash of a period is paid out, declared as data and run period by period.

True in every period and scenario: what comes in (CFADS, drawings of the reserve facility, cures, bills left unpaid)
equals what goes out (interest, principal, distributions) plus what the accounts gain. Nothing is rounded, nothing is
lost.

Interest accrues on opening balances, so nothing here is circular. The same code runs one case and many scenarios:
CFADS has the shape (periods,) or (periods, scenarios).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arrays import Array, Bools, Like, ratio, widened
from kequn.domain.projectfinance.reserves import dsra_target

USUAL_ORDER = ("service:senior", "dsra", "sweep", "distribution")


@dataclass(frozen=True, slots=True)
class DebtTerms:
    """A loan in the waterfall: opening debt, rates per period, scheduled principal by period (capped by the
    balance).
    """

    name: str
    debt: Like
    rates: Like
    scheduled: Array


@dataclass(frozen=True, slots=True)
class WaterfallRules:
    """The declared order and its conditions. Ratios are times, shares fractions; 0 or () means the rule is absent.

    Steps: `service:NAME` (interest, then scheduled principal), `dsra` and `mra` (fill up to target), `sweep`,
    `distribution`. The first serviced loan is the senior one: its DSCR is tested, its shortfall is met from the DSRA,
    the lock-up account, the reserve facility (DSRF) and a cure, in this order; a later loan is met from cash alone.
    """

    order: tuple[str, ...] = USUAL_ORDER
    dsra_periods: float = 0.0
    dsra_initial: Like = 0.0
    dsrf_limit: float = 0.0
    dsrf_rate: float = 0.0
    sweep_share: float = 0.0
    lockup_dscr: float = 0.0
    default_dscr: float = 0.0
    cure_dscr: float = 0.0
    cure_limit: float = 0.0
    cures: int = 0
    tested_periods: int = 1  # backward look of the tested DSCR, in periods


@dataclass(frozen=True, slots=True)
class LoanLines:
    """One loan through the waterfall, by period: amounts due and paid, and the balance at its end."""

    opening: Array
    interest: Array
    scheduled: Array
    interest_paid: Array
    principal_paid: Array
    sweep: Array
    closing: Array


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All lines of a waterfall, each (periods, ...). `dscr` is infinite where no senior service is due."""

    cfads: Array
    loans: Mapping[str, LoanLines]
    dscr: Array
    tested_dscr: Array
    from_dsra: Array
    from_lockup: Array
    dsrf_drawn: Array
    dsrf_repaid: Array
    dsrf_interest: Array
    dsrf_balance: Array
    cure: Array
    unpaid: Array
    arrears: Array
    dsra_top_up: Array
    dsra_release: Array
    dsra: Array
    mra: Array
    from_mra: Array
    is_locked_up: Bools
    is_in_default: Bools
    lockup_account: Array
    distribution: Array
    bills_unpaid: Array

    def of_scenario(self, place: int) -> "Waterfall":
        """The lines of one scenario, each of shape (periods,)."""
        lines = {name: getattr(self, name)[:, place] for name in self.__slots__ if name != "loans"}
        loans = {
            name: LoanLines(**{line: getattr(loan, line)[:, place] for line in loan.__slots__})
            for name, loan in self.loans.items()
        }
        return Waterfall(loans=loans, **lines)

    def imbalance(self, dsra_initial: Like = 0.0) -> Array:
        """Inflows less outflows less gains of the accounts, in every period: nil but for rounding."""
        came = self.cfads + self.dsrf_drawn + self.cure
        went = self.dsrf_repaid + self.dsrf_interest + self.distribution
        for loan in self.loans.values():
            went = went + loan.interest_paid + loan.principal_paid + loan.sweep
        held = self.dsra + self.mra + self.lockup_account - self.bills_unpaid
        before = np.concatenate([np.broadcast_to(np.asarray(dsra_initial, np.float64), held[:1].shape), held[:-1]])
        found: Array = came - went - (held - before)
        return found


@dataclass(slots=True)
class _State:
    """What is carried from period to period, and the cash in hand within one."""

    cash: Array
    dsra: Array
    mra: Array
    lockup: Array
    dsrf: Array
    bills: Array
    arrears: Array
    cures_used: Array
    balance: dict[str, Array] = field(default_factory=dict)


def run_waterfall(
    cfads: Array, loans: Sequence[DebtTerms], rules: WaterfallRules, mra_target: Array | None = None
) -> Waterfall:
    """Pay out the cash of every period in the declared order.

    What of the interest is unpaid is added to the balance; unpaid principal stays in it; both are arrears. While
    there are arrears, or the loan is in default, the sweep takes everything. A sweep shortens the loan: the schedule
    stays, capped by the balance. Distributions (with what the lock-up account holds) are paid if the tested DSCR
    reaches lock-up, there are no arrears, bills or reserve drawings, and the DSRA is full; else the cash is locked
    up. What the MRA releases counts as CFADS of its period.
    """
    is_one = cfads.ndim == 1
    target = None if mra_target is None else mra_target[:, None] if mra_target.ndim == 1 else mra_target
    engine = WaterfallRun(cfads[:, None] if is_one else cfads, loans, rules, target)
    for period in range(len(cfads)):
        engine.run(period)
    found = engine.result()
    return found.of_scenario(0) if is_one else found


class WaterfallRun:
    """One run: the terms, the state, and the lines as they are written; `cfads` of shape (periods, scenarios).

    Whoever learns the cash of a period only when it comes (because tax depends on the interest) writes it to `cfads`
    and calls `run` for one period after another.
    """

    def __init__(
        self, cfads: Array, loans: Sequence[DebtTerms], rules: WaterfallRules, mra_target: Array | None
    ) -> None:
        periods, shape = len(cfads), cfads.shape[1:]
        _check_order(rules.order, [loan.name for loan in loans], has_mra=mra_target is not None)
        self.cfads, self.rules, self.mra_target = cfads, rules, mra_target
        self.rates = {one.name: widened(one.rates, periods, cfads) for one in loans}
        self.scheduled = {one.name: widened(one.scheduled, periods, cfads) for one in loans}
        nil = np.zeros(shape)
        initial = np.broadcast_to(np.asarray(rules.dsra_initial, np.float64), shape).copy()
        self.state = _State(nil, initial, nil, nil, nil, nil, nil, nil)
        self.state.balance = {
            one.name: np.broadcast_to(np.asarray(one.debt, np.float64), shape).copy() for one in loans
        }
        self.names = [step[8:] for step in rules.order if step.startswith("service:")]
        self.senior = self.names[0]
        self.lines = {name: np.zeros((periods, *shape)) for name in _LINES}
        self.flags = {name: np.zeros((periods, *shape), dtype=np.bool_) for name in _FLAGS}
        self.available = np.zeros((periods, *shape))
        self.loan_lines = {
            name: {line: np.zeros((periods, *shape)) for line in LoanLines.__slots__} for name in self.names
        }

    def run(self, period: int) -> None:
        state = self.state
        state.cash = self.cfads[period] - state.bills
        state.bills = np.zeros_like(state.cash)
        self._release_mra(period)
        self._accrue(period)
        for step in self.rules.order:
            if step.startswith("service:"):
                self._service(step[8:], period)
            elif step == "dsra":
                self._fill_dsra(period)
            elif step == "mra":
                self._fill_mra(period)
            elif step == "sweep":
                self._sweep(period)
            else:
                self._distribute(period)
        self._close(period)

    def _accrue(self, period: int) -> None:
        for name in self.names:
            lines, balance = self.loan_lines[name], self.state.balance[name]
            lines["opening"][period] = balance
            np.multiply(balance, self.rates[name][period], out=lines["interest"][period])
            np.minimum(self.scheduled[name][period], balance, out=lines["scheduled"][period])
        senior = self.loan_lines[self.senior]
        due = senior["interest"][period] + senior["scheduled"][period]
        self._cure(period, due)
        self.available[period] = self.cfads[period] + self.lines["from_mra"][period] + self.lines["cure"][period]
        self.lines["dscr"][period] = ratio(self.available[period], due)
        first = max(0, period + 1 - self.rules.tested_periods)
        if first == period:
            self.lines["tested_dscr"][period] = self.lines["dscr"][period]
        else:
            span = slice(first, period + 1)
            cash = self.available[span].sum(axis=0)
            owed = (senior["interest"][span] + senior["scheduled"][span]).sum(axis=0)
            self.lines["tested_dscr"][period] = np.where(due > 0.0, ratio(cash, owed), np.inf)

    def _cure(self, period: int, due: Array) -> None:
        """The owners pay in what lifts the DSCR to the cure level, if that is within their limit and number of
        times.
        """
        rules, state = self.rules, self.state
        if not rules.cures:
            return
        cash = self.cfads[period] + self.lines["from_mra"][period]
        wanted = np.maximum(0.0, rules.cure_dscr * due - cash)
        may = (wanted > 0.0) & (wanted <= rules.cure_limit) & (state.cures_used < rules.cures)
        paid = np.where(may, wanted, 0.0)
        state.cures_used = state.cures_used + may
        state.cash = state.cash + paid
        self.lines["cure"][period] = paid

    def _service(self, name: str, period: int) -> None:
        state, lines = self.state, self.loan_lines[name]
        interest = lines["interest"][period]
        due = interest + lines["scheduled"][period]
        if name == self.senior:
            self._support(period, due)
        paid = np.minimum(due, np.maximum(state.cash, 0.0))
        state.cash = state.cash - paid
        interest_paid = np.minimum(interest, paid)
        lines["interest_paid"][period] = interest_paid
        np.subtract(paid, interest_paid, out=lines["principal_paid"][period])
        state.balance[name] = state.balance[name] + interest - paid
        if name == self.senior:
            unpaid = due - paid
            self.lines["unpaid"][period] = unpaid
            state.arrears = state.arrears + unpaid

    def _support(self, period: int, due: Array) -> None:
        """Meet a shortfall of the senior service from the DSRA, then the lock-up account, then the reserve facility."""
        state = self.state
        short = np.maximum(due - state.cash, 0.0)
        for line, account in (("from_dsra", "dsra"), ("from_lockup", "lockup")):
            held = getattr(state, account)
            taken = np.minimum(short, held)
            setattr(state, account, held - taken)
            short = short - taken
            state.cash = state.cash + taken
            self.lines[line][period] = taken
        if self.rules.dsrf_limit:
            drawn = np.minimum(short, self.rules.dsrf_limit - state.dsrf)
            state.dsrf = state.dsrf + drawn
            state.cash = state.cash + drawn
            self.lines["dsrf_drawn"][period] = drawn

    def _fill_dsra(self, period: int) -> None:
        rules, state = self.rules, self.state
        if rules.dsrf_limit:
            self._repay_dsrf(period)
        target = dsra_target(
            state.balance[self.senior], self.rates[self.senior], self.scheduled[self.senior], period, rules.dsra_periods
        )
        gap = target - state.dsra
        top_up = np.minimum(np.maximum(gap, 0.0), np.maximum(state.cash, 0.0))
        release = np.maximum(-gap, 0.0)
        state.dsra = state.dsra + top_up - release
        state.cash = state.cash - top_up + release
        self.lines["dsra_top_up"][period] = top_up
        self.lines["dsra_release"][period] = release
        self.lines["dsra_gap"][period] = target - state.dsra

    def _repay_dsrf(self, period: int) -> None:
        state = self.state
        opening = state.dsrf - self.lines["dsrf_drawn"][period]
        cash = np.maximum(state.cash, 0.0)
        interest = opening * self.rules.dsrf_rate
        paid = np.minimum(interest, cash)
        repaid = np.minimum(state.dsrf, cash - paid)
        state.dsrf = state.dsrf + interest - paid - repaid
        state.cash = state.cash - paid - repaid
        self.lines["dsrf_interest"][period] = paid
        self.lines["dsrf_repaid"][period] = repaid

    def _release_mra(self, period: int) -> None:
        """What the maintenance reserve holds beyond its target pays for the outlay of this period."""
        if self.mra_target is None:
            return
        released = np.maximum(self.state.mra - self.mra_target[period], 0.0)
        self.state.mra = self.state.mra - released
        self.state.cash = self.state.cash + released
        self.lines["from_mra"][period] = released

    def _fill_mra(self, period: int) -> None:
        if self.mra_target is None:
            return
        state = self.state
        saved = np.minimum(self.mra_target[period] - state.mra, np.maximum(state.cash, 0.0))
        state.mra = state.mra + saved
        state.cash = state.cash - saved

    def _sweep(self, period: int) -> None:
        rules, state = self.rules, self.state
        lines = self.loan_lines[self.senior]
        failing = self._in_default(period)
        share = np.where((state.arrears > 0.0) | failing, 1.0, rules.sweep_share)
        swept = np.minimum(share * np.maximum(state.cash, 0.0), state.balance[self.senior])
        state.cash = state.cash - swept
        state.balance[self.senior] = state.balance[self.senior] - swept
        state.arrears = np.maximum(0.0, state.arrears - swept)
        lines["sweep"][period] = swept

    def _in_default(self, period: int) -> Bools:
        found: Bools = self.lines["tested_dscr"][period] < self.rules.default_dscr
        return found

    def _distribute(self, period: int) -> None:
        state, lines = self.state, self.lines
        tolerance = 1e-9 * np.abs(self.cfads[period]) + 1e-12
        blocked = (
            (lines["tested_dscr"][period] < self.rules.lockup_dscr)
            | (state.arrears > tolerance)
            | (lines["dsra_gap"][period] > tolerance)
            | (state.dsrf > tolerance)
            | (state.cash < 0.0)
        )
        cash = np.maximum(state.cash, 0.0)
        paid = np.where(blocked, 0.0, cash + state.lockup)
        state.lockup = np.where(blocked, state.lockup + cash, 0.0)
        state.cash = state.cash - cash
        lines["distribution"][period] = paid
        self.flags["is_locked_up"][period] = blocked

    def _close(self, period: int) -> None:
        """Cash below nil is bills that nobody could pay; they are paid first in the next period."""
        state, lines = self.state, self.lines
        state.bills = np.maximum(-state.cash, 0.0)
        for line, value in (
            ("bills_unpaid", state.bills), ("arrears", state.arrears), ("dsra", state.dsra), ("mra", state.mra),
            ("lockup_account", state.lockup), ("dsrf_balance", state.dsrf),
        ):  # fmt: skip
            lines[line][period] = value
        self.flags["is_in_default"][period] = self._in_default(period) | (state.arrears > 0.0)
        for name in self.names:
            self.loan_lines[name]["closing"][period] = state.balance[name]

    def result(self) -> Waterfall:
        lines = {name: value for name, value in self.lines.items() if name != "dsra_gap"}
        return Waterfall(
            self.cfads, {name: LoanLines(**lines) for name, lines in self.loan_lines.items()}, **lines, **self.flags
        )


_FLAGS = ("is_locked_up", "is_in_default")
_LINES = (*(name for name in Waterfall.__slots__ if name not in ("cfads", "loans", *_FLAGS)), "dsra_gap")
_STEPS = ("dsra", "mra", "sweep", "distribution")


def _check_order(order: Sequence[str], loans: Sequence[str], *, has_mra: bool) -> None:
    wanted = {f"service:{name}" for name in loans} | ({"mra"} if has_mra else set())
    allowed = {*wanted, *_STEPS}
    strange = [step for step in order if step not in allowed]
    missing = sorted(wanted - set(order))
    if strange or missing or len(set(order)) != len(order) or "distribution" not in order[-1:]:
        raise Misuse(
            Text(
                f"偿付次序有误：不认识 {strange}，缺少 {missing}；每步一次，分配在最后",
                f"the order of payment is wrong: unknown {strange}, missing {missing}; each once, distribution last",
            )
        )
