"""Ratings as pages show them: steps, modules, differences, causes, in the reader's language."""

from collections.abc import Container, Mapping
from typing import Any

from django.utils.translation import gettext as _

from kequn.apps.ratings.kept import inputs_of, policy_of_case, rated_again
from kequn.apps.ratings.models import RatingCase
from kequn.apps.ratings.rerating import BREACH, EXPIRY, FIRST, POLICY, parts_of
from kequn.domain.errors import Text
from kequn.domain.rating.composing import Characteristic, Judged, Rated
from kequn.domain.rating.covenants import NONE_BREACHED, NOT_TOLD, newly_breached
from kequn.domain.rating.differing import OVERRIDE, Moved
from kequn.domain.rating.wording import LABELS, LEVELS, OUT_OF_SCOPE, words_of
from kequn.policy.rating import COVENANTS, RatingPolicy
from kequn.policy.telling import unit_name
from kequn.web import labels
from kequn.web.preferences import unit
from kequn.web.templatetags.kequn import NOT_KNOWN, figure, language, percent

MOODS = {
    "suggested": "watch", "draft": "unknown", "proposed": "watch", "approved": "good", "refused": "bad",
    "replaced": "unknown", "expired": "bad",
}  # fmt: skip
SUPPLIED = {"parent_grade": "group", "guarantor_grade": "guarantor", "warning_level": "warning"}
CENTS = 100
COVENANT_WORDS = {
    NONE_BREACHED: Text("没有契约被违反", "none is breached"),
    NOT_TOLD: Text("部分契约无法判断", "some cannot be told"),
}


def case_row(case: RatingCase) -> dict[str, Any]:
    """One case in a list; `case.customer` is read with it."""
    return {
        "id": case.pk, "customer": case.customer, "state": case.state, "said": case.get_state_display(),
        "mood": MOODS[case.state], "grade": case.grade, "before": case.grade_before, "as_of": case.as_of,
        "expires_on": case.expires_on, "maker": case.maker,
        "cause": cause(case), "model": model_label(case), "pd": case.pd, "notches": case.override_notches,
    }  # fmt: skip


def model_label(case: RatingCase) -> str:
    if not case.model:
        return _("none fits")
    model = policy_of_case(case).scheme.models.get(case.model)
    return model.label.in_language(language()) if model is not None else case.model


def cause(case: RatingCase) -> str:
    """Why a case was opened."""
    words = {
        "person": _("by a person"), BREACH: _("covenant newly breached"), FIRST: _("first rating"),
        EXPIRY: _("soon expires"), POLICY: _("policy changed"),
    }  # fmt: skip
    if case.trigger in words:
        return words[case.trigger]
    return driver_label(policy_of_case(case), case.trigger)


def driver_label(policy: RatingPolicy, name: str) -> str:
    if name == POLICY:
        return _("policy changed")
    found = {driver: label for driver, label, _facts in policy.drivers}.get(name)
    return found.in_language(language()) if found is not None else name


def reasoning(case: RatingCase, hidden: Container[str]) -> dict[str, Any]:
    """Every step and every module of a case, put together anew from what it keeps.

    `hidden` names the grades of supporters outside the reader's scope; they are not told.
    """
    policy, rated, spoken = policy_of_case(case), rated_again(case), language()
    steps = [
        {"label": LABELS[step.key].in_language(spoken),
         "said": words_of(policy.scheme, rated, step, hidden).in_language(spoken),
         "before": step.before or "", "after": step.after or "", "is_move": step.before not in (None, step.after)}
        for step in rated.steps
    ]  # fmt: skip
    return {"steps": steps, "modules": _modules(policy, rated), "missing": _missing(policy, rated)}


def _modules(policy: RatingPolicy, rated: Rated) -> list[dict[str, Any]]:
    if rated.model is None:
        return []
    parts = {part.module.name: part for part in policy.scheme.models[rated.model].parts}
    return [_module(policy, parts[one.name].module, one) for one in rated.modules]


def _module(policy: RatingPolicy, module: Any, judged: Judged) -> dict[str, Any]:
    spoken = language()
    of = {line.name: line for line in module.lines}
    lines = []
    for line in judged.lines:
        known = of[line.name]
        asked = policy.questions.get(line.name) if known.is_question else None
        mark = asked.marks.get(int(line.value)) if asked is not None and isinstance(line.value, int | float) else None
        lines.append(
            {
                "label": known.label.in_language(spoken), "value": shown(line.value, known.unit),
                "said": mark.in_language(spoken) if mark is not None else "", "points": line.points,
                "weight": line.weight, "fact": "" if known.is_question else line.name,
            }
        )  # fmt: skip
    return {
        "label": module.label.in_language(spoken), "score": judged.score, "weight": judged.weight,
        "known_share": judged.known_share, "required": judged.required, "lines": lines,
    }  # fmt: skip


def _missing(policy: RatingPolicy, rated: Rated) -> list[str]:
    """Labels of what is wanted before the modules that are missing can be judged."""
    names = [line for one in rated.modules if one.score is None for line in one.lines if line.points is None]
    questions, spoken = policy.questions, language()
    return [
        questions[line.name].label.in_language(spoken)
        if line.name in questions
        else policy.label(line.name).in_language(spoken)
        for line in names
    ]


