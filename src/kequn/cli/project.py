"""`kequn project ...`: a whole project model from a YAML file: solved, simulated, written as a workbook."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from unicodedata import east_asian_width

import typer

from kequn.domain.errors import Misuse, Refused, Text

EMPTY: dict[str, Any] = {
    "project": "", "currency": "CNY", "unit": "", "funding": "pro_rata", "discount_rate": "",
    "vat_facility_rate": 0.0,
    "timeline": {"start": "", "construction_months": "", "operation_years": "", "step_months": 6},
    "capital": [{"name": "", "amount": "", "life_years": "", "salvage": "", "vat": ""}],
    "revenues": [{"name": "", "volume": "", "price": "", "growth": "", "indexation": "", "years": "", "vat": ""}],
    "subsidies": [{"name": "", "amounts": "", "confirmed": ""}],
    "costs": [{"name": "", "amount": "", "share_of_revenue": "", "indexation": "", "vat": ""}],
    "maintenance": [{"name": "", "amount": "", "years": "", "saved_years": ""}],
    "loans": [{"name": "", "rate": "", "tenor_years": "", "form": "", "target_dscr": "", "grace_years": ""}],
    "limits": {"max_gearing": ""},
    "covenants": {"dsra_months": "", "lockup_dscr": "", "default_dscr": ""},
    "tax": {"regime": "standard"},
}  # fmt: skip

if TYPE_CHECKING:
    from kequn.financing.models import ModelFile

ModelArgument = Annotated[Path, typer.Argument(help="The model, a YAML file.")]
ScenarioOption = Annotated[str, typer.Option(help="A scenario of the model; else its base.")]
PackOption = Annotated[str, typer.Option(help="The policy pack for taxes and LPR.")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        help="Taxes as of this date, at the earliest the model's start; LPR as published by this date.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="A whole project model: solve, simulate, export. 整个项目模型：测算、模拟、导出。", no_args_is_help=True
    )
    group.command("solve")(solve)
    group.command("simulate")(simulate)
    export = typer.Typer(help="Write a model in another form. 以其他形式导出模型。", no_args_is_help=True)
    export.command("xlsx")(export_xlsx)
    export.callback()(lambda: None)
    group.add_typer(export, name="export")
    group.command("template")(template)
    group.command("import")(import_sheets)
    app.add_typer(group, name="project")


def _read(model: Path, pack: str, as_of: datetime | None) -> "ModelFile":
    from kequn.financing.models import read_model
    from kequn.policy import load_pack

    if not model.is_file():
        raise Misuse(Text(f"没有文件 {model}", f"there is no file {model}"))
    return read_model(model, load_pack(pack), as_of.date() if as_of else date.today())


def _scenario(found: "ModelFile", name: str) -> Any:
    try:
        return found.project.scenario(name)
    except KeyError:
        known = ", ".join(("base", *found.project.scenarios))
        raise Misuse(Text(f"没有情景 {name}；可选 {known}", f"no scenario {name}; there is {known}")) from None


def solve(
    model: ModelArgument, scenario: ScenarioOption = "", pack: PackOption = "cn", as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Size the loans on the sizing case, run a scenario, and print its key figures and warnings."""
    from kequn.cli import language
    from kequn.domain.projectfinance.run import solve as run
    from kequn.financing.results import answer_of

    found = _read(model, pack, as_of)
    answer = answer_of(run(found.project, _scenario(found, scenario)), language())
    answer["unverified_policy_figures"] = list(found.unverified)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False, indent=1, allow_nan=False))
        return
    from kequn.financing.rules import said
    from kequn.policy import load_pack

    print(_text(answer | {"unverified_policy_figures": said(load_pack(pack), found.unverified, language())}))


def simulate(
    model: ModelArgument,
    scenario: ScenarioOption = "",
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many cases are drawn.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The seed; the same seed gives the same numbers.")] = 1,
    pack: PackOption = "cn",
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the model's uncertain drivers, run every case, and print quantiles and probabilities."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy as np

    from kequn.domain.projectfinance.simulation import simulate as run
    from kequn.financing.results import simulation_of

    found = _read(model, pack, as_of)
    if not found.uncertainties:
        raise Misuse(Text("模型没有 simulation 一节", "the model has no section `simulation`"))
    with ThreadPoolExecutor(2) as pool:
        drawn = run(
            found.project, found.uncertainties, np.random.default_rng(seed), count=count,
            correlation=np.array(found.correlation), scenario=_scenario(found, scenario), mapped=pool.map,
        )  # fmt: skip
    answer = simulation_of(drawn, found.project.timeline.last_days())
    print(json.dumps(answer, ensure_ascii=False, indent=1, allow_nan=False) if as_json else _fan(answer))


def export_xlsx(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="The workbook to write.")],
    scenario: ScenarioOption = "",
    pack: PackOption = "cn",
    as_of: AsOfOption = None,
) -> None:
    """Write one scenario as a workbook of live formulas with a sheet of checks."""
    from kequn.cli import replacing
    from kequn.domain.projectfinance.run import solve as run
    from kequn.financing.workbook import workbook_of

    with replacing(output) as fresh:
        found = _read(model, pack, as_of)
        fresh.write_bytes(workbook_of(run(found.project, _scenario(found, scenario))))


