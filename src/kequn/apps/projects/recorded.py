"""What is recorded of a project beside what its model says of the same: both come from people and may drift apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kequn.apps.deals.models import Project
from kequn.financing.actuals import unit_of_amounts

ROUNDING = 0.005  # what is recorded is rounded: figures that lie closer, as a share, say the same


@dataclass(frozen=True, slots=True)
class Apart:
    """One fact of the dictionary as it is recorded and as the model has it; amounts in minor units."""

    fact: str
    recorded: Any
    modelled: Any


def apart(project: Project, answer: Mapping[str, Any], today: date) -> list[Apart]:
    """The facts on which record and model differ. What either leaves open is no difference."""
    figures, first = answer["key_figures"], date.fromisoformat(answer["periods"][0]["start"])
    pairs = [
        Apart("total_investment", project.total_investment, _minor(project, answer)),
        Apart("commissioning_year", project.commissioning_year, float(first.year)),
        Apart("dscr_min", project.dscr_min, figures["min_dscr"]),
        Apart("llcr", project.llcr, figures["llcr"]),
    ]
    found = [one for one in pairs if _differ(one)]
    stage = "operation" if first <= today else "construction"
    if project.stage in ("construction", "operation") and project.stage != stage:
        found.append(Apart("stage", project.stage, stage))
    return found


def _minor(project: Project, answer: Mapping[str, Any]) -> int | None:
    """All uses of the model in minor units, where it is in the currency of the record and in a known unit."""
    unit = unit_of_amounts(answer)
    if unit is None or (project.currency or "CNY") != answer["currency"]:
        return None
    return round(float(answer["key_figures"]["total_uses"]) * float(unit.minor))


def _differ(one: Apart) -> bool:
    if one.recorded is None or one.modelled is None:
        return False
    if one.fact == "commissioning_year":
        return bool(one.recorded != one.modelled)
    return bool(abs(one.recorded - one.modelled) > ROUNDING * abs(one.modelled))
