"""The rating policy of a pack as one body, and the scheme that a body means.

The body holds all that a rating is put together by: the document, the bands of the scorecard it takes over, the master
scale, the calibration, the labels of the facts. It is plain JSON with a digest, so that a rating keeps the policy it
was made by and can be put together again, bit for bit, when the pack has long changed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kequn.domain.errors import Place, Refused, Text
from kequn.domain.facts import Fact, FactType, Grain
from kequn.domain.rating.composing import (
    BEST_MARK,
    WORST_MARK,
    Ceiling,
    Characteristic,
    Model,
    Module,
    Part,
    Scale,
    Scheme,
    Support,
)
from kequn.domain.rules.tree import Value
from kequn.policy.cells import Cell, read_cell
from kequn.policy.documents import Complaints, Document, label_of
from kequn.policy.pack import Pack
from kequn.policy.planning import build_plan

DOCUMENT, FILE = "rating", "rating.yaml"
SUPPLIED = ("parent_grade", "guarantor_grade", "guarantor_share", "warning_level")  # facts found beside the engine's
COVENANTS = "covenants_breached"  # found beside them too; a policy may say to which driver it belongs
ALWAYS_READ = ("rating_model", "in_default", "geography", "income_group")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the descriptor of each mark; `fact` proposes the mark that was handed in."""

    name: str
    label: Text
    fact: str
    marks: Mapping[int, Text]


@dataclass(frozen=True, slots=True)
class Limits:
    """Notches of an override that a role may give on its own word."""

    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Steward:
    """Who answers for a model, and until when it is to be reviewed."""

    owner: Text
    review_due: date


@dataclass(frozen=True, slots=True)
class RatingPolicy:
    """A rating policy ready for use. `reads`: facts of the engine; `drivers` in the order of the difference."""

    body: Mapping[str, Any]
    digest: str
    scheme: Scheme
    questions: Mapping[str, Question]
    drivers: tuple[tuple[str, Text, frozenset[str]], ...]
    own: Mapping[str, Limits]
    reasons: Mapping[str, Text]
    stewards: Mapping[str, Steward]
    labels: Mapping[str, tuple[Text, str]]  # fact -> label, unit
    renew_before_days: int
    live_customers_most: int
    status: str
    source: Text

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(self.body["reads"])

    def label(self, fact: str) -> Text:
        found = self.labels.get(fact)
        return found[0] if found is not None else Text(fact, fact)

    def questions_of(self, model: str) -> tuple[Question, ...]:
        """The questions of a model in the order of its modules."""
        lines = [line for part in self.scheme.models[model].parts for line in part.module.lines if line.is_question]
        return tuple(self.questions[line.name] for line in lines)


_kept: dict[tuple[str, date], RatingPolicy] = {}
_MOST_KEPT = 16


def rating_policy(pack: Pack, as_of: date) -> RatingPolicy | None:
    """The rating policy of a pack at a date; None where the pack has none. Refused with every place that is wrong."""
    document = next((one for one in pack.documents(as_of) if one.key == DOCUMENT), None)
    if document is None:
        return None
    key = (pack.digest, as_of)
    if key not in _kept:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[key] = policy_of(_body(pack, document, as_of))
    return _kept[key]


def policy_of(body: Mapping[str, Any]) -> RatingPolicy:
    """The policy that a body means: of the pack in use, or of one kept with an old rating."""
    return _Reading(body).policy()


def digest_of(body: Mapping[str, Any]) -> str:
    """SHA-256 of a body, whatever the order of its keys."""
    said = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


# -- the body ----------------------------------------------------------------------------------------------------------


def _body(pack: Pack, document: Document, as_of: date) -> dict[str, Any]:
    """Everything a rating is put together by, as plain JSON."""
    credit = next(one for one in pack.documents(as_of) if one.key == "credit")
    rating = document.body.get(DOCUMENT, {})
    taken = {row["bands_of"] for module in rating.get("modules", ()) for row in module.get("characteristics", ())
             if "bands_of" in row}  # fmt: skip
    bands = {row["fact"]: row for row in credit.body["scorecard"]["characteristics"] if row["fact"] in taken}
    table = next(one for one in credit.body["tables"] if one["name"] == "grade")
    grades = [[row["then"], row["when"]["pd"]] for row in table["rows"] if "pd" in row["when"]]
    items = {one.name: one for one in pack.items(as_of)}
    reads = _reads(rating)
    known = {one.name for one in build_plan(pack, as_of).findings()}
    complaints = Complaints()
    for name in reads:
        if name not in known:
            complaints.add(Place(FILE), "fact", "引擎没有此结论", "the engine finds no such thing", found=name)
    complaints.settle(pack.id)
    labels = {name: {"zh": items[name].label.zh, "en": items[name].label.en, "unit": items[name].unit}
              for name in reads if name in items}  # fmt: skip
    found: dict[str, Any] = json.loads(
        json.dumps(
            {
                "rating": rating, "bands": bands, "grades": grades, "reads": reads, "labels": labels,
                "intercept": pack.constant("score_intercept", as_of), "slope": pack.constant("score_slope", as_of),
                "status": document.heading.status,
                "source": {"zh": document.heading.source.zh, "en": document.heading.source.en},
                "in_force": document.heading.in_force,
            },
            ensure_ascii=False, default=str,
        )
    )  # fmt: skip
    return found


