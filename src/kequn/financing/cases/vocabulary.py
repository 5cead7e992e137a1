"""What may be asked: each category of a case in words, with the inputs that it reads."""

from dataclasses import dataclass

from kequn.domain.errors import Text


@dataclass(frozen=True, slots=True)
class Category:
    """A category: what it answers, the inputs it needs, and those that may be left out."""

    label: Text
    needs: tuple[str, ...]
    may: tuple[str, ...] = ()


def _category(zh: str, en: str, needs: str, may: str = "") -> Category:
    return Category(Text(zh, en), tuple(needs.split()), tuple(may.split()))


CATEGORIES = {
    "construction_idc": _category(
        "建设期提款、利息与费用", "Draws, interest and fees during construction",
        "costs_million annual_rate periods_per_year gearing funding",
        "upfront_fee_on_facility commitment_fee_pa_on_undrawn_opening frequency",
    ),
    "curved_dscr": _category(
        "给定债务、最低备付率与平均年限下的最优还本",
        "Best repayment of a given debt under a lowest DSCR and a longest average life",
        "cfads annual_rate debt min_dscr max_weighted_average_life_years equity_discount_rate", "period",
    ),
    "day_count": _category("计息天数", "Day counts between dates", "pairs"),
    "debt_sizing_vs_pysam": _category(
        "按备付率或负债比例定债", "Debt by DSCR or by gearing, with sources and uses and returns",
        "cfads annual_rate tenor_years mode uses_before_debt_dependent_items",
        "target_dscr gearing_limit grace_years_interest_only dsra_months_of_first_year_debt_service"
        " upfront_fee_rate_on_debt equity_cashflow_pretax equity_cashflow_aftertax period",
    ),
    "irr": _category(
        "等间隔现金流的内部收益率，列出全部根", "IRR of even periods with all its roots", "cashflows", "periodic"
    ),
    "limit": _category(
        "授信限额及起作用的一项；流动资金需求", "The limit and what binds it; working-capital need",
        "", "total_investment min_capital_ratio dscr_capacity collateral collateral_binding requested tier1 net_capital"
        " existing_loans_to_customer existing_exposure_to_customer existing_exposure_to_group sales_last_year"
        " profit_margin sales_growth inventory_days receivable_days payable_days prepaid_days advance_receipt_days"
        " own_funds existing_working_capital_loans other_funding",
    ),
    "multi_tranche": _category(
        "优先级与次级贷款", "Senior and mezzanine debt",
        "cfads senior_rate_per_period mezz_rate_per_period senior_dscr total_dscr", "period",
    ),
    "pricing": _category(
        "达到资本回报要求的利率", "The rate that earns the hurdle",
        "pd lgd risk_weight capital_ratio ftp opex hurdle income_tax", "vat surcharge_on_vat fee_pa lpr",
    ),
    "repayment_schedule": _category(
        "还款计划", "A repayment schedule",
        "principal start frequency mode",
        "periods annual_rate rate_kind lpr_resets spread day_count balloon_share grace_periods settlement end_of_month"
        " maturity pay_calendar pay_adjustment accrual_adjustment",
    ),
    "sculpting": _category(
        "按现金流还本", "Debt sculpted to a DSCR, or the cover of a given debt",
        "", "cfads cfads_debt_term cfads_tail annual_rate period_rates target_dscr debt period",
    ),
    "sculpting_no_redraw": _category(
        "按现金流还本，不得再提款", "Sculpted debt that is never drawn again",
        "cfads annual_rate target_dscr", "balloon_at_maturity period",
    ),
    "sculpting_with_tax": _category(
        "按现金流还本，含所得税", "Sculpted debt with income tax",
        "ebitda tax_depreciation tax_rate annual_rate target_dscr", "period",
    ),
    "waterfall": _category(
        "现金流偿付次序", "The waterfall of a sculpted loan in another scenario",
        "base_cfads scenario_cfads annual_rate sizing_dscr",
        "dsra_months_of_next_service dsra_initial lockup_dscr cash_sweep_share period",
    ),
    "xirr": _category("按日期的内部收益率，列出全部根", "XIRR with all its roots", "dates amounts", "basis"),
}  # fmt: skip
