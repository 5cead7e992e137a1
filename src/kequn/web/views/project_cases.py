"""Scenario beside scenario, the tornado, the sliders and the simulation of a project's model."""

import time
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kequn.apps.projects import selectors
from kequn.apps.projects.models import ModelSimulation, ProjectModel
from kequn.apps.projects.models.simulation import SimulationState
from kequn.apps.projects.reckoning import SLIDERS, Ready, moved, ready
from kequn.domain.errors import KequnError
from kequn.domain.projectfinance.drivers import DRIVERS, Scenario
from kequn.financing.results import figures_in_unit, kept_of
from kequn.financing.words import FIGURES, UNITS, said, shown
from kequn.reports.charts import Arm, Band, fan, tornado_chart
from kequn.web.templatetags.kequn import language
from kequn.web.views.project_amounts import answer_shown, factor_of, in_readers_unit, named_of, with_unit
from kequn.web.views.project_parts import WIDE, cover_chart, marks_of, told, unit_of

COMPARED = (
    "total_uses", "gearing", "min_dscr", "min_dscr_date", "average_dscr", "llcr", "min_llcr", "plcr", "min_icr",
    "tail_years", "equity_irr", "project_irr", "equity_npv", "project_npv", "first_lockup", "first_default",
)  # fmt: skip
LIVE = ("min_dscr", "min_dscr_date", "average_dscr", "llcr", "plcr", "equity_irr", "equity_npv", "first_lockup",
        "first_default")  # fmt: skip
MEASURES = {"min_dscr": "times", "llcr": "times", "equity_irr": "share", "equity_npv": "amount"}
CHARTED = 5
SMALL = 100.0  # a difference of an amount below it is said with decimals
FACTORS = frozenset({"price", "volume", "capex", "opex", "maintenance"})
SHARES = frozenset({"rate", "curtailment", "indexation", "volume_growth", "tax_rate"})
USUAL_COUNT, USUAL_SEED = 20_000, 1


def driver_label(name: str) -> str:
    """A driver in words; that of one line with the line's name."""
    kind, _dot, line = name.partition(".")
    label = DRIVERS[kind].label.in_language(language()) if kind in DRIVERS else kind
    return f"{label} · {line}" if line else label


def driver_value(name: str, value: float) -> str:
    kind = name.partition(".")[0]
    if kind in FACTORS or kind == "cost":
        return f"× {value:.2f}"
    return f"{value:+.2%}" if kind in SHARES else f"{value:+,.1f}".removesuffix(".0")


