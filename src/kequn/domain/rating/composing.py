"""A rating put together step by step: modules to a score, a score to a grade, support, ceiling, cap, override.

The same inputs under the same scheme give the same result, bit for bit. A module of which too little is known is
unknown and named; the scheme says whether a rating is possible without it. Grades run from the safest to the worst; a
notch up is towards the safest. Source: the usual build of bank rating handbooks (no single text), in our own words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from kequn.domain.errors import Text
from kequn.domain.rating.calibration import pd_of_score
from kequn.domain.rules.tree import Value

BEST_MARK, WORST_MARK = 5, 1
Facts = Mapping[str, Value | None]
StepKey = Literal["model", "score", "grade", "default", "group", "guarantor", "ceiling", "warning", "override"]


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One line of a module. `points` of a value, at most `weight`; None where no band holds it."""

    name: str
    fact: str
    label: Text
    unit: str
    weight: float
    points: Callable[[Value], float | None]
    is_question: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """`known_share_min`: the share of its weight that must be known."""

    name: str
    driver: str
    label: Text
    known_share_min: float
    lines: tuple[Characteristic, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A module in a model: its weight, and whether no rating is possible without it."""

    module: Module
    weight: float
    required: bool


@dataclass(frozen=True, slots=True)
class Model:
    """`known_share_min`: the share of module weight that must be known for a rating."""

    name: str
    label: Text
    why: Text
    parts: tuple[Part, ...]
    known_share_min: float
    validity_months: int


@dataclass(frozen=True, slots=True)
class Scale:
    """The master scale: `uppers` the PD below which a grade ends, the last without end; `pds` what grades stand for."""

    grades: tuple[str, ...]
    uppers: tuple[float, ...]
    pds: Mapping[str, float]
    default: str
    intercept: float
    slope: float

    def grade_of(self, pd: float) -> str:
        return next((g for g, upper in zip(self.grades, self.uppers, strict=True) if pd < upper), self.grades[-1])

    def place(self, grade: str) -> int:
        return self.grades.index(grade)


@dataclass(frozen=True, slots=True)
class Support:
    """Notches from a supporter: a share of the distance between grades, at most `up_most` or `down_most`."""

    label: Text
    share: float
    up_most: int
    down_most: int
    default_fact: str
    default_down: int = 0
    mark: str = ""
    mark_least: float = 0.0
    covered_least: float = 0.0


@dataclass(frozen=True, slots=True)
class Ceiling:
    fact: str
    value: str
    grade: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """All that a rating is put together by. `most_up`, `most_down` bound an override in notches."""

    scale: Scale
    models: Mapping[str, Model]
    refusal: Text
    group: Support
    guarantor: Support
    ceilings: tuple[Ceiling, ...]
    warning_caps: Mapping[str, str]
    most_up: int
    most_down: int


@dataclass(frozen=True, slots=True)
class Override:
    """`notches` up (safer) where positive, down where negative; the reason is a key of policy."""

    notches: int
    reason: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a rating rests on. `answers`: marks 1 to 5 by question, given by a person; they go before facts."""

    facts: Facts
    answers: Mapping[str, int]
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    value: Value | None
    points: float | None
    weight: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A module as judged. `score` 0 to 100; None where too little of it is known."""

    name: str
    weight: float
    required: bool
    score: float | None
    known_share: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step with the grade before and after; None where there is none yet, or it cannot be told."""

    key: StepKey
    before: str | None
    after: str | None
    inputs: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Rated:
    """A rating. `grade` None: none is possible, for `missing` or because no model fits (`model` None)."""

    model: str | None
    grade: str | None
    pd: float | None
    score: float | None
    modules: tuple[Judged, ...]
    steps: tuple[Step, ...]
    missing: tuple[str, ...]


def compose(scheme: Scheme, inputs: Inputs) -> Rated:
    """The rating that follows from the inputs, with every step."""
    name = inputs.facts.get("rating_model")
    model = scheme.models.get(name) if isinstance(name, str) else None
    if model is None:
        return Rated(None, None, None, None, (), (Step("model", None, None, {"rating_model": name}),), ())
    modules = tuple(judge(part, inputs) for part in model.parts)
    steps: list[Step] = [Step("model", None, None, {"rating_model": model.name})]
    score, missing = _score(model, modules)
    steps.append(Step("score", None, None, {"score": score}))
    in_default = inputs.facts.get("in_default") is True
    if score is None and not in_default:
        return Rated(model.name, None, None, None, modules, tuple(steps), missing)
    pd, grade = None, None
    if score is not None:
        pd = pd_of_score(score, intercept=scheme.scale.intercept, slope=scheme.scale.slope)
        grade = scheme.scale.grade_of(pd)
        steps.append(Step("grade", None, grade, {"score": score, "pd": pd}))
    if in_default:
        default = scheme.scale.default
        steps.append(Step("default", grade, default, {"in_default": True}))
        return Rated(model.name, default, scheme.scale.pds[default], score, modules, tuple(steps), missing)
    steps += _moved(scheme, inputs, str(grade))
    final = steps[-1].after
    final_pd = pd if final == grade else scheme.scale.pds[str(final)]
    return Rated(model.name, final, final_pd, score, modules, tuple(steps), missing)


def judge(part: Part, inputs: Inputs) -> Judged:
    """A module: points earned over points that could be earned with what is known, times one hundred."""
    lines, earned, known, whole = [], 0.0, 0.0, 0.0
    for one in part.module.lines:
        value: Value | None = inputs.answers.get(one.name) if one.is_question else None
        if value is None and one.fact:
            value = inputs.facts.get(one.fact)
        points = None if value is None else one.points(value)
        lines.append(Line(one.name, value, points, one.weight))
        whole += one.weight
        if points is not None:
            earned += points
            known += one.weight
    share = known / whole
    score = 100.0 * earned / known if known and share >= part.module.known_share_min else None
    return Judged(part.module.name, part.weight, part.required, score, share, tuple(lines))


def _score(model: Model, modules: tuple[Judged, ...]) -> tuple[float | None, tuple[str, ...]]:
    """The weighted mean of the modules known; None where a required one, or too much weight, is missing."""
    missing = tuple(one.name for one in modules if one.score is None)
    known = [(one.weight, one.score) for one in modules if one.score is not None]
    weight = sum(share for share, _ in known)
    whole = sum(one.weight for one in modules)
    if any(one.required and one.score is None for one in modules) or weight < model.known_share_min * whole:
        return None, missing
    return sum(share * score for share, score in known) / weight, missing


def _moved(scheme: Scheme, inputs: Inputs, grade: str) -> list[Step]:
    """What moves the grade of the model, in the order of the scheme."""
    facts, scale, steps = inputs.facts, scheme.scale, list[Step]()

    def step(key: StepKey, after: str, used: Mapping[str, Value | None]) -> None:
        steps.append(Step(key, steps[-1].after if steps else grade, after, used))

    now = grade
    now = _by_group(scale, scheme.group, facts, now)
    names = ("parent_grade", scheme.group.mark, scheme.group.default_fact)
    step("group", now, {name: facts.get(name) for name in names})
    now = _by_guarantor(scale, scheme.guarantor, facts, now)
    names = ("guarantor_grade", "guarantor_share", scheme.guarantor.default_fact)
    step("guarantor", now, {name: facts.get(name) for name in names})
    ceiling = next((one for one in scheme.ceilings if facts.get(one.fact) == one.value), None)
    now = _no_better(scale, now, ceiling.grade if ceiling else None)
    step("ceiling", now, {"ceiling": ceiling.grade if ceiling else None, "geography": facts.get("geography"),
                          "income_group": facts.get("income_group")})  # fmt: skip
    cap = scheme.warning_caps.get(str(facts.get("warning_level")))
    now = _no_better(scale, now, cap)
    step("warning", now, {"warning_level": facts.get("warning_level"), "cap": cap})
    if inputs.override is not None:
        notches = max(-scheme.most_down, min(scheme.most_up, inputs.override.notches))
        now = _at(scale, scale.place(now) - notches)
        for limit in (ceiling.grade if ceiling else None, cap):
            now = _no_better(scale, now, limit)
        step("override", now, {"notches": inputs.override.notches, "reason": inputs.override.reason})
    return steps


def _at(scale: Scale, place: int) -> str:
    return scale.grades[max(0, min(len(scale.grades) - 1, place))]


def _no_better(scale: Scale, grade: str, limit: str | None) -> str:
    return grade if limit is None or scale.place(grade) >= scale.place(limit) else limit


def _by_group(scale: Scale, rule: Support, facts: Facts, grade: str) -> str:
    """Down where the group has defaulted; else towards the parent's grade, upwards only where it is known to stand by.

    A parent in default counts as a group in default.
    """
    parent = facts.get("parent_grade")
    if facts.get(rule.default_fact) == 1 or parent == scale.default:
        return _at(scale, scale.place(grade) + rule.default_down)
    mark = facts.get(rule.mark)
    stands_by = isinstance(mark, int | float) and mark >= rule.mark_least
    return _towards(scale, rule, parent, grade, may_rise=stands_by)


def _by_guarantor(scale: Scale, rule: Support, facts: Facts, grade: str) -> str:
    """Up towards the guarantor's grade where enough is covered and the guarantor is known not to be in default."""
    share = facts.get("guarantor_share")
    covered = isinstance(share, int | float) and share >= rule.covered_least
    sound = facts.get(rule.default_fact) == 0
    return _towards(scale, rule, facts.get("guarantor_grade"), grade, may_rise=covered and sound)


def _towards(scale: Scale, rule: Support, supporter: Value | None, grade: str, *, may_rise: bool) -> str:
    if not isinstance(supporter, str) or supporter not in scale.grades:
        return grade
    distance = scale.place(grade) - scale.place(supporter)  # above 0: the supporter is the safer
    notches = int(abs(distance) * rule.share)
    if distance > 0:
        return _at(scale, scale.place(grade) - min(notches, rule.up_most)) if may_rise else grade
    return _at(scale, scale.place(grade) + min(notches, rule.down_most))
