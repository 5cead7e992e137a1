"""Rule books of single assets: five tiers and stages of impairment, as dated rules that name their article.

A rule book is a document of the pack: facts of one asset, rules with article and words, and a table that takes the
worst rule that holds. One asset is read plainly with its reasons; a whole file by the set readers, with equal answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from kequn.domain.definitions import Definition
from kequn.domain.errors import Finding, Misuse, Place, Refused, Text
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.generated import compiled
from kequn.domain.rules.program import Program, program_of
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Constant, Expr, FactRef, Function, Value, children_of
from kequn.policy.documents import Complaints, Document, Heading, in_force, label_of, read_document
from kequn.policy.standalone import definitions_of

BookName = Literal["classification", "staging"]
OWN_KEYS = ("facts", "classes", "answer")


@dataclass(frozen=True, slots=True)
class Article:
    """Where a rule stands and what it says there; `checked` only where the text itself was read."""

    name: str
    text: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that holds, or that cannot be told: its label, its article, and whether it holds."""

    rule: str
    label: Text
    article: Article | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Judged:
    """The class of one asset; None where what is missing could make it worse. `missing` names such facts."""

    answer: str | None
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class RuleBook:
    """One edition of a rule book, ready to be read."""

    heading: Heading
    facts: Vocabulary
    definitions: tuple[Definition, ...]
    articles: Mapping[str, Article]
    labels: Mapping[str, Text]
    classes: Mapping[str, Text]
    answer: str

    @cached_property
    def program(self) -> Program:
        return program_of(self.definitions)

    @cached_property
    def _run(self) -> Callable[[Record, Mapping[str, Any]], dict[str, Any]]:
        return compiled(self.program)

    def judge(self, asset: Mapping[str, Value | None]) -> Judged:
        """The class of one asset, with the rules that hold and, where it is unknown, what is missing."""
        found = self._run(Record({fact.name: asset.get(fact.name) for fact in self.facts}, {}), {})
        reasons = tuple(
            Reason(name, self.labels[name], article, found[name])
            for name, article in self.articles.items()
            if found[name] is not False
        )
        answer = found[self.answer]
        missing = () if answer is not None else self._missing(asset, found)
        return Judged(answer, reasons, missing)

    def _missing(self, asset: Mapping[str, Value | None], found: Mapping[str, Any]) -> tuple[str, ...]:
        """The unknown facts that rules read whose verdict is unknown, through the definitions they are made of."""
        made = {one.name: one for one in self.definitions}
        wanted: dict[str, None] = {}
        stack = [self.answer]
        seen: set[str] = set()
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in made:
                if found[name] is None:
                    stack += _open_facts(made[name].expr)
            elif asset.get(name) is None:
                wanted[name] = None
        return tuple(fact.name for fact in self.facts if fact.name in wanted)


def _open_facts(expr: Expr) -> list[str]:
    """The facts whose absence makes an expression unknown: not those of which policy says what silence means."""
    if isinstance(expr, FactRef):
        return [expr.name]
    if isinstance(expr, Function) and expr.name == "coalesce" and isinstance(expr.arguments[-1], Constant):
        return []
    return [name for part in children_of(expr) for name in _open_facts(part)]


def read_rule_book(folder: Path, name: BookName, as_of: date) -> RuleBook:
    """The edition of a rule book of a pack in force at a date; Misuse before the first, for then there was no rule."""
    complaints = Complaints()
    editions = [
        read_document(path, complaints)
        for path in sorted([*folder.glob(f"{name}.yaml"), *folder.glob(f"{name}.*.yaml")])
    ]
    chosen = in_force(editions, as_of)
    if not isinstance(chosen, Document):
        raise Misuse(
            Text(f"政策包 {folder.name} 在 {as_of} 没有 {name}", f"the pack {folder.name} has no {name} at {as_of}")
        )
    body = chosen.body
    place = Place(chosen.heading.file)
    facts = Vocabulary(_fact(row, place, complaints) for row in body["facts"])
    rest = {key: value for key, value in body.items() if key not in OWN_KEYS}
    definitions = definitions_of(Document(chosen.key, chosen.heading, rest), facts)
    checked = chosen.heading.status == "verified"
    articles = {
        str(row["name"]): Article(str(row["source"]), str(row.get("note", "")), checked)
        for row in body["definitions"]
        if row.get("kind") == "flag"
    }
    labels = {str(row["name"]): label_of(row, place, complaints) for row in body["definitions"]}
    classes = {str(row["name"]): label_of(row, place, complaints) for row in body["classes"]}
    complaints.settle(chosen.heading.file)
    return RuleBook(chosen.heading, facts, tuple(definitions), articles, labels, classes, str(body["answer"]))


def _fact(row: Mapping[str, Any], place: Place, complaints: Complaints) -> Fact:
    label = label_of(row, place, complaints)
    choices = tuple(str(one) for one in row.get("choices", ()))
    return Fact(str(row["name"]), Grain.CUSTOMER, FactType(row["type"]), label.zh, label.en, choices=choices)


def checked_asset(asset: Mapping[str, Any], book: RuleBook, place: str) -> dict[str, Value | None]:
    """The facts of an asset in the types of the rule book; Refused for a value that does not fit."""
    wrong: list[Finding] = []
    found: dict[str, Value | None] = {}
    for fact in book.facts:
        value = asset.get(fact.name)
        if value is not None and not _fits(value, fact):
            text = Text(
                f"{place} {fact.zh}：{value!r} 不是 {fact.type}", f"{place} {fact.en}: {value!r} is no {fact.type}"
            )
            wrong.append(Finding("asset", text, Place(column=fact.name)))
        found[fact.name] = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if wrong:
        raise Refused(Text("数据不符", "the facts do not fit"), tuple(wrong))
    return found


def _fits(value: object, fact: Fact) -> bool:
    if fact.type == FactType.BOOLEAN:
        return isinstance(value, bool)
    if fact.type == FactType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (not fact.choices or value in fact.choices)
