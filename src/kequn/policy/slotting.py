"""The slotting policy of a pack: read and checked, and the sheet of a project against it."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kequn.domain.errors import Finding, Misuse, Place, Refused, Text
from kequn.domain.facts import Fact, FactType, Grain
from kequn.domain.rating.slotting import NOT_APPLICABLE, Answer, Category, Given, Scheme, SubFactor
from kequn.policy.cells import Cell, read_cell
from kequn.policy.documents import Complaints, Document, Heading, in_force, label_of, read_document

ANSWERS: Mapping[str, Answer] = {"strong": 1, "good": 2, "satisfactory": 3, "weak": 4}
_LARGEST = sys.float_info.max
LINES = 29  # leaf sub-factors of CRE33's table for project finance


@dataclass(frozen=True, slots=True)
class Computed:
    """A line that a figure of the project's model answers; `bands` in the order of the document."""

    fact: Fact
    bands: tuple[tuple[Cell, Answer], ...]

    def answer(self, value: float) -> Answer | None:
        """The answer of the first band that holds the value; None where none does."""
        return next((answer for cell, answer in self.bands if cell.holds(value)), None)


@dataclass(frozen=True, slots=True)
class Line:
    """A sub-factor as people read it: its number, label and four descriptors."""

    id: str
    name: str
    label: Text
    descriptors: Mapping[str, Text]
    computed: Computed | None


@dataclass(frozen=True, slots=True)
class SlottingPolicy:
    heading: Heading
    scheme: Scheme
    lines: tuple[Line, ...]
    factors: Mapping[str, Text]
    categories: Mapping[str, Text]
    notes: tuple[Mapping[str, str], ...]

    def line(self, name: str) -> Line:
        return next(one for one in self.lines if one.name == name)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The answers to a project's sheet, and where each comes from: evidence of a person, or the figure it follows."""

    answers: Mapping[str, Given]
    evidence: Mapping[str, str]
    remaining_years: float | None
    in_default: bool


def read_slotting(folder: Path, as_of: date) -> SlottingPolicy:
    """The slotting document of a pack in force at a date; Refused with every place that is wrong."""
    complaints = Complaints()
    paths = sorted([*folder.glob("slotting.yaml"), *folder.glob("slotting.*.yaml")])
    editions = [read_document(path, complaints) for path in paths]
    if not editions:
        raise Misuse(Text(f"政策包 {folder.name} 没有 slotting.yaml", f"the pack {folder.name} has no slotting.yaml"))
    chosen = in_force(editions, as_of)
    document = chosen if isinstance(chosen, Document) else min(editions, key=lambda one: one.heading.in_force)
    policy = _policy(document, complaints)
    complaints.settle(document.heading.file)
    return policy


def _policy(document: Document, complaints: Complaints) -> SlottingPolicy:
    body, place = document.body, Place(document.heading.file)
    lines = tuple(_line(row, place, complaints) for row in body["sub_factors"])
    subs = tuple(
        SubFactor(str(row["name"]), str(row["factor"]), float(row["weight"]), str(row.get("excludes", "")))
        for row in body["sub_factors"]
    )
    factors = {str(row["name"]): float(row["weight"]) for row in body["factors"]}
    _check(subs, factors, place, complaints)
    categories = {
        str(row["name"]): Category(
            str(row["name"]), float(row["risk_weight"]), float(row["expected_loss"]),
            row.get("preferential_risk_weight"), row.get("preferential_expected_loss"),
        )
        for row in body["categories"]
    }  # fmt: skip
    preferential = body["preferential"]
    years = float(preferential["remaining_years_below"]) if preferential["allowed"] else None
    cuts = tuple((str(name), float(upper)) for name, upper in body["cut_points"].items())
    return SlottingPolicy(
        document.heading,
        Scheme(factors, subs, categories, cuts, years),
        lines,
        {str(row["name"]): label_of(row, place, complaints) for row in body["factors"]},
        {str(row["name"]): label_of(row, place, complaints) for row in body["categories"]},
        tuple(body.get("notes", ())),
    )


def _check(subs: tuple[SubFactor, ...], factors: Mapping[str, float], place: Place, complaints: Complaints) -> None:
    if len(subs) != LINES:
        complaints.add(place, "lines", "细项数不对", "wrong number of sub-factors", found=len(subs), allowed=LINES)
    if abs(sum(factors.values()) - 1) > 1e-9:
        complaints.add(place, "weights", "因素权重合计应为1", "weights of factors do not sum to 1", found=factors)
    for one in subs:
        if one.factor not in factors:
            complaints.add(
                place, "factor", "没有这个因素", "unknown factor", found=one.factor, allowed=" ".join(factors)
            )
        if one.weight <= 0:
            complaints.add(place, "weights", "细项权重应大于0", "a weight must be above 0", found=one.name)


def _line(row: Mapping[str, Any], place: Place, complaints: Complaints) -> Line:
    where = Place(place.file, "sub_factors", None, str(row.get("name", "")))
    descriptors = {word: label_of(row.get(word), where, complaints) for word in ANSWERS}
    computed = _computed(row["computed"], where, complaints) if "computed" in row else None
    return Line(str(row["id"]), str(row["name"]), label_of(row, where, complaints), descriptors, computed)


