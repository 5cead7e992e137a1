"""`kequn model ...`: fit scorecards and challengers, score files, validate. No database is needed."""

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kequn.cli import discovery
from kequn.domain.errors import Misuse, Text

if TYPE_CHECKING:
    from kequn.modelling.settings import Settings

Data = Annotated[Path, typer.Option("--data", help="A Parquet or CSV file (plain or gzip), one case a row.")]
ModelFolder = Annotated[Path, typer.Option("--model", help="The folder of a fitted model.")]
SpecFile = Annotated[Path, typer.Option("--spec", help="What the model is to be (YAML).")]
Pack = Annotated[str, typer.Option("--pack", help="The policy pack whose settings and master scale are used.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Rows = Annotated[str, typer.Option("--rows", help="Rule text: only the rows for which it holds.")]
Outside = Annotated[
    str, typer.Option("--event-date", help="The column with the date of the event, for what was known when.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Models from data. 由数据拟合的模型。", no_args_is_help=True)
    group.command("fit")(fit)
    group.command("score")(score)
    group.command("validate")(validate)
    group.command("folds")(folds)
    group.command("replay")(replay)
    group.command("recalibrate")(recalibrate)
    group.command("migration")(migration)
    group.command("discover")(discovery.discover)
    group.command("keep")(discovery.keep)
    group.callback()(lambda: None)
    app.add_typer(group, name="model")


def fit(
    data: Data,
    spec: SpecFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write; it must be new or empty.")],
    pack: Pack = "cn",
    as_json: AsJson = False,
) -> None:
    """Fit a model, refuse fields that know the outcome, and write it with its card and bin table."""
    from kequn.modelling.fitting import fit as fitted_on
    from kequn.modelling.leakage import Leaking
    from kequn.modelling.models import save
    from kequn.modelling.spec import read_spec
    from kequn.modelling.tapes import read_tape
    from kequn.version import VERSION

    wanted, tape, day = read_spec(spec), read_tape(data), date.today()
    try:
        made = fitted_on(wanted, tape, _settings(pack), day, VERSION)
    except Leaking as refused:
        print(json.dumps({"leakage": refused.leakage}, ensure_ascii=False, indent=1))
        raise
    save(made, output, tape, day)
    card = made.card
    if as_json:
        print(json.dumps({"model": str(output), **{key: card[key] for key in
              ("kind", "trained", "calibration", "failed", "leakage")}}, ensure_ascii=False, indent=1))  # fmt: skip
        return
    _say_fitted(card, output)


def _say_fitted(card: dict[str, Any], output: Path) -> None:
    from kequn.cli import language

    spoken, trained = language(), card["trained"]
    auc = trained["auc"]
    print(Text(f"训练 {trained['rows']} 行，{trained['events']} 个事件；训练样本内 AUC {auc['value']:.3f}",
               f"{trained['rows']} rows and {trained['events']} events trained on; AUC inside training "
               f"{auc['value']:.3f}").in_language(spoken))  # fmt: skip
    for one in card.get("characteristics", ()):
        print(f"  {one['name']}\tIV {one['information_value']:.3f}\t{len(one['bins'])}")
    for name, share in list(card.get("gains", {}).items())[:15]:
        print(f"  {name}\t{share:.1%}")
    for name, why in card["failed"].items():
        print(f"  {Text('未用', 'left out').in_language(spoken)} {name}: {why[spoken]}")
    print(Text(f"模型在 {output}", f"the model is in {output}").in_language(spoken))


def score(
    model: ModelFolder,
    data: Data,
    output: Annotated[Path, typer.Option("-o", "--output", help="The Parquet file to write.")],
    reader: Annotated[str, typer.Option(help="plain, duckdb or spark; the answers are equal.")] = "duckdb",
    reasons: Annotated[int, typer.Option(min=0, help="Also so many reasons against each case.")] = 0,
) -> None:
    """Score a file: its key, score (higher is safer), PD and grade, in the order of its rows."""
    import pyarrow.parquet as pq

    from kequn.cli import writable
    from kequn.modelling.models import load, score_table
    from kequn.modelling.tapes import read_tape

    if reader not in {"plain", "duckdb", "spark"}:
        raise Misuse(
            Text(f"没有读法 {reader}；可选 plain、duckdb、spark", f"no reader {reader}; there is plain, duckdb, spark")
        )
    writable(output)
    found = score_table(load(model), read_tape(data), reader, reasons)  # type: ignore[arg-type]  # checked above
    fresh = output.with_name(f".{output.name}.fresh")
    try:
        pq.write_table(found, fresh, compression="snappy")
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)


def validate(
    model: ModelFolder,
    data: Data,
    rows: Rows = "",
    *,
    unweighted: Annotated[
        bool, typer.Option("--unweighted", help="Count every row once, whatever its weight.")
    ] = False,
    beside: Annotated[Path | None, typer.Option("--beside", help="A second model to be shown beside this one.")] = None,
    before: Annotated[
        str, typer.Option("--grade-before", help="The column with the grade of a year before, for migration.")
    ] = "",
    overridden: Annotated[str, typer.Option("--final-grade", help="The column with the grade after overrides.")] = "",
    reason: Annotated[str, typer.Option("--override-reason", help="The column with the reason of an override.")] = "",
    authority: Annotated[
        str, typer.Option("--override-authority", help="The column with who had the authority to override.")
    ] = "",
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Also write the report as PDF.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="zh or en; else the language of the terminal.")] = "",
    as_json: AsJson = False,
) -> None:
    """The validation pack: ranking, calibration, stability, concentration; each figure with its size and interval.

    Without --rows, the rows on which the model was not trained.
    """
    from kequn.cli import writable
    from kequn.modelling.models import load
    from kequn.modelling.tapes import read_tape
    from kequn.modelling.validation import Asked, validated

    if pdf is not None:
        writable(pdf)
    asked = Asked(rows, not unweighted, before, overridden, reason, authority)
    tape = read_tape(data)
    found = validated(load(model), tape, asked)
    if beside is not None:
        found["beside"] = validated(load(beside), tape, asked)
    if pdf is not None:
        _write_pdf(found, pdf, lang)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    elif pdf is None:
        _say_validated(found)


