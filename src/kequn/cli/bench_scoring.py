"""`kequn bench scoring`: a million rows through a frozen scorecard, beside optbinning's transform of the same rows."""

import json
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

VARIABLES = 15
FITTED_ROWS = 20_000
TIMES = 3


def scoring(
    rows: Annotated[int, typer.Option(min=10_000, help="How many rows are scored.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score rows on fifteen characteristics: the best of three by us, and by optbinning's transform, in one run."""
    report = measured_scoring(rows)
    print(json.dumps(report, indent=1) if as_json else "\n".join(f"{key}\t{value}" for key, value in report.items()))
    if report["differences"]:
        raise typer.Exit(1)


def measured_scoring(rows: int) -> dict[str, Any]:
    """Wall and CPU seconds of both; `differences` counts rows whose score is not the sum of the card's points."""
    import numpy as np
    import pyarrow as pa

    from kequn.modelling.fitting import Fitted, fit
    from kequn.modelling.models import load, save, scored
    from kequn.modelling.scorecard import Scorecard
    from kequn.modelling.settings import settings_of
    from kequn.modelling.spec import spec_of
    from kequn.modelling.tapes import Tape
    from kequn.policy import load_pack
    from kequn.version import VERSION

    draw = np.random.default_rng(15)
    values = draw.normal(0, 1, (rows, VARIABLES))
    risk = values @ np.full(VARIABLES, 0.4) - 2
    event = draw.random(rows) < 1 / (1 + np.exp(-risk))
    names = [f"x{at}" for at in range(VARIABLES)]
    table = pa.table({**{name: values[:, at] for at, name in enumerate(names)}, "bad": event.astype(int)})
    day, spec = date.today(), spec_of({"kind": "scorecard", "key": "row", "target": "bad", "event": 1})
    sample = Tape(table.slice(0, FITTED_ROWS), "made", "")
    made: Fitted = fit(spec, sample, settings_of(load_pack("cn"), day), day, VERSION)
    with tempfile.TemporaryDirectory(prefix="kequn-bench-") as folder:
        save(made, Path(folder) / "model", sample, day)
        model = load(Path(folder) / "model")
    tape = Tape(table, "made", "")
    ours, found = _best(lambda: scored(model, tape))
    theirs, _ = _best(_optbinning(values, event, names))
    card = made.model
    wanted = card.scores({name: table.column(name) for name in names}, rows) if isinstance(card, Scorecard) else None
    return {
        "rows": rows, "characteristics": len(made.card["characteristics"]), "wall_seconds": round(ours[0], 3),
        "cpu_seconds": round(ours[1], 3), "optbinning_wall_seconds": round(theirs[0], 3),
        "optbinning_cpu_seconds": round(theirs[1], 3), "times_faster_by_wall": round(theirs[0] / ours[0], 2),
        "times_cheaper_by_cpu": round(theirs[1] / ours[1], 2),
        "differences": int((found.column("score").to_numpy() != wanted).sum()),
    }  # fmt: skip


def _optbinning(values: Any, event: Any, names: list[str]) -> Any:
    """Its transform to weights of evidence, after a fit on the same rows as ours."""
    from optbinning import BinningProcess

    process = BinningProcess(names)
    process.fit(values[:FITTED_ROWS], event[:FITTED_ROWS].astype(int))
    return lambda: process.transform(values, metric="woe")


def _best(work: Any) -> tuple[tuple[float, float], Any]:
    """The quickest of some runs, wall and CPU, so that a busy machine counts for little; and what was answered."""
    times, answer = [], None
    for _ in range(TIMES):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = work()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(times), answer