def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="The workbook to write.")],
    model: Annotated[
        Path | None, typer.Option(help="A YAML model to fill it with; else it is empty but for its keys.")
    ] = None,
) -> None:
    """Write the workbook in which a model is filled in, one sheet for each section."""
    from kequn.cli import replacing
    from kequn.financing.sheets import write_sheets

    with replacing(output) as fresh:
        fresh.write_bytes(write_sheets(_mapping(model) if model else EMPTY))


def import_sheets(
    workbook: Annotated[Path, typer.Argument(help="The template filled in, or a lender's own workbook.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The YAML model to write.")],
    mapping: Annotated[Path | None, typer.Option(help="What the sheets of a lender's workbook are (YAML).")] = None,
    pack: PackOption = "cn",
    as_of: AsOfOption = None,
) -> None:
    """Turn a workbook into a YAML model, check it, and say which cells were not read."""
    import yaml

    from kequn.apps.ingest.guards import guard_workbook
    from kequn.cli import replacing
    from kequn.financing.sheets import read_sheets

    if workbook.is_file():
        guard_workbook(workbook)
    found = read_sheets(workbook, _mapping(mapping) if mapping else None)
    with replacing(output) as fresh:
        fresh.write_text(yaml.safe_dump(found.body, allow_unicode=True, sort_keys=False, width=110), encoding="utf-8")
        _read(fresh, pack, as_of)
    print(f"{len(found.unread)} cell(s) or sheet(s) not read")
    for place in found.unread:
        print(f"  {place}")


def _mapping(file: Path) -> dict[str, Any]:
    """The mapping of a YAML file; Refused where it cannot be read as one."""
    from kequn.policy.documents import Complaints, read_yaml

    complaints = Complaints()
    found = read_yaml(file, complaints)
    if complaints.findings:
        raise Refused(Text(f"{file.name} 读不懂", f"{file.name} cannot be read"), tuple(complaints.findings))
    return found


def _text(answer: dict[str, Any]) -> str:
    """The key figures in words with their units, then the warnings."""
    from kequn.cli import language
    from kequn.financing.words import FIGURES, said, shown

    spoken = language()
    amounts = f"{answer['currency']} {answer['unit']}".strip()
    rows = []
    for name, value in answer["key_figures"].items():
        word = FIGURES[name]
        label = word.label.in_language(spoken)
        if isinstance(value, dict):
            rows += [(f"{label} · {said(key).in_language(spoken)}", shown(one, word.unit, spoken), amounts)
                     for key, one in value.items()]  # fmt: skip
        elif value not in (None, []) or not name.endswith(("_roots", "_status")):
            rows.append(
                (label, shown(value, word.unit, spoken), _unit(word.unit, amounts) if value is not None else "")
            )
    room = max(width(label) for label, _value, _unit_said in rows) + 2
    lines = [f"{answer['project']} · {said(answer['scenario']).in_language(spoken)} · {amounts}", ""]
    lines += [
        f"{label}{' ' * (room + 14 - width(label + value))}{value} {unit}".rstrip() for label, value, unit in rows
    ]
    lines += ["", *(f"! {one['message']}" for one in answer["warnings"])]
    if answer["unverified_policy_figures"]:
        unchecked = Text("未与原文核对的政策数字", "policy figures not checked against their text").in_language(spoken)
        lines.append(f"? {unchecked}: {', '.join(answer['unverified_policy_figures'])}")
    return "\n".join(lines).rstrip()


def width(text: str) -> int:
    """How many columns of a terminal a text takes: a Chinese character takes two.

    >>> width("金额"), width("DSCR")
    (4, 4)
    """
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _unit(unit: str, amounts: str) -> str:
    """The unit to print behind a value; a percentage carries its own, a date and a word have none."""
    from kequn.cli import language
    from kequn.financing.words import UNITS

    if unit == "amount":
        return amounts
    return UNITS[unit].in_language(language()) if unit in ("times", "years") else ""


def _fan(answer: dict[str, Any]) -> str:
    """Quantiles in words, a column a level, and how likely the lowest cover is below its levels."""
    from kequn.cli import language
    from kequn.financing.words import FIGURES, shown

    spoken = language()
    levels = list(answer["by_period"][0]["dscr"])
    labels = {name: FIGURES[name].label.in_language(spoken) for name in answer["quantiles"]}
    room = max(width(one) for one in labels.values()) + 2
    lines = [Text(f"{answer['scenarios']:,} 个情形", f"{answer['scenarios']:,} cases").in_language(spoken), ""]
    lines.append(" " * room + "".join(f"{level.upper():>12}" for level in levels))
    for name, values in answer["quantiles"].items():
        cells = "".join(f"{shown(values[level], FIGURES[name].unit, spoken):>12}" for level in levels)
        lines.append(labels[name] + " " * (room - width(labels[name])) + cells)
    below = {"lockup": Text("最低备付率低于锁定线", "minimum DSCR below lock-up"),
             "default": Text("最低备付率低于违约线", "minimum DSCR below default"),
             "one": Text("最低备付率低于 1.00", "minimum DSCR below 1.00")}  # fmt: skip
    chances = answer["probability_min_dscr_below"]
    lines += ["", *(f"{below[name].in_language(spoken)}  {share:.2%}" for name, share in chances.items())]
    if answer["probability_of_cure"] is not None:
        cured = Text("股东须补救出资", "owners pay an equity cure").in_language(spoken)
        lines.append(f"{cured}  {answer['probability_of_cure']:.2%}")
    return "\n".join(lines)
