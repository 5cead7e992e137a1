"""`kequn classify` and `kequn slot`: rule books of assets, and the slotting sheet of a project.

No database, but for the kept model of a project that `slot --project` names.
"""

import json
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kequn.domain.errors import Misuse, Refused, Text

if TYPE_CHECKING:
    from pyarrow import Table

    from kequn.domain.errors import Language
    from kequn.domain.projectfinance.model import Project
    from kequn.domain.rating.slotting import Slotted
    from kequn.policy.classification import RuleBook
    from kequn.policy.slotting import Sheet, SlottingPolicy

BOOKS = ("classification", "staging")
WRITTEN = (".parquet", ".csv")


def register(app: typer.Typer) -> None:
    app.command("classify")(classify)
    app.command("slot")(slot)


def classify(
    file: Annotated[Path, typer.Argument(help="Assets, one a row; columns are facts of the rules (CSV or Parquet).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write: .parquet or .csv.")],
    by: Annotated[str, typer.Option(help="classification (five tiers) or staging (IFRS 9).")] = "classification",
    as_of: Annotated[str, typer.Option("--as-of", help="The date whose rules are read; else today.")] = "",
    pack: Annotated[str, typer.Option(help="The policy pack.")] = "cn",
    reader: Annotated[str, typer.Option(help="plain, duckdb or spark; the answers are equal.")] = "duckdb",
) -> None:
    """Classify assets: the tier or stage of each row, and which rule with which article holds."""
    import pyarrow as pa

    from kequn.cli import language, replacing
    from kequn.engine.classification import classify as classified
    from kequn.modelling.tapes import read_tape
    from kequn.policy import load_pack
    from kequn.policy.classification import read_rule_book

    if by not in BOOKS:
        raise Misuse(Text(f"没有 {by}；可选 {' '.join(BOOKS)}", f"no {by}; there is {' '.join(BOOKS)}"))
    if output.suffix.lower() not in WRITTEN:
        wanted = " ".join(WRITTEN)
        raise Misuse(Text(f"不认识的后缀 {output.name}；可写 {wanted}", f"{output.name}: the suffix must be {wanted}"))
    book = read_rule_book(load_pack(pack).folder, by, _day(as_of))  # type: ignore[arg-type]  # checked above
    if book.heading.status != "verified":
        said = Text(f"规则未与原文核对：{book.heading.title.zh}（{book.heading.file}）",
                    f"not checked against the text: {book.heading.title.en} ({book.heading.file})")  # fmt: skip
        print(said.in_language(language()), file=sys.stderr)
    with replacing(output) as fresh:
        table = read_tape(file).table
        _tell_absent(table.column_names, book, language())
        found = classified(table, book, reader)  # type: ignore[arg-type]  # the reader refuses what it does not know
        others = [name for name in table.column_names if name not in found.column_names and name not in book.facts]
        columns = [*(table.column(name) for name in others), *found.columns]
        _write(pa.table(columns, names=[*others, *found.column_names]), fresh)


def _tell_absent(columns: list[str], book: "RuleBook", spoken: "Language") -> None:
    """Say which facts of the rules the file has no column for; Refused where it has none at all."""
    absent = [fact.name for fact in book.facts if fact.name not in columns]
    if len(absent) == len(list(book.facts)):
        some = " ".join(absent)
        raise Refused(Text(f"文件没有规则所需的任何列；可有：{some}", f"the file has no column that the rules read; "
                           f"there may be: {some}"))  # fmt: skip
    if absent:
        said = Text(f"文件没有这些列，按未填处理：{' '.join(absent)}",
                    f"the file has no such column, so it is not known: {' '.join(absent)}")  # fmt: skip
        print(said.in_language(spoken), file=sys.stderr)


def _write(table: "Table", path: Path) -> None:
    if path.suffix.lower() == ".csv":
        from pyarrow import csv

        csv.write_csv(table, path)
    else:
        import pyarrow.parquet as pq

        pq.write_table(table, path, compression="snappy")


