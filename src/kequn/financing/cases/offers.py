"""Cases of price and limit."""

from kequn.domain.structuring.limits import ConcentrationShares, LimitQuestion, binding_limit
from kequn.domain.structuring.pricing import LoanCosts, raroc, rate_for_hurdle, required_profit
from kequn.domain.structuring.working_capital import TurnoverDays, new_working_capital_loan, working_capital_need
from kequn.financing.cases.answers import Answer
from kequn.financing.cases.inputs import Inputs, bad


def pricing(inputs: Inputs) -> Answer:
    """The rate that earns the hurdle, and what is earned at LPR."""
    costs = LoanCosts(
        ftp=inputs.number("ftp"), opex=inputs.number("opex", 0.0), pd=inputs.share("pd"), lgd=inputs.share("lgd"),
        risk_weight=inputs.at_least("risk_weight", 0.0), capital_ratio=inputs.share("capital_ratio"),
        income_tax=inputs.share("income_tax", 0.0), vat=inputs.share("vat", 0.0),
        surcharge_on_vat=inputs.share("surcharge_on_vat", 0.0), fee_pa=inputs.number("fee_pa", 0.0),
    )  # fmt: skip
    hurdle = inputs.number("hurdle")
    rate = rate_for_hurdle(costs, hurdle)
    answer: Answer = {
        "rate_for_hurdle": rate,
        "expected_loss": costs.expected_loss,
        "capital_per_unit_ead": costs.capital,
        "required_pre_tax_profit": required_profit(costs, hurdle),
    }
    if inputs.has("lpr"):
        lpr = inputs.number("lpr")
        answer |= {"spread_over_lpr_bp": (rate - lpr) * 10_000.0, "raroc_at_lpr": raroc(costs, lpr)}
    return answer


def limit(inputs: Inputs, shares: ConcentrationShares) -> Answer:
    """Working capital need where sales are given, else the smallest of the caps."""
    if inputs.has("sales_last_year"):
        return _working_capital(inputs)
    found = binding_limit(_question(inputs), shares)
    return {"caps": dict(found.caps), "limit": found.debt, "binding": found.binding}


def _working_capital(inputs: Inputs) -> Answer:
    days = TurnoverDays(
        **{
            item: inputs.at_least(f"{item}_days", 0.0, 0.0)
            for item in ("inventory", "receivable", "payable", "prepaid", "advance_receipt")
        }
    )
    need = working_capital_need(
        sales=inputs.at_least("sales_last_year", 0.0), profit_margin=inputs.number("profit_margin", 0.0),
        sales_growth=inputs.number("sales_growth", 0.0), days=days,
    )  # fmt: skip
    loan = new_working_capital_loan(
        need, own_funds=inputs.number("own_funds", 0.0),
        existing_loans=inputs.at_least("existing_working_capital_loans", 0.0, 0.0),
        other_funding=inputs.number("other_funding", 0.0),
    )  # fmt: skip
    return {"turnover_times": days.times, "working_capital_need": need, "new_loan_limit": loan}


def _question(inputs: Inputs) -> LimitQuestion:
    def known(name: str) -> float | None:
        return inputs.at_least(name, 0.0) if inputs.has(name) else None

    pledged = inputs.rows("collateral", 2) if inputs.values.get("collateral") else []
    ratio = inputs.share("min_capital_ratio") if inputs.has("min_capital_ratio") else None
    found = LimitQuestion(
        dscr_capacity=known("dscr_capacity"),
        total_investment=known("total_investment"),
        min_capital_ratio=ratio,
        collateral=[
            (Inputs({"value": value}).at_least("value", 0.0), Inputs({"rate": rate}).share("rate"))
            for value, rate in pledged
        ],
        is_collateral_binding=bool(inputs.values.get("collateral_binding", False)),
        net_capital=known("net_capital"),
        tier1=known("tier1"),
        existing_loans=inputs.at_least("existing_loans_to_customer", 0.0, 0.0),
        existing_exposure=inputs.at_least("existing_exposure_to_customer", 0.0, 0.0),
        existing_group_exposure=known("existing_exposure_to_group"),
        policy_cap=known("policy_cap"),
        requested=known("requested"),
    )
    if found == LimitQuestion():
        raise bad("inputs", "{}", "至少一项限额", "what at least one cap is made from")
    return found
