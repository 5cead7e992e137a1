"""Cases of debt sizing and sculpting."""

import math

import numpy as np

from kequn.domain.errors import Language, Text
from kequn.domain.projectfinance.arrays import Array, defined, listed, ratio
from kequn.domain.projectfinance.average_life import average_life_years, curved
from kequn.domain.projectfinance.ratios import llcr, lowest
from kequn.domain.projectfinance.repayment import repayment_shares
from kequn.domain.projectfinance.returns import rates_of_return
from kequn.domain.projectfinance.sculpting import (
    DebtSchedule,
    balances_of_service,
    given_debt,
    schedule_of_balances,
    sculpted,
    two_tranches,
    with_tax,
    without_redraw,
)
from kequn.domain.projectfinance.sizing import debt_at_gearing
from kequn.financing.cases.answers import Answer, series_of, with_warnings
from kequn.financing.cases.inputs import CaseRefused, Inputs, bad

CANNOT_SERVE = Text(
    "本期现金流不足以偿债：付息后无力还本，贷款不得再提款；须以储备、缩短期限或补救解决",
    "the cash flow of this period cannot serve the debt, and a term loan is not drawn again: "
    "use a reserve, a shorter tenor or a cure",
)
SHORT = Text("本期现金流低于应付本息", "the cash flow of this period is less than the debt service due")


def _periods_short(cfads: Array, plain: DebtSchedule) -> list[int]:
    """Periods (from 1) in which sculpting alone would draw the loan again, or has nothing to pay with."""
    tolerance = 1e-9 * np.abs(plain.balance).max()
    return [int(place) + 1 for place in np.flatnonzero((plain.principal < -tolerance) | (cfads <= 0.0))]


def debt_sizing(inputs: Inputs, language: Language) -> Answer:
    """Debt of a CFADS vector by DSCR or by gearing, its schedule, ratios, sources and uses, and the owners' returns."""
    cfads = _cfads_of_tenor(inputs)
    mode = inputs.text("mode")
    per_year = inputs.per_year()
    rates = inputs.spread("annual_rate", len(cfads)) / per_year
    grace = inputs.count("grace_years_interest_only", 0) * per_year
    if mode == "sculpt_to_target_dscr":
        cover = _covers(inputs, "target_dscr", len(cfads))
        unit = _sculpted_with_grace(cfads, rates, cover, grace)
        capacity = float(unit.debt)
    elif mode in ("gearing_annuity", "gearing_equal_principal"):
        form = "annuity" if mode == "gearing_annuity" else "equal_principal"
        shares = repayment_shares(form, rates, len(cfads), grace_periods=grace)
        unit = schedule_of_balances(np.concatenate([[1.0], 1.0 - np.cumsum(shares)]), rates)
        capacity = math.inf
    else:
        raise bad("mode", mode, "sculpt_to_target_dscr gearing_annuity gearing_equal_principal", "a known mode")
    answer, schedule = _sources_and_uses(inputs, unit, capacity, per_year)
    is_sculpted = math.isfinite(capacity)
    answer["resulting_dscr"] = lowest(ratio(cfads, schedule.service)).value if is_sculpted else None
    answer |= _ratios(cfads, rates, schedule) | _owners(inputs)
    if is_sculpted:
        bad_years = _periods_short(cfads, sculpted(cfads, rates, cover))
        return with_warnings(answer, bad_years, CANNOT_SERVE, language)
    short = np.flatnonzero(cfads < schedule.service * (1.0 - 1e-12))
    return with_warnings(answer, [int(place) + 1 for place in short], SHORT, language)


def _cfads_of_tenor(inputs: Inputs) -> Array:
    cfads = inputs.numbers("cfads")
    if not inputs.has("tenor_years"):
        return cfads
    tenor = inputs.above("tenor_years", 0.0) * inputs.per_year()
    if tenor != int(tenor) or tenor > len(cfads):
        raise CaseRefused(
            "tenor_beyond_life",
            Text(
                f"贷款期限 {tenor:g} 期超出现金流的 {len(cfads)} 期",
                f"the tenor of {tenor:g} periods goes beyond the {len(cfads)} periods of cash flow",
            ),
        )
    return cfads[: int(tenor)]


