"""`kequn bench projectfinance`: the published figures of project finance, each as a ratio measured in the same run."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

PHASES = ("single", "full", "whole", "waterfall")
WORDS = (
    "PySAM Singleowner also works out hourly revenue and US tax; waterfall-py is the like for like of the waterfall."
)


def project_finance(
    peers: Annotated[
        bool, typer.Option(help="Compare with PySAM and waterfall-py (their environment is made on demand).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure one case, a tornado and a hundred thousand scenarios of 60 periods, beside two other packages."""
    from kequn.cli.bench import child

    report: dict[str, Any] = {phase: child("kequn.financing.bench", phase) for phase in PHASES}
    if peers:
        report["peers"] = _peers()
        report["ratios"] = _ratios(report)
        report["note"] = WORDS
    print(json.dumps(report, indent=1) if as_json else as_text(report))


def _peers() -> dict[str, Any]:
    from kequn.cli.bench import ROOT, run

    environment = Path(os.environ.get("KEQUN_BENCH_FINANCE_ENVIRONMENT", ROOT / ".venv-bench-finance"))
    made = f"import dev; from pathlib import Path; dev.install('bench-finance', Path({str(environment)!r}))"
    run([sys.executable, "-c", made], cwd=ROOT)
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    out = run([str(python), str(ROOT / "tools" / "bench_finance_peers.py")], cwd=None)
    found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return found


def _ratios(report: dict[str, Any]) -> dict[str, float]:
    """How many scenarios of ours take the CPU of one of theirs."""
    pysam, other = report["peers"]["pysam"]["seconds"], report["peers"]["waterfall_py"]["seconds"]
    return {
        "pysam_to_full_model": round(pysam / report["full"]["seconds"], 1),
        "pysam_to_one_case": round(pysam * 1e3 / report["single"]["sized_and_solved_ms"], 2),
        "waterfall_py_to_waterfall": round(other / report["waterfall"]["seconds"], 1),
        "waterfall_py_to_full_model": round(other / report["full"]["seconds"], 1),
    }


def as_text(report: dict[str, Any]) -> str:
    """The figures as lines."""
    single, full, whole = report["single"], report["full"], report["whole"]
    lines = [
        f"one case, sized, run and measured   {single['sized_and_solved_ms']:8.1f} ms CPU",
        f"tornado of twelve drivers           {single['tornado_ms']:8.1f} ms CPU, {single['tornado_wall_ms']:.1f} ms",
        f"full model, 60 periods              {full['per_second_and_core']:8,.0f} scenarios a second and core",
        f"100,000 scenarios, two threads      {whole['wall_seconds']:8.2f} s, {whole['cpu_seconds']:.2f} s CPU",
        f"memory at the peak                  {whole['peak_gib']:8.2f} GiB",
    ]
    if "ratios" in report:
        lines += ["", *(f"{name:<36}{value:>10,.1f}" for name, value in report["ratios"].items()), "", report["note"]]
    return "\n".join(lines)
