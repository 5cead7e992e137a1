"""Kill imports and runs at random and look at what is left.

    python -m tests.faults.kill --kills 200
    python -m tests.faults.kill --kills 40 --fault import_in_two_transactions     (must be caught)
    python -m tests.faults.kill --prove                                           (all planted faults must be caught)

Uses KEQUN_DATABASE_URL when it is set, an embedded database in a temporary home otherwise. Exit 1 when an invariant
was broken (or, with a planted fault, when it was not noticed).
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.invariants import Known, broken, findings_digest, records_digest
from tests.faults.work import bring_in, judge, ready

ROOT = Path(__file__).resolve().parents[2]
SOURCES = str(ROOT / "src")
FAULTS = ("import_in_two_transactions", "batch_before_rows", "audit_afterwards", "published_before_finished")
CUSTOMERS = 150


def write_book(folder: Path) -> None:
    """Two states of one book with the same keys and other amounts, so that each import changes many rows."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from kequn.samples.book import write_sheets

    for state in ("a", "b"):
        write_sheets(folder / state, CUSTOMERS)
    for name, columns in (("statements", ("revenue", "cash", "equity")), ("facilities", ("drawn",))):
        file = folder / "b" / f"{name}.parquet"
        table = pq.read_table(file)
        for column in columns:
            at, values = table.schema.get_field_index(column), table.column(column)
            halved = pc.floor(pc.divide(values.cast(pa.float64()), 2.0)).cast(pa.float64())
            table = table.set_column(at, column, halved)
        pq.write_table(table, file)


def learn(book: Path) -> Known:
    """The whole states, by doing everything once undisturbed."""
    from kequn.apps.assessments.models import Run, RunState

    known = Known()
    for state in ("a", "b", "a", "b"):
        bring_in(book, state)
        known.records[records_digest()] = state
        judge()
        last = Run.objects.filter(state=RunState.PUBLISHED).order_by("-published_at", "-id").first()
        known.findings[last.snapshot.digest] = findings_digest()
    return known


def kill_once(book: Path, env: dict[str, str], draw: random.Random, longest: float) -> float:
    """Start the child, let it work for a random while, kill it where it stands; the seconds it had."""
    words = [sys.executable, "-W", "ignore", "-m", "tests.faults.work", str(book), draw.choice("ab")]
    child = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    if child.stdout.readline().strip() != "ready":
        raise SystemExit("the child did not start")
    span = draw.uniform(0.0, longest)
    time.sleep(span)
    if child.poll() is not None:
        raise SystemExit(f"the child ended by itself with {child.returncode}")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    return span


def campaign(kills: int, fault: str, seed: int, *, stop_when_caught: bool) -> tuple[int, list[str]]:
    """So many kills in a home of their own; how many were made and what was broken."""
    from django.db import connection

    draw, found, made = random.Random(seed), [], 0
    env = {**os.environ, "PYTHONPATH": SOURCES, "KEQUN_LEASE_SECONDS": "2"}
    book = Path(os.environ["KEQUN_HOME"]) / "book"
    known = KNOWN[0] if KNOWN else _first(book)
    if fault:
        env |= {"KEQUN_TEST_BUILD": "1", "KEQUN_FAULT": fault}
    started = time.monotonic()
    bring_in(book, "a")
    judge()
    longest = max(2.0, (time.monotonic() - started) * 2)
    for made in range(1, kills + 1):
        span = kill_once(book, env, draw, longest)
        wrong = broken(known)
        connection.close()
        found += [f"kill {made} after {span:.2f} s: {one}" for one in wrong]
        if wrong and stop_when_caught:
            break
        if not fault and made % 20 == 0:
            print(f"{made} kills, {len(found)} broken, {time.monotonic() - started:.0f} s", flush=True)
    return made, found


KNOWN: list[Known] = []


def _first(book: Path) -> Known:
    write_book(book)
    KNOWN.append(learn(book))
    return KNOWN[0]


def main() -> int:
    sys.path.insert(0, SOURCES)  # a command of its own: nothing installed the program
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--fault", default="", choices=("", *FAULTS))
    parser.add_argument("--prove", action="store_true", help="plant each fault in turn; every one must be caught")
    parser.add_argument("--seed", type=int, default=20261123)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kequn-kill-") as home:
        os.environ.update(KEQUN_HOME=home, KEQUN_LEASE_SECONDS="2")
        ready()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, skip_checks=True)
        if chosen.prove:
            return prove(chosen.kills, chosen.seed)
        made, found = campaign(chosen.kills, chosen.fault, chosen.seed, stop_when_caught=bool(chosen.fault))
        print("\n".join(found[:20]))
        print(f"{made} kills, {len(found)} broken invariants" + (f", planted: {chosen.fault}" if chosen.fault else ""))
        return int(bool(found) != bool(chosen.fault))


def prove(kills: int, seed: int) -> int:
    """Each planted fault in a home of its own process, because a caught fault leaves a broken book."""
    missed = []
    for fault in FAULTS:
        words = [
            sys.executable,
            "-m",
            "tests.faults.kill",
            "--kills",
            str(kills),
            "--seed",
            str(seed),
            "--fault",
            fault,
        ]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        print(
            f"{fault}: {'caught' if done.returncode == 0 else 'MISSED'}; {done.stdout.strip().splitlines()[-1:]}",
            flush=True,
        )
        if done.returncode:
            missed.append(fault)
            print(done.stderr[-500:])
    print(f"{len(FAULTS) - len(missed)} of {len(FAULTS)} planted faults caught")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
