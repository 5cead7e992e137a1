"""A kept model at work: read and financed once for each version in a process, then asked for one case after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.projects.models import ProjectModel
from kequn.domain.projectfinance.drivers import DRIVERS, Scenario
from kequn.domain.projectfinance.plan import FinancingPlan, plan_financing
from kequn.domain.projectfinance.run import Run, solve
from kequn.domain.projectfinance.scenarios import Swing, tornado
from kequn.financing.models import ModelFile, model_of
from kequn.policy.pack import Pack

SLIDERS = {  # driver -> how far a slider reaches below and above its neutral value, and its step
    "price": (0.5, 1.5, 0.01), "volume": (0.5, 1.5, 0.01), "capex": (0.7, 1.6, 0.01), "opex": (0.7, 1.6, 0.01),
    "rate": (-0.02, 0.04, 0.001), "delay_months": (0.0, 24.0, 1.0), "curtailment": (0.0, 0.4, 0.01),
    "indexation": (-0.02, 0.03, 0.001),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ready:
    """A version read, with its financing as it was agreed."""

    file: ModelFile
    plan: FinancingPlan

    def run(self, scenario: Scenario) -> Run:
        return solve(self.file.project, scenario, self.plan)

    def tornado(self, measure: str, scenario: Scenario) -> tuple[float, tuple[Swing, ...]]:
        return tornado(self.file.project, measure, scenario=scenario, plan=self.plan)


def ready(model: ProjectModel) -> Ready:
    """The version of a model under the policy in use."""
    return _ready(model.digest, model.in_force.isoformat(), _Kept(policy_in_use(), model))


class _Kept:
    """What a version is read from; two are the same where policy is, so that reading again is not needed."""

    def __init__(self, pack: Pack, model: ProjectModel) -> None:
        self.pack, self.model = pack, model

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.pack.digest == self.pack.digest

    def __hash__(self) -> int:
        return hash(self.pack.digest)


@lru_cache(maxsize=32)
def _ready(_digest: str, _in_force: str, kept: _Kept) -> Ready:
    model = kept.model
    file = model_of(model.body, model.name, kept.pack, model.in_force)
    return Ready(file, plan_financing(file.project))


def moved(base: Mapping[str, Any], values: Mapping[str, str]) -> tuple[Scenario, dict[str, float]]:
    """A scenario of a version with the sliders where the reader put them, each within its reach; and their places."""
    places: dict[str, float] = {}
    changes = {name: float(value) for name, value in base.items()}
    for name, (low, high, _step) in SLIDERS.items():
        start = changes.get(name, DRIVERS[name].neutral)
        try:
            value = float(values.get(name, start))
        except ValueError:
            value = start
        places[name] = min(max(value, min(low, start)), max(high, start)) if value == value else start  # noqa: PLR0124 - NaN
    changes |= {name: value for name, value in places.items() if value != DRIVERS[name].neutral or name in changes}
    return Scenario("moved", changes), places
