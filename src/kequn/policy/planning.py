"""From a pack and a date to a plan: every rule parsed, named numbers put in place, definitions in an order that works.

A definition may read facts, look-ups and other definitions; a circle among them is refused by the names in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from kequn.domain.definitions import Definition, Plan
from kequn.domain.errors import KequnError, Place, Refused
from kequn.domain.facts import Vocabulary
from kequn.domain.rules.tree import Expr, facts_in
from kequn.policy.ageing import said_as_dates
from kequn.policy.dictionary import Bounds
from kequn.policy.documents import Complaints
from kequn.policy.items import ROW, Item, items_of
from kequn.policy.pack import Pack
from kequn.policy.rule_text import parse
from kequn.policy.standards import lookup_facts
from kequn.policy.tables import DecisionTable, read_table

_WORDS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\w+")
_PLANS: dict[tuple[str, date], Plan] = {}  # plans are immutable; a program meets a handful of dates
_MOST_PLANS = 32


def build_plan(pack: Pack, as_of: date) -> Plan:
    """The policy of a pack at a date, ready for every reader.

    The editions in force decide, and ages are said as dates of that day.
    """
    key = (pack.digest, as_of)
    if key not in _PLANS:
        if len(_PLANS) >= _MOST_PLANS:
            _PLANS.clear()
        complaints = Complaints()
        plan = _Reader(pack, as_of, complaints).plan()
        complaints.settle(pack.id)
        _PLANS[key] = plan
    return _PLANS[key]


def rule_of(pack: Pack, as_of: date, text: str) -> Expr:
    """The tree of one more rule of a customer, as it would stand in the policy at a date; Refused with the place."""
    reader = _reader_of(pack, as_of)
    return reader.dated(parse(with_constants(text, reader.constants), reader.vocabulary))


@lru_cache(maxsize=4)
def _reader_of(pack: Pack, as_of: date) -> "_Reader":
    """Kept, because reading all words of a pack takes longer than reading one rule."""
    return _Reader(pack, as_of, Complaints())


def tables_of(pack: Pack, as_of: date) -> Mapping[str, DecisionTable]:
    """The decision tables of a pack at a date, by name."""
    complaints = Complaints()
    reader = _Reader(pack, as_of, complaints)
    for item in reader.items:
        reader.expression(item)
    complaints.settle(pack.id)
    return reader.tables


def check_plans(pack: Pack, complaints: Complaints) -> None:
    """Build the plan of every date on which an edition begins, collecting what is wrong."""
    dates = {edition.heading.in_force for editions in pack.editions.values() for edition in editions}
    seen: set[tuple[str, ...]] = set()
    for as_of in sorted(dates):
        files = tuple(document.heading.file for document in pack.documents(as_of))
        if files in seen:
            continue
        seen.add(files)
        _Reader(pack, as_of, complaints).plan()
        if complaints.findings:
            return


@dataclass(slots=True)
class _Reader:
    """One reading of a pack at one date."""

    pack: Pack
    as_of: date
    complaints: Complaints
    items: tuple[Item, ...] = ()
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary(()))
    tables: dict[str, DecisionTable] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        documents = self.pack.documents(self.as_of)
        found = tuple(item for document in documents for item in items_of(document, self.complaints))
        words = self.pack.vocabulary.extended(lookup_facts())
        kept = []
        for item in found:
            try:
                words = words.extended((item.fact(),))
                kept.append(item)
            except KequnError as error:
                self.complaints.add(item.place, "label", error.text.zh, error.text.en)
        self.items, self.vocabulary = tuple(kept), words
        self.constants = {item.name: item.constant for item in kept if item.constant is not None}

    def plan(self) -> Plan:
        """The whole plan; empty of definitions where something was complained of."""
        named = {item.name: item for item in self.items if item.constant is None}
        expressions = {name: expr for name, item in named.items() if (expr := self.expression(item)) is not None}
        definitions = tuple(
            _definition(named[name], self.dated(expressions[name])) for name in self._order(expressions)
        )
        kept = Vocabulary(fact for fact in self.vocabulary if fact.name not in self.constants)
        return Plan(kept, self.pack.standards.lookups(), definitions, self.pack.basis_order, self.pack.digest)

    def dated(self, expr: Expr) -> Expr:
        counted = {one.fact.name: one for one in self.pack.dictionary.counted}
        return said_as_dates(expr, counted, self.vocabulary, self.as_of)

    def expression(self, item: Item) -> Expr | None:
        if item.table is not None:
            table = self._table(item)
            if table is None:
                return None
            return table.row_number() if item.column == ROW else table.expression(item.column)
        if not item.rule:
            return None
        try:
            return parse(with_constants(item.rule, self.constants), self.vocabulary, item.type.value, grain=item.grain)
        except Refused as refused:
            self.complaints.take(item.place, refused)
            return None

    def _table(self, item: Item) -> DecisionTable | None:
        body = item.table or {}
        name = str(body.get("name", ""))
        if name not in self.tables:
            bounds: Mapping[str, Bounds] = self.pack.dictionary.bounds
            table = read_table(body, item.place, self.vocabulary, bounds, self.complaints)
            if table is None:
                return None
            self.tables[name] = table
        return self.tables[name]

    def _order(self, expressions: Mapping[str, Expr]) -> tuple[str, ...]:
        graph = {
            name: sorted({ref.name for ref in facts_in(expr)} & expressions.keys())  # the same order in every process
            for name, expr in expressions.items()
        }
        try:
            wanted = tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = " -> ".join(error.args[1])
            self.complaints.add(
                Place("pack.yaml"),
                "circle",
                "定义互相循环引用",
                "definitions read one another in a circle",
                found=circle,
            )
            return ()
        return wanted


def with_constants(rule: str, constants: Mapping[str, float]) -> str:
    """The text of a rule with the named numbers of its documents in place of their names; quoted words are left.

    >>> with_constants("pd * lgd > 'lgd'", {"lgd": 0.45})
    "pd * (0.45) > 'lgd'"
    """

    def put(found: re.Match[str]) -> str:
        value = constants.get(found.group())
        return found.group() if value is None else f"({value!r})"

    return _WORDS.sub(put, rule)


def _definition(item: Item, expr: Expr) -> Definition:
    return Definition(
        item.name,
        item.grain,
        item.type,
        expr,
        item.kind,
        item.output,
        item.unit,
        item.label.zh,
        item.label.en,
        item.unknown_means,
    )


__all__ = ["build_plan", "check_plans", "rule_of", "tables_of"]
