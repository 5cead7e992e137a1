"""The unit in which the amounts of a model stand on a page: the reader's own, as on every other page.

A model in another currency, or in a unit that is not known, keeps the unit that it names.
"""

from collections.abc import Mapping
from typing import Any

from kequn.apps.projects import selectors
from kequn.apps.projects.models import ProjectModel
from kequn.domain.projectfinance.model import Project
from kequn.financing.actuals import unit_of_amounts
from kequn.financing.results import in_unit
from kequn.web.preferences import unit as preferred
from kequn.web.templatetags.kequn import language

Answer = dict[str, Any]


def factor_of(answer: Mapping[str, Any]) -> tuple[float, str]:
    """What the amounts of a model are multiplied by for this reader, and the name of the unit they are then in."""
    own = unit_of_amounts(answer)
    if own is None or answer["currency"] != "CNY":
        return 1.0, str(answer.get("unit") or answer.get("currency") or "")
    wanted = preferred(language())
    return float(own.minor / wanted.minor), wanted.name(language())


def answer_shown(model: ProjectModel, scenario: str = "base") -> Answer:
    """Everything kept of one scenario, in the reader's unit."""
    return in_readers_unit(selectors.answer_of(model, scenario) or {})


def in_readers_unit(answer: Answer) -> Answer:
    """What was kept of a case, with its amounts as this reader sees money."""
    factor, name = factor_of(answer)
    return in_unit(answer, factor, name)


def with_unit(amount: str, name: str) -> str:
    """An amount as it is written with its unit, where each language puts it."""
    return f"{amount} {name}" if language() == "zh" else f"{name} {amount}"


def named_of(project: Project) -> dict[str, str]:
    """Currency and unit of a model that is read, as what is kept of it names them."""
    return {"currency": project.currency, "unit": project.unit}
