"""The waterfall: in which order the cash of a period is paid out, declared as data and run period by period.

True in every period and scenario: what comes in (CFADS, drawings of the reserve facility, cures, bills left unpaid)
equals what goes out (interest, principal, distributions) plus what the accounts gain. Nothing is rounded, nothing is
lost.

Interest accrues on opening balances, so nothing here is circular. The same code runs one case and many scenarios:
CFADS has the shape (periods,) or (periods, scenarios).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from kequn.domain.errors import Misuse, Text
from kequn.domain.projectfinance.arithmetic import Amount, Arithmetic, Line, arithmetic_of
from kequn.domain.projectfinance.arrays import Array, Bools, Like, widened
from kequn.domain.projectfinance.conditions import Conditions
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
class WaterfallRules(Conditions):
    """The declared order and its conditions, with reserves and rates by period.

    Steps: `service:NAME` (interest, then scheduled principal), `dsra` and `mra` (fill up to target), `sweep`,
    `distribution`. The first serviced loan is the senior one: its DSCR is tested, its shortfall is met from the DSRA,
    the lock-up account, the reserve facility (DSRF) and a cure, in this order; a later loan is met from cash alone.
    """

    order: tuple[str, ...] = USUAL_ORDER
    dsra_periods: float = 0.0
    dsra_initial: Like = 0.0
    dsrf_rate: float = 0.0
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
    """What is carried from period to period, and what one period has found so far; each of shape (scenarios,)."""

    cash: Amount
    dsra: Amount
    mra: Amount
    lockup: Amount
    dsrf: Amount
    bills: Amount
    arrears: Amount
    cures_used: Amount
    from_mra: Amount
    mra_gap: Amount
    cure: Amount
    dsrf_opening: Amount
    dsra_gap: Amount
    tested: Amount
    is_in_default: Bools
    balance: dict[str, Amount] = field(default_factory=dict)
    interest: dict[str, Amount] = field(default_factory=dict)
    scheduled: dict[str, Amount] = field(default_factory=dict)


def run_waterfall(
    cfads: Array, loans: Sequence[DebtTerms], rules: WaterfallRules, mra_target: Array | None = None
) -> Waterfall:
    """Pay out the cash of every period in the declared order.

    What of the interest is unpaid is added to the balance; unpaid principal stays in it; both are arrears. While
    there are arrears, or the loan is in default, the sweep takes everything. A sweep shortens the loan: the schedule
    stays, capped by the balance. Distributions (with what the lock-up account holds) are paid if the tested DSCR
    reaches lock-up, there are no arrears, bills or reserve drawings, and the DSRA is full; else the cash is locked
    up. What the MRA releases counts as CFADS of its period.
    Amounts in one unit, shape (periods,) or (periods, scenarios). Source: the declared order of the loan agreement.
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
    and calls `run` for one period after another. Lines that are not in `keep` are not written.
    """

    def __init__(
        self,
        cfads: Array,
        loans: Sequence[DebtTerms],
        rules: WaterfallRules,
        mra_target: Array | None,
        keep: frozenset[str] | None = None,
    ) -> None:
        periods, width = cfads.shape
        self.do = arithmetic_of(width)
        _check_order(rules.order, [loan.name for loan in loans], has_mra=mra_target is not None)
        self.cfads, self.rules = self.do.line(cfads), rules
        self.mra_target = None if mra_target is None else self.do.line(mra_target)
        self.rates = {one.name: self.do.line(widened(one.rates, periods, cfads)) for one in loans}
        self.scheduled = {one.name: self.do.line(widened(one.scheduled, periods, cfads)) for one in loans}
        self.steps = [name.partition(":")[::2] for name in rules.order]
        self.names = [step[8:] for step in rules.order if step.startswith("service:")]
        self.senior = self.names[0] if self.names else ""
        self.state = _opening_state(loans, rules, self.do, width)
        debt = self.state.balance[self.senior] if self.names else self.do.amount(0.0, width)
        self.tolerance = 1e-9 * debt + 1e-12  # what rounding leaves is no arrears and no gap
        self.history: list[tuple[Amount, Amount]] = []
        blank = self.do.blank
        self.lines = {name: blank(periods, width, float) for name in _LINES if keep is None or name in keep}
        self.flags = {name: blank(periods, width, bool) for name in _FLAGS}
        self.loan_lines = {
            name: {line: blank(periods, width, float) for line in LoanLines.__slots__ if keep is None or line in keep}
            for name in self.names
        }

    def _note(self, line: str, period: int, value: Amount) -> None:
        if line in self.lines:
            self.lines[line][period] = value

    def _note_loan(self, name: str, line: str, period: int, value: Amount) -> None:
        lines = self.loan_lines[name]
        if line in lines:
            lines[line][period] = value

    def interest_due(self, period: int) -> Amount | float:
        """The interest of all loans and of the reserve facility that accrues in the coming period."""
        found: Amount | float = self.state.dsrf * self.rules.dsrf_rate if self.rules.dsrf_limit else 0.0
        for name in self.names:
            self.state.interest[name] = self.state.balance[name] * self.rates[name][period]
            found = found + self.state.interest[name]
        return found

    def run(self, period: int) -> None:
        """Pay out the cash of one period."""
        state = self.state
        if len(state.interest) < len(self.names):
            self.interest_due(period)
        state.cash = self.cfads[period] - state.bills
        self._release_mra(period)
        self._accrue(period)
        for step, loan in self.steps:
            self._PAYING[step](self, period, loan)
        self._close(period)
        state.interest = {}

    def _accrue(self, period: int) -> None:
        state = self.state
        for name in self.names:
            state.scheduled[name] = self.do.lesser(self.scheduled[name][period], state.balance[name])
            self._note_loan(name, "opening", period, state.balance[name])
            self._note_loan(name, "interest", period, state.interest[name])
            self._note_loan(name, "scheduled", period, state.scheduled[name])
        if not self.names:
            self._note("dscr", period, state.tested)
            self._note("tested_dscr", period, state.tested)
            return
        due = state.interest[self.senior] + state.scheduled[self.senior]
        self._cure(period, due)
        available = self.cfads[period]
        if self.mra_target is not None:
            available = available + state.from_mra
        if self.rules.cures:
            available = available + state.cure
        self._test(period, available, due)

    def _test(self, period: int, available: Amount, due: Amount) -> None:
        """The tested DSCR: of the last periods together, where anything is due in this one."""
        state = self.state
        if self.rules.tested_periods == 1 or "dscr" in self.lines:
            state.tested = self.do.ratio(available, due)
            self._note("dscr", period, state.tested)
        if self.rules.tested_periods > 1:
            self.history = [*self.history, (available, due)][-self.rules.tested_periods :]
            cash, owed = self.history[0]
            for more_cash, more_owed in self.history[1:]:
                cash, owed = cash + more_cash, owed + more_owed
            state.tested = self.do.ratio(cash, self.do.chosen(due > 0.0, owed, 0.0))
        self._note("tested_dscr", period, state.tested)
        state.is_in_default = state.tested < self.rules.default_dscr * _AT

    def _cure(self, period: int, due: Amount) -> None:
        """The owners pay in what lifts the DSCR to the cure level, within their limit and number of times."""
        rules, state = self.rules, self.state
        if not rules.cures:
            return
        wanted = self.do.greater(0.0, rules.cure_dscr * due - self.cfads[period] - state.from_mra)
        may = (wanted > 0.0) & (wanted <= rules.cure_limit) & (state.cures_used < rules.cures)
        state.cure = self.do.chosen(may, wanted, 0.0)
        state.cures_used = state.cures_used + may
        state.cash = state.cash + state.cure
        self._note("cure", period, state.cure)

    def _service(self, period: int, name: str) -> None:
        state = self.state
        interest = state.interest[name]
        scheduled = state.scheduled[name]
        if name == self.senior:
            self._support(period, interest + scheduled)
        cash = self.do.greater(state.cash, 0.0)
        interest_paid = self.do.lesser(interest, cash)
        principal_paid = self.do.lesser(scheduled, cash - interest_paid)
        interest_left = interest - interest_paid
        state.cash = state.cash - (interest_paid + principal_paid)
        state.balance[name] = state.balance[name] - principal_paid + interest_left
        self._note_loan(name, "interest_paid", period, interest_paid)
        self._note_loan(name, "principal_paid", period, principal_paid)
        if name == self.senior:
            unpaid = interest_left + (scheduled - principal_paid)
            self._note("unpaid", period, unpaid)
            state.arrears = state.arrears + unpaid

    def _support(self, period: int, due: Amount) -> None:
        """Meet a shortfall of the senior service from the DSRA, then the lock-up account, then the reserve facility."""
        state = self.state
        short = self.do.greater(due - state.cash, 0.0)
        from_dsra = self.do.lesser(short, state.dsra)
        state.dsra = state.dsra - from_dsra
        from_lockup = self.do.lesser(short - from_dsra, state.lockup)
        state.lockup = state.lockup - from_lockup
        taken = from_dsra + from_lockup
        self._note("from_dsra", period, from_dsra)
        self._note("from_lockup", period, from_lockup)
        if self.rules.dsrf_limit:
            state.dsrf_opening = state.dsrf
            drawn = self.do.lesser(short - taken, self.do.greater(0.0, self.rules.dsrf_limit - state.dsrf))
            state.dsrf = state.dsrf + drawn
            taken = taken + drawn
            self._note("dsrf_drawn", period, drawn)
        state.cash = state.cash + taken

    def _fill_dsra(self, period: int, _loan: str) -> None:
        rules, state = self.rules, self.state
        if rules.dsrf_limit:
            self._repay_dsrf(period)
        target = dsra_target(
            state.balance[self.senior],
            self.rates[self.senior],
            self.scheduled[self.senior],
            period,
            rules.dsra_periods,
            self.do,
        )
        gap = target - state.dsra
        top_up = self.do.lesser(self.do.greater(gap, 0.0), self.do.greater(state.cash, 0.0))
        release = self.do.greater(-gap, 0.0)
        moved = top_up - release
        state.dsra = state.dsra + moved
        state.cash = state.cash - moved
        state.dsra_gap = gap - moved
        self._note("dsra_top_up", period, top_up)
        self._note("dsra_release", period, release)

    def _repay_dsrf(self, period: int) -> None:
        state = self.state
        cash = self.do.greater(state.cash, 0.0)
        interest = state.dsrf_opening * self.rules.dsrf_rate
        paid = self.do.lesser(interest, cash)
        repaid = self.do.lesser(state.dsrf, cash - paid)
        state.dsrf = state.dsrf + interest - paid - repaid
        state.cash = state.cash - paid - repaid
        self._note("dsrf_interest", period, paid)
        self._note("dsrf_repaid", period, repaid)

    def _release_mra(self, period: int) -> None:
        """What the maintenance reserve holds beyond its target pays for the outlay of this period."""
        if self.mra_target is None:
            return
        state = self.state
        gap = self.mra_target[period] - state.mra
        state.from_mra = self.do.greater(-gap, 0.0)
        state.mra_gap = self.do.greater(gap, 0.0)
        state.mra = state.mra - state.from_mra
        state.cash = state.cash + state.from_mra
        self._note("from_mra", period, state.from_mra)

    def _fill_mra(self, _period: int, _loan: str) -> None:
        if self.mra_target is None:
            return
        state = self.state
        saved = self.do.lesser(state.mra_gap, self.do.greater(state.cash, 0.0))
        state.mra = state.mra + saved
        state.cash = state.cash - saved

    def _sweep(self, period: int, _loan: str) -> None:
        rules, state = self.rules, self.state
        is_failing = (state.arrears > self.tolerance) | state.is_in_default
        if not rules.sweep_share and not self.do.some(is_failing):
            return
        share = self.do.chosen(is_failing, 1.0, rules.sweep_share)
        swept = self.do.lesser(share * self.do.greater(state.cash, 0.0), state.balance[self.senior])
        state.cash = state.cash - swept
        state.balance[self.senior] = state.balance[self.senior] - swept
        state.arrears = self.do.greater(0.0, state.arrears - swept)
        self._note_loan(self.senior, "sweep", period, swept)

    def _distribute(self, period: int, _loan: str) -> None:
        state, rules = self.state, self.rules
        blocked = (state.arrears > self.tolerance) | (state.cash < 0.0)
        if rules.lockup_dscr:
            blocked |= state.tested < rules.lockup_dscr * _AT
        if rules.dsra_periods:
            blocked |= state.dsra_gap > self.tolerance
        if rules.dsrf_limit:
            blocked |= state.dsrf > self.tolerance
        cash = self.do.greater(state.cash, 0.0)
        held = state.lockup + cash
        paid = self.do.chosen(blocked, 0.0, held)
        state.lockup = held - paid
        state.cash = state.cash - cash
        self._note("distribution", period, paid)
        self.flags["is_locked_up"][period] = blocked

    def _close(self, period: int) -> None:
        """Cash below nil is bills that nobody could pay; they are paid first in the next period."""
        state = self.state
        state.bills = -state.cash
        self.flags["is_in_default"][period] = state.is_in_default | (state.arrears > self.tolerance)
        for line, value in (
            ("bills_unpaid", state.bills), ("arrears", state.arrears), ("dsra", state.dsra), ("mra", state.mra),
            ("lockup_account", state.lockup), ("dsrf_balance", state.dsrf),
        ):  # fmt: skip
            self._note(line, period, value)
        for name in self.names:
            self._note_loan(name, "closing", period, state.balance[name])

    def result(self) -> Waterfall:
        """The lines as they stand; a line that was not kept is empty."""
        lines: dict[str, Any] = {name: self._written(self.lines, name) for name in _LINES}
        loans = {
            name: LoanLines(**{line: self._written(kept, line) for line in LoanLines.__slots__})
            for name, kept in self.loan_lines.items()
        }
        flags: dict[str, Any] = {name: self.do.array(flag) for name, flag in self.flags.items()}
        return Waterfall(self.do.array(self.cfads), loans, **lines, **flags)

    _PAYING: ClassVar[Mapping[str, Callable[["WaterfallRun", int, str], None]]] = {
        "service": _service, "dsra": _fill_dsra, "mra": _fill_mra, "sweep": _sweep, "distribution": _distribute,
    }  # fmt: skip

    def _written(self, lines: Mapping[str, Line], name: str) -> Array:
        return self.do.array(lines[name]) if name in lines else _EMPTY


def _opening_state(loans: Sequence[DebtTerms], rules: WaterfallRules, do: Arithmetic, width: int) -> _State:
    nil, never = do.amount(0.0, width), do.amount(np.inf, width)
    held = do.amount(rules.dsra_initial, width)
    state = _State(nil, held, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, never, never < nil)
    state.balance = {one.name: do.amount(one.debt, width) for one in loans}
    return state


_EMPTY = np.zeros((0, 0))
_AT = 1.0 - 1e-12  # a cover that is the threshold but for rounding has reached it
_FLAGS = ("is_locked_up", "is_in_default")
_LINES = tuple(name for name in Waterfall.__slots__ if name not in ("cfads", "loans", *_FLAGS))
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