def _write_pdf(found: dict[str, Any], pdf: Path, lang: str) -> None:
    from kequn.cli.report import language_of
    from kequn.reports.validation_paper import validation_paper
    from kequn.reports.writing import write

    frontend = Path(os.environ.get("KEQUN_FRONTEND") or Path(__file__).resolve().parents[3] / "node_modules")
    pdf.write_bytes(write(validation_paper(found, language_of(lang)), "pdf", frontend))


def _say_validated(found: dict[str, Any]) -> None:
    for report in (found, *([found["beside"]] if "beside" in found else [])):
        ranking, calibration, size = report["discrimination"], report["calibration"], report["population"]
        interval = ranking["auc"]
        print(f"{report['model']['kind']}: {size['rows']} rows, {size['events']} events")
        reach = f"{interval['low']:.4f} to {interval['high']:.4f}"
        print(f"  AUC {interval['value']:.4f} ({reach}), KS {ranking['ks']:.4f}, PR-AUC {ranking['pr_auc']:.4f}")
        print(f"  observed {calibration['observed']:.4f}, stated {calibration['stated']:.4f}, "
              f"Brier {calibration['brier']['score']:.4f}, ECE {calibration['calibration_error']:.4f}")  # fmt: skip
        psi = report["stability"]["score"]
        print(f"  PSI {psi['psi']:.4f} ({psi['verdict']})")
        if "overrides" in report:
            print(f"  overridden {said_share(report['overrides']['overridden'])}")


def said_share(found: dict[str, Any]) -> str:
    """A share with its rows and interval, the same in every language."""
    if found["value"] is None:
        return f"{found['count']} / {found['of']}"
    return f"{found['count']} / {found['of']} = {found['value']:.1%} [{found['low']:.1%}, {found['high']:.1%}]"


def folds(
    data: Data,
    spec: SpecFile,
    count: Annotated[int, typer.Option("--folds", min=2, max=50, help="How many folds.")] = 10,
    pack: Pack = "cn",
    as_json: AsJson = False,
) -> None:
    """Fit and test in folds; rows of one group, and rows that are equal, stay on one side."""
    from kequn.modelling.folding import folded
    from kequn.modelling.spec import read_spec
    from kequn.modelling.tapes import read_tape

    found = folded(read_spec(spec), read_tape(data), _settings(pack), count)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for name in ("auc", "ks", "brier", "pr_auc"):
        print(f"{name}\t{found[name]['mean']:.4f}\t±{found[name]['deviation']:.4f}")


def replay(
    model: ModelFolder,
    data: Data,
    event_date: Outside = "",
    rows: Rows = "",
    pack: Pack = "cn",
    as_json: AsJson = False,
) -> None:
    """Year by year: the PD as it stood, the PD recalibrated with what was known by then, and what happened."""
    from kequn.modelling.models import load
    from kequn.modelling.replay import replayed
    from kequn.modelling.tapes import read_tape

    found = replayed(load(model), read_tape(data), _settings(pack), rows=rows, event_date=event_date)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    print("year\trows\tobserved\tstated\tECE\trecalibrated\tECE\tdrift")
    for one in found["years"]:
        print(f"{one['year']}\t{one['rows']}\t{one['observed']:.3f}\t{one['before']['stated']:.3f}\t"
              f"{one['before']['calibration_error']:.3f}\t{one['after']['stated']:.3f}\t"
              f"{one['after']['calibration_error']:.3f}\t{'; '.join(w['en'] for w in one['drift'])}")  # fmt: skip


def recalibrate(
    model: ModelFolder,
    data: Data,
    year: Annotated[int, typer.Option("--year", help="The year it is made for; only what was known before.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write; it must be new or empty.")],
    event_date: Outside = "",
    rows: Rows = "",
    pack: Pack = "cn",
) -> None:
    """Write the same model with a PD recalibrated on the newest cohorts whose outcome is known; the order stays."""
    from kequn.modelling.models import load, save_recalibrated
    from kequn.modelling.replay import recalibrated
    from kequn.modelling.tapes import read_tape

    read = load(model)
    found, how = recalibrated(read, read_tape(data), _settings(pack), year, rows=rows, event_date=event_date)
    save_recalibrated(model, output, found, how)
    print(json.dumps({"model": str(output), **how}, ensure_ascii=False))


def migration(
    data: Data,
    spec: Annotated[
        Path, typer.Option("--spec", help="Which columns are debtor, date and grade, and the scale (YAML).")
    ],
    as_json: AsJson = False,
) -> None:
    """Migration of grades from a history of ratings: by cohort and by duration, withdrawn apart, and agreement."""
    from kequn.modelling.histories import migration_report, read_history_spec
    from kequn.modelling.tapes import read_tape

    found = migration_report(read_tape(data), read_history_spec(spec))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    from kequn.modelling.histories import as_lines

    print("\n".join(as_lines(found)))


def _settings(pack: str) -> "Settings":
    from kequn.modelling.settings import settings_of
    from kequn.policy import load_pack

    return settings_of(load_pack(pack), date.today())
