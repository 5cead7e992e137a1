"""A kept model in figures, charts and words: nothing here is solved, all of it was kept with the version."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from kequn.apps.projects import selectors
from kequn.apps.projects.cover_so_far import SERVED, CoverSoFar
from kequn.apps.projects.models import ProjectModel
from kequn.apps.projects.recorded import Apart, apart
from kequn.domain.errors import KequnError, Refused
from kequn.financing.explaining import explain_period
from kequn.financing.rules import said as figures_said
from kequn.financing.words import FIGURES, SOURCES, USES, Word, said, shown, word_of
from kequn.reports.charts import Series, Threshold, lines, stacks
from kequn.web import labels
from kequn.web.templatetags.kequn import language, money
from kequn.web.views.project_amounts import answer_shown, in_readers_unit, with_unit

Answer = Mapping[str, Any]
TOLD_AT_MOST = 30
TILES = ("min_dscr", "average_dscr", "llcr", "plcr", "gearing", "tail_years", "equity_irr")
WIDE = 1080  # of a chart that has the page to itself
NEAR_THE_END = 3.0  # a cover this many times the middle one belongs to a loan nearly repaid: the chart leaves a gap
LISTED = tuple(name for name in FIGURES if not name.endswith(("_roots", "_status")) and name != "debt")
TABLED = ("revenue", "operating_costs", "tax", "cfads", "dscr_backward", "llcr", "dsra", "distribution")


def unit_of(answer: Answer) -> str:
    """The unit in which the amounts of an answer stand."""
    return str(answer.get("unit") or answer.get("currency") or "")


def mood_of(cover: float | None, default: date | None, lockup: date | None, *, is_kept: bool) -> tuple[str, str]:
    """How a project's model looks: a colour class and its word. A model may name no levels, and then has no default."""
    if not is_kept:
        return "unknown", _("No model")
    if default is not None:
        return "bad", _("Default projected")
    if cover is not None and cover < SERVED:
        return "bad", _("Cannot serve its debt from cash flow")
    if lockup is not None:
        return "watch", _("Lock-up projected")
    return ("good", _("Covers hold")) if cover is not None else ("unknown", _("No debt to cover"))


def mood_so_far(found: CoverSoFar | None) -> tuple[str, str] | None:
    """How the figures that really came look; None where they reach every level or too little is known."""
    if found is None or not found.breach:
        return None
    said = {"cover": f"{found.cover:.2f}", "level": f"{found.level:.2f}"}
    if found.breach == "default":
        return "bad", _("Actual DSCR %(cover)s below default at %(level)s") % said
    if found.breach == "service":
        return "bad", _("Actual DSCR %(cover)s does not serve the debt") % said
    return "watch", _("Actual DSCR %(cover)s below lock-up at %(level)s") % said


def told(error: KequnError) -> list[str]:
    """What is wrong with a model, then each finding with its place, in the reader's language."""
    findings = error.findings if isinstance(error, Refused) else ()
    places = [f"{one.place.column or one.place}: {one.text.in_language(language())}" for one in findings]
    return [error.text.in_language(language()), *places[:TOLD_AT_MOST]]