def _covers(inputs: Inputs, name: str, periods: int) -> Array:
    found = inputs.spread(name, periods)
    if (found <= 0.0).any():
        raise bad(name, float(found.min()), "大于 0", "above 0")
    return found


def _sculpted_with_grace(cfads: Array, rates: Array, cover: Array, grace: int) -> DebtSchedule:
    """The largest debt without another drawing; in the grace only interest is paid, which CFADS / DSCR must bear."""
    if not grace:
        return without_redraw(cfads, rates, cover)
    if grace >= len(cfads):
        raise bad("grace_years_interest_only", grace, "短于贷款期限", "shorter than the tenor")
    later = without_redraw(cfads[grace:], rates[grace:], cover[grace:])
    bearable = ratio(np.maximum(cfads[:grace], 0.0) / cover[:grace], rates[:grace]).min()
    share = min(1.0, bearable / float(later.debt)) if later.debt > 0.0 else 0.0
    balance = np.concatenate([np.full(grace, float(later.debt)), later.balance]) * share
    return schedule_of_balances(balance, rates)


def _sources_and_uses(
    inputs: Inputs, unit: DebtSchedule, capacity: float, per_year: int
) -> tuple[Answer, DebtSchedule]:
    """The debt within the gearing limit, closed with the fee and the reserve that depend on it."""
    uses = inputs.above("uses_before_debt_dependent_items", 0.0)
    fee_rate = inputs.share("upfront_fee_rate_on_debt", 0.0)
    months = inputs.at_least("dsra_months_of_first_year_debt_service", 0.0, 0.0)
    first = float(unit.service[:per_year].sum()) / float(unit.debt) if unit.debt > 0.0 else 0.0
    debt, binding = capacity, "dscr"
    if inputs.has("gearing_limit"):
        cap = debt_at_gearing(
            uses, gearing=inputs.share("gearing_limit"), fee_rate=fee_rate, dsra_months=months, first_year_service=first
        )
        if cap < debt:
            debt, binding = cap, "gearing"
    if not math.isfinite(debt):
        raise CaseRefused("missing_input", Text("缺少输入 gearing_limit", "the input gearing_limit is missing"))
    scale = debt / float(unit.debt) if unit.debt > 0.0 else 0.0
    schedule = DebtSchedule(unit.balance * scale, unit.interest * scale, unit.principal * scale)
    fee, reserve = fee_rate * debt, months / 12.0 * first * debt
    total = uses + fee + reserve
    answer: Answer = {
        "debt": debt, "binding": binding, "upfront_fee": fee, "dsra_initial": reserve, "total_uses": total,
        "equity": total - debt, "gearing": debt / total, "first_year_debt_service": first * debt,
    }  # fmt: skip
    return answer, schedule


def _ratios(cfads: Array, rates: Array, schedule: DebtSchedule) -> Answer:
    cover = ratio(cfads, _clean(schedule.service, schedule.balance))
    return {
        "interest": listed(schedule.interest),
        "principal": listed(schedule.principal),
        "debt_service": listed(schedule.service),
        "balance": listed(schedule.balance),
        "balance_open_to_close": listed(schedule.balance),
        "dscr": series_of(cover),
        "min_dscr": lowest(cover).value,
        "llcr_at_start_of_period": series_of(llcr(cfads, rates, _clean(schedule.balance[:-1], schedule.balance))),
    }


def _clean(values: Array, scale: Array) -> Array:
    """Without the dust of rounding, over which no ratio is meant."""
    return np.where(np.abs(values) <= 1e-9 * np.abs(scale).max(), 0.0, values)


