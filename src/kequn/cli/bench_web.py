"""`kequn bench web`: the figures of the web, asked of a book of a hundred thousand customers on either database."""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.cli import local_postgres
from kequn.cli.bench_pages import BUILDER, CUSTOMER, EXPORT, FREE, LIST, REPORT, SEARCH, WHY, Goal, once, page, whole
from kequn.domain.errors import Misuse, Text

DATABASES = ("sqlite", "postgresql")
LOOKED_AT = 5_000  # of the customers, so many lend their names to the questions
TABS = ("overview", "group", "statements", "facilities", "projects", "findings", "timeline")
REPORTS, REPORTS_PER_SECOND = 1_000, 1000 / 30
ROWS = 100_000
IMPORT, UNDO = Goal(wall_ms=300_000), Goal(wall_ms=60_000)
Row = dict[str, Any]


def web(
    customers: Annotated[int, typer.Option(min=1_000, help="How many customers the book has.")] = 100_000,
    database: Annotated[str, typer.Option(help="sqlite or postgresql; a local server is started for it.")] = "",
    folder: Annotated[Path | None, typer.Option(help="Where to keep the book that was made; else temporary.")] = None,
    statements_of: Annotated[
        int, typer.Option(min=1, help="Every so-manieth customer hands in statements and account months.")
    ] = 10,
    only: Annotated[str, typer.Option(help="Measure only what begins so, such as search.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure pages, search, exports, reports and imports on an invented book; each beside what is promised."""
    work = folder or Path(tempfile.mkdtemp(prefix="kequn-bench-"))
    try:
        with book(work, customers, database, statements_of) as made:
            report = {**made, "rows": [asdict(one) for one in Figures(work, customers, only).measured()]}
    finally:
        if folder is None:
            shutil.rmtree(work, ignore_errors=True)
    print(json.dumps(report, indent=1, ensure_ascii=False) if as_json else as_text(report))


@contextmanager
def book(work: Path, customers: int, database: str, statements_of: int = 10) -> Iterator[Row]:
    """The book in a database of its own, made where it is not there yet, with Django ready for it."""
    address = os.environ.get("KEQUN_DATABASE_URL", "")
    database = database or ("postgresql" if address else "sqlite")
    if database not in DATABASES:
        choices = ", ".join(DATABASES)
        raise Misuse(Text(f"没有数据库 {database}；可选：{choices}", f"no database {database}; choose from {choices}"))
    if database == "postgresql" and not address and not local_postgres.is_here():
        raise Misuse(
            Text("本机没有 PostgreSQL；请设置 KEQUN_DATABASE_URL", "no PostgreSQL here; set KEQUN_DATABASE_URL")
        )
    home = work / database
    home.mkdir(parents=True, exist_ok=True)
    own_server = database == "postgresql" and not address
    with local_postgres.server(work / "server") if own_server else nullcontext(address) as url:
        os.environ["KEQUN_HOME"] = str(home)
        os.environ.pop("KEQUN_DATABASE_URL", None)
        if database == "postgresql":
            os.environ["KEQUN_DATABASE_URL"] = url
        from kequn.cli.bench_book import make
        from kequn.cli.records import ready, say

        ready()
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        made = make(home, work / "sheets", customers, statements_of, say)
        yield {"database": database, "load_before": round(load, 1), "making": made, "customers": customers}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    measured: Row
    goal: str
    holds: bool | None  # None: nothing is promised


class Figures:
    """Everything that is asked of the book, one figure after the other."""

    def __init__(self, work: Path, customers: int, only: str) -> None:
        self.work, self.customers, self.only = work, customers, only

    def measured(self) -> list[Figure]:
        from kequn.cli.records import say

        made = []
        for name, goal, work in self.asked():
            if name.startswith(self.only):
                row = work()
                made.append(Figure(name, row, goal.said(), goal.holds(row) if goal != FREE else None))
                say(_line(asdict(made[-1])))
        return made

    def asked(self) -> Iterator[tuple[str, Goal, Any]]:
        yield from self.lists()
        yield from self.searches()
        yield from self.pages()
        yield from self.exports()
        yield from self.reports()
        yield from self.imports()

    def client(self, role: str) -> Any:
        from django.test import Client

        from kequn.apps.accounts.models import User

        client = Client(headers={"accept-language": "zh-hans"})
        client.force_login(User.objects.get(username=f"demo-{role}"))
        return client

    def asking(self, role: str, address: str, repeats: int = 9) -> Any:
        return lambda: page(self.client(role), address, repeats=repeats)

    def lists(self) -> Iterator[tuple[str, Goal, Any]]:
        from kequn.apps.assessments.listing import Wanted

        falling = Wanted(order="exposure", descending=True)
        common = questions()["common pair"]
        for name, query, order in (
            ("by name", "", Wanted()), ("by exposure", "sort=-exposure", falling),
            ("two classes", "size=micro&credit_tier=low", None),
            ("two classes by exposure", "size=small&geography=domestic&sort=-exposure", None),
            ("words in most names", f"q={common}", None),
            ("words in most names by exposure", f"q={common}&sort=-exposure", None),
        ):  # fmt: skip
            yield f"list {name}, first page", LIST, self.asking("head", f"/customers/?{query}")
            if order is not None:
                mark = far(order, 2_000)
                yield f"list {name}, page 2,000", LIST, self.asking("head", f"/customers/?{query}&after={mark}")
        yield "list by exposure, branch", LIST, self.asking("risk", "/customers/?sort=-exposure")

    def searches(self) -> Iterator[tuple[str, Goal, Any]]:
        for name, word in questions().items():
            for role, scope in (("head", "all"), ("risk", "branch"), ("analyst", "team"), ("manager", "own")):
                yield f"search {name} ({word}), {scope}", SEARCH, self.asking(role, f"/search/?q={word}")

    def pages(self) -> Iterator[tuple[str, Goal, Any]]:
        code, largest = with_statements(), of_largest_group()
        for tab in TABS:
            yield f"customer {tab}", CUSTOMER, self.asking("head", f"/customers/{code}/?tab={tab}")
        for tab in ("overview", "group"):
            yield f"customer of a large group, {tab}", CUSTOMER, self.asking("head", f"/customers/{largest}/?tab={tab}")
        yield "customer why", CUSTOMER, self.asking("head", f"/customers/{code}/why/grade/")
        for key in ("late_payers", "multinational"):
            yield f"customer why, segment {key}", WHY, self.asking("head", f"/customers/{code}/why/{key}/")
            address = f"/segments/define/?from={key}"
            yield f"segment builder with its count, {key}", BUILDER, self.asking("segment", address)
        for name, address in (("today", "/"), ("portfolio", "/portfolio/"), ("segments", "/segments/")):
            for role in ("head", "manager"):
                yield f"{name}, {role}", FREE, self.asking(role, address)

    def exports(self) -> Iterator[tuple[str, Goal, Any]]:
        for form in ("csv", "xlsx"):
            asked = partial(whole, self.client("head"), f"/customers.{form}")
            yield f"export {form} of everything", EXPORT, partial(once, asked, self.customers)

    def reports(self) -> Iterator[tuple[str, Goal, Any]]:
        code = with_statements()
        for form in ("pdf", "docx", "xlsx"):
            yield f"report {form}", REPORT, self.asking("head", f"/customers/{code}/report.{form}")
        goal = Goal(least_per_second=REPORTS_PER_SECOND)
        yield f"reports, {REPORTS} as one archive", goal, lambda: once(make_reports, REPORTS)

    def imports(self) -> Iterator[tuple[str, Goal, Any]]:
        rows = min(ROWS, self.customers)
        kept: list[int] = []
        yield f"import of {rows:,} customers", IMPORT, lambda: once(lambda: kept.append(self.brought_in(rows)), rows)
        yield f"undo of {rows:,} customers", UNDO, lambda: once(lambda: undone(kept), rows)
        yield f"index of {self.customers:,} customers anew", FREE, lambda: once(index_anew, self.customers)

    def brought_in(self, rows: int) -> int:
        from kequn.apps.accounts.access import LocalAdministrator
        from kequn.apps.ingest.services import Wish, import_path

        file = self.work / "newcomers.parquet"
        newcomers(file, self.customers, rows)
        (batch,) = import_path(path=file, person=LocalAdministrator(), wish=Wish(source="newcomers", unit="元"))
        return batch.pk


# --- what is asked for ----------------------------------------------------------------------------------------


def questions() -> dict[str, str]:
    """Words to search for, taken from the names and codes of the book itself."""
    from kequn.apps.customers.models import Customer
    from kequn.apps.search.readings import readings

    rows = list(Customer.objects.order_by("pk").values_list("name", "uscc")[:LOOKED_AT])
    names = [name for name, _uscc in rows]
    letters = Counter(letter for name in names for letter in name if _is_chinese(letter))
    pairs = Counter(name[at : at + 2] for name in names for at in range(len(name) - 1))
    chinese = [one for one, _count in pairs.most_common() if all(map(_is_chinese, one))]
    said = readings(names[0][2:6])[0]
    uscc = next(code for _name, code in rows if code)
    return {
        "common pair": chinese[0],
        "rare pair": chinese[-1],
        "common character": letters.most_common(1)[0][0],
        "initials": "".join(one[:1] for one in said),
        "common initials": "".join(one[:1] for one in readings(chinese[0])[0]),
        "pinyin": "".join(said),
        "credit code": uscc[-6:],
        "no hit": "龘龘zq",
    }


def _is_chinese(letter: str) -> bool:
    return "一" <= letter <= "鿿"


def far(wanted: Any, number: int, size: int = 50) -> str:
    """The mark after which page `number` of the list begins; the last full page of a smaller book."""
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.assessments.listing import chosen
    from kequn.apps.assessments.orders import places

    part = chosen(person=LocalAdministrator(), wanted=wanted)
    if wanted.order == "exposure":
        part = part.only(part.figures.is_known)
    at = min((number - 1) * size, len(part) - size) - 1
    ordered = part.numbers[places(wanted.order, part.numbers, falling=wanted.descending).argsort()]
    return str(ordered[at])


def with_statements() -> str:
    """A customer with many statements and facilities."""
    from django.db.models import Count

    from kequn.apps.customers.models import Customer, Statement

    busiest = Statement.objects.values("customer").annotate(n=Count("pk")).order_by("-n", "customer")[:50]
    ids = [row["customer"] for row in busiest]
    ranked = Customer.objects.filter(pk__in=ids).annotate(n=Count("facilities")).order_by("-n", "pk")
    return ranked[0].code


def of_largest_group() -> str:
    """The first customer of the group with the most members."""
    from django.db.models import Count

    from kequn.apps.customers.models import Customer

    grouped = Customer.objects.exclude(group=None).values("group").annotate(n=Count("pk")).order_by("-n", "group")
    return Customer.objects.filter(group=grouped[0]["group"]).order_by("pk")[0].code


# --- longer work ----------------------------------------------------------------------------------------------


def make_reports() -> None:
    """An archive of the reports of those with statements."""
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.briefings.services import request_batch
    from kequn.apps.customers.models import Customer, Statement
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import wait_for

    chosen = Customer.objects.filter(pk__in=Statement.objects.values("customer")).order_by("pk")[:REPORTS]
    batch = request_batch(person=LocalAdministrator(), customers=chosen, form="pdf", language="zh")
    wait_for(job=Job.objects.get(key=f"report-batch-{batch.pk}"), worker="bench")


def newcomers(file: Path, after: int, rows: int) -> None:
    """A sheet of invented customers whom the book does not know."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from kequn.samples.book import AS_OF, SEED
    from kequn.samples.firms import make_firms

    if not file.exists():
        firms = make_firms(np.random.default_rng([SEED, 7]), first=5 * after + 1, count=rows, as_of=AS_OF)
        columns = {name: pa.array(values, from_pandas=True) for name, values in firms.columns.items()}
        pq.write_table(pa.table(columns), file)


def undone(kept: list[int]) -> None:
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.ingest.undoing import undo

    undo(batch_id=kept[-1], person=LocalAdministrator())


def index_anew() -> None:
    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.search.services import rebuild

    rebuild(person=LocalAdministrator())


# --- as words -------------------------------------------------------------------------------------------------


def as_text(report: Row) -> str:
    """The figures as a table that can be read."""
    making = report["making"]
    lines = [f"{report['customers']:,} customers, {report['database']}, load before {report['load_before']}", ""]
    for name, one in making["imports"].items():
        lines.append(f"import {name:<16}{one['rows']:>10,} rows {one['cpu_seconds']:>8.1f} s CPU"
                     f" {one['wall_seconds']:>8.1f} s {one['rows_per_second']:>7,} rows/s")  # fmt: skip
    lines += [f"run {making['run']['cpu_seconds']:.1f} s CPU, {making['run']['wall_seconds']:.1f} s", ""]
    lines.append(f"{'':<52}{'queries':>8}{'kB':>10}{'CPU ms p50':>12}{'p95':>9}{'ms p50':>11}{'p95':>11}{'worst':>11}")
    for one in report["rows"]:
        lines.append(_line(one))
    return "\n".join(lines)


def _line(one: Row) -> str:
    row = one["measured"]
    cpu, wall = (row[name] if isinstance(row[name], dict) else {"p50": row[name]} for name in ("cpu_ms", "wall_ms"))
    holds = {True: "holds", False: "FALLS SHORT", None: ""}[one["holds"]]
    times = "".join(
        f"{part.get(key, ''):>{width}}"
        for part, key, width in ((cpu, "p50", 12), (cpu, "p95", 9), (wall, "p50", 11), (wall, "p95", 11),
                                 (wall, "worst", 11))
    )  # fmt: skip
    rate = f"  {row['per_second']:,} a second" if "per_second" in row else ""
    wide = sum(2 if ord(letter) > 0x2E80 else 1 for letter in one["name"]) - len(one["name"])
    return (
        f"{one['name']:<{52 - wide}}{row.get('queries', ''):>8}{row.get('kilobytes', ''):>10}{times}{rate}"
        f"  {one['goal']} {holds}".rstrip()
    )
