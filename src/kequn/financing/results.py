"""The result of a run as plain values for readers: JSON, pages, papers. What is not defined is null."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from kequn.domain.errors import Language
from kequn.domain.projectfinance.arrays import Array, defined
from kequn.domain.projectfinance.checking import warnings_of
from kequn.domain.projectfinance.measures import covers_of, measures_of
from kequn.domain.projectfinance.ratios import dscr_backward, dscr_forward, plcr
from kequn.domain.projectfinance.returns import payback, rates_of_return
from kequn.domain.projectfinance.run import Run, rules_of
from kequn.domain.projectfinance.simulation import Simulation
from kequn.domain.projectfinance.statements import statements_of
from kequn.financing.words import FIGURES, word_of

Answer = dict[str, Any]
_AMOUNTS_OF_RULES = ("dsra_initial", "dsrf_limit", "cure_limit")


def answer_of(run: Run, language: Language, column: int = 0) -> Answer:
    """Everything a reader may ask of one case: key figures, sources and uses, periods, statements, warnings."""
    return {
        "project": run.project.name, "scenario": run.scenario.name, "currency": run.project.currency,
        "unit": run.project.unit, "key_figures": key_figures(run, column),
        "sources_and_uses": sources_and_uses(run, column), "limits": _limits(run),
        "construction": construction_rows(run, column), "periods": period_rows(run, column),
        "statements": _statements(run, column),
        "warnings": [{"code": one.code, "message": one.text.in_language(language)} for one in warnings_of(run, column)],
    }  # fmt: skip


def kept_of(run: Run) -> Answer:
    """What is kept of one case beside its model, so that a page needs no engine: as `answer_of` without the three
    statements, with warnings in both languages and the rules that the cash was paid out by.
    """
    rules = rules_of(run.project, run.plan)
    plain = {one.name: getattr(rules, one.name) for one in fields(rules) if one.name != "dsra_initial"}
    return {
        "scenario": run.scenario.name, "currency": run.project.currency, "unit": run.project.unit,
        "key_figures": key_figures(run), "sources_and_uses": sources_and_uses(run), "limits": _limits(run),
        "levels": {"lockup": run.project.covenants.lockup_dscr, "default": run.project.covenants.default_dscr},
        "construction": construction_rows(run), "periods": period_rows(run),
        "warnings": [{"code": one.code, "zh": one.text.zh, "en": one.text.en} for one in warnings_of(run)],
        "loans": [loan.name for loan in run.plan.loans],
        "rules": plain | {"order": list(rules.order), "dsra_initial": float(np.max(rules.dsra_initial, initial=0.0))},
    }  # fmt: skip


def key_figures(run: Run, column: int = 0) -> Answer:
    """Debt, covers with their dates, lives and returns. Dates are the last days of periods."""
    found, line = measures_of(run), run.project.timeline
    ends = line.last_days()
    times = line.times().tolist()
    owners, project = run.owners_flows[:, column].tolist(), run.project_flows[:, column].tolist()
    equity = rates_of_return(owners, times)
    whole = rates_of_return(project, times)

    def ended(period: int) -> str | None:
        return ends[period].isoformat() if period >= 0 else None

    return {
        "debt": {loan.name: loan.amount for loan in run.plan.loans},
        "binding_limit": run.plan.sized.binding if run.plan.sized else None,
        "total_uses": float(run.building.uses[:, column].sum()),
        "gearing": _share(run.building.senior_draws[:, column].sum(), run.building.uses[:, column].sum()),
        "min_dscr": defined(float(found.min_dscr[column])),
        "min_dscr_date": ended(int(found.min_dscr_period[column])),
        "average_dscr": defined(float(found.average_dscr[column])),
        "llcr": defined(float(found.llcr[column])), "min_llcr": defined(float(found.min_llcr[column])),
        "plcr": defined(float(found.plcr[column])), "min_icr": defined(float(found.min_icr[column])),
        "average_life_years": float(found.average_life_years[column]), "tail_years": float(found.tail_years[column]),
        "equity_irr": equity.rate, "equity_irr_status": equity.status, "equity_irr_roots": list(equity.roots),
        "project_irr": whole.rate, "project_irr_status": whole.status,
        "equity_npv": float(found.equity_npv[column]), "project_npv": float(found.project_npv[column]),
        "equity_payback_years": payback(owners, times), "project_payback_years": payback(project, times),
        "equity_cure": float(run.waterfall.cure[:, column].sum()) if run.project.covenants.cures else None,
        "first_lockup": ended(int(found.first_lockup[column])),
        "first_default": ended(int(found.first_default[column])),
    }  # fmt: skip


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def sources_and_uses(run: Run, column: int = 0) -> Answer:
    """Sources and uses of construction; both sums are equal."""
    built = run.building
    uses = {
        "costs": built.costs, "fees": built.fees, "interest": built.interest,
        "junior_interest": built.junior_interest, "reserve": built.reserve,
    }  # fmt: skip
    sources = {"senior": built.senior_draws, "junior": built.junior_draws, "owners": built.owners}
    return {
        "uses": {name: _sum(value, column) for name, value in uses.items()},
        "sources": {name: _sum(value, column) for name, value in sources.items()},
    }


def _sum(values: Array, column: int) -> float:
    return float(np.broadcast_to(values, (len(values), max(values.shape[1], column + 1)))[:, column].sum())


def _limits(run: Run) -> Answer | None:
    sized = run.plan.sized
    if sized is None:
        return None
    return {"caps": dict(sized.caps), "binding": sized.binding, "headroom": sized.headroom}


def construction_rows(run: Run, column: int = 0) -> list[Answer]:
    """Draws and uses of each construction period."""
    built, dates = run.building, run.project.timeline.construction_dates()
    lines = {name: getattr(built, name) for name in built.__slots__}
    return _rows(dates, lines, column)


def period_rows(run: Run, column: int = 0) -> list[Answer]:
    """The waterfall of each operation period from revenue to distribution, every line positive as it is named."""
    made, flow = run.operation, run.waterfall
    lines: dict[str, Array] = {
        "revenue": made.revenue, "subsidies": made.subsidy, "operating_costs": made.cost, "ebitda": made.ebitda,
        "working_capital": made.working_capital_change, "maintenance": made.maintenance,
        "vat_interest": made.vat_interest, "tax": run.tax, "cfads": run.cfads,
    }  # fmt: skip
    for name, loan in flow.loans.items():
        lines |= {f"{name}_{line}": getattr(loan, line) for line in loan.__slots__}
    lines |= _covers(run)
    kept = [name for name in flow.__slots__ if name not in ("cfads", "loans")]
    lines |= {name: getattr(flow, name) for name in kept}
    return _rows(run.project.timeline.operation_dates(), lines, column)


def _covers(run: Run) -> dict[str, Array]:
    """DSCR looking back and ahead twelve months, LLCR and PLCR at each period's start, of the senior loan."""
    if not run.plan.loans:
        return {}
    senior, per_year = run.waterfall.loans[run.plan.loans[0].name], run.project.timeline.per_year
    available, due = run.cfads + run.waterfall.from_mra + run.waterfall.cure, senior.interest + senior.scheduled
    loan_life = np.full_like(run.cfads, np.inf)
    covers, _ = covers_of(run)
    loan_life[: len(covers)] = covers
    return {
        "dscr_backward": dscr_backward(available, due, per_year),
        "dscr_forward": dscr_forward(available, due, per_year),
        "llcr": loan_life, "plcr": plcr(run.cfads, run.senior_rates, senior.opening),
    }  # fmt: skip


