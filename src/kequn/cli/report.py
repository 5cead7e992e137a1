"""`kequn report ...`: reports that can be printed or opened in a spreadsheet."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kequn.cli.records import answer_json, ready

if TYPE_CHECKING:
    from kequn.domain.errors import Language

AsUser = Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")]
LangOption = Annotated[str, typer.Option("--lang", help="zh or en; else the language of the terminal.")]
UnitOption = Annotated[
    str, typer.Option("--unit", help="yuan, thousand, ten_thousand, million, hundred_million; else the usual one.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Reports on the book.", no_args_is_help=True)
    group.command("customer")(customer)
    group.command("customers")(customers)
    group.command("portfolio")(portfolio)
    group.command("outcomes")(outcomes)
    group.command("ratings")(ratings)
    group.command("projects")(projects)
    app.add_typer(group, name="report")


def customer(
    code: Annotated[str, typer.Argument(help="The customer's code or unified social credit code.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    form: Annotated[str, typer.Option("--format", help="pdf, docx or xlsx.")] = "pdf",
    lang: LangOption = "",
    unit: UnitOption = "",
    as_user: AsUser = "",
) -> None:
    """The financial analysis of one customer: ratios against warning bounds, statements, score, facilities."""
    person = ready(as_user=as_user)
    from kequn.apps.briefings.services import format_of, make_customer_report
    from kequn.apps.customers.selectors import find
    from kequn.cli import writable
    from kequn.domain.errors import Misuse, Text

    chosen = format_of(form)
    found = find(person=person, code=code)
    if found is None:
        raise Misuse(Text(f"没有客户 {code}", f"there is no customer {code}"))
    made = make_customer_report(
        person=person, customer=found, form=chosen, language=language_of(lang), money_unit=_unit(unit)
    )
    writable(output).write_bytes(made)


def portfolio(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    form: Annotated[str, typer.Option("--format", help="pdf, docx or xlsx.")] = "pdf",
    lang: LangOption = "",
    unit: UnitOption = "",
    as_user: AsUser = "",
) -> None:
    """The overview of the book: classes, concentration, signals, migration."""
    person = ready(as_user=as_user)
    from kequn.apps.briefings.services import format_of, make_portfolio_report
    from kequn.cli import writable

    chosen = format_of(form)
    made = make_portfolio_report(person=person, form=chosen, language=language_of(lang), money_unit=_unit(unit))
    writable(output).write_bytes(made)


def customers(
    output: Annotated[Path, typer.Option("-o", "--output", help="The archive (.zip) to write.")],
    most: Annotated[int, typer.Option(min=1, help="At most so many, those with the largest exposure.")] = 1000,
    form: Annotated[str, typer.Option("--format", help="pdf, docx or xlsx.")] = "pdf",
    lang: LangOption = "",
    unit: UnitOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: AsUser = "",
) -> None:
    """The financial analyses of many customers as one archive, made on all cores."""
    person = ready(as_user=as_user)
    import shutil
    import time

    from django.conf import settings
    from django.db.models import F

    from kequn.apps.briefings.models import ReportBatch
    from kequn.apps.briefings.services import format_of, request_batch
    from kequn.apps.customers.selectors import visible_to
    from kequn.apps.jobs.models import Job
    from kequn.apps.jobs.services import wait_for
    from kequn.cli import writable
    from kequn.domain.errors import Refused, Text

    writable(output)
    chosen, started = format_of(form), time.monotonic()
    largest = visible_to(person).order_by(F("figures__exposure_gross").desc(nulls_last=True), "id")[:most]
    batch = request_batch(
        person=person, customers=largest, form=chosen, language=language_of(lang), money_unit=_unit(unit)
    )
    wait_for(job=Job.objects.get(key=f"report-batch-{batch.pk}"), worker="terminal")
    batch = ReportBatch.objects.get(pk=batch.pk)
    if not batch.file:
        zh, _, en = batch.error.partition("\n")
        raise Refused(Text(zh or "报告未完成", en or "the reports were not made"))
    shutil.copyfile(Path(settings.KEQUN_HOME) / batch.file, output)
    answer = {"reports": batch.made, "file": str(output), "seconds": round(time.monotonic() - started, 2)}
    if as_json:
        answer_json(answer)
    else:
        print(f"{batch.made}\t{output}")


def language_of(lang: str) -> "Language":
    """The language of a report: the one asked for, else the terminal's."""
    from typing import cast

    from kequn.cli import language
    from kequn.domain.errors import Misuse, Text

    if lang not in {"", "zh", "en"}:
        raise Misuse(Text(f"没有语言 {lang}；可选：zh, en", f"no language {lang}; choose from zh, en"))
    return cast("Language", lang or language())


def _unit(unit: str) -> str:
    from kequn.domain.errors import Misuse, Text
    from kequn.domain.money import UNITS

    if unit and unit not in UNITS:
        choices = ", ".join(UNITS)
        raise Misuse(Text(f"没有金额单位 {unit}；可选：{choices}", f"no unit {unit}; choose from {choices}"))
    return unit


def outcomes(
    by: Annotated[str, typer.Option(help="A dimension, or all.")] = "all",
    weight: Annotated[str, typer.Option(help="sample_weight, or nothing for plain counts.")] = "",
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the table to this CSV file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Customers, exposure and realised charge-off rate with its 95 % interval, by each dimension."""
    person = ready(as_user=as_user)
    from kequn.apps.assessments.outcomes import CSV_HEADER, csv_rows, outcomes_by

    rows = list(csv_rows(outcomes_by(person=person, by=by, weight=weight)))
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(CSV_HEADER)
            writer.writerows(rows)
    if as_json:
        answer_json([dict(zip(CSV_HEADER, row, strict=True)) for row in rows])
    elif csv_file is None:
        print("\t".join(CSV_HEADER))
        for row in rows:
            print("\t".join(str(one) for one in row))


def ratings(
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write one row a customer and agency.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Our own grade and tier beside what agencies said, each on its own scale."""
    person = ready(as_user=as_user)
    from dataclasses import asdict, fields

    from kequn.apps.assessments.agencies import Beside, beside_agencies, counted
    from kequn.reports.sheets import harmless

    rows = beside_agencies(person=person)
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, [field.name for field in fields(Beside)])
            writer.writeheader()
            writer.writerows(
                {key: harmless(value) if isinstance(value, str) else value for key, value in asdict(one).items()}
                for one in rows
            )
    if as_json:
        answer_json([asdict(one) for one in rows])
    else:
        for agency, scale, symbol, tier, number in counted(rows):
            print(f"{agency}\t{scale}\t{symbol}\t{tier}\t{number}")


def projects(
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the table to this CSV file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Projects and their units by fuel, green field, country and the country's income group."""
    person = ready(as_user=as_user)
    from dataclasses import asdict, fields

    from kequn.apps.assessments.project_book import ProjectRow, projects_by
    from kequn.apps.assessments.services import default_as_of

    rows = projects_by(person=person, as_of=default_as_of())
    header = [field.name for field in fields(ProjectRow)]
    if csv_file is not None:
        with csv_file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, header)
            writer.writeheader()
            writer.writerows(asdict(one) for one in rows)
    if as_json:
        answer_json([asdict(one) for one in rows])
    else:
        print("\t".join(header))
        for one in rows:
            print("\t".join(str(value) for value in asdict(one).values()))
