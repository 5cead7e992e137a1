"""The vocabulary: every fact that may be known about a customer, with grain, type, unit and labels.

A fact is named once and means the same in rules, imports, screens and reports. A vocabulary finds a fact by
its name or by either label; two facts may never answer to one word.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from kequn.domain.errors import KequnError, Text


class Grain(StrEnum):
    """What one value belongs to."""

    CUSTOMER = "customer"
    STATEMENT = "statement"
    FACILITY = "facility"
    PROJECT = "project"
    ACCOUNT_MONTH = "account_month"
    EVENT = "event"


CALENDAR_GRAINS = (Grain.STATEMENT, Grain.ACCOUNT_MONTH)
CHILD_GRAINS = (Grain.FACILITY, Grain.PROJECT, Grain.EVENT)


class FactType(StrEnum):
    """What kind of value a fact has. Numbers are float64; dates are calendar days."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that may be known.

    `unit` is a word such as CNY, persons, ratio, days. `max_age_days` is the age past which policy calls the
    value stale. `source` says who supplies it: a person, the machine by counting, a derivation, or the kept model of a
    project. `flow` marks income and cash-flow items, which add up over a year; `combine` says how several
    accounts of one month become one figure. `outcome` marks what is known only afterwards: no rule reads it.
    """

    name: str
    grain: Grain
    type: FactType
    zh: str = ""
    en: str = ""
    unit: str = ""
    source: Literal["person", "machine", "derived", "model"] = "person"
    max_age_days: int | None = None
    choices: tuple[str, ...] = ()
    flow: bool = False
    combine: Literal["sum", "max", "min", ""] = ""
    outcome: bool = False
    status: Literal["verified", "memory"] = "memory"


class Vocabulary:
    """Facts by name, Chinese label or English label; one word, one fact."""

    __slots__ = ("_facts", "_words")

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts: dict[str, Fact] = {}
        self._words: dict[str, Fact] = {}
        for fact in facts:
            self._add(fact)

    def _add(self, fact: Fact) -> None:
        for word in dict.fromkeys(word for word in (fact.name, fact.zh, fact.en) if word):
            other = self._words.get(word)
            if other is not None:
                raise KequnError(
                    Text(
                        f"“{word}”同时指 {other.name} 和 {fact.name}，一个词只能指一个事实",
                        f"“{word}” means both {other.name} and {fact.name}; one word may mean one fact only",
                    )
                )
            self._words[word] = fact
        self._facts[fact.name] = fact

    def get(self, word: str) -> Fact | None:
        """The fact that answers to a name or to a label."""
        return self._words.get(word)

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __contains__(self, word: object) -> bool:
        return word in self._words

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts.values())

    def __len__(self) -> int:
        return len(self._facts)

    def of_grain(self, grain: Grain) -> tuple[Fact, ...]:
        return tuple(fact for fact in self._facts.values() if fact.grain == grain)

    def extended(self, facts: Iterable[Fact]) -> "Vocabulary":
        """The same facts and some more."""
        return Vocabulary((*self._facts.values(), *facts))

    def suggestion(self, word: str) -> str:
        """The nearest known word, or an empty string."""
        near = difflib.get_close_matches(word[:64], self._words, n=1, cutoff=0.7)
        return near[0] if near else ""