def cases(request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    """Every scenario beside the base with the differences, their covers over time, and the tornado of the base."""
    spoken, results = language(), selectors.results_of(model)
    found = ready(model)
    factor, _unit = factor_of(named_of(found.file.project))
    figures = [figures_in_unit(one.figures, factor) for one in results]
    rows = []
    for name in COMPARED:
        word = FIGURES[name]
        rows.append(
            {"label": word.label.in_language(spoken),
             "cells": [{"value": shown(one.get(name), word.unit, spoken),
                        "difference": _difference(name, figures[0], one) if place else ""}
                       for place, one in enumerate(figures)]}
        )  # fmt: skip
    answers = [(said(one.scenario).in_language(spoken), answer_shown(model, one.scenario))
               for one in results[:CHARTED]]  # fmt: skip
    heads = [
        {"label": said(one.scenario).in_language(spoken),
         "changes": [f"{driver_label(name)} {driver_value(name, value)}" for name, value in one.changes.items()]}
        for one in results
    ]  # fmt: skip
    return {
        "unit": unit_of(answers[0][1]),
        "heads": heads,
        "rows": rows,
        "cover_chart": cover_chart(answers[0][1], answers, width=WIDE),
        **_tornado(request, found, factor),
    }


def _difference(name: str, base: dict[str, Any], other: dict[str, Any]) -> str:
    """How far a figure is from that of the base, with its sign; nothing where either is no number."""
    first, second, unit = base.get(name), other.get(name), FIGURES[name].unit
    if not isinstance(first, int | float) or not isinstance(second, int | float) or abs(second - first) < 1e-12:
        return ""
    if unit == "share":
        return _("%(n)s points") % {"n": f"{(second - first) * 100:+.2f}"}
    moved = second - first
    return f"{moved:+,.2f}" if unit != "amount" or abs(moved) < SMALL else f"{moved:+,.0f}"


def _tornado(request: HttpRequest, found: Ready, factor: float) -> dict[str, Any]:
    measure = request.GET.get("measure", "")
    measure = measure if measure in MEASURES else "min_dscr"
    middle, swings = found.tornado(measure, Scenario("base"))
    word, spoken = FIGURES[measure], language()

    def told(value: float | None) -> str:
        return shown(value if value is None or word.unit != "amount" else value * factor, word.unit, spoken)

    arms, rows = [], []
    for one in swings:
        down, up = (value if abs(value) != float("inf") else None for value in (one.at_down, one.at_up))
        if down == up == middle:
            continue
        label = driver_label(one.driver)
        steps = (driver_value(one.driver, one.down), driver_value(one.driver, one.up))
        arms.append(Arm(label, down, up, f"{label}: {steps[0]} → {told(down)}; {steps[1]} → {told(up)}"))
        rows.append({"label": label, "down": f"{steps[0]} → {told(down)}", "up": f"{steps[1]} → {told(up)}"})
    known = abs(middle) != float("inf")
    title = _("Tornado of %(measure)s") % {"measure": word.label.in_language(spoken)}
    drawn = tornado_chart(
        title=title, middle=middle, arms=arms, names=(_("a step down"), _("a step up")), shown=told, width=WIDE
    )
    return {
        "tornado": drawn if known and arms else "",
        "tornado_rows": rows,
        "measure": measure,
        "measures": [{"key": name, "label": FIGURES[name].label.in_language(spoken)} for name in MEASURES],
    }


def what_if(request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    """The sliders and the answer to where they stand: a run of the agreed financing."""
    begun = time.perf_counter()
    spoken, values = language(), _asked(request)
    results = selectors.results_of(model)
    by_name = {one.scenario: one for one in results}
    start = by_name.get(request.GET.get("scenario", ""), results[0])
    found = ready(model)
    scenario, places = moved(start.changes, values)
    run = found.run(scenario)
    answer = in_readers_unit(kept_of(run))
    figures, before = answer["key_figures"], figures_in_unit(start.figures, factor_of(named_of(found.file.project))[0])
    return {
        "unit": unit_of(answer),
        "start": start.scenario,
        "scenarios": [{"key": one.scenario, "label": said(one.scenario).in_language(spoken)} for one in results],
        "sliders": [_slider(name, places[name]) for name in SLIDERS],
        "live": [{"label": FIGURES[name].label.in_language(spoken),
                  "value": shown(figures.get(name), FIGURES[name].unit, spoken),
                  "before": shown(before.get(name), FIGURES[name].unit, spoken),
                  "difference": _difference(name, before, figures)} for name in LIVE],
        "warnings": [one[spoken] for one in answer["warnings"]],
        "cover_chart": cover_chart(answer),
        "milliseconds": (time.perf_counter() - begun) * 1000,
    }  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    """Where the sliders were put; a new start puts them back."""
    given: QueryDict = request.GET
    if given.get("act") == "reset":
        return {}
    return {name: given[name] for name in SLIDERS if name in given}


def _slider(name: str, place: float) -> dict[str, Any]:
    low, high, step = SLIDERS[name]
    return {
        "name": name, "label": driver_label(name), "value": f"{place:.4f}".rstrip("0").rstrip("."),
        "low": min(low, place), "high": max(high, place), "step": step, "said": driver_value(name, place),
    }  # fmt: skip


@require_safe
def what_if_part(request: HttpRequest, number: int) -> HttpResponse:
    """The answer to the sliders alone, for the page that asks for it as they move."""
    from kequn.web.views.projects import chosen_model, visible_project

    project = visible_project(request, number)
    model = chosen_model(request, project)
    if model is None:
        raise Http404
    try:
        context = what_if(request, model) | {"project": project, "model": model}
    except KequnError as error:
        return render(request, "kequn/project_unread.html", {"unread": told(error)})
    answer = render(request, "kequn/project_what_if_part.html", context | {"is_part": True})
    answer["Server-Timing"] = f"case;dur={context['milliseconds']:.1f}"
    return answer


def simulation(_request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    """The last simulation of the version as a fan with its table; and the form for another."""
    spoken = language()
    asked = list(model.simulations.defer("answer")[:10])
    done = next((one for one in asked if one.state == SimulationState.DONE), None)
    context: dict[str, Any] = {
        "asked": [(said(one.scenario).in_language(spoken), one) for one in asked],
        "is_working": any(one.state == SimulationState.WAITING for one in asked),
        "scenarios": [{"key": one.scenario, "label": said(one.scenario).in_language(spoken)}
                      for one in selectors.results_of(model)],
        "can_draw": bool(ready(model).file.uncertainties),
        "usual_count": USUAL_COUNT,
        "usual_seed": USUAL_SEED,
    }  # fmt: skip
    return context if done is None else context | _drawn(model, done)


def _drawn(model: ProjectModel, one: ModelSimulation) -> dict[str, Any]:
    spoken = language()
    answer: dict[str, Any] = ModelSimulation.objects.values_list("answer", flat=True).get(pk=one.pk)
    kept = selectors.answer_of(model, "base") or {}
    factor, unit = factor_of(kept)
    periods, levels = answer["by_period"], list(answer["by_period"][0]["dscr"])

    def quantile(level: str) -> tuple[float | None, ...]:
        return tuple(row["dscr"][level] for row in periods)

    bands = [Band(f"{low.upper()}–{high.upper()}", quantile(low), quantile(high))
             for low, high in (("p05", "p95"), ("p10", "p90"), ("p25", "p75"))]  # fmt: skip
    below = answer["probability_min_dscr_below"]
    chances = [(_("Minimum DSCR below lock-up"), below.get("lockup")),
               (_("Minimum DSCR below default"), below.get("default")),
               (_("Minimum DSCR below 1.00"), below.get("one"))]  # fmt: skip
    if answer.get("probability_of_cure") is not None:
        chances.append((_("The owners pay an equity cure"), answer["probability_of_cure"]))

    def scaled(name: str, value: float | None) -> float | None:
        return value if value is None or FIGURES[name].unit != "amount" else value * factor

    def named(name: str) -> str:
        word = FIGURES[name]
        measure = unit if word.unit == "amount" else UNITS[word.unit].in_language(spoken)
        return f"{word.label.in_language(spoken)} ({measure})"

    return {
        "done": one,
        "rules": kept["rules"] if kept["rules"].get("cures") else None,
        "cure_limit": with_unit(f"{kept['rules'].get('cure_limit', 0.0) * factor:,.2f}", unit),
        "fan": fan(
            title=_("Tested DSCR over time, simulated (times)"), categories=[row["end"][:7] for row in periods],
            bands=bands, middle=("P50", quantile("p50")), shown=lambda value: f"{value:.2f}",
            thresholds=marks_of(kept["levels"]), width=WIDE,
        ),
        "levels": [level.upper() for level in levels],
        "quantiles": [
            {"label": named(name),
             "cells": [shown(scaled(name, values[level]), FIGURES[name].unit, spoken) for level in levels]}
            for name, values in answer["quantiles"].items()
        ],
        "chances": [{"label": label, "value": value} for label, value in chances],
        "by_period": [{"end": row["end"], "locked": row["locked_up"], "default": row["default_by_then"],
                       "middle": shown(row["dscr"]["p50"], "times", spoken),
                       "low": shown(row["dscr"]["p05"], "times", spoken)} for row in periods],
    }  # fmt: skip
