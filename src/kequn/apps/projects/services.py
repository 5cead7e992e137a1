"""Write: a version of a project's model with its results, and the figures that really came."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml
from django.db.models import Max
from django.utils import timezone

from kequn.apps.accounts.access import MODEL, Person, may
from kequn.apps.audit.services import line
from kequn.apps.deals.models import Project
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.projects.models import ACTUAL_LINES, ModelResult, ProjectActual, ProjectModel
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.projectfinance.plan import plan_financing
from kequn.domain.projectfinance.run import solve
from kequn.financing.models import ModelFile, model_of
from kequn.financing.results import kept_of
from kequn.version import VERSION

LONGEST_NAME, LONGEST_REASON = 300, 1000
SCENARIOS_AT_MOST, PERIODS_AT_MOST = 20, 1200  # a hundred years by months
NOT_ALLOWED = Text("没有保存项目模型的权限", "you may not keep models of projects")


@dataclass(frozen=True, slots=True)
class Asked:
    """A model as it is handed in: its YAML, the name of its file, from when it holds, why, what was not read."""

    text: str
    name: str
    in_force: date
    reason: str = ""
    unread: Sequence[str] = ()


def keep_model(*, person: Person, project: Project, asked: Asked) -> ProjectModel:
    """Solve every scenario of a model and keep both as the project's next version; Refused with every error of it."""
    if not may(person, MODEL):
        raise Misuse(NOT_ALLOWED)
    _refuse_references(asked)
    pack = policy_in_use()
    found = model_of(asked.text, asked.name, pack, asked.in_force)
    results = _results(found)
    digest = hashlib.sha256(asked.text.encode()).hexdigest()
    with line(actor=person.actor_key, action="projects.model", subject=project.project_id, digest=digest) as audit:
        Project.objects.select_for_update().get(pk=project.pk)
        last = project.models.order_by("-number").first()
        if last is not None and (last.digest, last.in_force) == (digest, asked.in_force):
            raise Refused(Text(f"与第 {last.number} 版相同", f"the same as version {last.number}"))
        number = (project.models.aggregate(last=Max("number"))["last"] or 0) + 1
        made = ProjectModel.objects.create(
            project=project, number=number, name=asked.name[:LONGEST_NAME], body=asked.text, digest=digest,
            in_force=asked.in_force, reason=asked.reason[:LONGEST_REASON], unread=list(asked.unread),
            unverified=list(found.unverified), pack=pack.digest, engine=VERSION, maker=person.actor_key,
            made_at=timezone.now(), **_ratios(results),
        )  # fmt: skip
        ModelResult.objects.bulk_create(
            ModelResult(model=made, place=place, scenario=one["scenario"], changes=one.pop("changes"),
                        figures=one["key_figures"], answer=one)
            for place, one in enumerate(results)
        )  # fmt: skip
        audit.detail["number"] = number
        audit.wrote("projects.ProjectModel", [[made.pk, project.pk, number, digest]])
    return made


def _refuse_references(asked: Asked) -> None:
    """A text that repeats parts of itself by reference may unfold to a great one: it is refused before it is built."""
    try:
        marks = any(isinstance(one, yaml.AliasToken) for one in yaml.scan(asked.text[:400_000]))
    except yaml.YAMLError:
        return  # told with its place by who reads it
    if marks:
        raise Refused(Text(f"{asked.name} 不得使用 YAML 引用（*）", f"{asked.name}: YAML references (*) are not taken"))


def _results(found: ModelFile) -> list[dict[str, Any]]:
    """Every scenario against the same financing, the base first."""
    project = found.project
    names = list(dict.fromkeys(("base", *project.scenarios)))
    if len(names) > SCENARIOS_AT_MOST:
        raise Refused(Text(f"情景最多 {SCENARIOS_AT_MOST} 个", f"at most {SCENARIOS_AT_MOST} scenarios"))
    periods = project.timeline.construction_periods + project.timeline.periods
    if periods > PERIODS_AT_MOST:
        text = Text(f"期数 {periods:,} 超过 {PERIODS_AT_MOST:,}", f"{periods:,} periods, more than {PERIODS_AT_MOST:,}")
        raise Refused(text)
    plan = plan_financing(project)
    made = []
    for name in names:
        scenario = project.scenario(name)
        changes = {driver: float(value) for driver, value in scenario.changes.items()}
        made.append(kept_of(solve(project, scenario, plan)) | {"scenario": name, "changes": changes})
    return made


def _ratios(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The project facts of a version: of the base, and the lowest DSCR of all scenarios."""
    base = results[0]["key_figures"]
    lowest = [one for result in results if (one := result["key_figures"]["min_dscr"]) is not None]
    same = ("min_dscr", "average_dscr", "llcr", "min_llcr", "plcr", "gearing", "average_life_years", "tail_years",
            "equity_irr")  # fmt: skip
    days = {"model_min_dscr_date": "min_dscr_date", "model_lockup_date": "first_lockup",
            "model_default_date": "first_default"}  # fmt: skip
    return {
        **{f"model_{name}": base[name] for name in same},
        **{fact: date.fromisoformat(base[name]) if base[name] else None for fact, name in days.items()},
        "model_stress_dscr": min(lowest) if lowest else None,
    }


def keep_actual(
    *, person: Person, project: Project, period_end: date, amounts: Mapping[str, int | None], currency: str
) -> ProjectActual:
    """What really came in a period, in minor units; None stays unknown. The audit line says what it replaced."""
    if not may(person, MODEL):
        raise Misuse(NOT_ALLOWED)
    strange = set(amounts) - set(ACTUAL_LINES)
    if strange:
        raise Misuse(Text(f"没有 {sorted(strange)}", f"there is no {sorted(strange)}"))
    if period_end > timezone.localdate():
        raise Refused(
            Text(
                f"期间到 {period_end} 才结束；实际数只能填写已经结束的期间",
                f"the period ends on {period_end}, which is still to come; figures are kept of periods that have ended",
            )
        )
    if all(one is None for one in amounts.values()):
        raise Refused(Text("至少填写一个数字", "fill in at least one figure"))
    with line(actor=person.actor_key, action="projects.actual", subject=project.project_id, period=period_end) as audit:
        Project.objects.select_for_update().get(pk=project.pk)
        there = ProjectActual.objects.filter(project=project, period_end=period_end).first()
        if there is not None:
            audit.detail["before"] = {name: getattr(there, name) for name in amounts}
        found = there or ProjectActual(project=project, period_end=period_end)
        found.currency, found.changed_by = currency, None
        for name, value in amounts.items():
            setattr(found, name, value)
        found.save()
        audit.wrote("projects.ProjectActual", [[found.pk, str(period_end), *amounts.items()]])
    return found