def _reads(rating: Mapping[str, Any]) -> list[str]:
    """The findings of the engine that a rating may read, each once."""
    names = dict.fromkeys(ALWAYS_READ)
    for module in rating.get("modules", ()):
        names |= dict.fromkeys(
            str(row.get("fact", row.get("bands_of", ""))) for row in module.get("characteristics", ())
        )
    names |= dict.fromkeys(str(row["fact"]) for row in rating.get("questions", ()) if "fact" in row)
    for rule in rating.get("support", {}).values():
        names |= dict.fromkeys(str(rule[key]) for key in ("mark", "default_fact") if key in rule)
    for row in rating.get("drivers", ()):
        names |= dict.fromkeys(str(one) for one in row.get("facts", ()))
    return [name for name in names if name not in (*SUPPLIED, COVENANTS)]


# -- what a body means -------------------------------------------------------------------------------------------------


class _Reading:
    """A body as it is read: every complaint is collected, and all are told at once."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body, self.rating = body, body["rating"]
        self.complaints = Complaints()

    def bad(self, where: str, zh: str, en: str, *, found: object = "", allowed: object = "") -> None:
        self.complaints.add(Place(FILE, where), where, zh, en, found=found, allowed=allowed)

    def label(self, row: Any, where: str) -> Text:
        return label_of(row, Place(FILE, where), self.complaints)

    def policy(self) -> RatingPolicy:
        try:
            made = self._policy()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self.complaints.settle(FILE)
            raise Refused(Text(f"{FILE} 读不懂：{error!r}", f"{FILE} cannot be read: {error!r}")) from error
        self.complaints.settle(FILE)
        return made

    def _policy(self) -> RatingPolicy:
        rating = self.rating
        questions = {row["name"]: self._question(row) for row in rating["questions"]}
        weights = {row["name"]: float(row["weight"]) for row in rating["questions"]}
        modules = {row["name"]: self._module(row, questions, weights) for row in rating["modules"]}
        scheme = Scheme(
            self._scale(), {row["name"]: self._model(row, modules) for row in rating["models"]},
            self.label(rating["refusal"], "refusal"), self._support("group"), self._support("guarantor"),
            tuple(Ceiling(row["fact"], row["is"], row["grade"]) for row in rating["ceilings"]),
            dict(rating["warning_caps"]), int(rating["override"]["most_up"]), int(rating["override"]["most_down"]),
        )  # fmt: skip
        self._check_grades(scheme)
        own = rating["override"]["own"]
        return RatingPolicy(
            self.body, digest_of(self.body), scheme, questions, self._drivers(modules),
            {role: Limits(int(row["up"]), int(row["down"])) for role, row in own.items()},
            {row["name"]: self.label(row, "reasons") for row in rating["override"]["reasons"]},
            {row["name"]: Steward(self.label(row["owner"], "models owner"), date.fromisoformat(row["review_due"]))
             for row in rating["models"]},
            {name: (Text(row["zh"], row["en"]), row["unit"]) for name, row in self.body["labels"].items()},
            int(rating["renew_before_days"]), int(rating["live_customers_most"]), self.body["status"],
            self._source(),
        )  # fmt: skip

    def _source(self) -> Text:
        """Where the policy comes from; a body kept before both languages were asked for has one text."""
        said = self.body["source"]
        return Text(said, said) if isinstance(said, str) else Text(said["zh"], said["en"])

    def _question(self, row: Mapping[str, Any]) -> Question:
        marks = {int(mark): self.label(text, f"questions {row['name']}") for mark, text in row["marks"].items()}
        if set(marks) != set(range(WORST_MARK, BEST_MARK + 1)):
            self.bad(f"questions {row['name']}", "每一档都须有描述", "each mark needs a descriptor",
                     found=sorted(marks), allowed="1 2 3 4 5")  # fmt: skip
        return Question(row["name"], self.label(row, f"questions {row['name']}"), row.get("fact", ""), marks)

    def _module(
        self, row: Mapping[str, Any], questions: Mapping[str, Question], weights: Mapping[str, float]
    ) -> Module:
        lines = [self._characteristic(one) for one in row.get("characteristics", ())]
        for name in row.get("questions", ()):
            if name not in questions:
                self.bad(f"modules {row['name']}", "没有此问题", "there is no such question", found=name)
                continue
            asked = questions[name]
            points = _mark_points(weights[name])
            lines.append(Characteristic(name, asked.fact, asked.label, "mark 1-5", weights[name], points, True))
        return Module(
            row["name"], row["driver"], self.label(row, "modules"), float(row["known_share_min"]), tuple(lines)
        )

    def _characteristic(self, row: Mapping[str, Any]) -> Characteristic:
        taken = self.body["bands"].get(row.get("bands_of")) if "bands_of" in row else row
        if taken is None:
            self.bad("modules", "评分卡没有此指标", "the scorecard has no such characteristic", found=row["bands_of"])
            taken = {"zh": "?", "en": "?", "weight": 1, "bands": []}
        name = str(row.get("fact", row.get("bands_of")))
        fact = Fact(name, Grain.CUSTOMER, FactType.NUMBER)
        bands: list[tuple[Cell, float]] = []
        for written, points in taken["bands"]:
            cell = read_cell(written, fact)
            if isinstance(cell, str):
                self.bad(f"modules {name}", "区间写法不对", "the band cannot be read", found=written, allowed=cell)
            else:
                bands.append((cell, float(points)))
        if bands and max(points for _, points in bands) != float(taken["weight"]):
            self.bad(f"modules {name}", "最高分应等于权重", "the best band must earn the weight", found=taken["weight"])
        unit = str(self.body["labels"].get(name, {}).get("unit", ""))
        return Characteristic(name, name, self.label(taken, f"modules {name}"), unit, float(taken["weight"]),
                              _band_points(tuple(bands)))  # fmt: skip

    def _model(self, row: Mapping[str, Any], modules: Mapping[str, Module]) -> Model:
        parts = [Part(modules[one["name"]], float(one["weight"]), bool(one.get("required", False)))
                 for one in row["modules"]]  # fmt: skip
        total = sum(part.weight for part in parts)
        if abs(total - 1) > 1e-9:  # weights are written with few decimals
            self.bad(
                f"models {row['name']}", "模块权重合计不为1", "the weights of its modules do not sum to 1", found=total
            )
        return Model(row["name"], self.label(row, "models"), self.label(row["why"], "models why"), tuple(parts),
                     float(row["known_share_min"]), int(row["validity_months"]))  # fmt: skip

    def _scale(self) -> Scale:
        fact = Fact("pd", Grain.CUSTOMER, FactType.NUMBER)
        grades, uppers = [], []
        for grade, written in self.body["grades"]:
            cell = read_cell(written, fact)
            bounds = {} if isinstance(cell, str) else dict(cell.bounds)
            grades.append(grade)
            uppers.append(bounds.get("<", float("inf")))
        pds = {grade: float(pd) for grade, pd in self.rating["grade_pd"].items()}
        return Scale(tuple(grades), tuple(uppers), pds, self.rating["default_grade"], float(self.body["intercept"]),
                     float(self.body["slope"]))  # fmt: skip

    def _support(self, name: str) -> Support:
        row = self.rating["support"][name]
        label = self.label(row, f"support {name}")
        return Support(label, float(row["share"]), int(row["up_most"]), int(row["down_most"]),
                       row["default_fact"], int(row.get("default_down", 0)), row.get("mark", ""),
                       float(row.get("mark_least", 0)), float(row.get("covered_least", 0)))  # fmt: skip

    def _check_grades(self, scheme: Scheme) -> None:
        scale = scheme.scale
        lowers = (0.0, *scale.uppers[:-1])
        for grade, low, high in zip(scale.grades, lowers, scale.uppers, strict=True):
            pd = scale.pds.get(grade)
            if pd is None or not low <= pd < high:
                self.bad(
                    "grade_pd",
                    "等级的PD须落在其区间内",
                    "the PD of a grade must lie in its band",
                    found=f"{grade}: {pd}",
                )
        if scale.default not in scale.pds:
            self.bad("grade_pd", "缺少违约等级", "the grade of default is missing", found=scale.default)
        named = {one.grade for one in scheme.ceilings} | set(scheme.warning_caps.values())
        for grade in sorted(named - set(scale.grades)):
            self.bad("ceilings", "没有此等级", "there is no such grade", found=grade, allowed=" ".join(scale.grades))

    def _drivers(self, modules: Mapping[str, Module]) -> tuple[tuple[str, Text, frozenset[str]], ...]:
        """Each driver with its facts: those named, and those of its modules that no driver names."""
        named = {str(fact): row["name"] for row in self.rating["drivers"] for fact in row["facts"]}
        of = dict(named)
        for module in modules.values():
            for line in module.lines:
                if line.fact:
                    of.setdefault(line.fact, module.driver)
        known = {row["name"] for row in self.rating["drivers"]}
        for name in (*self.body["reads"], *SUPPLIED):
            if of.get(name) not in known:
                self.bad("drivers", "此事实没有归属的成因", "this fact belongs to no driver", found=name)
        return tuple(
            (row["name"], self.label(row, "drivers"), frozenset(f for f, driver in of.items() if driver == row["name"]))
            for row in self.rating["drivers"]
        )


def _band_points(bands: tuple[tuple[Cell, float], ...]) -> Callable[[Value], float | None]:
    def points(value: Value) -> float | None:
        if not isinstance(value, int | float):
            return None
        return next((earned for cell, earned in bands if cell.holds(value)), None)

    return points


def _mark_points(weight: float) -> Callable[[Value], float | None]:
    def points(value: Value) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not WORST_MARK <= value <= BEST_MARK:
            return None
        return weight * (value - WORST_MARK) / (BEST_MARK - WORST_MARK)

    return points