def _owners(inputs: Inputs) -> Answer:
    answer: Answer = {}
    for tax in ("pretax", "aftertax"):
        if not inputs.has(f"equity_cashflow_{tax}"):
            continue
        flows = inputs.numbers(f"equity_cashflow_{tax}")
        found = rates_of_return(listed(flows))
        signs = np.sign(flows[flows != 0.0])
        answer |= {
            f"irr_{tax}": found.rate,
            f"irr_{tax}_all_real_roots_gt_-1": list(found.roots),
            f"sign_changes_{tax}": int((signs[1:] * signs[:-1] < 0.0).sum()),
        }
    return answer


def sculpting(inputs: Inputs, language: Language) -> Answer:
    """Debt of a DSCR, or the DSCR of a given debt."""
    return _debt_given(inputs, language) if inputs.has("debt") else _debt_sought(inputs, language)


def _rates(inputs: Inputs, periods: int) -> Array:
    if inputs.has("period_rates"):
        return inputs.spread("period_rates", periods)
    return inputs.spread("annual_rate", periods) / inputs.per_year()


def _cfads(inputs: Inputs) -> Array:
    return inputs.numbers("cfads_debt_term" if inputs.has("cfads_debt_term") else "cfads")


def _debt_sought(inputs: Inputs, language: Language) -> Answer:
    cfads = _cfads(inputs)
    rates = _rates(inputs, len(cfads))
    cover = _covers(inputs, "target_dscr", len(cfads))
    balloon = inputs.at_least("balloon_at_maturity", 0.0, 0.0)
    found = without_redraw(cfads, rates, cover, balloon)
    answer = {"debt": float(found.debt)} | _described(inputs, cfads, rates, found)
    plain = sculpted(cfads, rates, cover, balloon)
    return with_warnings(answer, _periods_short(cfads, plain), CANNOT_SERVE, language)


def _debt_given(inputs: Inputs, language: Language) -> Answer:
    cfads = _cfads(inputs)
    rates = _rates(inputs, len(cfads))
    found, cover = given_debt(cfads, rates, inputs.above("debt", 0.0))
    if cover <= 0.0:
        raise CaseRefused("no_cash", Text("现金流现值不为正", "the present value of the cash flow is not positive"))
    answer = {"debt": float(found.debt), "constant_dscr": float(cover), "llcr": float(cover)}
    answer |= _described(inputs, cfads, rates, found)
    return with_warnings(answer, _periods_short(cfads, found), CANNOT_SERVE, language)


def _described(inputs: Inputs, cfads: Array, rates: Array, found: DebtSchedule) -> Answer:
    balances = _clean(found.balance, found.balance)
    answer: Answer = {
        "balance": listed(found.balance),
        "interest": listed(found.interest),
        "principal": listed(found.principal),
        "debt_service": listed(found.service),
        "llcr_start_of_period": series_of(llcr(cfads, rates, balances[:-1])),
        "weighted_average_life_years": float(average_life_years(found.principal, inputs.per_year())),
    }
    if inputs.has("cfads_tail"):
        tail = inputs.numbers("cfads_tail")
        if inputs.has("period_rates"):
            ahead = np.concatenate([rates, np.full(len(tail), rates[-1])])
        else:
            ahead = np.full(len(cfads) + len(tail), rates[-1])
            ahead[: len(cfads)] = rates
        whole = balances_of_service(np.concatenate([cfads, tail]), ahead)[0]
        answer["plcr"] = defined(float(whole / found.debt)) if found.debt > 0.0 else None
        years = len(tail) / inputs.per_year()
        answer["tail_years"] = int(years) if years == int(years) else years
    return answer


