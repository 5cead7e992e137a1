"""`kequn rules eval`: verdicts of loose rules over a file of facts, without a database."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kequn.domain.errors import Misuse, Text

READERS = ("plain", "duckdb", "spark")


def register(app: typer.Typer) -> None:
    rules = typer.Typer(help="Try rules on facts. 在事实上试规则。", no_args_is_help=True)
    rules.command("eval")(evaluate)
    rules.callback()(lambda: None)
    app.add_typer(rules, name="rules")


def evaluate(
    rules: Annotated[Path, typer.Option(help="A JSON object of rules: {rule id: text}.")],
    facts: Annotated[Path, typer.Option(help="A Parquet file of facts, one customer a row, with a column `id`.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The verdicts, as Parquet.")],
    reader: Annotated[
        str, typer.Option(help="Who reads the rules: plain, duckdb or spark; the answers are equal.")
    ] = "duckdb",
    pack: Annotated[str, typer.Option(help="The policy pack whose dictionary gives the labels of facts.")] = "cn",
) -> None:
    """Say for every row and rule whether it holds: true, false, or nothing where a fact is missing."""
    import pyarrow.parquet as pq

    from kequn.engine.rule_files import evaluate_rules
    from kequn.policy import load_pack

    if reader not in READERS:
        raise Misuse(
            Text(f"没有读法 {reader}；可选 plain、duckdb、spark", f"no reader {reader}; there is plain, duckdb, spark")
        )
    if not output.parent.is_dir():
        raise Misuse(Text(f"没有文件夹 {output.parent}", f"there is no folder {output.parent}"))
    table = evaluate_rules(rules, facts, load_pack(pack).vocabulary, reader)  # type: ignore[arg-type]  # checked above
    fresh = output.with_name(f".{output.name}.{os.getpid()}.fresh")
    try:
        pq.write_table(table, fresh, compression="snappy")
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)
