"""The engines by name: DuckDB inside the process, Spark on a local JVM. Nothing else knows their names.

Both take the same SQL: it is written for DuckDB and transpiled for Spark, over the same tables.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

from kequn.domain.errors import Misuse, Text

EngineName = Literal["duckdb", "spark"]
ROW = "row_"
ORDERS = {"duckdb": "rowid", "spark": ROW}  # what numbers the rows of a base in each engine


def connect(path: str | Path = ":memory:", *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that keeps the order of rows and reads nothing but what it is given."""
    connection = duckdb.connect(str(path), read_only=read_only)
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET max_expression_depth = 5000")
    connection.execute("SET disabled_optimizers = 'in_clause'")  # it makes joins of long lists, and joins lose order
    connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
    return connection


def query(engine: EngineName, sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of one query over Arrow tables. Where the query passes `row_` through, they come in its order."""
    found = query_spark(sql, tables) if engine == "spark" else query_duckdb(sql, tables)
    if ROW not in found.column_names:
        return found
    order = found.column(ROW).to_numpy()
    in_order = bool((order[1:] > order[:-1]).all())
    return (found if in_order else found.sort_by(ROW)).drop_columns([ROW])


def query_duckdb(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    with connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(sql).to_arrow_table()


def query_spark(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The same query on Spark."""
    session = spark_session()
    with tempfile.TemporaryDirectory(prefix="kequn-spark-") as folder:
        for name, table in tables.items():
            path = Path(folder) / f"{name}.parquet"
            pq.write_table(table, path)
            session.read.parquet(path.as_uri()).createOrReplaceTempView(name)
        return session.sql(to_spark(sql)).toArrow()


def to_spark(sql: str) -> str:
    return str(sqlglot.transpile(sql, read="duckdb", write="spark")[0])


def spark_session() -> Any:
    """The one local Spark session of this process, its JVM bound to this machine only."""
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Misuse(
            Text(
                "没有安装 Spark，请安装 requirements/spark.txt",
                "Spark is not installed; install requirements/spark.txt",
            )
        ) from error
    builder = SparkSession.builder.appName("kequn").master(f"local[{os.cpu_count() or 1}]")
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": os.environ.get("KEQUN_SPARK_MEMORY", "3g"),
        "spark.driver.extraJavaOptions": "-Xss64m -Duser.timezone=UTC",
        "spark.sql.analyzer.maxIterations": "1000",
        "spark.sql.optimizer.maxIterations": "1000",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.codegen.wholeStage": "false",
        "spark.log.level": "ERROR",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


BATCH = 122_880


def batches_of(
    engine: EngineName, connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, Any]
) -> Iterator[Any]:
    """The rows of one query over an analytics base, in its order, as Arrow batches."""
    if engine == "spark":
        yield from _spark_batches(connection, sql, tables)
        return
    for name, table in tables.items():
        connection.register(name, table)
    yield from _batches(connection, sql)


def _batches(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[Any]:
    """At least one batch, so that a result without rows still has its columns."""
    reader, empty = connection.sql(sql).to_arrow_reader(BATCH), True
    for batch in reader:
        empty = False
        yield batch
    if empty:
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)


def _spark_batches(connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, Any]) -> Iterator[Any]:
    """The base goes to Spark as Parquet with its row numbers; the answer comes back in their order."""
    session = spark_session()
    with tempfile.TemporaryDirectory(prefix="kequn-spark-") as folder:
        base = Path(folder) / "base.parquet"
        connection.execute(
            f"COPY (SELECT *, rowid AS {ROW} FROM base) TO '{base}' (FORMAT parquet, ROW_GROUP_SIZE 50000)"
        ).fetchall()
        session.read.parquet(base.as_uri()).createOrReplaceTempView("base")
        for name, table in tables.items():
            pq.write_table(table, Path(folder) / f"{name}.parquet")
            session.read.parquet((Path(folder) / f"{name}.parquet").as_uri()).createOrReplaceTempView(name)
        ordered = sql.replace("SELECT ", f"SELECT {ROW}, ", 1)
        out = Path(folder) / "out"
        session.sql(to_spark(ordered)).write.parquet(out.as_uri())
        with connect() as local:
            found = f"SELECT * EXCLUDE ({ROW}) FROM read_parquet('{out}/*.parquet') ORDER BY {ROW}"
            yield from _batches(local, found)
