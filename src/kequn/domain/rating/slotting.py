"""Slotting of a project: sub-factors scored 1 (strong) to 4 (weak), put together by weights into a category.

What does not apply to a project is left out and the weights are shared among what does. What is not known is neither
left out nor guessed: the result is unknown, with the categories that are still possible. Source: Basel Framework CRE33.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Answer = Literal[1, 2, 3, 4]
NOT_APPLICABLE: Literal["n/a"] = "n/a"
Given = Answer | Literal["n/a"] | None
BEST: Answer = 1
WORST: Answer = 4


@dataclass(frozen=True, slots=True)
class SubFactor:
    """One line of the sheet. `excludes` names the line that does not apply where this one does."""

    name: str
    factor: str
    weight: float
    excludes: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """`risk_weight` of the exposure and `expected_loss` of the exposure at default, as fractions."""

    name: str
    risk_weight: float
    expected_loss: float
    preferential_risk_weight: float | None = None
    preferential_expected_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A policy of slotting. `cuts` hold the highest mean score of each category, the best first."""

    factors: Mapping[str, float]
    sub_factors: tuple[SubFactor, ...]
    categories: Mapping[str, Category]
    cuts: tuple[tuple[str, float], ...]
    preferential_below_years: float | None

    def category_of(self, score: float) -> str:
        """The category of a mean score; a score on a cut belongs to the better one."""
        return next((name for name, upper in self.cuts if score <= upper + 1e-12), self.cuts[-1][0])


@dataclass(frozen=True, slots=True)
class Slotted:
    """The result. `category` is None where an answer is missing that could change it; `possible` says what it may be.

    `equal_weights` and `worst_factor` are other ways to put the same answers together, for comparison.
    """

    category: str | None
    possible: tuple[str, ...]
    score: float | None
    by_factor: Mapping[str, float | None]
    equal_weights: str | None
    worst_factor: str | None
    missing: tuple[str, ...]
    risk_weight: float | None
    expected_loss: float | None
    preferential: bool


def slot(
    scheme: Scheme, given: Mapping[str, Given], *, in_default: bool = False, remaining_years: float | None = None
) -> Slotted:
    """Slot a project by its answers; a line without an answer is missing, unless the line it excludes is answered.

    score = sum over factors of w_f * (sum w_s * answer / sum w_s), each sum over what applies. A project in default
    is in the category of that name whatever its answers.
    """
    answers = _completed(scheme, given)
    missing = tuple(one.name for one in scheme.sub_factors if answers[one.name] is None)
    by_factor = {name: _factor_score(scheme, name, answers) for name in scheme.factors}
    score = _mean(scheme.factors, by_factor) if not missing else None
    possible = _possible(scheme, answers)
    category = "default" if in_default else possible[0] if len(possible) == 1 else None
    equal = worst = None
    if not missing:
        applying = [answer for answer in answers.values() if isinstance(answer, int)]
        equal = scheme.category_of(sum(applying) / len(applying)) if applying else None
        factors = [value for value in by_factor.values() if value is not None]
        worst = scheme.category_of(max(factors)) if factors else None
    of = scheme.categories.get(category or "")
    preferential = _is_preferential(scheme, of, remaining_years)
    return Slotted(
        category, (category,) if in_default and category else possible, score, by_factor, equal, worst, missing,
        None if of is None else of.preferential_risk_weight if preferential else of.risk_weight,
        None if of is None else of.preferential_expected_loss if preferential else of.expected_loss, preferential,
    )  # fmt: skip


def _completed(scheme: Scheme, given: Mapping[str, Given]) -> dict[str, Given]:
    """Every line with its answer; of two that exclude one another, the one not answered does not apply."""
    answers: dict[str, Given] = {one.name: given.get(one.name) for one in scheme.sub_factors}
    for one in scheme.sub_factors:
        other = given.get(one.excludes) if one.excludes else None
        if answers[one.name] is None and isinstance(other, int):
            answers[one.name] = NOT_APPLICABLE
    return answers


def _factor_score(scheme: Scheme, factor: str, answers: Mapping[str, Given]) -> float | None:
    lines = [one for one in scheme.sub_factors if one.factor == factor]
    if any(answers[one.name] is None for one in lines):
        return None
    scored = [(one.weight, answer) for one in lines if isinstance(answer := answers[one.name], int)]
    total = sum(weight for weight, _ in scored)
    return sum(weight * answer for weight, answer in scored) / total if total else None


def _mean(weights: Mapping[str, float], values: Mapping[str, float | None]) -> float | None:
    """The weighted mean over what has a value; a factor of which nothing applies is left out."""
    known = [(weights[name], value) for name, value in values.items() if value is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / total if total else None


def _possible(scheme: Scheme, answers: Mapping[str, Given]) -> tuple[str, ...]:
    """The categories from the best to the worst that the missing answers still leave open."""
    reached: list[int] = []
    order = [name for name, _ in scheme.cuts]
    for filler in (BEST, WORST):
        filled: dict[str, Given] = {name: filler if answer is None else answer for name, answer in answers.items()}
        score = _mean(scheme.factors, {name: _factor_score(scheme, name, filled) for name in scheme.factors})
        if score is None:
            return ()
        reached.append(order.index(scheme.category_of(score)))
    return tuple(order[reached[0] : reached[1] + 1])


def _is_preferential(scheme: Scheme, of: Category | None, remaining_years: float | None) -> bool:
    if of is None or scheme.preferential_below_years is None or remaining_years is None:
        return False
    return of.preferential_risk_weight is not None and remaining_years < scheme.preferential_below_years


def drivers(scheme: Scheme, given: Mapping[str, Given]) -> Sequence[tuple[str, float]]:
    """How far each answer moves the score from strong, the largest first: what to improve, or to look at again."""
    answers = _completed(scheme, given)
    found = []
    for one in scheme.sub_factors:
        answer = answers[one.name]
        lines = [(other.weight, answers[other.name]) for other in scheme.sub_factors if other.factor == one.factor]
        total = sum(weight for weight, value in lines if isinstance(value, int))
        if isinstance(answer, int) and answer > BEST and total:
            found.append((one.name, scheme.factors[one.factor] * one.weight / total * (answer - BEST)))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))
