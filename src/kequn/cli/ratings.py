"""`kequn rerate` and `kequn ratings`: what new facts make of ratings, and whether those in force can be told again."""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kequn.cli import language
from kequn.cli.records import answer_json, ready
from kequn.domain.errors import Refused, Text

if TYPE_CHECKING:
    from kequn.reports.paper import Paper

DAY = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    app.command("rerate")(rerate)
    group = typer.Typer(help="Ratings in force and those proposed. 客户评级。", no_args_is_help=True)
    group.command("replay")(replay)
    group.command("propose-first")(propose_first)
    group.command("validate")(validate)
    group.command("sample")(sample)
    group.command("challenge")(challenge)
    group.callback()(lambda: None)
    app.add_typer(group, name="ratings")


def rerate(
    customer: Annotated[str, typer.Argument(help="The code of one customer; without it the whole book.")] = "",
    first: Annotated[bool, typer.Option(help="Also suggest a first rating for customers that have none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Compare ratings in force with the last run (one customer: with the records now); suggest what changed."""
    person = ready(as_user=as_user)
    from kequn.apps.ratings.rerating import rerate_book, rerate_for

    started = time.monotonic()
    if customer:
        counts = rerate_for(person=person, customers=[_visible(person, customer)])
        seconds: dict[str, float] = {}
    else:
        counts, seconds = rerate_book(person=person, first=first)
    answer = {**counts.said(), "seconds": {**seconds, "all": round(time.monotonic() - started, 3)}}
    if as_json:
        answer_json(answer)
    else:
        print(_said(answer))


def _visible(person: Any, code: str) -> Any:
    from kequn.apps.customers.selectors import find

    found = find(person=person, code=code)
    if found is None:
        raise Refused(Text(f"没有客户 {code}", f"there is no customer {code}"))
    return found


def _said(answer: dict[str, Any]) -> str:
    """What a re-rating did, as a sentence in the language of the terminal."""
    taken, seconds = answer, answer["seconds"]["all"]
    if language() == "zh":
        return (
            f"查看 {taken['customers']:,} 户：建议 {taken['suggested']:,} 户 {taken['causes'] or ''}，"
            f"不变 {taken['unchanged']:,} 户，撤回建议 {taken['taken_back']:,} 户，到期 {taken['expired']:,} 户，"
            f"进行中 {taken['at_work']:,} 户，无适用模型 {taken['no_model']:,} 户，"
            f"资料不足 {taken['too_little_known']:,} 户；用时 {seconds:.1f} 秒"
        )
    return (
        f"{taken['customers']:,} customers looked at: {taken['suggested']:,} suggested {taken['causes'] or ''}, "
        f"{taken['unchanged']:,} unchanged, {taken['taken_back']:,} taken back, {taken['expired']:,} expired, "
        f"{taken['at_work']:,} being worked on, {taken['no_model']:,} without a model, "
        f"{taken['too_little_known']:,} with too little known; {seconds:.1f} s"
    )


def replay(
    customer: Annotated[str, typer.Argument(help="The code of one customer; without it every rating in force.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Put ratings together again from the inputs and policy they keep; exit 1 where one is not the same to the bit."""
    person = ready(as_user=as_user)
    from kequn.apps.ratings.models import RatingState
    from kequn.apps.ratings.selectors import cases, replayed

    found = cases(person=person).select_related("customer")
    if customer:
        found = found.filter(customer=_visible(person, customer))
    else:
        found = found.filter(state=RatingState.APPROVED)
    count, wrong = replayed(found.iterator())
    codes = [one.customer.code for one in wrong]
    if as_json:
        answer_json({"replayed": count, "the_same": count - len(wrong), "different": codes})
    elif language() == "zh":
        print(f"重放 {count:,} 个评级，{count - len(wrong):,} 个逐位相同")
    else:
        print(f"{count:,} ratings put together again, {count - len(wrong):,} the same to the bit")
    if wrong:
        some = ", ".join(codes[:10])
        raise Refused(Text(f"与保存的结果不同：{some}", f"not the same as kept: {some}"))


def propose_first(
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Put all suggested first ratings before a checker as one proposal, with their number by model and grade."""
    person = ready(as_user=as_user)
    from kequn.apps.ratings.approval import propose_book

    made = propose_book(person=person)
    print(made.title_zh if language() == "zh" else made.title_en)


def validate(
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="Made as of this day or later.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Made as of this day or before.")] = None,
    model: Annotated[str, typer.Option(help="A rating model of policy; without it all.")] = "",
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Also write the report as PDF.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en; else the language of the terminal.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Validate the ratings on record: overrides and how they ended, ranking, calibration, concentration, moves."""
    person = ready(as_user=as_user)
    from kequn.apps.ratings.papers import make_validation_report, paper_of_validation
    from kequn.apps.ratings.validating import Window, validated
    from kequn.cli import writable
    from kequn.cli.report import language_of

    window = Window(first.date() if first else None, last.date() if last else None, model)
    spoken = language_of(lang)
    if pdf is not None:
        writable(pdf)
        pdf.write_bytes(make_validation_report(person=person, window=window, form="pdf", language=spoken))
    if as_json:
        answer_json(validated(person=person, window=window))
    elif pdf is None:
        print(text_of(paper_of_validation(validated(person=person, window=window), spoken)))


def text_of(paper: "Paper") -> str:
    """A paper as text: the columns of a table apart by tabs."""
    from kequn.reports.pdf import as_data

    lines = [f"{paper.title} · {paper.subtitle}"]
    for block in as_data(paper)["blocks"]:
        lines += ["", f"{block['title']}:"] if block["title"] else [""]
        if block["kind"] == "table":
            lines += ["  " + "\t".join(row) for row in ([one["head"] for one in block["columns"]], *block["rows"])]
        elif block["kind"] == "facts":
            lines += [f"  {label}: {value}" for label, value in block["pairs"]]
        elif block["kind"] == "points":
            lines += [f"  {one}" for one in block["sentences"] or [block["empty"]]]
        if block.get("note"):
            lines.append(f"  {block['note']}")
    return "\n".join([*lines, "", paper.foot])


RunNumber = Annotated[int | None, typer.Option("--run", help="The number of a published run; else the last.")]


def sample(
    output: Annotated[Path, typer.Option("-o", "--output", help="The Parquet file to write.")],
    run: RunNumber = None,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Write what a run found of every customer, and whether it defaulted within a year: to fit a challenger on."""
    person = ready(as_user=as_user)
    from kequn.apps.ratings.challenging import OUTCOME, run_of, write_sample
    from kequn.cli import writable

    writable(output)
    found = write_sample(person=person, run=run_of(run), output=output)
    bad = found.column(OUTCOME).to_pylist()
    known, events = sum(one is not None for one in bad), sum(one is True for one in bad)
    zh = f"{found.num_rows:,} 户，{known:,} 户结果已知，{events:,} 户违约：{output}"
    en = f"{found.num_rows:,} customers, the outcome of {known:,} known, {events:,} defaulted: {output}"
    print(Text(zh, en).in_language(language()))


def challenge(
    name: Annotated[str, typer.Argument(help="A folder of `models` in the data folder, written by kequn model fit.")],
    run: RunNumber = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Also write the comparison as PDF.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en; else the language of the terminal.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
) -> None:
    """Score the customers of a run by a fitted model, and show it beside the scorecard of policy."""
    person = ready(as_user=as_user)
    from dataclasses import asdict

    from kequn.apps.ratings.challenging import comparison, run_of, score_book
    from kequn.apps.ratings.papers import comparison_paper_of, make_comparison_report
    from kequn.cli import writable
    from kequn.cli.report import language_of

    chosen, spoken = run_of(run), language_of(lang)
    score_book(person=person, name=name, run=chosen)
    found = comparison(person=person, name=name, run=chosen)
    if pdf is not None:
        writable(pdf)
        pdf.write_bytes(make_comparison_report(person=person, found=found, form="pdf", language=spoken))
    if as_json:
        answer_json({**found.figures, "grades": found.grades, "movers": [asdict(one) for one in found.movers]})
    elif pdf is None:
        print(text_of(comparison_paper_of(found, spoken)))
