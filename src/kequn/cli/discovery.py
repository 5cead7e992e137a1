"""`kequn model discover` proposes segments from data; `kequn model keep` puts them on the page of discoveries."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.domain.errors import Text


def discover(
    data: Annotated[Path, typer.Option("--data", help="A Parquet or CSV file (plain or gzip), one case a row.")],
    spec: Annotated[
        Path, typer.Option("--spec", help="Which features, on which rows, judged by which outcome (YAML).")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write; it must be new or empty.")],
    pack: Annotated[str, typer.Option("--pack", help="The policy pack whose settings are used.")] = "cn",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole card as JSON.")] = False,
) -> None:
    """Propose segments: groups that chance does not explain, with what speaks against each, and each as a rule.

    Refused, with what was measured, where the data hold no groups.
    """
    from kequn.modelling.discovery.finding import NoGroups
    from kequn.modelling.discovery.finding import discover as found_in
    from kequn.modelling.discovery.keeping import save
    from kequn.modelling.discovery.request import read_request
    from kequn.modelling.leakage import Leaking
    from kequn.modelling.settings import settings_of
    from kequn.modelling.tapes import read_tape
    from kequn.policy import load_pack
    from kequn.version import VERSION

    asked, tape, day = read_request(spec), read_tape(data), date.today()
    try:
        found = found_in(asked, tape, settings_of(load_pack(pack), day), day, VERSION)
    except Leaking as refused:
        print(json.dumps({"leakage": refused.leakage}, ensure_ascii=False, indent=1))
        raise
    except NoGroups as refused:
        print(json.dumps(refused.figures, ensure_ascii=False, indent=1))
        raise
    save(found, output, tape)
    if as_json:
        print(json.dumps(found.card, ensure_ascii=False, indent=1))
    else:
        _say(found.card, output)


def keep(
    folder: Annotated[Path, typer.Argument(help="A folder that `kequn model discover` wrote.")],
    title: Annotated[str, typer.Option(help="What it is called on the page; else the name of the folder.")] = "",
    user: Annotated[str, typer.Option("--as", help="Who keeps it; else the local administrator.")] = "",
) -> None:
    """Keep a discovery in the records, so that its page shows it and its rules can be opened in the builder."""
    from kequn.cli.records import ready

    person = ready(as_user=user)
    from kequn.apps.discoveries.services import keep_card
    from kequn.modelling.discovery.keeping import read_card

    kept = keep_card(person=person, card=read_card(folder), title=title or folder.resolve().name)
    print(f"/discoveries/{kept.pk}/")


def _say(card: dict[str, Any], output: Path) -> None:
    from kequn.cli import language

    spoken, null = language(), card["null"]
    found, most, sds = f"{null['found']:.2f}", f"{null['highest']:.2f}", f"{null['sds']:.0f}"
    print(Text(f"{card['groups']} 组；划分的似然增益每行 {found}，打乱后最高 {most}（高出 {sds} 个标准差）",
               f"{card['groups']} groups; gain of likelihood {found} a row, {most} at most with columns shuffled apart "
               f"({sds} standard deviations)").in_language(spoken))  # fmt: skip
    for one in card["segments"]:
        years = "–" if one["year_to_year"] is None else f"{one['year_to_year']:.2f}"
        share, drawn, rule = f"{one['share']:.1%}", f"{one['jaccard']:.2f}", f"{one['fidelity']['jaccard']:.2f}"
        print(Text(f"D{one['number']}  {one['rows']} 行（{share}），重抽样 {drawn}，逐期 {years}，规则重合 {rule}",
                   f"D{one['number']}  {one['rows']} rows ({share}), resampled {drawn}, over time {years}, rule {rule}",
                   ).in_language(spoken))  # fmt: skip
        print(f"    {one['rule'] or '–'}")
        for reason in one["against"]:
            print(f"    ✗ {reason[spoken]}")
    _say_gain(card, spoken)
    print(Text(f"结果在 {output}", f"the discovery is in {output}").in_language(spoken))


def _say_gain(card: dict[str, Any], spoken: str) -> None:
    """How the divisions rank the outcome on later rows, and the realised rate of each part."""
    for one in card["gain"]:
        if one["auc"] is None:
            continue
        more = one["with_rules"]
        beside = "" if more is None else f" → {more['value']:.3f}"
        print(f"  AUC {one['name']}: {_between(one['auc'], 3)}{beside}")
    words = {"zh": ("当时", "其后"), "en": ("then", "later")}[spoken]
    for name, parts in card["realised"].items():
        for part in parts:
            if part["later"]["rate"] is not None:
                then = "–" if part["then"]["rate"] is None else f"{part['then']['rate']:.1%}"
                later = part["later"]
                said = f"{later['rate']:.1%} ({later['low']:.1%}–{later['high']:.1%})"
                print(f"  {name} {part['part'] or '–'}: {words[0]} {then}, {words[1]} {later['rows']} {said}")


def _between(found: dict[str, Any], digits: int) -> str:
    if found["low"] is None:
        return f"{found['value']:.{digits}f}"
    return f"{found['value']:.{digits}f} ({found['low']:.{digits}f}–{found['high']:.{digits}f})"
