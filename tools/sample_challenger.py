"""The challenger of the demonstration: a scorecard fitted on an invented book other than the one that is shown.

    .venv/bin/python tools/sample_challenger.py     writes src/kequn/samples/challenger

Needs requirements/modelling.txt. The demonstration itself only scores with it, for which nothing more is needed.
"""

import shutil
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kequn.engine import build_base
from kequn.engine import run as evaluate
from kequn.modelling.fitting import fit
from kequn.modelling.models import save
from kequn.modelling.settings import settings_of
from kequn.modelling.spec import read_spec
from kequn.modelling.tapes import read_tape
from kequn.policy import build_plan, load_pack
from kequn.samples.book import AS_OF, make_book, write_snapshot
from kequn.version import VERSION

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "kequn" / "samples" / "challenger"
CUSTOMERS, SEED = 50_000, 20250930  # another seed than that of the book that is shown
OUTCOME = "default_within_12_months"
TELLING = ("debt_ratio", "worst_past_due", "times_past_due")
BEFORE = "known at the date of the run; the invented book draws its defaults from it"


def main() -> None:
    pack = load_pack("cn")
    plan = build_plan(pack, AS_OF)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_snapshot(home / "snapshot", CUSTOMERS, seed=SEED)
        build_base(home / "snapshot", plan, AS_OF, home / "base.duckdb")
        evaluate(home / "base.duckdb", plan, AS_OF, home / "run")
        found = pq.read_table(home / "run" / "findings.parquet")
        customers = pa.concat_tables([block["customers"] for block in make_book(CUSTOMERS, seed=SEED)])
        keys, defaulted = (customers.column(one).to_pylist() for one in ("customer_id", "defaulted"))
        bad = dict(zip(keys, defaulted, strict=True))
        table = found.append_column("as_of", pa.array([AS_OF] * found.num_rows, pa.date32()))
        table = table.append_column(OUTCOME, pa.array([bad[one] for one in found.column("customer_id").to_pylist()]))
        table = table.filter(pa.array([one != "D" for one in found.column("grade").to_pylist()]))
        pq.write_table(table, home / "invented_book.parquet")
        tape, spec = read_tape(home / "invented_book.parquet"), read_spec(ROOT / "examples/models/book_challenger.yaml")
        spec = replace(spec, allow_leakage=dict.fromkeys(TELLING, BEFORE))
        made = fit(spec, tape, settings_of(pack, date.today()), AS_OF, VERSION)
        shutil.rmtree(TARGET, ignore_errors=True)
        save(made, TARGET, tape, AS_OF)
    sys.stdout.write(f"{made.card['trained']}\n{made.card['failed']}\n")


main()
