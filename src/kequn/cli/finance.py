"""`kequn finance solve`: worked cases of project finance, from their inputs alone."""

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.domain.errors import Refused, Text


def register(app: typer.Typer) -> None:
    finance = typer.Typer(
        help="Debt, draws, schedules, returns, prices. 测算债务、提款、还款、收益与定价。", no_args_is_help=True
    )
    finance.command("solve")(solve)
    finance.command("categories")(categories)
    app.add_typer(finance, name="finance")


def categories(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the categories of cases with the inputs that each needs and those that may be left out."""
    from kequn.cli import language
    from kequn.financing.cases.vocabulary import CATEGORIES

    spoken = language()
    if as_json:
        said = {name: {"label": one.label.in_language(spoken), "needs": one.needs, "may": one.may}
                for name, one in CATEGORIES.items()}  # fmt: skip
        print(json.dumps(said, ensure_ascii=False, indent=1))
        return
    needs, may = Text("需要", "needs"), Text("可填", "may have")
    for name, one in CATEGORIES.items():
        print(f"{name}  {one.label.in_language(spoken)}")
        for label, inputs in ((needs, one.needs), (may, one.may)):
            if inputs:
                print(f"    {label.in_language(spoken)}: {' '.join(inputs)}")


def solve(
    cases: Annotated[Path, typer.Argument(help="A JSON file of cases: id, category, inputs.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The answers by case id, as JSON.")],
    pack: Annotated[str, typer.Option(help="The policy pack for holidays and shares of capital.")] = "cn",
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Policy as of this date; else today.")
    ] = None,
) -> None:
    """Answer every case of a file; one that cannot be solved is written as an error, and the exit code is 1.

    What was answered is told in words, with the warnings; the figures stand in the file.
    `kequn finance categories` lists what may be asked; examples/finance/cases.json is a file to begin with.
    """
    from kequn.cli import language, writable
    from kequn.financing.cases import failures, solve_cases
    from kequn.policy import load_pack

    target = writable(output)
    try:
        document = json.loads(cases.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Refused(
            Text(f"{cases.name} 不是有效的 JSON：{error}", f"{cases.name} is no valid JSON: {error}")
        ) from error
    answers = solve_cases(document, load_pack(pack), as_of.date() if as_of else date.today(), language())
    fresh = target.with_name(f".{target.name}.{os.getpid()}.fresh")
    try:
        fresh.write_text(json.dumps(answers, ensure_ascii=False, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    print(_told(document, answers, target.name))
    unsolved = failures(answers)
    if unsolved:
        raise Refused(Text(f"{len(unsolved)} 个案例无解", f"{len(unsolved)} case(s) could not be solved"), unsolved)


def _told(document: dict[str, Any], answers: dict[str, Any], name: str) -> str:
    """Which question each case asked and what it warns of, then where the answers are."""
    from kequn.cli import language
    from kequn.financing.cases.vocabulary import CATEGORIES

    spoken, lines = language(), []
    for case in document["cases"]:
        answer, asked = answers[str(case["id"])], CATEGORIES.get(str(case.get("category")))
        state = Text("无解", "not solved") if "error" in answer else Text("已答", "answered")
        label = asked.label.in_language(spoken) if asked else str(case.get("category"))
        lines.append(f"{case['id']} · {label} · {state.in_language(spoken)}")
        lines += [f"  ! {one['period']}: {one['message']}" for one in answer.get("warnings", [])]
    return "\n".join([*lines, Text(f"结果写入 {name}", f"the answers are in {name}").in_language(spoken)])
