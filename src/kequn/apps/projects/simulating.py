"""Simulate a version of a model in the background, with its seed; the same seed gives the same numbers."""

import time
from typing import Any

from django.utils import timezone

from kequn.apps.accounts.access import MODEL, Person, may
from kequn.apps.audit.services import line
from kequn.apps.jobs.services import Lease, LeaseLost, enqueue, handler, heartbeat
from kequn.apps.projects.models import ModelSimulation, ProjectModel
from kequn.apps.projects.models.simulation import SimulationState
from kequn.apps.projects.reckoning import ready
from kequn.apps.projects.services import NOT_ALLOWED
from kequn.domain.errors import KequnError, Misuse, Refused, Text

KIND = "projects.simulate"
MOST_CASES = 200_000
LARGEST_SEED = 2**63 - 1


def ask_simulation(*, person: Person, model: ProjectModel, scenario: str, count: int, seed: int) -> ModelSimulation:
    """Ask for a simulation; Refused where the model names no uncertain driver or has no such scenario."""
    if not may(person, MODEL):
        raise Misuse(NOT_ALLOWED)
    if not 1 <= count <= MOST_CASES:
        raise Refused(Text(f"情形数应为 1 至 {MOST_CASES:,}", f"from 1 to {MOST_CASES:,} cases"))
    if not 0 <= seed <= LARGEST_SEED:
        raise Refused(
            Text(f"种子应为 0 至 {LARGEST_SEED} 的整数", f"the seed is a whole number from 0 to {LARGEST_SEED}")
        )
    if not ready(model).file.uncertainties:
        raise Refused(Text("模型没有 simulation 一节", "the model has no section `simulation`"))
    if not model.results.filter(scenario=scenario).exists():
        raise Refused(Text(f"没有情景 {scenario}", f"there is no scenario {scenario}"))
    with line(actor=person.actor_key, action="projects.simulate", subject=model.project.project_id, seed=seed) as audit:
        made = ModelSimulation.objects.create(
            model=model, scenario=scenario, count=count, seed=seed, actor=person.actor_key, asked_at=timezone.now()
        )
        audit.wrote("projects.ModelSimulation", [[made.pk, model.pk, scenario, count, seed]])
        enqueue(kind=KIND, arguments={"simulation": made.pk}, actor=person.actor_key, key=f"{KIND}-{made.pk}")
    return made


@handler(KIND)
def do_simulation(lease: Lease) -> dict[str, Any]:
    """The job. Taken up again after a killed worker it draws the same numbers anew."""
    one = ModelSimulation.objects.select_related("model").get(pk=lease.arguments["simulation"])
    begun = time.perf_counter()
    try:
        with heartbeat(lease):
            answer = _simulated(one)
    except LeaseLost:
        raise
    except KequnError as error:
        _end(one, lease, SimulationState.FAILED, error=f"{error.text.zh}\n{error.text.en}")
        raise
    except Exception:  # the work may be tried again; until then, and after the last time, its page says so
        _end(one, lease, SimulationState.FAILED, error="模拟未能完成\nthe simulation could not be made")
        raise
    _end(one, lease, SimulationState.DONE, answer=answer, error="", seconds=round(time.perf_counter() - begun, 2))
    return {"cases": one.count}


def _end(one: ModelSimulation, lease: Lease, state: SimulationState, **values: Any) -> None:
    with line(actor=one.actor, action="projects.simulated", subject=str(one.pk), state=state.value):
        lease.hold()
        ModelSimulation.objects.filter(pk=one.pk).update(state=state, **values)


def _simulated(one: ModelSimulation) -> dict[str, Any]:
    import numpy as np

    from kequn.domain.projectfinance.simulation import simulate
    from kequn.financing.results import simulation_of

    found = ready(one.model)
    project, drawn = found.file.project, found.file
    result = simulate(
        project, drawn.uncertainties, np.random.default_rng(one.seed), count=one.count,
        correlation=np.array(drawn.correlation), scenario=project.scenario(one.scenario), plan=found.plan,
    )  # fmt: skip
    return simulation_of(result, project.timeline.last_days())