def _computed(row: Mapping[str, Any], where: Place, complaints: Complaints) -> Computed:
    fact = Fact(str(row["fact"]), Grain.PROJECT, FactType.NUMBER, str(row["zh"]), str(row["en"]), str(row["unit"]))
    bands: list[tuple[Cell, Answer]] = []
    for written, word in row["bands"]:
        cell = read_cell(written, fact)
        if isinstance(cell, Cell) and word in ANSWERS:
            bands.append((cell, ANSWERS[word]))
        else:
            complaints.add(where, "band", "区间读不懂", "a band that cannot be read", found=f"{written}: {word}")
    return Computed(fact, tuple(bands))


SHEET_KEYS = ("answers", "figures", "remaining_years", "in_default")


def read_sheet(body: object, policy: SlottingPolicy, file: str = "sheet") -> Sheet:
    """The sheet of a project: `answers` {line: strong | good | satisfactory | weak | n/a, or {answer, evidence}},
    `figures` {fact: number}, `remaining_years`, `in_default`. A given answer stands before a computed one; what is
    absent or null is unknown. Refused with every place that is wrong.
    """
    return _SheetReader(policy, file).read(body)


class _SheetReader:
    """One reading of one sheet."""

    def __init__(self, policy: SlottingPolicy, file: str) -> None:
        self.policy, self.file, self.wrong = policy, file, list[Finding]()

    def bad(self, path: str, found: object, zh: str, en: str) -> None:
        text = Text(f"应为{zh}；发现 {found!r}", f"expected {en}; found {found!r}")
        self.wrong.append(Finding("sheet", text, Place(self.file, column=path), str(found), en))

    def read(self, body: object) -> Sheet:
        known = self.mapping(body, "", SHEET_KEYS)
        names = [name for one in self.policy.lines for name in (one.name, one.id)]
        answers, evidence = self.given(self.mapping(known.get("answers"), "answers", names))
        computed = [one.computed.fact.name for one in self.policy.lines if one.computed is not None]
        figures = self.mapping(known.get("figures"), "figures", computed)
        numbers = {name: self.number(value, f"figures.{name}") for name, value in figures.items() if name in computed}
        self.compute(numbers, answers, evidence)
        self.exclusions(answers)
        years = self.number(known.get("remaining_years"), "remaining_years")
        if years is not None and years < 0:
            self.bad("remaining_years", years, "不小于 0 的数值", "a number of at least 0")
        in_default = known.get("in_default", False)
        if not isinstance(in_default, bool):
            self.bad("in_default", in_default, "true 或 false", "true or false")
        if self.wrong:
            count = len(self.wrong)
            raise Refused(Text(f"项目表有 {count} 处错误", f"the sheet has {count} error(s)"), tuple(self.wrong))
        return Sheet(answers, evidence, years, in_default)

    def mapping(self, value: object, path: str, allowed: Sequence[str]) -> dict[str, Any]:
        """The keys of a mapping as texts, each of them known; nothing where there is none."""
        if value is None and path:
            return {}
        if not isinstance(value, Mapping):
            self.bad(path, value, "键值结构", "a mapping of keys")
            return {}
        found = {str(name): one for name, one in value.items()}
        for name in [one for one in found if one not in allowed]:
            self.bad(f"{path}.{name}" if path else name, name, " ".join(allowed), "one of " + " ".join(allowed))
        return found

    def number(self, value: object, path: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST <= value <= _LARGEST:
            self.bad(path, value, "有限的数值", "a number that is finite")
            return None
        return float(value)

    def given(self, said: Mapping[str, Any]) -> tuple[dict[str, Given], dict[str, str]]:
        """The answers of people, with their evidence."""
        answers: dict[str, Given] = {}
        evidence: dict[str, str] = {}
        for line in self.policy.lines:
            if line.name in said and line.id in said:
                self.bad(f"answers.{line.id}", said[line.id], "每个细项只答一次", f"one answer to {line.name}")
            one = said.get(line.name, said.get(line.id))
            detail = (
                self.mapping(one, f"answers.{line.name}", ("answer", "evidence")) if isinstance(one, Mapping) else {}
            )
            word = detail.get("answer") if isinstance(one, Mapping) else one
            if word is None:
                continue
            if not isinstance(word, str) or word not in (*ANSWERS, NOT_APPLICABLE):
                allowed = " ".join((*ANSWERS, NOT_APPLICABLE))
                self.bad(f"answers.{line.name}", word, allowed, f"one of {allowed}")
                continue
            answers[line.name] = NOT_APPLICABLE if word == NOT_APPLICABLE else ANSWERS[word]
            evidence[line.name] = str(detail.get("evidence") or "")
        return answers, evidence

    def compute(self, figures: Mapping[str, float | None], answers: dict[str, Given], evidence: dict[str, str]) -> None:
        """Answer from the figures the lines that policy computes and nobody has answered."""
        for line in self.policy.lines:
            value = None if line.computed is None else figures.get(line.computed.fact.name)
            if line.computed is None or value is None or line.name in answers:
                continue
            name, answer = line.computed.fact.name, line.computed.answer(value)
            if answer is None:
                self.bad(f"figures.{name}", value, "政策区间内的数值", "a number within a band of the policy")
                continue
            answers[line.name] = answer
            evidence[line.name] = f"{name} = {value}"

    def exclusions(self, answers: Mapping[str, Given]) -> None:
        both = [one.id for one in self.policy.lines if isinstance(answers.get(one.name), int)
                and isinstance(answers.get(_excluded(self.policy, one.name)), int)]  # fmt: skip
        if both:
            self.bad("answers", " ".join(both), "互斥的细项只答其一", "one answer to lines that exclude one another")


def _excluded(policy: SlottingPolicy, name: str) -> str:
    return next(one.excludes for one in policy.scheme.sub_factors if one.name == name)
