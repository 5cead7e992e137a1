"""Definitions: what policy computes from facts, in the order in which it can be computed.

A plan is one policy as of one date, ready for every reader: the vocabulary, the look-ups in standard tables,
and the definitions sorted so that each reads only facts, look-ups and earlier definitions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kequn.domain.facts import FactType, Grain, Vocabulary
from kequn.domain.rules.tree import Expr, FactRef, Value

Kind = Literal["derived", "dimension", "points", "score", "segment", "signal", "strategy", "price", "flag"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One named result. `unknown_means` says where an unknown verdict puts the customer.

    A derived fact may also be supplied: its value is the formula's where that is known, else the one supplied.
    """

    name: str
    grain: Grain
    type: FactType
    expr: Expr
    kind: Kind
    output: bool = True
    unit: str = ""
    zh: str = ""
    en: str = ""
    unknown_means: Literal["out", "in", "list"] = "out"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A standard table: some customer facts in, other facts out. Resolved once per distinct key of a book."""

    name: str
    keys: tuple[str, ...]
    outputs: tuple[tuple[str, FactType], ...]
    resolve: Callable[[tuple[str | None, ...], date], tuple[Value | None, ...]]
    dimensions: tuple[str, ...] = ()  # the outputs that are classes of a dimension, kept and compared as findings


@dataclass(frozen=True, slots=True)
class Plan:
    """One policy as of one date. `basis_order` lists (scope, standard) of statements, the preferred first."""

    vocabulary: Vocabulary
    lookups: tuple[Lookup, ...]
    definitions: tuple[Definition, ...]
    basis_order: tuple[tuple[str, str], ...]
    digest: str

    def findings(self) -> tuple[Definition, ...]:
        """What is kept of a customer: the definitions, and the looked-up classes in the form of definitions."""
        looked_up = (
            Definition(name, Grain.CUSTOMER, kind, FactRef(name, Grain.CUSTOMER, kind), "dimension")
            for lookup in self.lookups
            for name, kind in lookup.outputs
            if name in lookup.dimensions
        )
        return (*looked_up, *self.definitions)

    def definition(self, name: str) -> Definition:
        for definition in self.definitions:
            if definition.name == name:
                return definition
        raise KeyError(name)
