"""The figures of a project's slotting sheet that its model answers; a person's own figure stands before them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from kequn.domain.projectfinance.accruals import add_months
from kequn.domain.projectfinance.arrays import defined
from kequn.domain.projectfinance.measures import measures_of
from kequn.domain.projectfinance.model import Loan, Project
from kequn.domain.projectfinance.plan import plan_financing
from kequn.domain.projectfinance.run import solve

SEVERE = "stress"  # the scenario that answers the line of severe stress; a model without it leaves the line unknown
WITH_BALLOON = ("balloon", "annuity_balloon")


def slotting_figures(project: Project) -> dict[str, float | None]:
    """`dscr_min` of the base, `dscr_min_severe_stress` of the scenario `stress`, `life_to_tenor` (years of operation
    over those of the senior loan), `balloon_share`; None where the model does not say.
    """
    plan = plan_financing(project)

    def lowest(name: str) -> float | None:
        return defined(float(measures_of(solve(project, project.scenario(name), plan)).min_dscr[0]))

    senior = project.loans[0] if project.loans else None
    years = project.timeline.operation_months / 12.0
    return {
        "dscr_min": lowest("base"),
        "dscr_min_severe_stress": lowest(SEVERE) if SEVERE in project.scenarios else None,
        "life_to_tenor": years / senior.tenor_years if senior and senior.tenor_years else None,
        "balloon_share": _balloon(senior) if senior else None,
    }


def _balloon(loan: Loan) -> float:
    return 1.0 if loan.form == "bullet" else loan.balloon_share if loan.form in WITH_BALLOON else 0.0


def remaining_years(project: Project, as_of: date) -> float | None:
    """Years from a date to the last instalment of the senior loan; nil once it has passed, None without a loan."""
    if not project.loans:
        return None
    months = project.timeline.construction_months + round(project.loans[0].tenor_years * 12)
    return max(0.0, (add_months(project.timeline.start, months) - as_of).days / 365.25)


def completed(sheet: Mapping[str, Any], project: Project, as_of: date) -> dict[str, Any]:
    """A sheet with what the model answers where the sheet itself is silent."""
    given = sheet.get("figures")
    own = {name: value for name, value in given.items() if value is not None} if isinstance(given, Mapping) else {}
    figures = given if given is not None and not isinstance(given, Mapping) else {**slotting_figures(project), **own}
    years = sheet.get("remaining_years")
    return {**sheet, "figures": figures, "remaining_years": remaining_years(project, as_of) if years is None else years}
