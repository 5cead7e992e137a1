"""`kequn assess`: the findings for a file of customers, without a database."""

import csv
import os
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from kequn.cli import language
from kequn.cli.bare_file import KEY, BareFile, need_suffix, read_bare_file
from kequn.domain.errors import Misuse, Text
from kequn.domain.facts import Grain
from kequn.domain.monitoring.staleness import stale_facts
from kequn.policy import Pack, build_plan, load_pack
from kequn.policy.dictionary import count_at

if TYPE_CHECKING:
    import pyarrow as pa

    from kequn.domain.definitions import Plan

COLUMNS = (
    KEY,
    "size",
    "size_group",
    "size_missing",
    "industry_section",
    "industry_family",
    "geography",
    "region",
    "income_group",
    "score",
    "grade",
    "pd",
    "credit_tier",
    "segments",
    "signals",
    "stale",
)
NUMBERS = {"score", "pd"}
LACKS = "size_lacks_"
LACKING_ORDER = ("industry_code", "employees", "revenue", "total_assets", "trust_assets")
ENGINES = ("plain", "duckdb", "spark")
STATEMENT_DATE = "statement_date"


def register(app: typer.Typer) -> None:
    app.command("assess")(assess)


def assess(
    file: Annotated[Path, typer.Argument(help="Customers, one a row: CSV (UTF-8) or Parquet; columns are fact names.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the findings go: .csv or .parquet.")],
    pack: Annotated[str, typer.Option(help="The policy pack: a shipped name, or a folder of your own.")] = "cn",
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="The date; else the latest statement date, else today."),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Who computes: plain, duckdb or spark; the answers are equal.")
    ] = "duckdb",
    lang: Annotated[str, typer.Option(help="Language of messages, zh or en; else that of the terminal.")] = "",
) -> None:
    """Say for every customer of a file: size, industry, place, credit, segments and signals. No database is needed."""
    if lang:
        os.environ["KEQUN_LANG"] = lang
    if engine not in ENGINES:
        raise Misuse(
            Text(f"没有引擎 {engine}；可选 plain、duckdb、spark", f"no engine {engine}; there is plain, duckdb, spark")
        )
    need_suffix(file, Text("输入文件", "the input"))
    need_suffix(output, Text("输出文件", "the output"))
    if not file.is_file():
        raise Misuse(Text(f"找不到文件 {file}", f"there is no file {file}"))
    policy = load_pack(pack)
    plan = build_plan(policy, as_of.date() if as_of else date.today())
    found = _read(file, policy, plan)
    at = as_of.date() if as_of else _latest_statement(found)
    plan = build_plan(policy, at)
    for remark in found.remarks:
        print(remark.in_language(language()), file=sys.stderr)
    findings = assessed(found, policy, plan, at, cast("Literal['plain', 'duckdb', 'spark']", engine))
    _write(findings, output)


def _read(file: Path, pack: Pack, plan: "Plan") -> BareFile:
    known = {fact.name: fact for fact in (*pack.vocabulary, *plan.vocabulary)}
    made = {one.name for one in plan.definitions if one.kind != "derived"}
    suppliable = {name: fact for name, fact in known.items() if name not in made and not fact.outcome}
    return read_bare_file(file, pack, suppliable, known)


def _latest_statement(found: BareFile) -> date:
    dates = [value for value in found.columns.get(STATEMENT_DATE, ()) if value is not None]
    return max(dates, default=date.today())


def assessed(
    found: BareFile, pack: Pack, plan: "Plan", as_of: date, engine: Literal["plain", "duckdb", "spark"]
) -> dict[str, list[Any]]:
    """The columns of the answer, a row for a row of the file in its order."""
    from kequn.engine.frames import evaluate_frame

    _leave_out_later_statements(found, pack, as_of)
    _count_ages(found, pack, as_of)
    if found.rows == 0:
        return {name: [] for name in COLUMNS}
    made = evaluate_frame(_arrow(found, plan), plan, as_of, engine)
    answer: dict[str, list[Any]] = {
        name: made.column(name).to_pylist() for name in COLUMNS if name in made.column_names
    }
    answer[KEY] = found.columns[KEY]
    groups = {row["group"] for row in pack.standards.at("enterprise_size", as_of)}
    answer["size_group"] = [group if group in groups else None for group in answer["size_group"]]
    lacking = [one.name for one in plan.definitions if one.name.startswith(LACKS)]
    wanted = {name: name.removeprefix(LACKS) for name in lacking}
    in_table_order = sorted(lacking, key=lambda name: LACKING_ORDER.index(wanted[name]))
    answer["size_missing"] = _named(made, in_table_order, wanted)
    for column, kind in (("segments", "segment"), ("signals", "signal")):
        names = sorted(one.name for one in plan.definitions if one.kind == kind)
        answer[column] = _named(made, names, dict(zip(names, names, strict=True)), _counted_in(plan))
    answer["stale"] = _stale(found, pack, as_of)
    return {name: answer[name] for name in COLUMNS}


