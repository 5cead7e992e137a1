"""Cases of cash: the building period, the waterfall, rates of return."""

import numpy as np

from kequn.domain.errors import Language, Text
from kequn.domain.projectfinance.arrays import defined, listed
from kequn.domain.projectfinance.draws import FacilityTerms, funded_at_gearing
from kequn.domain.projectfinance.returns import RateOfReturn, present_value, rates_of_return, year_times
from kequn.domain.projectfinance.sculpting import without_redraw
from kequn.domain.projectfinance.waterfall import DebtTerms, Waterfall, WaterfallRules, run_waterfall
from kequn.financing.cases.answers import Answer, with_warnings
from kequn.financing.cases.inputs import Inputs, as_date, bad

_IRR_FROM = -0.99
UNPAID = Text("本期应付本息未能付清", "the debt service of this period could not be paid in full")


def construction(inputs: Inputs) -> Answer:
    """Draws of a facility with its own interest and fees."""
    costs, per_year = inputs.numbers("costs_million"), inputs.per_year()
    if (costs < 0.0).any():
        raise bad("costs_million", float(costs.min()), "不为负", "not below nil")
    terms = FacilityTerms(
        inputs.spread("annual_rate", len(costs)) / per_year,
        upfront_fee=inputs.share("upfront_fee_on_facility", 0.0),
        commitment_fee=inputs.share("commitment_fee_pa_on_undrawn_opening", 0.0) / per_year,
    )
    found = funded_at_gearing(costs, terms, gearing=inputs.share("gearing"), funding=inputs.text("funding", "pro_rata"))
    return {
        "debt": found.debt, "equity": float(found.equity.sum()), "total_uses": found.total_uses,
        "idc_total": float(found.interest.sum()), "idc": listed(found.interest),
        "commitment_fees": float(found.commitment_fees.sum()), "upfront_fee": found.upfront_fee,
        "gearing": found.gearing, "draws": listed(found.draws), "equity_injections": listed(found.equity),
        "debt_balance": listed(found.balance),
    }  # fmt: skip


def waterfall(inputs: Inputs, language: Language) -> Answer:
    """A loan sized on the base case and run through the scenario."""
    base, cash = inputs.numbers("base_cfads"), inputs.numbers("scenario_cfads")
    if len(base) != len(cash):
        raise bad("scenario_cfads", len(cash), f"{len(base)} 个值", f"{len(base)} values, as base_cfads")
    per_year = inputs.per_year()
    rates = inputs.spread("annual_rate", len(base)) / per_year
    loan = without_redraw(base, rates, np.full(len(base), inputs.above("sizing_dscr", 0.0)))
    rules = WaterfallRules(
        dsra_periods=inputs.at_least("dsra_months", 0.0, _months(inputs)) / (12 / per_year),
        dsra_initial=inputs.at_least("dsra_initial", 0.0, 0.0),
        sweep_share=inputs.share("cash_sweep_share", 0.0),
        lockup_dscr=inputs.at_least("lockup_dscr", 0.0, 0.0),
    )
    found = run_waterfall(cash, [DebtTerms("senior", float(loan.debt), rates, loan.principal)], rules)
    answer: Answer = {
        "debt": float(loan.debt),
        "rows": [_row(found, period) for period in range(len(cash))],
        "total_distributions": float(found.distribution.sum()),
    }
    unpaid = [int(place) + 1 for place in np.flatnonzero(found.unpaid > 1e-9 * max(1.0, float(loan.debt)))]
    return with_warnings(answer, unpaid, UNPAID, language)


def _months(inputs: Inputs) -> float:
    return inputs.at_least("dsra_months_of_next_service", 0.0, 0.0)


def _row(found: Waterfall, period: int) -> Answer:
    loan = found.loans["senior"]
    amounts = {
        "opening": loan.opening, "cfads": found.cfads, "interest": loan.interest,
        "scheduled_principal": loan.scheduled, "paid_from_dsra": found.from_dsra,
        "paid_from_lockup": found.from_lockup, "unpaid": found.unpaid, "dsra_top_up": found.dsra_top_up,
        "dsra_release": found.dsra_release, "dsra_closing": found.dsra, "sweep": loan.sweep,
        "lockup_account": found.lockup_account, "distribution": found.distribution, "closing": loan.closing,
    }  # fmt: skip
    return {
        "period": period + 1,
        **{name: float(values[period]) for name, values in amounts.items()},
        "dscr": defined(float(found.dscr[period])),
        "locked_up": bool(found.is_locked_up[period]),
    }


def irr(inputs: Inputs) -> Answer:
    """All periodic rates of return above -99 %."""
    flows = listed(inputs.numbers("cashflows"))
    found = rates_of_return(flows)
    roots = [root for root in found.roots if root > _IRR_FROM]
    status = "no_solution" if not roots else "multiple" if len(roots) > 1 else "ok"
    answer: Answer = {
        "all_roots_gt_-0.99": roots, "expected": roots[0] if len(roots) == 1 else None, "status": status,
        "unique": len(roots) == 1,
    }  # fmt: skip
    return answer | _conditioning(found)


def xirr(inputs: Inputs) -> Answer:
    """All rates of return of dated flows, and their value at 8 %."""
    amounts = listed(inputs.numbers("amounts"))
    days = inputs.values.get("dates")
    if not isinstance(days, list) or len(days) != len(amounts):
        raise bad("dates", days if days is None else len(days), f"{len(amounts)} 个日期", f"{len(amounts)} dates")
    times = year_times([as_date(f"dates[{place}]", day) for place, day in enumerate(days)])
    found = rates_of_return(amounts, times)
    answer: Answer = {
        "all_roots_gt_-1": list(found.roots), "expected": found.rate,
        "status": "ok" if found.status == "ill_conditioned" else found.status, "unique": found.rate is not None,
        "xnpv_at_8pct": present_value(amounts, times, 0.08),
    }  # fmt: skip
    return answer | _conditioning(found)


def _conditioning(found: RateOfReturn) -> Answer:
    return {"is_ill_conditioned": True} if found.status == "ill_conditioned" else {}
