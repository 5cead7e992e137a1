"""Fitted models on the book: every customer of a run scored by a challenger beside the scorecard of policy.

The champion is what the run found by the scorecard in force; the challenger a folder that `kequn model fit` wrote into
`models` below the home. Its scores lie in a folder of their own and stay when later runs are published.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from django.utils import timezone

from kequn.apps.accounts.access import RUN, SEE_OUTCOMES, Person, may
from kequn.apps.assessments.models import Run, RunState
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import sees_every_customer, visible_to
from kequn.apps.governance.selectors import policy_in_use
from kequn.apps.jobs.services import Lease, enqueue, handler
from kequn.apps.ratings.services import policy_at
from kequn.apps.ratings.standing import Reader, state
from kequn.apps.ratings.validating import HORIZON_MONTHS, NOTHING, bad_within, outcomes_of
from kequn.domain.errors import Misuse, Refused, Text
from kequn.domain.rating.composing import Scale
from kequn.modelling.comparing import Side, compared, graded_by_both
from kequn.modelling.models import CARD, Model, load, scored
from kequn.modelling.settings import settings_of
from kequn.modelling.tapes import Tape

SCORES = "scores"  # the folder of the home with what challengers said of runs
REGISTERED = "models"  # the folder of the home in which folders of fitted models are registered
KIND = "score_challenger"
FOUND = ("score", "grade", "exposure_gross")  # what the run found, beside the challenger's score, PD and grade
OUTCOME = f"default_within_{HORIZON_MONTHS}_months"
MOST_MOVERS = 20
Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mover:
    """A customer whose two grades lie far apart; notches up (safer) where the challenger is the kinder."""

    code: str
    name: str
    champion: str
    challenger: str
    notches: int
    exposure: int | None  # minor units of yuan


@dataclass(frozen=True, slots=True)
class Comparison:
    """`figures` as of `kequn.modelling.comparing`; `is_stale`: the model was written anew since it scored this run."""

    model: str
    run: Run
    grades: tuple[str, ...]
    figures: Found
    movers: tuple[Mover, ...]
    trained: Found
    is_stale: bool


def registered() -> list[Path]:
    """The folders of fitted models, by name."""
    home = Path(settings.KEQUN_HOME) / REGISTERED
    return sorted(one for one in home.iterdir() if (one / CARD).is_file()) if home.is_dir() else []


def folder_of(name: str) -> Path:
    """The folder of a registered model; Refused where there is none of this name."""
    found = {one.name: one for one in registered()}
    if name not in found:
        there = ", ".join(found) or "–"
        raise Refused(Text(f"没有登记模型 {name}；现有：{there}", f"no model {name} is registered; there are: {there}"))
    return found[name]


def run_of(number: int | None) -> Run:
    """A published run by its number, or the last; Refused where there is none."""
    published = Run.objects.filter(state=RunState.PUBLISHED, pk=number).first()
    run = latest_published() if number is None else published
    if run is None or not (Path(settings.KEQUN_HOME) / run.folder / "findings.parquet").is_file():
        raise Refused(Text("没有这次已发布的运行，或其结果文件已不在", "no such published run, or its files are gone"))
    return run


def scores_file(run: Run, name: str) -> Path:
    return Path(settings.KEQUN_HOME) / SCORES / f"{Path(run.folder).name}.{name}.parquet"


def request_scores(*, person: Person, name: str) -> None:
    """Have the last run scored by a challenger in the background."""
    _refuse_who_may_not(person)
    folder_of(name)
    run = run_of(None)
    key = f"{KIND}-{run.pk}-{name}-{_digest(folder_of(name))[:12]}"
    enqueue(kind=KIND, arguments={"model": name, "run": run.pk}, actor=person.actor_key, key=key)


@handler(KIND)
def do_score(lease: Lease) -> dict[str, Any]:
    """The job: one run scored by one challenger."""
    count = _score(lease.actor, str(lease.arguments["model"]), run_of(int(lease.arguments["run"])))
    return {"customers": count}


def score_book(*, person: Person, name: str, run: Run) -> int:
    """Score every customer of a run by a registered model; answers how many customers it has."""
    _refuse_who_may_not(person)
    return _score(person.actor_key, name, run)


def _refuse_who_may_not(person: Person) -> None:
    if not may(person, RUN):
        raise Misuse(Text("没有对全量客户评分的权限", "you may not score the book"))


def _score(actor: str, name: str, run: Run) -> int:
    folder = folder_of(name)
    model = load(folder)
    table = _tape_of(run, model)
    found = scored(model, Tape(table, f"run {run.pk}", run.snapshot.digest if run.snapshot is not None else ""))
    names = ["customer_id", *(f"champion_{one}" for one in FOUND), "score", "pd", "grade"]
    columns = [table.column("customer_id"), *(table.column(f"champion_{one}") for one in FOUND), *found.columns]
    whole = pa.table(columns, names=names).replace_schema_metadata({"model": _digest(folder)})
    file = scores_file(run, name)
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_name(f".{file.name}.fresh")
    with line(actor=actor, action="ratings.scored", subject=name, run=run.pk) as audit:
        pq.write_table(whole, fresh)
        audit.wrote_digest("scores", rows=whole.num_rows, digest=hashlib.sha256(fresh.read_bytes()).hexdigest())
        fresh.replace(file)
    return int(whole.num_rows)


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / CARD).read_bytes()).hexdigest()


def _tape_of(run: Run, model: Model) -> pa.Table:
    """What the model reads, and what the run found: from the findings, else from the customers of the snapshot."""
    home = Path(settings.KEQUN_HOME)
    assert run.snapshot is not None  # noqa: S101 - published runs have one
    files = {"f": home / run.folder / "findings.parquet", "c": home / run.snapshot.folder / "customers.parquet"}
    there = {alias: set(pq.read_schema(file).names) for alias, file in files.items()}
    chosen = {name: next((one for one in ("f", "c") if name in there[one]), "") for name in model.inputs}
    lacking = [name for name, alias in chosen.items() if not alias]
    if lacking:
        said = " ".join(lacking[:5])
        raise Refused(
            Text(f"运行 {run.pk} 没有模型所需的 {said}", f"run {run.pk} has not what the model reads: {said}")
        )
    inputs = ", ".join(f'{alias}."{name}"' for name, alias in chosen.items())
    beside = ", ".join(f'f."{name}" AS "champion_{name}"' for name in FOUND)
    with duckdb.connect() as con:
        asked = (
            f"SELECT f.customer_id, {beside}, {inputs} FROM read_parquet(?) f "
            "LEFT JOIN read_parquet(?) c USING (customer_id) ORDER BY f.customer_id"
        )
        return con.sql(asked, params=[str(files["f"]), str(files["c"])]).to_arrow_table()


def development_sample(*, person: Person, run: Run) -> pa.Table:
    """What a run found of every customer, and whether it defaulted within a year: the rows to fit a challenger on.

    Customers in default already are left out, and those of whom nobody recorded the outcome have none.
    """
    if not may(person, SEE_OUTCOMES) or not sees_every_customer(person):
        raise Misuse(Text("没有查看全部客户结果的权限", "you may not see the outcomes of all customers"))
    table = pq.read_table(Path(settings.KEQUN_HOME) / run.folder / "findings.parquet")
    keys = table.column("customer_id").to_pylist()
    default = policy_at(run.as_of).scheme.scale.default
    bad = [None if one is None else bool(one) for one in _events(keys, run.as_of)]
    table = table.append_column("as_of", pa.array([run.as_of] * len(keys), pa.date32()))
    table = table.append_column(OUTCOME, pa.array(bad, pa.bool_()))
    keep = [grade != default for grade in table.column("grade").to_pylist()]
    return table.filter(pa.array(keep))


def write_sample(*, person: Person, run: Run, output: Path) -> pa.Table:
    """Write the development sample as Parquet, whole or not at all; the audit line has the SHA-256 of the file."""
    fresh = output.with_name(f".{output.name}.fresh")
    try:
        with line(actor=person.actor_key, action="ratings.sample", subject=f"{run.pk} {run.as_of}") as audit:
            found = development_sample(person=person, run=run)
            pq.write_table(found, fresh)
            audit.wrote_digest("sample", rows=found.num_rows, digest=hashlib.sha256(fresh.read_bytes()).hexdigest())
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)
    return found


def _events(codes: Sequence[str], as_of: date) -> list[bool | None]:
    numbers = dict(Customer.objects.values_list("code", "pk"))
    known = outcomes_of()
    return [bad_within(known.get(numbers.get(code, 0), NOTHING), as_of) for code in codes]


# -- read --------------------------------------------------------------------------------------------------------------


def scored_runs(name: str) -> list[Run]:
    """The published runs that a model has scored, the newest first."""
    published = Run.objects.filter(state=RunState.PUBLISHED).order_by("-published_at")
    return [run for run in published if scores_file(run, name).is_file()]


def comparison(*, person: Person, name: str, run: Run) -> Comparison:
    """The challenger beside the champion on the customers that the person may see; Refused before it was scored."""
    file, folder = scores_file(run, name), folder_of(name)
    if not file.is_file():
        raise Refused(
            Text(f"模型 {name} 尚未对运行 {run.pk} 评分", f"the model {name} has not scored run {run.pk} yet")
        )
    policy = policy_at(run.as_of)
    changed = file.stat().st_mtime_ns
    marks = (state(), policy_in_use().digest, timezone.localdate())
    figures, movers = _compared(Reader.of(person), run, file, changed, marks)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    trained = {"fitted_on": card["fitted_on"], **{name: card["trained"][name] for name in ("rows", "events")}}
    is_stale = _read(file, changed)[1] != _digest(folder)
    return Comparison(name, run, policy.scheme.scale.grades, figures, movers, trained, is_stale)


@lru_cache(maxsize=32)
def _compared(
    person: Reader, run: Run, file: Path, changed: int, _marks: tuple[str, str, date]
) -> tuple[Found, tuple[Mover, ...]]:
    """Figures and customers as one reader sees them; worked out once a state, a policy in use and a day."""
    table = _read(file, changed)[0]
    if not sees_every_customer(person):
        mine = pa.array(list(visible_to(person).order_by().values_list("code", flat=True)), pa.string())
        table = table.filter(pa.compute.is_in(table.column("customer_id"), mine))
    scale = policy_at(run.as_of).scheme.scale
    sides = [_side(table, f"{of}score", f"{of}grade", scale) for of in ("champion_", "")]
    event = np.full(table.num_rows, np.nan)
    if may(person, SEE_OUTCOMES):
        event = np.array(_known(table, run), dtype=np.float64)
    confidence = settings_of(policy_in_use(), run.as_of).limits["confidence"]
    figures = compared(sides[0], sides[1], event, len(scale.grades), confidence)
    return figures, _movers(table, sides[0], sides[1], scale)


@lru_cache(maxsize=1)
def _read(file: Path, _changed: int) -> tuple[pa.Table, str]:
    table = pq.read_table(file)
    return table, (table.schema.metadata or {}).get(b"model", b"").decode()


def _side(table: pa.Table, score: str, grade: str, scale: Scale) -> Side:
    place = {one: at for at, one in enumerate(scale.grades)}
    said = table.column(grade).combine_chunks().dictionary_encode()
    of = np.array([*(place.get(one, -1) for one in said.dictionary.to_pylist()), -1], dtype=np.int64)
    numbers = table.column(score).to_numpy()
    graded = of[said.indices.fill_null(len(said.dictionary)).to_numpy()]
    return Side(np.where(np.isfinite(numbers), graded, -1), numbers)


def _known(table: pa.Table, run: Run) -> list[float]:
    found = _events(table.column("customer_id").to_pylist(), run.as_of)
    return [float("nan") if one is None else float(one) for one in found]


def _movers(table: pa.Table, champion: Side, challenger: Side, scale: Scale) -> tuple[Mover, ...]:
    """Those whose grades lie furthest apart, of equals the largest exposure first."""
    both = np.flatnonzero(graded_by_both(champion, challenger))
    notches = champion.grade[both] - challenger.grade[both]
    exposure = table.column("champion_exposure_gross").to_numpy()[both]
    order = np.lexsort((-np.nan_to_num(exposure, nan=-1.0), -np.abs(notches)))[:MOST_MOVERS]
    order = order[np.abs(notches[order]) > 0]
    codes = [str(table.column("customer_id")[int(both[at])]) for at in order]
    names = dict(Customer.objects.filter(code__in=codes).values_list("code", "name"))
    return tuple(
        Mover(
            code, names.get(code, code), scale.grades[champion.grade[both[at]]],
            scale.grades[challenger.grade[both[at]]], int(notches[at]),
            None if np.isnan(exposure[at]) else round(float(exposure[at]) * 100),
        )
        for code, at in zip(codes, order, strict=True)
    )  # fmt: skip