def _counted_in(plan: "Plan") -> frozenset[str]:
    """Segments and signals in which an unknown verdict counts as in."""
    return frozenset(one.name for one in plan.definitions if one.unknown_means == "in")


def _named(
    made: "pa.Table", columns: list[str], words: Mapping[str, str], unknown_in: frozenset[str] = frozenset()
) -> list[str | None]:
    """For each row the words of the columns that are true, with `;` between; None where none is."""
    rows: list[list[str]] = [[] for _ in range(made.num_rows)]
    for name in columns:
        for row, value in zip(rows, made.column(name).to_pylist(), strict=True):
            if value or (value is None and name in unknown_in):
                row.append(words[name])
    return [";".join(row) or None for row in rows]


def _leave_out_later_statements(found: BareFile, pack: Pack, as_of: date) -> None:
    """A statement of a later date is not known yet at the as-of date: its facts are unknown."""
    dates = found.columns.get(STATEMENT_DATE, [])
    later = [row for row, value in enumerate(dates) if value is not None and value > as_of]
    if not later:
        return
    dated = {limit.fact for limit in pack.dictionary.age_limits if limit.dated_by == STATEMENT_DATE}
    for name, values in found.columns.items():
        if name in dated or name == STATEMENT_DATE:
            for row in later:
                values[row] = None
    count = len(later)
    found.remarks.append(
        Text(
            f"{count} 个客户的报表晚于 {as_of}，按未知处理",
            f"{count} customer(s) have statements after {as_of}; taken as unknown",
        )
    )
    print(found.remarks[-1].in_language(language()), file=sys.stderr)


def _count_ages(found: BareFile, pack: Pack, as_of: date) -> None:
    """Machine facts that count days or years from a date of the row."""
    for counted in pack.dictionary.counted:
        dates = found.columns.get(counted.date_column)
        if counted.fact.grain != Grain.CUSTOMER or counted.fact.name in found.columns or dates is None:
            continue
        found.columns[counted.fact.name] = [None if day is None else count_at(counted, day, as_of) for day in dates]


def _arrow(found: BareFile, plan: "Plan") -> "pa.Table":
    import pyarrow as pa

    types = {"number": pa.float64(), "text": pa.string(), "boolean": pa.bool_(), "date": pa.date32()}
    return pa.table(
        {
            name: pa.array(values, types[fact.type])
            for name, values in found.columns.items()
            if (fact := plan.vocabulary.get(name)) is not None
        }
    )


def _stale(found: BareFile, pack: Pack, as_of: date) -> list[str | None]:
    limits = [
        limit for limit in pack.dictionary.age_limits if limit.fact in found.columns and limit.dated_by in found.columns
    ]
    names = {limit.fact for limit in limits} | {limit.dated_by for limit in limits}
    answers: list[str | None] = []
    for row in range(found.rows):
        known = {name: found.columns[name][row] for name in names}
        answers.append(";".join(stale_facts(known, limits, as_of)) or None)
    return answers


def _write(columns: dict[str, list[Any]], output: Path) -> None:
    """Write beside the place and move, so that a half-written answer is never seen."""
    partial = output.with_name(output.name + ".partial")
    try:
        if output.suffix.lower() == ".csv":
            _write_csv(columns, partial)
        else:
            _write_parquet(columns, partial)
        partial.replace(output)
    except OSError as error:
        raise Misuse(Text(f"无法写入 {output}：{error}", f"cannot write {output}: {error}")) from error
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(columns: dict[str, list[Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(
                ["" if value is None else repr(value) if isinstance(value, float) else value for value in row]
            )


def _write_parquet(columns: dict[str, list[Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(values, pa.float64() if name in NUMBERS else pa.string()) for name, values in columns.items()
    }
    pq.write_table(pa.table(arrays), path)
