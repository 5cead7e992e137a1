"""From the files of a run to the staging tables: what stands, in the words of the spans, and the figures that moved.

The rows pass from DuckDB to the records as Arrow; they become visible only by publication.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pyarrow as pa
from django.db import connection, transaction

from kequn.apps.assessments.causes import told_apart
from kequn.apps.assessments.models import Run, StagedChange, StagedFigures
from kequn.apps.audit import bulk
from kequn.domain.definitions import Definition, Plan
from kequn.domain.facts import FactType, Grain

KEPT = frozenset({"dimension", "segment", "signal", "flag", "strategy"})
YES_ONLY = frozenset({"segment", "signal", "flag"})
FIGURES = ("score", "pd", "exposure_gross", "exposure_net")
LARGEST_YUAN = 9e16
BLOCK = 100_000


def spans_of(plan: Plan) -> list[Definition]:
    """Classes, memberships and signals are kept as spans; a number that moves with every statement is not."""
    mine = (one for one in plan.findings() if one.output and one.grain == Grain.CUSTOMER)
    return [one for one in mine if one.type == FactType.TEXT or (one.kind in KEPT and one.type != FactType.NUMBER)]


def span_keys(plan: Plan) -> list[str]:
    """Every finding that the policy makes and that is kept as spans."""
    return [one.name for one in spans_of(plan)]


def stage(*, run: Run, plan: Plan, results: Path, previous: Path | None, same_date: bool) -> None:
    """Fill the staging tables of this run. They belong to no transaction and are seen by no page.

    `same_date` says that the run before judged the same day.
    """
    unstage(run)
    with duckdb.connect() as con:
        con.register("words", _words(plan))
        _views(con, results, previous)
        causes = told_apart(con, plan=plan, results=results, previous=previous, same_date=same_date)
        changes = f"""SELECT {run.id}::BIGINT AS run_id, customer_id AS customer_code, kind, key,
            left(value, 120) AS value, cause FROM ({_changes_sql(causes)})"""
        if previous is None:
            changes += " WHERE value IS NOT NULL"
        _move(con, StagedChange, changes)
        _move(con, StagedFigures, _figures_sql(con, run))


def unstage(run: Run) -> None:
    for model in (StagedChange, StagedFigures):
        model.objects.filter(run_id=run.id)._raw_delete("default")  # noqa: SLF001


def _words(plan: Plan) -> pa.Table:
    """How the verdict of each finding is written: as it is, or yes-only with what unknown means."""
    kept = spans_of(plan)

    def mode(one: Definition) -> str:
        if one.kind not in YES_ONLY:
            return "plain"
        return "out" if one.kind == "flag" else one.unknown_means

    return pa.table({"key": [one.name for one in kept], "mode": [mode(one) for one in kept]})


def _views(con: duckdb.DuckDBPyConnection, results: Path, previous: Path | None) -> None:
    for name, file in (("changes", results / "changes.parquet"), ("fresh", results / "findings.parquet")):
        con.read_parquet(str(file)).create_view(name)
    if previous is not None:
        con.read_parquet(str(previous / "findings.parquet")).create_view("stood")
    else:
        con.execute("CREATE VIEW stood AS SELECT * FROM fresh WHERE FALSE")


def _changes_sql(changes: str) -> str:
    """An unknown verdict stands as policy says: not at all, as if true, or as `unknown` on the list of missing data."""
    return f"""SELECT customer_id, kind, key, cause,
        CASE WHEN mode = 'plain' THEN new
             WHEN new IS NULL THEN CASE mode WHEN 'in' THEN 'true' WHEN 'list' THEN 'unknown' END
             WHEN new = 'false' THEN NULL ELSE new END AS value
        FROM ({changes}) JOIN words USING (key)"""


def _figures_sql(con: duckdb.DuckDBPyConnection, run: Run) -> str:
    """Score, PD and exposures of the customers for whom any of them changed; amounts in minor units of yuan."""

    def picked(view: str) -> str:
        have = set(con.view(view).columns)
        return ", ".join(f'"{one}"' if one in have else f'NULL::DOUBLE AS "{one}"' for one in FIGURES)

    def minor(name: str) -> str:
        return f"CASE WHEN abs({name}) <= {LARGEST_YUAN} THEN round({name} * 100)::BIGINT END AS {name}"

    return f"""SELECT {run.id}::BIGINT AS run_id, customer_id AS customer_code,
        score::DOUBLE AS score, pd::DOUBLE AS pd,
        {minor("exposure_gross")}, {minor("exposure_net")} FROM (
        SELECT customer_id, {picked("fresh")} FROM fresh EXCEPT SELECT customer_id, {picked("stood")} FROM stood)"""


def _move(con: duckdb.DuckDBPyConnection, model: Any, sql: str) -> None:
    """Rows of a query into a staging table: by ADBC into PostgreSQL, by Django's own connection into SQLite.

    ADBC brings a second SQLite library into the process. When either of two copies closes the file, the locks of the
    other are gone (POSIX), and the database is damaged: seen once, within minutes. So there is one copy here.
    """
    reader = con.sql(sql).to_arrow_reader(BLOCK)
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            for batch in reader:
                bulk.insert(model, reader.schema.names, zip(*(one.to_pylist() for one in batch.columns), strict=True))
        return
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(_uri(connection.settings_dict)) as adbc:
        adbc.cursor().adbc_ingest(model._meta.db_table, reader, mode="append")  # noqa: SLF001
        adbc.commit()


def _uri(settings: dict[str, Any]) -> str:
    """The address of the database for libpq; a host that is a folder is a socket."""
    user, password = quote(settings["USER"], safe=""), quote(settings["PASSWORD"] or "", safe="")
    host, port = settings["HOST"] or "localhost", settings["PORT"]
    login = f"{user}:{password}" if password else user
    where = f"?host={quote(host, safe='')}" if host.startswith("/") else ""
    at = "" if where else host
    return f"postgresql://{login}@{at}{f':{port}' if port else ''}/{quote(settings['NAME'], safe='')}{where}"