def sculpting_with_tax(inputs: Inputs, language: Language) -> Answer:
    """Debt where tax depends on interest, without loss carry-forward."""
    ebitda = inputs.numbers("ebitda")
    worn = inputs.spread("tax_depreciation", len(ebitda))
    rates = _rates(inputs, len(ebitda))
    cover = _covers(inputs, "target_dscr", len(ebitda))
    found, tax, cfads = with_tax(ebitda, worn, rates, cover, inputs.spread("tax_rate", len(ebitda)))
    answer: Answer = {
        "debt": float(found.debt), "balance": listed(found.balance), "interest": listed(found.interest),
        "tax": listed(tax), "cfads": listed(cfads), "debt_service": listed(found.service),
        "principal": listed(found.principal),
    }  # fmt: skip
    return with_warnings(answer, _periods_short(cfads, found), CANNOT_SERVE, language)


def multi_tranche(inputs: Inputs, language: Language) -> Answer:
    """Senior debt at its own DSCR, mezzanine up to the total DSCR."""
    cfads = inputs.numbers("cfads")
    names = ("senior_rate_per_period", "mezz_rate_per_period", "senior_dscr", "total_dscr")
    senior_rates, mezz_rates = (inputs.spread(name, len(cfads)) for name in names[:2])
    covers = [_covers(inputs, name, len(cfads)) for name in names[2:]]
    if (covers[1] > covers[0]).any():
        raise bad("total_dscr", float(covers[1].max()), "不高于 senior_dscr", "not above senior_dscr")
    senior, mezz = two_tranches(cfads, senior_rates, mezz_rates, covers[0], covers[1])
    total = float(senior.debt + mezz.debt)
    blended = float(senior.interest[0] + mezz.interest[0]) / total if total else None
    answer: Answer = {
        "senior_debt": float(senior.debt), "mezz_debt": float(mezz.debt), "senior_balance": listed(senior.balance),
        "mezz_balance": listed(mezz.balance), "senior_service": listed(senior.service),
        "mezz_service": listed(mezz.service), "blended_cost_first_period": blended,
    }  # fmt: skip
    return with_warnings(answer, _periods_short(cfads, senior), CANNOT_SERVE, language)


def sculpting_no_redraw(inputs: Inputs, language: Language) -> Answer:
    """The largest debt that is never drawn again."""
    cfads = inputs.numbers("cfads")
    rates = _rates(inputs, len(cfads))
    cover = _covers(inputs, "target_dscr", len(cfads))
    balloon = inputs.at_least("balloon_at_maturity", 0.0, 0.0)
    found = without_redraw(cfads, rates, cover, balloon)
    plain = sculpted(cfads, rates, cover, balloon)
    answer: Answer = {
        "max_debt": float(found.debt), "max_debt_if_redraw_allowed": float(plain.debt),
        "one_optimal_balance": listed(found.balance), "min_principal": float(max(0.0, found.principal.min())),
    }  # fmt: skip
    return with_warnings(answer, _periods_short(cfads, plain), CANNOT_SERVE, language)


def curved_dscr(inputs: Inputs, language: Language) -> Answer:
    """A given debt with a lowest DSCR and a longest average life, best for the owners."""
    cfads, per_year = inputs.numbers("cfads"), inputs.per_year()
    found = curved(
        cfads,
        inputs.rate("annual_rate") / per_year,
        debt=inputs.above("debt", 0.0),
        min_dscr=inputs.above("min_dscr", 0.0),
        max_life=inputs.above("max_weighted_average_life_years", 0.0) * per_year,
        equity_rate=(1.0 + inputs.rate("equity_discount_rate")) ** (1.0 / per_year) - 1.0,
    )
    cover = ratio(cfads, _clean(found.schedule.service, found.schedule.balance))
    answer: Answer = {
        "max_pv_distributions": found.present_value,
        "principal_one_optimum": listed(found.schedule.principal),
        "balance": listed(found.schedule.balance),
        "dscr": series_of(cover),
        "wal": found.average_life / per_year,
        "min_dscr_reached": lowest(cover).value,
    }
    return with_warnings(answer, [int(p) + 1 for p in np.flatnonzero(cfads <= 0.0)], CANNOT_SERVE, language)