def overview(_request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    kept = selectors.answer_of(model, "base") or {}
    answer = in_readers_unit(kept)
    figures, spoken = answer["key_figures"], language()
    return {
        "unit": unit_of(answer),
        "tiles": [_figure(name, figures) | {"date": _date_beside(name, figures)} for name in TILES],
        "figures": [_figure(name, figures) for name in LISTED],
        "debts": [{"label": said(name).in_language(spoken),
                   "value": with_unit(shown(amount, "amount", spoken), answer["unit"])}
                  for name, amount in figures["debt"].items()],
        "limits": limits_of(answer),
        "balance": sources_and_uses(answer),
        "warnings": [one[spoken] for one in answer["warnings"]],
        "unverified": figures_said(labels.pack(), model.unverified, spoken),
        "cover_chart": cover_chart(answer),
        "cash_chart": cash_chart(answer),
        "table": period_table(answer),
        "apart": [_apart(one) for one in apart(model.project, kept, timezone.localdate())],
    }  # fmt: skip


def _apart(one: Apart) -> dict[str, str]:
    """A fact with what is recorded and what the model says, as its kind is written."""

    def said(value: Any) -> str:
        if one.fact == "total_investment":
            return money(labels.in_yuan(value, "CNY", timezone.localdate()))
        if one.fact == "stage":
            return labels.value("stage", value, language())
        return f"{value:.0f}" if one.fact == "commissioning_year" else f"{value:.2f}"

    return {"label": labels.fact(one.fact, language()), "recorded": said(one.recorded), "modelled": said(one.modelled)}


def _figure(name: str, figures: Answer) -> dict[str, str]:
    word: Word = FIGURES[name]
    spoken = language()
    return {"label": word.label.in_language(spoken), "value": shown(figures.get(name), word.unit, spoken)}


def _date_beside(name: str, figures: Answer) -> str:
    return str(figures.get("min_dscr_date") or "") if name == "min_dscr" else ""


def limits_of(answer: Answer) -> list[dict[str, Any]]:
    """Every limit of the senior loan with the amount it allows; the binding one is marked."""
    limits, spoken = answer.get("limits") or {}, language()
    return [{"label": said(name).in_language(spoken), "value": shown(cap, "amount", spoken),
             "binds": name == limits["binding"]}
            for name, cap in sorted(limits.get("caps", {}).items(), key=lambda pair: pair[1])]  # fmt: skip


def sources_and_uses(answer: Answer) -> list[dict[str, Any]]:
    """Two sides with their lines, sums and shares."""
    spoken = language()
    sides = []
    for key, words, label in (("sources", SOURCES, _("Sources")), ("uses", USES, _("Uses"))):
        found = answer["sources_and_uses"][key]
        total = sum(found.values())
        rows = [{"label": words[name].label.in_language(spoken), "value": shown(value, "amount", spoken),
                 "share": value / total if total else None}
                for name, value in found.items() if abs(value) > 1e-9]  # fmt: skip
        sides.append({"label": label, "rows": rows, "total": shown(total, "amount", spoken)})
    return sides


def amount_shown(value: float) -> str:
    """An amount on an axis: whole, but for small ones, which large units make."""
    return f"{value:,.0f}" if abs(value) >= 10.0 or value == int(value) else f"{value:,.2f}"


def _ends(answer: Answer) -> list[str]:
    return [str(row["end"])[:7] for row in answer["periods"]]


def _series(answer: Answer, name: str, of: Callable[[Answer], float | None]) -> Series:
    return Series(name, tuple(of(row) for row in answer["periods"]))


def _cover_series(answer: Answer, name: str, line: str) -> Series:
    """A cover over the periods, without those of a loan nearly repaid, beside which the others could not be seen."""
    values = tuple(row.get(line) for row in answer["periods"])
    known = sorted(value for value in values if value is not None)
    most = NEAR_THE_END * max(1.0, known[len(known) // 2]) if known else 0.0
    return Series(name, tuple(value if value is not None and value <= most else None for value in values))


def marks_of(levels: Mapping[str, float]) -> list[Threshold]:
    """The levels of lock-up and default, where the model sets them."""
    said_of = (("lockup", _("lock-up")), ("default", _("default")))
    return [Threshold(f"{label} {levels[name]:.2f}", levels[name]) for name, label in said_of if levels.get(name)]


def cover_chart(answer: Answer, beside: Sequence[tuple[str, Answer]] = (), *, width: float = 620) -> str:
    """DSCR of twelve months and LLCR against their levels; or the DSCR of several scenarios."""
    spoken = language()
    if beside:
        series = [_cover_series(one, name, "tested_dscr") for name, one in beside]
    else:
        named = [(line, word_of(line).label.in_language(spoken)) for line in ("dscr_backward", "llcr")]
        series = [_cover_series(answer, name, line) for line, name in named]
    return lines(
        title=_("Covers over time (times)"), categories=_ends(answer), series=series,
        shown=lambda value: f"{value:.2f}", thresholds=marks_of(answer["levels"]),
        width=width, height=280,
    )  # fmt: skip


def cash_chart(answer: Answer, *, width: float = 620) -> str:
    """Where the cash of each period goes: interest, principal, the rest to reserves, the owners; CFADS over it."""
    spoken, loans = language(), answer["loans"]

    def paid(*named: str) -> Callable[[Answer], float | None]:
        return lambda row: sum(float(row.get(f"{loan}_{line}") or 0.0) for loan in loans for line in named)

    series = [
        _series(answer, _("Interest"), paid("interest_paid")),
        _series(answer, _("Principal"), paid("principal_paid", "sweep")),
        _series(answer, _("Distribution"), lambda row: row.get("distribution")),
    ]
    return stacks(
        title=_("Cash flow by period (%(unit)s)") % {"unit": unit_of(answer)}, categories=_ends(answer), series=series,
        shown=amount_shown, line=_series(answer, word_of("cfads").label.in_language(spoken), lambda row: row["cfads"]),
        width=width,
    )  # fmt: skip


def period_table(answer: Answer) -> dict[str, Any]:
    """The main lines of every period, for who reads no charts; each opens its waterfall."""
    spoken, loans = language(), list(answer["loans"])
    named = [*TABLED[:4], *(f"{loan}_{line}" for loan in loans[:1] for line in ("interest", "scheduled", "closing")),
             *TABLED[4:]]  # fmt: skip
    words = [word_of(name, loans) for name in named]
    return {
        "heads": [word.label.in_language(spoken) for word in words],
        "rows": [
            {"number": row["period"], "end": row["end"],
             "cells": [shown(row.get(name), word.unit, spoken) for name, word in zip(named, words, strict=True)]}
            for row in answer["periods"]
        ],
    }  # fmt: skip


def cash(request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    """One period of one scenario explained line by line, with the periods before and after it."""
    results = selectors.results_of(model)
    named = [one.scenario for one in results]
    scenario = request.GET.get("scenario", "")
    scenario = scenario if scenario in named else "base"
    answer = answer_shown(model, scenario)
    count, spoken = len(answer["periods"]), language()
    asked = request.GET.get("period", "")
    place = min(max(int(asked), 1), count) if asked.isdecimal() and len(asked) < 6 else _lowest(answer)
    steps = explain_period(answer["periods"], place - 1, answer["rules"], answer["loans"])
    row = answer["periods"][place - 1]
    return {
        "unit": unit_of(answer),
        "scenario": scenario,
        "scenarios": [{"key": name, "label": said(name).in_language(spoken)} for name in named],
        "period": row,
        "place": place,
        "before": place - 1 if place > 1 else None,
        "after": place + 1 if place < count else None,
        "choices": [{"number": one["period"], "end": one["end"]} for one in answer["periods"]],
        "steps": [{"label": one.label.in_language(spoken), "amount": f"{one.amount:,.2f}", "left": f"{one.left:,.2f}",
                   "rule": one.rule.in_language(spoken), "is_sum": one.is_sum} for one in steps],
        "covers": [{"label": word_of(name).label.in_language(spoken), "value": shown(row.get(name), "times", spoken)}
                   for name in ("tested_dscr", "dscr_forward", "llcr", "plcr")],
        "balances": _balances(row, cast("list[str]", answer["loans"])),
        "warnings": [one[spoken] for one in answer["warnings"]],
        "cash_chart": cash_chart(answer, width=WIDE),
        "table": period_table(answer),
    }  # fmt: skip


def _lowest(answer: Answer) -> int:
    """The period of the lowest cover, which is where a reader looks first; the first where there is none."""
    known = [(row["tested_dscr"], row["period"]) for row in answer["periods"] if row.get("tested_dscr") is not None]
    return int(min(known)[1]) if known else 1


def _balances(row: Answer, loans: list[str]) -> list[dict[str, str]]:
    spoken = language()
    named = [*(f"{loan}_closing" for loan in loans), "dsra", "mra", "lockup_account", "arrears", "bills_unpaid"]
    return [{"label": word_of(name, loans).label.in_language(spoken), "value": shown(row.get(name), "amount", spoken)}
            for name in named if row.get(name) or name.endswith("_closing")]  # fmt: skip
