"""Projects for the tests: one small solar plant that recurs, and projects drawn at random."""

import random
from dataclasses import replace
from datetime import date

from kequn.domain.projectfinance.drivers import Scenario
from kequn.domain.projectfinance.model import (
    CapitalCost,
    Cost,
    Covenants,
    Limits,
    Loan,
    Maintenance,
    Project,
    Revenue,
    ShareholderLoan,
    WorkingCapital,
)
from kequn.domain.projectfinance.rates import RatePlan, fixed
from kequn.domain.projectfinance.taxes import TaxRules
from kequn.domain.projectfinance.timeline import Timeline

PLANT = Project(
    "Qinghai plant",
    Timeline(date(2026, 1, 1), 12, 240, 1, 6),
    capital=(CapitalCost("plant", 500.0, life_years=20),),
    revenues=(Revenue("power", volume=100.0, price=0.6),),
    costs=(Cost("operation", amount=10.0),),
    loans=(Loan("senior", fixed(0.04), 15.0, target_dscr=((0.0, 1.3),)),),
    covenants=Covenants(dsra_months=6, lockup_dscr=1.1, default_dscr=1.05),
    discount_rate=0.08,
)
DRAWN = {"price": 0.1, "volume": 0.1, "capex": 0.1, "opex": 0.1, "rate": 0.005, "indexation": 0.005}


def random_project(draw: random.Random) -> Project:
    """A project that can be worked out: one of some thousand million shapes."""
    step = 1 if draw.random() < 0.05 else draw.choice((3, 6, 6, 12))
    years = draw.randint(4, 25)
    built = draw.choice((1, 3))
    line = Timeline(date(2026, draw.randint(1, 12), 1), built * draw.randint(2, 12), 12 * years, built, step)
    capital = tuple(
        CapitalCost(
            f"asset {place}", draw.uniform(20, 300), life_years=draw.randint(3, 25),
            depreciation=draw.choice(("straight_line", "double_declining", "sum_of_years")),
            salvage=draw.choice((0.0, 0.05)), vat_rate=draw.choice((0.0, 0.13)),
        )
        for place in range(draw.randint(1, 3))
    )  # fmt: skip
    whole = sum(one.amount for one in capital)
    sale = Revenue(
        "sale", volume=1.0, price=whole * draw.uniform(0.1, 0.3), indexation=draw.uniform(0, 0.03),
        growth=draw.uniform(-0.01, 0.02), ramp=draw.choice(((), (0.5, 0.8))), vat_rate=draw.choice((0.0, 0.13)),
    )  # fmt: skip
    grant = Revenue("grant", amounts=(whole * 0.02,) * 3, is_subsidy=True, is_confirmed=draw.random() < 0.5)
    costs = (Cost("operation", amount=whole * draw.uniform(0.0, 0.05), indexation=0.02, vat_rate=0.06),
             Cost("royalty", share_of_revenue=draw.choice((0.0, 0.02))))  # fmt: skip
    works = (Maintenance("overhaul", whole * 0.03, (years // 2,), saved_years=draw.choice((0, 2))),)
    return Project(
        "random", line, capital, (sale, grant), costs, works if draw.random() < 0.5 else (),
        _loans(draw, years), Limits(max_gearing=draw.choice((None, 0.6, 0.75))),
        draw.choice(("pro_rata", "equity_first", "debt_first")),
        ShareholderLoan(0.5, 0.06) if draw.random() < 0.3 else None, _covenants(draw),
        WorkingCapital(draw.choice((0, 60)), draw.choice((0, 30))),
        TaxRules(0.25, draw.choice((0, 5)), draw.choice(((), (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)))),
        vat_facility_rate=0.035, discount_rate=0.08,
    )  # fmt: skip


def _loans(draw: random.Random, years: int) -> tuple[Loan, ...]:
    tenor = float(draw.randint(2, years))
    stepped = RatePlan(((date(2020, 1, 1), 0.03), (date(2030, 1, 1), 0.035)), ((date(2020, 1, 1), 0.01),))
    form = draw.choice(("sculpted", "sculpted", "sculpted", "equal_principal", "annuity", "bullet"))
    senior = Loan(
        "senior", draw.choice((fixed(draw.uniform(0.02, 0.07)), stepped)), tenor, form,
        target_dscr=draw.choice((((0.0, 1.3),), ((0.0, 1.2), (5.0, 1.6)))), upfront_fee=draw.choice((0.0, 0.01)),
        commitment_fee=draw.choice((0.0, 0.003)), grace_years=draw.choice((0.0, 0.0, 1.0)),
        day_count=draw.choice(("30/360", "ACT/360")),
    )  # fmt: skip
    if draw.random() < 0.3:
        return (senior, Loan("mezzanine", fixed(0.08), max(1.0, tenor - 1.0), target_dscr=((0.0, 1.1),)))
    return (senior,)


def _covenants(draw: random.Random) -> Covenants:
    return Covenants(
        dsra_months=draw.choice((0, 3, 6, 12)), is_dsra_prefunded=draw.random() < 0.7,
        sweep_share=draw.choice((0.0, 0.0, 0.3)), lockup_dscr=draw.choice((0.0, 1.1)),
        default_dscr=draw.choice((0.0, 1.05)), dsrf_limit=draw.choice((0.0, 5.0)), dsrf_rate=0.05,
        cure_dscr=1.05, cure_limit=20.0, cures=draw.choice((0, 2)),
    )  # fmt: skip


def random_scenario(draw: random.Random) -> Scenario:
    """Every driver somewhere near its neutral value."""
    changes = {
        name: draw.gauss(1.0 if name not in ("rate", "indexation") else 0.0, size) for name, size in DRAWN.items()
    }
    return Scenario("random", {**changes, "delay_months": draw.choice((0.0, 0.0, 4.0))})


def with_covenants(**changes: float) -> Project:
    """The plant with other covenants."""
    return replace(PLANT, covenants=replace(PLANT.covenants, **changes))
