"""The slotting policy of a pack: read and checked, and the sheet of a project against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kequn.domain.errors import Finding, Misuse, Place, Refused, Text
from kequn.domain.facts import Fact, FactType, Grain
from kequn.domain.rating.slotting import NOT_APPLICABLE, Category, Given, Scheme, SubFactor
from kequn.policy.cells import Cell, read_cell
from kequn.policy.documents import Complaints, Document, Heading, in_force, label_of, read_document

ANSWERS = {"strong": 1, "good": 2, "satisfactory": 3, "weak": 4}
LINES = 29  # leaf sub-factors of CRE33's table for project finance


@dataclass(frozen=True, slots=True)
class Computed:
    """A line that a figure of the project's model answers; `bands` in the order of the document."""

    fact: Fact
    bands: tuple[tuple[Cell, int], ...]

    def answer(self, value: float) -> int:
        return next(answer for cell, answer in self.bands if cell.holds(value))


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
    bands: list[tuple[Cell, int]] = []
    for written, word in row["bands"]:
        cell = read_cell(written, fact)
        if isinstance(cell, Cell) and word in ANSWERS:
            bands.append((cell, ANSWERS[word]))
        else:
            complaints.add(where, "band", "区间读不懂", "a band that cannot be read", found=f"{written}: {word}")
    return Computed(fact, tuple(bands))


def read_sheet(body: object, policy: SlottingPolicy, file: str = "sheet") -> Sheet:
    """The sheet of a project: `answers` {line: strong | good | satisfactory | weak | n/a, or {answer, evidence}},
    `figures` {fact: number}, `remaining_years`, `in_default`. A given answer stands before a computed one.
    """
    wrong: list[Finding] = []

    def complain(place: str, zh: str, en: str) -> None:
        wrong.append(Finding("sheet", Text(f"{place}：{zh}", f"{place}: {en}"), Place(file)))

    if not isinstance(body, Mapping) or body.keys() - {"answers", "figures", "remaining_years", "in_default"}:
        raise Refused(Text("项目表只能有 answers、figures、remaining_years、in_default",
                           "a sheet holds answers, figures, remaining_years and in_default only"))  # fmt: skip
    figures = body.get("figures") or {}
    answers: dict[str, Given] = {}
    evidence: dict[str, str] = {}
    known = {one.name for one in policy.lines} | {one.id for one in policy.lines}
    given = {str(name): value for name, value in (body.get("answers") or {}).items()}
    for name in given.keys() - known:
        complain(name, "没有这个细项", "unknown sub-factor")
    for line in policy.lines:
        said = given.get(line.name, given.get(line.id))
        word = said.get("answer") if isinstance(said, Mapping) else said
        if word is None and line.computed is not None:
            value = figures.get(line.computed.fact.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                answers[line.name] = line.computed.answer(float(value))  # type: ignore[assignment]  # one of ANSWERS
                evidence[line.name] = f"{line.computed.fact.name} = {value}"
        elif word == NOT_APPLICABLE or word in ANSWERS:
            answers[line.name] = NOT_APPLICABLE if word == NOT_APPLICABLE else ANSWERS[word]  # type: ignore[assignment]
            evidence[line.name] = str(said.get("evidence", "")) if isinstance(said, Mapping) else ""
        elif word is not None:
            complain(line.name, f"应为 {' '.join(ANSWERS)} n/a", f"should be one of {' '.join(ANSWERS)} n/a")
    both = [one.id for one in policy.lines if isinstance(answers.get(one.name), int)
            and isinstance(answers.get(_excluded(policy, one.name)), int)]  # fmt: skip
    if both:
        complain(" ".join(both), "互斥的细项不能同时作答", "lines that exclude one another are both answered")
    if wrong:
        raise Refused(Text(f"项目表有 {len(wrong)} 处错误", f"the sheet has {len(wrong)} error(s)"), tuple(wrong))
    years = body.get("remaining_years")
    return Sheet(answers, evidence, None if years is None else float(years), bool(body.get("in_default", False)))


def _excluded(policy: SlottingPolicy, name: str) -> str:
    return next(one.excludes for one in policy.scheme.sub_factors if one.name == name)