def slot(
    sheet: Annotated[Path, typer.Argument(help="The sheet of a project: answers, figures, remaining_years (YAML).")],
    as_of: Annotated[str, typer.Option("--as-of", help="The date whose policy is read; else today.")] = "",
    pack: Annotated[str, typer.Option(help="The policy pack.")] = "cn",
    model: Annotated[
        Path | None, typer.Option(help="The project's model (YAML): answers what the sheet leaves.")
    ] = None,
    project: Annotated[str, typer.Option(help="Code of a project: its kept model answers what the sheet leaves.")] = "",
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Slot a project: category, risk weight, expected loss, and the same answers under two other weightings."""
    from kequn.domain.rating.slotting import slot as slotted
    from kequn.policy import load_pack
    from kequn.policy.documents import Complaints, read_yaml
    from kequn.policy.slotting import read_sheet, read_slotting

    if not sheet.is_file():
        raise Misuse(Text(f"找不到 {sheet}", f"there is no {sheet}"))
    policy = read_slotting(load_pack(pack).folder, _day(as_of))
    complaints = Complaints()
    body = read_yaml(sheet, complaints)
    if complaints.findings:
        raise Refused(Text("项目表读不懂", "the sheet cannot be read"), tuple(complaints.findings))
    from kequn.financing.slotting import completed

    of_model = _project(model, project, as_user, pack, _day(as_of))
    if of_model is not None:
        body = completed(body, of_model, _day(as_of))
    read = read_sheet(body, policy, sheet.name)
    found = slotted(policy.scheme, read.answers, in_default=read.in_default, remaining_years=read.remaining_years)
    answer = _said(found, read, policy)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    _say(answer, policy)


def _project(model: Path | None, code: str, as_user: str, pack: str, as_of: date) -> "Project | None":
    """The project of a model file, or of the model in force that is kept for a project of the records."""
    if model is not None:
        from kequn.financing.models import read_model
        from kequn.policy import load_pack

        if not model.is_file():
            raise Misuse(Text(f"找不到 {model}", f"there is no {model}"))
        return read_model(model, load_pack(pack), as_of).project
    if not code:
        return None
    from kequn.cli.records import ready

    person = ready(as_user=as_user)
    from kequn.apps.projects.reckoning import ready as read_version
    from kequn.apps.projects.selectors import model_in_force, projects_visible_to

    found = projects_visible_to(person).filter(project_id=code).first()
    if found is None:
        raise Refused(Text(f"没有您可以查看的项目 {code}", f"there is no project {code} that you may see"))
    version = model_in_force(found, as_of)
    if version is None:
        raise Refused(Text(f"项目 {code} 在 {as_of} 没有模型", f"the project {code} has no model at {as_of}"))
    return read_version(version).file.project


def _said(found: "Slotted", read: "Sheet", policy: "SlottingPolicy") -> dict[str, Any]:
    from dataclasses import asdict

    from kequn.domain.rating.slotting import drivers

    return {
        **asdict(found),
        "missing": [f"{policy.line(name).id} {name}" for name in found.missing],
        "drivers": [{"line": f"{policy.line(name).id} {name}", "points": points}
                    for name, points in drivers(policy.scheme, read.answers)],
        "evidence": dict(read.evidence),
        "policy": {"in_force": policy.heading.in_force.isoformat(), "status": policy.heading.status,
                   "notes": list(policy.notes)},
    }  # fmt: skip


def _say(answer: dict[str, Any], policy: "SlottingPolicy") -> None:
    """The answer line by line, every category and line of the sheet by its name in the language of the terminal."""
    from kequn.cli import language

    spoken = language()
    lines = {f"{one.id} {one.name}": f"{one.id} {one.label.in_language(spoken)}" for one in policy.lines}

    def category(name: str | None) -> str:
        return policy.categories[name].in_language(spoken) if name else ""

    def say(zh: str, en: str, value: object) -> None:
        print(f"{Text(zh, en).in_language(spoken)}\t{'' if value is None else value}")

    say("类别", "category", category(answer["category"]) or " / ".join(map(category, answer["possible"])))
    say("得分", "score", None if answer["score"] is None else f"{answer['score']:.3f}")
    say("风险权重", "risk weight", None if answer["risk_weight"] is None else f"{answer['risk_weight']:.0%}")
    say("预期损失", "expected loss", None if answer["expected_loss"] is None else f"{answer['expected_loss']:.1%}")
    say("等权结果", "with equal weights", category(answer["equal_weights"]))
    say("最差因素结果", "by the worst factor", category(answer["worst_factor"]))
    for one in answer["missing"]:
        say("缺少", "missing", lines[one])
    for one in answer["drivers"][:5]:
        say("主要拖累", "moved by", f"{lines[one['line']]}\t{one['points']:.3f}")
    for note in answer["policy"]["notes"]:
        if note["status"] != "verified":
            say("未核实", "not verified", note[spoken])


def _day(text: str) -> date:
    if not text:
        return date.today()
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise Misuse(Text(f"日期不对：{text}", f"not a date: {text}")) from error
