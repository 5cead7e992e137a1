"""`kequn bench portfolio`: the published figures of the engine, each as a ratio measured in the same run.

The figures of project finance stand in bench_finance.py, of the web in bench_web.py and bench_load.py.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.cli.bench_finance import project_finance
from kequn.cli.bench_load import load
from kequn.cli.bench_rating import rerating
from kequn.cli.bench_scoring import scoring
from kequn.cli.bench_web import web
from kequn.domain.errors import KequnError, Misuse, Text

ROOT = Path(__file__).resolve().parents[3]
PHASES = ("base", "first", "changed", *("floor", "whole") * 3, "rules", "agree")


def register(app: typer.Typer) -> None:
    bench = typer.Typer(help="The published figures, measured here. 在本机量出公布的指标。", no_args_is_help=True)
    bench.command("portfolio")(portfolio)
    bench.command("projectfinance")(project_finance)
    bench.command("web")(web)
    bench.command("load")(load)
    bench.command("scoring")(scoring)
    bench.command("rerating")(rerating)
    bench.callback()(lambda: None)
    app.add_typer(bench, name="bench")


def portfolio(
    customers: Annotated[int, typer.Option(min=1_000, help="How many customers the book has.")] = 100_000,
    engine: Annotated[str, typer.Option(help="duckdb or spark; the results are equal.")] = "duckdb",
    pack: Annotated[str, typer.Option(help="The policy pack.")] = "cn",
    folder: Annotated[
        Path | None, typer.Option(help="Where to work, and keep what was made; else a temporary folder.")
    ] = None,
    peers: Annotated[
        bool, typer.Option(help="Compare with other packages (their environment is made on demand).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a whole run of a book against one reading of its data; check the results against the plain reader."""
    if engine not in {"duckdb", "spark"}:
        raise Misuse(Text(f"没有引擎 {engine}；可选 duckdb、spark", f"no engine {engine}; there is duckdb, spark"))
    work = folder or Path(tempfile.mkdtemp(prefix="kequn-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        report = measured_portfolio(work, customers, engine, pack, peers=peers)
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(report, indent=1) if as_json else as_text(report))
    if not report["checks"]["passed"]:
        raise typer.Exit(1)


def measured_portfolio(work: Path, customers: int, engine: str, pack: str, *, peers: bool) -> dict[str, Any]:
    """Make the book, run every phase in a process of its own, and put the figures in proportion.

    Floor and whole run are taken three times in turn and the least of each is told: what else a machine does can only
    add to either.
    """
    from kequn.engine.bench.books import cut_changed
    from kequn.engine.bench.measure import steady_threads
    from kequn.samples.book import AS_OF, write_snapshot

    _say(f"making a book of {customers:,} customers")
    if not (work / "snapshot" / "manifest.json").exists():
        write_snapshot(work / "snapshot", customers)
    ids = cut_changed(work / "snapshot", work / "delta")
    (work / "changed.json").write_text(json.dumps(ids), encoding="utf-8")
    report: dict[str, Any] = {"customers": customers, "engine": engine, "threads": steady_threads(), "phases": {}}
    for phase in PHASES:
        _say(phase)
        told = child("kequn.engine.bench.phases", phase, work, pack, AS_OF.isoformat(), engine)
        before = report["phases"].get(phase)
        if before is None or told["cpu_seconds"] < before["cpu_seconds"]:
            report["phases"][phase] = told
    report["ratios"] = _ratios(report["phases"])
    report["checks"] = {"differences_from_the_plain_reader": report["phases"]["agree"]["differences"]}
    if peers:
        report["peers"] = _peers(work)
        report["ratios"] |= report["peers"].pop("ratios")
        report["checks"] |= report["peers"].pop("checks")
    checks = report["checks"]
    checks["passed"] = (
        checks["differences_from_the_plain_reader"] == 0
        and checks.get("same_hits", True)
        and checks.get("largest_score_difference", 0.0) <= 1e-12
    )
    return report


def _ratios(phases: dict[str, Any]) -> dict[str, float]:
    floor, whole, changed = (phases[name]["cpu_seconds"] for name in ("floor", "whole", "changed"))
    return {
        "whole_run_to_floor": round(whole / floor, 3),
        "changed_to_whole": round(changed / whole, 4),
        "base_to_floor": round(phases["base"]["cpu_seconds"] / floor, 2),
        "rules_to_reading": round(phases["rules"]["cpu_seconds"] / phases["rules"]["reading_cpu_seconds"], 2),
    }


def _peers(work: Path) -> dict[str, Any]:
    """The other packages over the same rows, in an environment made from its own lock when first needed."""
    environment = Path(os.environ.get("KEQUN_BENCH_ENVIRONMENT", ROOT / ".venv-bench"))
    _say("peers")
    made = f"import dev; from pathlib import Path; dev.install('bench', Path({str(environment)!r}))"
    run([sys.executable, "-c", made], cwd=ROOT)
    facts = child("kequn.engine.bench.peers", "facts", work)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run([str(python), str(ROOT / "tools" / "bench_peers.py"), str(work)], cwd=work)
    return {**facts, **child("kequn.engine.bench.peers", "compare", work)}


def child(module: str, *words: object) -> dict[str, Any]:
    """The JSON that a module of ours prints last, run in a process of its own."""
    out = run([sys.executable, "-m", module, *(str(word) for word in words)], cwd=None)
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return answer


def run(words: list[str], cwd: Path | None) -> str:
    """The output of a child process; refused where it fails."""
    path = os.pathsep.join(part for part in (str(ROOT / "src"), os.environ.get("PYTHONPATH")) if part)
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["?"]
        raise KequnError(Text(f"测量未能完成：{last[0]}", f"a measurement failed: {last[0]}"))
    return done.stdout


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"bench: {text}", file=sys.stderr, flush=True)


def as_text(report: dict[str, Any]) -> str:
    """The figures as a small table."""
    lines = [f"{report['customers']:,} customers, {report['engine']}, {report['threads']} threads", ""]
    lines.append(f"{'phase':<12}{'CPU s':>10}{'wall s':>10}{'GiB':>8}")
    for name, phase in report["phases"].items():
        if "cpu_seconds" in phase:
            lines.append(
                f"{name:<12}{phase['cpu_seconds']:>10.2f}{phase['wall_seconds']:>10.2f}{phase['peak_gib']:>8.2f}"
            )
    agree = report["phases"]["agree"]
    one = agree["one_customer_ms"]
    lines += ["", f"one customer: {one['p50']} ms p50, {one['p95']} ms p95",
              f"{agree['differences']} differences from the plain reader in {agree['answers']:,} answers"]  # fmt: skip
    lines += ["", *(f"{name:<24}{value:>10}" for name, value in report["ratios"].items())]
    return "\n".join(lines)
