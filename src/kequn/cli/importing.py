"""`kequn template`, `kequn import`, `kequn undo`: files in, and out again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kequn.cli.records import answer_json, ready, say
from kequn.domain.errors import Text

if TYPE_CHECKING:
    from kequn.apps.ingest.models import ImportBatch

AsUser = Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
SHOWN = 20


def register(app: typer.Typer) -> None:
    app.command("template")(template)
    app.command("import")(import_)
    app.command("undo")(undo)


def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="The workbook to write, .xlsx.")],
    lang: Annotated[str, typer.Option(help="zh or en: the language of labels and notes.")] = "zh",
) -> None:
    """Write the import workbook: one sheet for each kind of record, with notes, units and drop-downs."""
    ready()
    from kequn.apps.ingest.workbook import write_template
    from kequn.cli import writable

    write_template(writable(output), "zh" if lang.lower().startswith("zh") else "en")
    say(str(output))


def import_(
    file: Annotated[Path, typer.Argument(help="A workbook, CSV (also .gz), Parquet file, or a folder of them.")],
    mapping: Annotated[Path | None, typer.Option(help="A mapping file that turns a loan tape into our facts.")] = None,
    unit: Annotated[str, typer.Option(help="Unit of amounts where the file does not state it: 元, 万元, CNY ...")] = "",
    encoding: Annotated[
        str, typer.Option(help="Encoding of a text file, where it cannot be told: big5, utf-16 ...")
    ] = "",
    hidden: Annotated[str, typer.Option(help="Hidden rows: refuse (each is named) or take.")] = "refuse",
    source: Annotated[str, typer.Option(help="Whose customer numbers the file carries.")] = "",
    ignore: Annotated[str, typer.Option(help="Columns to leave out, separated by commas.")] = "",
    whole: Annotated[str, typer.Option(help="What is stored whole or not at all: batch or file.")] = "batch",
    strict: Annotated[bool, typer.Option("--strict", help="One refused row refuses everything.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only; store nothing.")] = False,
    results: Annotated[Path | None, typer.Option(help="Write the result of every row to this workbook.")] = None,
    as_json: AsJson = False,
    as_user: AsUser = "",
) -> None:
    """Bring in customers, statements, facilities, projects ... Rows read = rows stored + rows refused, always."""
    person = ready(as_user=as_user)
    from kequn.apps.ingest.services import Wish, import_path
    from kequn.cli import language, writable
    from kequn.domain.errors import Misuse

    if results is not None:
        writable(results)
    if whole not in {"batch", "file"}:
        raise Misuse(Text("--whole 应为 batch 或 file", "--whole should be batch or file"))
    if hidden not in {"refuse", "take"}:
        raise Misuse(Text("--hidden 应为 refuse 或 take", "--hidden should be refuse or take"))
    _check_unit(unit)
    ignored = frozenset(one.strip() for one in ignore.split(",") if one.strip())
    wish = Wish(
        source, unit, mapping, ignored, whole, strict, dry_run,  # type: ignore[arg-type]
        encoding=encoding, take_hidden=hidden == "take",
    )  # fmt: skip
    batches = import_path(path=file, person=person, wish=wish)
    if results is not None:
        from kequn.apps.ingest.results import write_results

        write_results(results, [batch.pk for batch in batches], language())
    answers = [_answer(batch) for batch in batches]
    if as_json:
        answer_json(answers[0] if len(answers) == 1 else answers)
    else:
        for one in answers:
            _show(one)
    nothing_stored = any(one["rows_refused"] and not one["rows_stored"] for one in answers)
    if nothing_stored or any(one["state"] == "refused" for one in answers):
        raise typer.Exit(1)


def _check_unit(unit: str) -> None:
    from kequn.apps.ingest.units import UNIT_CHOICES, amount_unit
    from kequn.domain.errors import Misuse

    if unit and amount_unit(unit) is None:
        choices = " / ".join(UNIT_CHOICES)
        raise Misuse(
            Text(f"不认识的金额单位 {unit}；可写：{choices}", f"unknown unit of amounts {unit}; write: {choices}")
        )


def _answer(batch: "ImportBatch") -> dict[str, Any]:
    from kequn.apps.ingest.selectors import WARNED, refused_rows, rows_of

    return {
        "batch": batch.pk,
        "name": batch.name,
        "state": str(batch.state),
        "rows_read": batch.rows_read,
        "rows_stored": batch.rows_stored,
        "rows_refused": batch.rows_refused,
        **batch.counts,
        "notes": batch.notes,
        "seconds": batch.seconds,
        "refused": [
            {"file": row.file, "sheet": row.sheet, "row": row.row, "findings": row.findings}
            for row in refused_rows(batch_id=batch.pk)[:1000]
        ],
        "warnings": [
            {"file": row.file, "sheet": row.sheet, "row": row.row, "findings": row.warnings}
            for row in rows_of(batch_id=batch.pk, outcome=WARNED)[:1000]
        ],
    }


OPENINGS = {
    "stored": Text("第 {batch} 次导入已存入：{name}", "Import {batch} is stored: {name}"),
    "checked": Text(
        "只作检查，未存入（第 {batch} 次）：{name}", "Checked only, nothing stored (import {batch}): {name}"
    ),
    "refused": Text(
        "第 {batch} 次导入整体被拒绝，未存入：{name}", "Import {batch} was refused as a whole, nothing stored: {name}"
    ),
    "undone": Text("第 {batch} 次导入已撤销：{name}", "Import {batch} is undone: {name}"),
}
ROWS = Text(
    "读入 {rows_read} 行，存入 {rows_stored} 行，拒绝 {rows_refused} 行，用时 {seconds} 秒。",
    "{rows_read} rows read, {rows_stored} stored, {rows_refused} refused, in {seconds} s.",
)
TABLE = Text(
    "{label}：新增 {new}，变更 {changed}，不变 {unchanged}",
    "{label}: {new} new, {changed} changed, {unchanged} unchanged",
)
AT_ROW = Text("{sheet} 第 {row} 行 {column}：{why}", "{sheet}, row {row}, {column}: {why}")
TABLE_NAMES = {
    "groups": Text("集团", "Groups"), "facts": Text("客户事实", "Facts of customers"),
    "ownership": Text("股权关系", "Ownership"), "guarantees": Text("担保关系", "Guarantees"),
    "parties": Text("项目参与方", "Parties to projects"),
    "project_actuals": Text("项目实际数", "Actual figures of projects"),
    "outcomes": Text("授信结果", "Outcomes of facilities"),
}  # fmt: skip
MORE = Text(
    "还有 {left} 行被拒绝；用 --results FILE.xlsx 或 --json 查看全部",
    "{left} more rows were refused; see them all with --results FILE.xlsx or --json",
)


def _show(answer: dict[str, Any]) -> None:
    from kequn.cli import language

    spoken = language()
    print(OPENINGS[answer["state"]].in_language(spoken).format(**answer))
    print("  " + ROWS.in_language(spoken).format(**answer))
    for table, numbers in answer["tables"].items():
        print("    " + TABLE.in_language(spoken).format(label=_table_label(table, spoken), **numbers))
    for note in answer["notes"]:
        print("  " + note[spoken])
    _show_rows(answer["refused"], Text("被拒绝的行：", "Refused rows:").in_language(spoken), spoken)
    left = answer["rows_refused"] - SHOWN
    if left > 0:
        print("    " + MORE.in_language(spoken).format(left=left))
    _show_rows(
        answer["warnings"], Text("已存入但不合常理：", "Taken, but hard to believe:").in_language(spoken), spoken
    )


def _show_rows(rows: list[dict[str, Any]], title: str, spoken: str) -> None:
    if rows:
        print("  " + title)
    for row in rows[:SHOWN]:
        for one in row["findings"]:
            at = AT_ROW.zh if spoken == "zh" else AT_ROW.en
            print(
                "    "
                + at.format(
                    sheet=row["sheet"] or row["file"], row=row["row"], column=one["column"] or "-", why=one[spoken]
                )
            )


def _table_label(table: str, spoken: str) -> str:
    from kequn.apps.customers.dictionary import sheet_entries

    found = sheet_entries().get(table)
    own = TABLE_NAMES.get(table) or (Text(found.zh, found.en) if found is not None else Text(table, table))
    return own.zh if spoken == "zh" else own.en


def undo(
    batch: Annotated[int, typer.Argument(help="The number of the import.")],
    as_json: AsJson = False,
    as_user: AsUser = "",
) -> None:
    """Take one import back; refused when anything it wrote was changed since."""
    person = ready(as_user=as_user)
    from kequn.apps.ingest.undoing import undo as undo_batch

    done = undo_batch(batch_id=batch, person=person)
    if as_json:
        answer_json({"batch": done.pk, "state": str(done.state), **done.counts.get("undone", {})})
    else:
        from kequn.cli import language

        counts = done.counts.get("undone", {})
        removed, restored = (sum(counts.get(key, {}).values()) for key in ("removed", "restored"))
        zh = f"第 {done.pk} 次导入已撤销：删去 {removed} 条记录，恢复 {restored} 条。"
        en = f"Import {done.pk} is undone: {removed} records removed, {restored} put back."
        print(zh if language() == "zh" else en)
