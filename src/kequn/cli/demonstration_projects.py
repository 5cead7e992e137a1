"""The example models attached to projects of the sample book, with what came so far, so that their pages are filled."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kequn.apps.accounts.access import Person
    from kequn.apps.deals.models import Project
    from kequn.apps.projects.models import ProjectModel

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "projects"
IN_FORCE = date(2026, 1, 1)
CASES, SEED = 5000, 1
# file, sector of the project, first day of construction in the copy, how revenue and costs came against the model
COPIES = (
    ("solar_2025_market_rules", "energy", "2024-01-01", (0.94, 0.97, 0.88), (1.02, 1.00, 1.05)),
    ("toll_road", "transport", "2022-01-01", (0.91, 0.87, 0.90), (1.04, 1.06, 1.03)),
    ("biotech_research", "industry", "2026-01-01", (), ()),
)
LOWERED, LOWERED_FROM = "solar_2025_market_rules", date(2026, 8, 1)
LOWER = (  # the second version: cheaper power, a faster decline, quicker collection; the loan stays as it was agreed
    ("price: 0.024", "price: 0.020"), ("growth: -0.004", "growth: -0.02"),
    ("receivable_days: 45", "receivable_days: 20"),
)  # fmt: skip
UNTIL = date(2026, 9, 30)  # nothing is known of a period that ends later


def model_projects() -> Iterator[str]:
    """Keep one model each for three projects that have a party; a project of the right sector where there is one."""
    from kequn.apps.accounts.models import User

    person = User.objects.get(username="demo-administrator")
    taken: list[int] = []
    for name, sector, start, revenues, costs in COPIES:
        project, file = _project_for(sector, taken), EXAMPLES / f"{name}.yaml"
        if project is None or not file.is_file():
            continue
        taken.append(project.pk)
        model = _keep(person, project, file, start)
        _came(person, model, revenues, costs)
        yield f"model {name} kept for {project.project_id}"
        _simulate(person, model)
        if name == LOWERED:
            _reforecast(person, model)
    yield from _record(taken)


def _project_for(sector: str, taken: list[int]) -> "Project | None":
    from kequn.apps.deals.models import Project

    found = Project.objects.filter(parties__isnull=False).exclude(pk__in=taken).order_by("project_id")
    fitting = found.filter(sector=sector)
    return fitting.filter(stage="operation").first() or fitting.first() or found.first()


def _keep(person: "Person", project: "Project", file: Path, start: str) -> "ProjectModel":
    from kequn.apps.projects.services import Asked, keep_model

    text = file.read_text(encoding="utf-8").replace("start: 2026-01-01", f"start: {start}")
    return keep_model(person=person, project=project, asked=Asked(text, file.name, IN_FORCE, "示例 illustration"))


def _came(person: "Person", model: "ProjectModel", revenues: tuple[float, ...], costs: tuple[float, ...]) -> None:
    """Invented figures of the first periods of operation that have ended; of the first, tax is not known."""
    from kequn.apps.projects.selectors import answer_of
    from kequn.apps.projects.services import keep_actual

    answer = answer_of(model, "base") or {}
    rows = [row for row in answer["periods"] if date.fromisoformat(row["end"]) <= UNTIL]
    for place, (row, revenue, cost) in enumerate(zip(rows, revenues, costs, strict=False)):
        keep_actual(
            person=person, project=model.project, period_end=date.fromisoformat(row["end"]),
            amounts=_amounts(row, revenue, cost, knows_tax=place > 0), currency="CNY",
        )  # fmt: skip


def _amounts(row: dict[str, Any], revenue: float, cost: float, *, knows_tax: bool) -> dict[str, int | None]:
    """Fen of a period whose model is in 万元: revenue and costs as they came, what is left of them as CFADS."""
    fen = 1_000_000
    less = row["revenue"] * (revenue - 1.0) - row["operating_costs"] * (cost - 1.0)
    return {
        "actual_revenue": round(row["revenue"] * revenue * fen),
        "actual_operating_costs": round(row["operating_costs"] * cost * fen),
        "actual_maintenance": round(row["maintenance"] * fen),
        "actual_tax": round(row["tax"] * fen) if knows_tax else None,
        "actual_cfads": round((row["cfads"] + less) * fen),
        "actual_interest": round(row["senior_interest_paid"] * fen),
        "actual_principal": round(row["senior_principal_paid"] * fen),
        "actual_distribution": round(max(0.0, row["distribution"] + less) * fen),
    }


def _reforecast(person: "Person", model: "ProjectModel") -> None:
    """A second version from a later day, on which a lock-up is ahead: the run of that day warns of it."""
    from kequn.apps.projects.selectors import results_of
    from kequn.apps.projects.services import Asked, keep_model

    debt = results_of(model)[0].figures["debt"]["senior"]
    text = model.body.replace("    target_dscr:", f"    amount: {debt:.2f}\n    target_dscr:")
    for before, after in LOWER:
        text = text.replace(before, after)
    why = "电价与发电量下调 lower prices and volumes"
    keep_model(person=person, project=model.project, asked=Asked(text, model.name, LOWERED_FROM, why))


def _record(numbers: list[int]) -> Iterator[str]:
    """Name, cost, dates and covers of these projects as their models have them, brought in as a sheet would be."""
    from django.conf import settings

    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.ingest.services import Wish, import_path

    file = Path(settings.KEQUN_HOME) / "sample" / "modelled" / "projects.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [row for number in numbers for row in _recorded(number)]
    if not rows:
        return
    with file.open("w", encoding="utf-8", newline="") as out:
        sheet = csv.DictWriter(out, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)
    for batch in import_path(path=file.parent, person=LocalAdministrator(), wish=Wish(source="sample", unit="元")):
        yield f"facts of modelled projects: {batch.rows_stored} stored"


def _recorded(number: int) -> Iterator[dict[str, Any]]:
    """One row for each party of a project, as its model in force at the end of the actual figures says it."""
    from kequn.apps.deals.models import Project
    from kequn.apps.projects.reckoning import ready
    from kequn.apps.projects.selectors import answer_of, model_in_force

    project, sectors = Project.objects.get(pk=number), {f"{name}.yaml": sector for name, sector, *_rest in COPIES}
    model = model_in_force(project, UNTIL)
    if model is None:
        return
    answer = answer_of(model, "base") or {}
    figures, first = answer["key_figures"], date.fromisoformat(answer["periods"][0]["start"])
    for party in project.parties.select_related("customer"):
        yield {
            "customer_id": party.customer.code, "project_id": project.project_id, "role": party.role,
            "project_name": ready(model).file.project.name, "sector": sectors[model.name],
            "total_investment": round(figures["total_uses"] * 10_000),
            "commissioning_year": first.year, "stage": "operation" if first <= UNTIL else "construction",
            "dscr_min": round(figures["min_dscr"], 3), "llcr": round(figures["llcr"], 3),
        }  # fmt: skip


def _simulate(person: "Person", model: "ProjectModel") -> None:
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import wait_for
    from kequn.apps.projects.simulating import KIND, ask_simulation

    made = ask_simulation(person=person, model=model, scenario="base", count=CASES, seed=SEED)
    wait_for(job=Job.objects.get(key=f"{KIND}-{made.pk}"), worker="demo")