def difference_rows(case: RatingCase, hidden: Container[str]) -> dict[str, Any]:
    """What moved the rating from the one before: drivers that moved it, and what else changed without effect.

    `hidden` as in `reasoning`.
    """
    policy = policy_of_case(case)
    moved, still = [], []
    for name, part in parts_of(case):
        row = {
            "label": driver_label(policy, name), "before": part.before or NOT_KNOWN, "after": part.after or NOT_KNOWN,
            "notches": part.notches, "size": abs(part.notches or 0), "facts": _facts(policy, case, part, hidden),
        }  # fmt: skip
        (still if part.notches == 0 else moved).append(row)
    return {"moved": moved, "still": still, "breached": _breached(case)}


def _breached(case: RatingCase) -> list[str]:
    """The covenants that are breached and were not when the rating before was made."""
    before = inputs_of(case.previous.inputs).facts if case.previous is not None else {}
    return sorted(newly_breached(before.get(COVENANTS), inputs_of(case.inputs).facts.get(COVENANTS)))


def _facts(policy: RatingPolicy, case: RatingCase, part: Moved, hidden: Container[str]) -> list[dict[str, Any]]:
    """The facts of a driver that earn other points than before, with the points; all of them where none does.

    A question that nobody answered shows the mark that was handed in, for that is what counted.
    """
    lines = _lines(policy, case.model)
    sides = [inputs_of(one.inputs).facts if one is not None else {} for one in (case.previous, case)]

    def said(name: str, value: Any) -> str:
        is_hidden = name in hidden and value is not None
        return OUT_OF_SCOPE.in_language(language()) if is_hidden else _fact(policy, name, value)

    found = []
    for name, (first, second) in part.facts.items():
        old, new = first, second
        if name in policy.questions:
            handed_in = policy.questions[name].fact
            old, new = (side.get(handed_in) if value is None else value
                        for value, side in zip((first, second), sides, strict=True))  # fmt: skip
        of = lines.get(name)
        before, after = (None if of is None or value is None else of.points(value) for value in (old, new))
        found.append(
            {
                "label": fact_label(policy, name), "old": said(name, old), "new": said(name, new),
                "before": before, "after": after, "has_points": of is not None, "counts": before != after or of is None,
            }
        )  # fmt: skip
    return [one for one in found if one["counts"]] or found


def _lines(policy: RatingPolicy, model: str) -> dict[str, Characteristic]:
    """The lines of a model by their facts; questions by their names as well."""
    if model not in policy.scheme.models:
        return {}
    lines = [line for part in policy.scheme.models[model].parts for line in part.module.lines]
    return {line.fact: line for line in lines if line.fact} | {line.name: line for line in lines}


def fact_label(policy: RatingPolicy, name: str) -> str:
    spoken = language()
    if name in policy.questions:
        return policy.questions[name].label.in_language(spoken)
    if name in SUPPLIED:
        said = {"parent_grade": _("Grade of the parent"), "guarantor_grade": _("Grade of the guarantor")}
        return said.get(name, _("Gravest signal"))
    if name == COVENANTS:
        return _("Covenants breached")
    if name == "guarantor_share":
        return _("Share covered by the guarantor")
    return _("Override in notches") if name == OVERRIDE else policy.label(name).in_language(spoken)


def _fact(policy: RatingPolicy, name: str, value: Any) -> str:
    if name == COVENANTS and value in COVENANT_WORDS:
        return COVENANT_WORDS[value].in_language(language())
    if name == COVENANTS and isinstance(value, str):
        return value
    if name == "warning_level" and value in LEVELS:
        return LEVELS[value].in_language(language())
    if name == "rating_model" and value in policy.scheme.models:
        return policy.scheme.models[value].label.in_language(language())
    if name == "guarantor_share":
        return percent(value, 0)
    if isinstance(value, str):
        return labels.value(name, value, language())
    known = policy.labels.get(name)
    return shown(value, known[1] if known is not None else "")


def shown(value: Any, of: str) -> str:
    """A value with its unit as a reader expects it."""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return figure(value)
    if of == "ratio":
        return percent(value, 2)
    if of == "CNY":
        return unit(language()).said(round(value * CENTS), language())
    if of == "mark 1-5":
        return f"{value:g}"
    said = unit_name(of, language()) if of not in {"", "count"} else ""
    places = 0 if value == int(value) else 2
    return f"{value:,.{places}f} {said}".strip()


def questionnaire(case: RatingCase) -> list[dict[str, Any]]:
    """The questions of the model with their descriptors, the mark given, and the mark that was handed in."""
    policy, spoken = policy_of_case(case), language()
    if not case.model:
        return []
    inputs = inputs_of(case.inputs)
    return [
        {
            "name": one.name, "label": one.label.in_language(spoken), "mark": inputs.answers.get(one.name),
            "handed_in": _handed_in(inputs.facts.get(one.fact)),
            "options": [(mark, text.in_language(spoken)) for mark, text in sorted(one.marks.items())],
        }
        for one in policy.questions_of(case.model)
    ]  # fmt: skip


def _handed_in(value: Any) -> str:
    return "" if value is None else shown(value, "mark 1-5")


def shown_rating(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a proposal shows of a rating: nothing is computed anew."""
    spoken = language()
    facts = [
        (_("Customer"), f"{found['name']} ({found['customer']})"), (_("Grade"), str(found["grade"])),
        (_("Grade before"), str(found["before"]) or NOT_KNOWN), (_("Probability of default"), percent(found["pd"])),
        (_("As of"), str(found["as_of"])),
    ]  # fmt: skip
    if found.get("covenants"):
        facts.append((_("Covenants breached"), found["covenants"]))
    if found["override"]:
        facts += [
            (_("Override in notches"), f"{found['override']:+d}"),
            (_("Reason"), found["override_reason"][spoken] if found["override_reason"] else NOT_KNOWN),
            (_("Evidence"), found["override_text"]),
        ]
    return facts