def _rows(dates: list[date], lines: dict[str, Array], column: int) -> list[Answer]:
    found = []
    for period, (start, end) in enumerate(pairwise(dates)):
        row: Answer = {
            "period": period + 1, "start": start.isoformat(), "end": (end - timedelta(days=1)).isoformat()
        }  # fmt: skip
        for name, values in lines.items():
            value = values[period, min(column, values.shape[1] - 1)]
            row[name] = bool(value) if values.dtype == np.bool_ else defined(float(value))
        found.append(row)
    return found


def _statements(run: Run, column: int) -> Answer:
    books = statements_of(run)
    sheets = {"income": books.income, "cash_flow": books.cash_flow, "balance_sheet": books.balance_sheet}
    return {name: {line: _listed(values, column) for line, values in sheet.items()} for name, sheet in sheets.items()}


def in_unit(answer: Answer, factor: float, unit: str) -> Answer:
    """What was kept of a case, with its amounts times `factor` and named in another unit; ratios and dates stay."""
    loans = answer["loans"]

    def of_row(row: Answer) -> Answer:
        return {
            name: value * factor
            if isinstance(value, float) and word_of(name, loans).unit == "amount" else value
            for name, value in row.items()
        }  # fmt: skip

    def all_of(values: Answer) -> Answer:
        return {name: value * factor for name, value in values.items()}

    limits, moved = answer["limits"], answer["sources_and_uses"]
    room = limits and limits["headroom"]
    return answer | {
        "unit": unit, "key_figures": figures_in_unit(answer["key_figures"], factor),
        "periods": [of_row(row) for row in answer["periods"]],
        "construction": [of_row(row) for row in answer["construction"]],
        "sources_and_uses": {side: all_of(values) for side, values in moved.items()},
        "limits": limits and limits | {"caps": all_of(limits["caps"]), "headroom": room and room * factor},
        "rules": answer["rules"] | {name: answer["rules"][name] * factor for name in _AMOUNTS_OF_RULES},
    }  # fmt: skip


def figures_in_unit(figures: Answer, factor: float) -> Answer:
    """Key figures with their amounts times `factor`."""
    found = {
        name: value * factor if isinstance(value, float) and FIGURES[name].unit == "amount" else value
        for name, value in figures.items()
    }
    return found | {"debt": {name: value * factor for name, value in figures["debt"].items()}}


def _listed(values: Array, column: int) -> list[float]:
    return [float(one) for one in values[:, min(column, values.shape[1] - 1)]]


def simulation_of(found: Simulation, ends: Sequence[date]) -> Answer:
    """A simulation as plain values: quantiles by level, shares by period; `ends` are the last days of the periods."""
    levels = [f"p{round(level * 100):02d}" for level in found.levels]

    def by_level(values: tuple[float, ...]) -> Answer:
        return {level: defined(value) for level, value in zip(levels, values, strict=True)}

    return {
        "scenarios": found.count, "quantiles": {name: by_level(values) for name, values in found.quantiles.items()},
        "probability_min_dscr_below": dict(found.probability_below), "probability_of_cure": found.cured,
        "equity_irr_unknown": found.irr_unknown,
        "by_period": [
            {"end": end.isoformat(), "locked_up": locked, "default_by_then": default, "dscr": by_level(fan)}
            for end, locked, default, fan in zip(
                ends, found.lockup_by_period, found.default_by_period, found.dscr_fan, strict=True
            )
        ],
    }  # fmt: skip
