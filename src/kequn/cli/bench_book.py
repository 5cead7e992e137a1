"""The book that the figures of the web are measured on: invented, brought in by the importer, and run, as a real one.

Every customer has its facts, groups, facilities and projects. Statements and account months are handed in by every
`statements_of`-th customer, so that a hundred thousand are there in minutes; the figures say so.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kequn.cli.demonstration import SOURCE, UNIT, make_staff, write_book
from kequn.domain.errors import Refused, Text
from kequn.engine.bench.measure import measured, said

FIGURES = "making.json"
THINNED = ("statements", "account_months")


def make(home: Path, sheets: Path, customers: int, statements_of: int, say: Callable[[str], None]) -> dict[str, Any]:
    """The book in the database that is set up; what making it cost. Made once: later calls answer the same."""
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.customers.models import Customer

    kept = home / FIGURES
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if known["customers"] == customers:
            return known
    if Customer.objects.exists():
        raise Refused(
            Text("该数据库已有客户，只能在空库上测量", "there are customers in this database; measure on an empty one")
        )
    person = LocalAdministrator()
    make_staff(person)
    if not (sheets / "customers.parquet").exists():
        say("writing the sheets")
        write_book(sheets, customers)
        _thin(sheets, statements_of)
    made: dict[str, Any] = {"customers": customers, "statements_of": statements_of, "imports": {}}
    for file in sorted(sheets.glob("*.parquet"), key=_order):
        say(f"importing {file.stem}")
        made["imports"][file.stem] = _import(file, person)
    say("running")
    made["run"] = _run(person)
    kept.write_text(json.dumps(made, indent=1), encoding="utf-8")
    return made


def _order(file: Path) -> int:
    from kequn.apps.ingest.layout import SHEET_ORDER

    return SHEET_ORDER.index(file.stem) if file.stem in SHEET_ORDER else 0


def _thin(folder: Path, statements_of: int) -> None:
    """Leave the rows of every so-manieth customer; customers are numbered in their ids."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in THINNED:
        table = pq.read_table(folder / f"{name}.parquet")
        numbers = (int(str(one)[1:]) for one in table.column("customer_id").to_pylist())
        pq.write_table(
            table.filter(pa.array([one % statements_of == 1 % statements_of for one in numbers])),
            folder / f"{name}.parquet",
        )


def _import(file: Path, person: Any) -> dict[str, Any]:
    from kequn.apps.ingest.services import Wish, import_path

    spent = measured(lambda: import_path(path=file, person=person, wish=Wish(source=SOURCE, unit=UNIT)))
    (batch,) = spent.answer
    return {
        "rows": batch.rows_read,
        "refused": batch.rows_refused,
        "rows_per_second": round(batch.rows_read / spent.wall_seconds),
        **said(spent),
    }


def _run(person: Any) -> dict[str, Any]:
    from kequn.apps.assessments.services import request_run
    from kequn.apps.jobs.services import wait_for
    from kequn.samples.book import AS_OF

    started = time.perf_counter()
    spent = measured(lambda: wait_for(job=request_run(person=person, as_of=AS_OF), worker="bench"))
    if spent.answer.state != "done":
        zh, _, en = spent.answer.error.partition("\n")
        raise Refused(Text(zh, en or zh))
    return {**said(spent), "seconds": round(time.perf_counter() - started, 1)}
