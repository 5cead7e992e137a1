"""What really came in each period beside the model, and the form to enter it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kequn.apps.accounts.access import MODEL, may
from kequn.apps.projects import selectors
from kequn.apps.projects.cover_so_far import CoverSoFar, breach_of
from kequn.apps.projects.models import ACTUAL_LINES, ProjectActual, ProjectModel
from kequn.apps.projects.reckoning import ready
from kequn.apps.projects.services import keep_actual
from kequn.domain.errors import KequnError, Refused, Text
from kequn.domain.money import UNITS, MoneyUnit
from kequn.domain.projectfinance.drivers import Scenario
from kequn.financing.actuals import Beside, Compared, Period, compare, per_year_of, unit_of_amounts
from kequn.financing.results import key_figures
from kequn.financing.words import DASH, FIGURES, Word, shown, word_of
from kequn.reports.charts import Series, lines
from kequn.web.templatetags.kequn import language
from kequn.web.views.project_amounts import answer_shown
from kequn.web.views.project_cases import driver_label, driver_value
from kequn.web.views.project_parts import WIDE, marks_of, mood_so_far, unit_of

Answer = Mapping[str, Any]
ENDS_OFFERED = 60
LARGEST = Decimal(10) ** 15
LARGEST_KEPT = 2**63 - 1  # minor units that a column holds
CODE_LENGTH = 3  # of a currency
CARRIED = ("min_dscr", "min_dscr_date", "average_dscr", "llcr", "equity_irr", "first_lockup", "first_default")


def actuals(request: HttpRequest, model: ProjectModel) -> dict[str, Any]:
    answer = answer_shown(model)
    unit, kept = unit_of_amounts(answer), selectors.actuals_of(model.project)
    context = {"unit": unit_of(answer), "is_unit_known": unit is not None} | _form(
        answer, kept, request.GET.get("end", "")
    )
    if unit is None or not kept:
        return context
    mine = [one for one in kept if one.currency == answer["currency"]]
    known = {one.period_end: {line: _in_unit(getattr(one, name), unit) for name, line in ACTUAL_LINES.items()}
             for one in mine}  # fmt: skip
    per_year = per_year_of(answer["periods"])
    found = compare(answer["periods"], answer["loans"], known, tuple(ACTUAL_LINES.values()), per_year)
    more = {"other_currency": len(kept) - len(mine), "actual_chart": _chart(found, answer, per_year)}
    return context | _compared(found, answer["levels"]) | more | _carried_on(model, found, answer)


def _form(answer: Answer, kept: Sequence[ProjectActual], asked: str) -> dict[str, Any]:
    """The periods that have ended; the one that is asked for, else the first of which nothing is known; a field for
    each line, with what is kept of that period.
    """
    ends = [date.fromisoformat(row["end"]) for row in answer["periods"]]
    past, entered = [one for one in ends if one <= timezone.localdate()], {one.period_end: one for one in kept}
    unknown = next((one for one in past if one not in entered), past[-1] if past else None)
    chosen = next((one for one in past if one.isoformat() == asked), unknown)
    there, unit = entered.get(chosen) if chosen else None, unit_of_amounts(answer)
    return {
        "unit_code": unit.code if unit else "",
        "ends": past[-ENDS_OFFERED:],
        "first_end": ends[0],
        "chosen_end": chosen,
        "fields": [{"name": name, "label": _label(name), "value": _typed(getattr(there, name, None), unit), "error": ""}
                   for name in ACTUAL_LINES],
    }  # fmt: skip


def _typed(minor: int | None, unit: MoneyUnit | None) -> str:
    """A kept amount as one would type it in a unit; nothing where it is unknown."""
    return "" if minor is None or unit is None else f"{unit.of(minor).normalize():f}"


def _in_unit(minor: int | None, unit: MoneyUnit) -> float | None:
    return None if minor is None else float(unit.of(minor))


def _label(name: str) -> str:
    line = ACTUAL_LINES[name]
    if line in ("interest_paid", "principal_paid"):
        return _("Interest paid") if line == "interest_paid" else _("Principal paid")
    return word_of(line).label.in_language(language())


def _compared(found: Compared, levels: dict[str, float]) -> dict[str, Any]:
    spoken = language()
    periods = [
        {
            "end": one.end,
            "rows": [{"label": _label(name)} | _beside(one.lines[line], one.cumulated[line])
                     for name, line in ACTUAL_LINES.items()],
            "dscr": {"model": shown(one.dscr.model, "times", spoken),
                     "actual": shown(one.dscr.actual, "times", spoken)},
            "mood": _mood(one, levels),
        }
        for one in reversed(found.periods)
    ]  # fmt: skip
    return {
        "periods": periods,
        "missing": found.missing,
        "astray": found.astray,
    }


def _mood(one: Period, levels: dict[str, float]) -> tuple[str, str] | None:
    """How the cover that came in the twelve months to a period looks; None where it is not known or holds."""
    cover = one.dscr.actual
    if cover is None:
        return None
    return mood_so_far(CoverSoFar(date.fromisoformat(one.end), cover, *breach_of(cover, levels)))


def _beside(one: Beside, sums: Beside) -> dict[str, str]:
    spoken = language()

    def signed(value: float | None, form: str = ".2f", unit: str = "") -> str:
        """With its sign; a difference that rounds to nil has none."""
        if value is None:
            return DASH
        said = f"{value:+,{form}}{unit}"
        return said[1:] if not said.strip("+-0.,%") else said

    return {
        "model": shown(one.model, "amount", spoken), "actual": shown(one.actual, "amount", spoken),
        "difference": signed(one.difference), "so_far": signed(sums.difference),
        "share": signed(None if one.share is None else one.share * 100.0, ".1f", "%"),
    }  # fmt: skip


def charted(periods: Sequence[Answer], known: int, per_year: int) -> Sequence[Answer]:
    """The known periods and those of two years more."""
    return periods[: known + 2 * per_year]


def _chart(found: Compared, answer: Answer, per_year: int) -> str:
    """The cover of the model over the known periods and two years more, and the cover that came."""
    span = charted(answer["periods"], len(found.periods), per_year)
    came = [one.dscr.actual for one in found.periods]
    return lines(
        title=_("DSCR of twelve months (times)"), categories=[str(row["end"])[:7] for row in span],
        series=[Series(_("Model"), tuple(row.get("dscr_backward") for row in span)),
                Series(_("Actual"), (*came, *[None] * (len(span) - len(came))))],
        shown=lambda value: f"{value:.2f}", width=WIDE, height=260,
        thresholds=marks_of(answer["levels"]),
    )  # fmt: skip


def _carried_on(model: ProjectModel, found: Compared, answer: Answer) -> dict[str, Any]:
    """The model run on with prices and costs as they have been so far, beside the model as it stands."""
    if not found.factors:
        return {}
    spoken, project = language(), ready(model)
    figures = key_figures(project.run(Scenario("as so far", dict(found.factors))))
    base: Sequence[tuple[str, Word]] = [(name, FIGURES[name]) for name in CARRIED]
    return {
        "factors": [f"{driver_label(name)} {driver_value(name, value)}" for name, value in found.factors.items()],
        "carried": [
            {"label": word.label.in_language(spoken),
             "model": shown(answer["key_figures"].get(name), word.unit, spoken),
             "projected": shown(figures.get(name), word.unit, spoken)}
            for name, word in base
        ],
    }  # fmt: skip


@require_POST
def enter(request: HttpRequest, number: int) -> HttpResponse:
    """Keep the figures of one period; what is left empty stays unknown. What is refused stays as it was typed."""
    from kequn.web.views.projects import chosen_model, page_of, visible_project

    project = visible_project(request, number)
    if not may(request.user, MODEL):
        raise PermissionDenied
    model = chosen_model(request, project)
    if model is None:
        raise Http404
    typed = {name: request.POST.get(name, "").strip()[:40] for name in ACTUAL_LINES}
    errors, problem = dict[str, str](), ""
    try:
        unit, currency = _measured_in(selectors.answer_of(model, "base") or {}, request.POST.get("unit", ""))
        day = _day(request.POST.get("period_end", ""))
        amounts, errors = _amounts(typed, unit)
        if not errors:
            keep_actual(person=request.user, project=project, period_end=day, amounts=amounts, currency=currency)
            messages.success(request, _("The figures of the period are kept."))
            return redirect(f"{reverse('project', args=[number])}?tab=actuals")
    except KequnError as error:
        problem = error.text.in_language(language())
    more = {
        "problem": problem,
        "typed_end": request.POST.get("period_end", ""),
        "fields": [{"name": name, "label": _label(name), "value": typed[name], "error": errors.get(name, "")}
                   for name in ACTUAL_LINES],
    }  # fmt: skip
    return page_of(request, project, "actuals", more, status=422)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        said = typed[:20]
        raise Refused(
            Text(f"“{said}”不是日期；应如 2026-06-30", f"“{said}” is no date; expected one like 2026-06-30")
        ) from None


def _measured_in(answer: Answer, code: str) -> tuple[MoneyUnit, str]:
    """The unit and the currency of what is typed: the unit that the form named, else the model's.

    Refused where the model leaves either open, for none is guessed.
    """
    unit, currency = unit_of_amounts(answer), str(answer["currency"])
    if unit is None:
        named, known = unit_of(answer), " ".join(one.zh for one in UNITS.values())
        raise Refused(
            Text(f"模型的单位“{named}”不在已知单位之中：{known}", f"the model's unit {named} is none of {known}")
        )
    if len(currency) != CODE_LENGTH:
        raise Refused(
            Text(
                f"模型的币种“{currency}”不是三位代码",
                f"the currency of the model, {currency}, is no code of three letters",
            )
        )
    return UNITS.get(code, unit), currency


def _amounts(typed: Mapping[str, str], unit: MoneyUnit) -> tuple[dict[str, int | None], dict[str, str]]:
    """The amounts in minor units, an empty one unknown; and what is wrong with each that cannot be read."""
    found: dict[str, int | None] = {}
    errors: dict[str, str] = {}
    for name, text in typed.items():
        try:
            found[name] = _minor(text, unit)
        except InvalidOperation:
            errors[name] = _("“%(what)s” is no amount; expected a number such as 1,234.5") % {"what": text}
    return found, errors


def _minor(text: str, unit: MoneyUnit) -> int | None:
    """An amount as it was typed in minor units; InvalidOperation where it is none or too long to be one."""
    plain = text.replace(",", "").replace("，", "")
    if not plain:
        return None
    value = Decimal(plain)
    if not value.is_finite() or abs(value) > LARGEST or abs(minor := round(value * unit.minor)) > LARGEST_KEPT:
        raise InvalidOperation(text)
    return minor
