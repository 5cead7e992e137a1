"""What a rule would mean for the book before it is published: who is in, with what, who comes and goes.

Amounts are summed in yuan from the figures of the last published run and said in minor units. A rate of default is the
share of customers in default among those of whom it is known, with Wilson's 95 % interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kequn.apps.assessments.outcomes import wilson
from kequn.apps.assessments.pins import active
from kequn.apps.assessments.standing_book import Array, StandingBook, stands
from kequn.apps.customers.models import Customer
from kequn.domain.rules import tree
from kequn.policy.pack import Pack

LARGEST = 10
MINOR = 100


@dataclass(frozen=True, slots=True)
class Weight:
    """A number of customers and what they weigh; `without` of them have no known exposure."""

    customers: int
    exposure: int  # minor units of yuan, gross
    without: int


@dataclass(frozen=True, slots=True)
class Named:
    code: str
    name: str
    exposure: int | None


@dataclass(frozen=True, slots=True)
class Overlap:
    key: str
    both: Weight
    jaccard: float  # shared customers over those in either; exposure_jaccard the same by exposure
    exposure_jaccard: float | None


@dataclass(frozen=True, slots=True)
class Prospect:
    """Everything that is shown before publishing. Rates are fractions; None where nothing is known."""

    run: int
    weight: Weight
    net: int
    drawn: int
    committed: int
    expected_loss: int
    default_rate: tuple[float, float, float] | None
    default_known: int
    unknown: Weight
    missing: tuple[tuple[str, int], ...]  # fact, customers whose verdict hangs on it
    unknown_largest: tuple[Named, ...]
    entering: Weight
    leaving: Weight
    entering_largest: tuple[Named, ...]
    leaving_largest: tuple[Named, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def limit_use(self) -> float | None:
        return self.drawn / self.committed if self.committed else None

    @property
    def moved(self) -> int | None:
        """The exposure that would change sides, in minor units: what the approval policy looks at.

        None where anybody who would change sides has no known exposure: then nobody knows how much moves.
        """
        if self.entering.without or self.leaving.without:
            return None
        return self.entering.exposure + self.leaving.exposure


def weigh(standing: StandingBook, who: Array) -> Weight:
    """How many customers a mask holds, and their gross exposure."""
    gross = standing.figures["exposure_gross"][who]
    return Weight(int(who.sum()), _minor(gross), int(np.isnan(gross).sum()))


def _minor(values: Array) -> int:
    return round(float(np.nansum(values)) * MINOR)


def prospect(
    standing: StandingBook, pack: Pack, *, rule: tree.Expr | None, unknown_means: str, before: Array, key: str
) -> Prospect:
    """The prospect of a rule beside those who are in by the rule `before`; no rule is a segment that is retired.

    Who is pinned is where the pin says, before and after: the run will lay pins over both rules alike.
    """
    if rule is None:
        verdict = np.zeros(len(standing.codes), dtype=np.int8)
    else:
        verdict = standing.verdicts(pack, rule)
    pinned, unknown = _Pinned(standing), verdict == -1
    now = stands(verdict, unknown_means)
    now, before = now if rule is None else pinned.over(key, now), pinned.over(key, before)
    enters, leaves = now & ~before, before & ~now
    default = standing.in_default[now] if len(standing.in_default) else np.full(0, -1, dtype=np.int8)
    known, bad = int((default >= 0).sum()), int((default == 1).sum())
    total = {name: _minor(values[now]) for name, values in standing.figures.items()}
    names = _Names(standing)
    return Prospect(
        run=standing.run_id, weight=weigh(standing, now), net=total.get("exposure_net", 0),
        drawn=total.get("drawn", 0), committed=total.get("committed", 0), expected_loss=total.get("expected_loss", 0),
        default_rate=(bad / known, *wilson(rate=bad / known, size=known)) if known else None, default_known=known,
        unknown=weigh(standing, unknown), missing=_missing(standing, pack, rule, unknown),
        unknown_largest=names.largest(unknown), entering=weigh(standing, enters), leaving=weigh(standing, leaves),
        entering_largest=names.largest(enters), leaving_largest=names.largest(leaves),
        overlaps=_overlaps(standing, pinned, now, key),
    )  # fmt: skip


def _missing(standing: StandingBook, pack: Pack, rule: tree.Expr | None, unknown: Array) -> tuple[tuple[str, int], ...]:
    """The facts that the rule names and that are unknown where its verdict is, with how many customers each."""
    if rule is None or not unknown.any():
        return ()
    counted = []
    for ref in _named(rule):
        lacks = standing.verdicts(pack, tree.IsNull(ref)) == 1
        number = int((lacks & unknown).sum())
        if number:
            counted.append((tree.facts_in(ref)[0].name, number))
    return tuple(sorted(dict(counted).items(), key=lambda pair: -pair[1]))


def _named(expr: tree.Expr) -> list[tree.Expr]:
    """What a rule reads: facts, histories and child rows as wholes."""
    if isinstance(expr, tree.FactRef | tree.History | tree.Children):
        return [expr] if tree.facts_in(expr) else []
    return list(dict.fromkeys(one for child in tree.children_of(expr) for one in _named(child)))


class _Pinned:
    """The pins that hold on the day of the run, laid over members of segments."""

    def __init__(self, standing: StandingBook) -> None:
        held = list(active(standing.book.as_of))
        places = {code: at for at, code in enumerate(standing.codes)} if held else {}
        self.by_key: dict[str, list[tuple[int, bool]]] = {}
        for one in held:
            if one.customer.code in places:
                self.by_key.setdefault(one.key, []).append((places[one.customer.code], one.is_in))

    def over(self, key: str, members: Array) -> Array:
        laid = members.copy()
        for at, is_in in self.by_key.get(key, ()):
            laid[at] = is_in
        return laid


def _overlaps(standing: StandingBook, pinned: _Pinned, now: Array, key: str) -> tuple[Overlap, ...]:
    gross = np.nan_to_num(standing.figures["exposure_gross"])
    found = []
    for other, verdict in standing.members.items():
        if other == key:
            continue
        there = pinned.over(other, verdict == 1)
        both, either = now & there, now | there
        if both.any():
            whole = float(gross[either].sum())
            found.append(
                Overlap(
                    other, weigh(standing, both), float(both.sum() / either.sum()),
                    float(gross[both].sum()) / whole if whole else None,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda one: -one.jaccard))


class _Names:
    """The largest customers of a mask by name, the names read for all masks as they are asked."""

    def __init__(self, standing: StandingBook) -> None:
        self.standing = standing
        self.gross = standing.figures["exposure_gross"]

    def largest(self, who: Array, most: int = LARGEST) -> tuple[Named, ...]:
        places = np.flatnonzero(who)
        if not len(places):
            return ()
        order = np.argsort(-np.nan_to_num(self.gross[places], nan=-1.0), kind="stable")[:most]
        chosen = places[order]
        codes = [str(self.standing.codes[at]) for at in chosen]
        names = dict(Customer.objects.filter(code__in=codes).values_list("code", "name"))
        return tuple(
            Named(
                code, names.get(code, code), None if np.isnan(self.gross[at]) else round(float(self.gross[at]) * MINOR)
            )
            for code, at in zip(codes, chosen, strict=True)
        )


def as_shown(found: Prospect) -> Mapping[str, Any]:
    """The figures in the form in which a proposal keeps them, so that the checker decides on exactly these."""
    rate = found.default_rate
    return {
        "run": found.run, "customers": found.weight.customers, "exposure": found.weight.exposure,
        "net": found.net, "expected_loss": found.expected_loss,
        "limit_use": None if found.limit_use is None else round(found.limit_use, 6),
        "default_rate": None if rate is None else [round(one, 6) for one in rate],
        "unknown": found.unknown.customers, "missing": [list(one) for one in found.missing],
        "entering": [found.entering.customers, found.entering.exposure],
        "leaving": [found.leaving.customers, found.leaving.exposure],
        "entering_largest": [[one.code, one.name, one.exposure] for one in found.entering_largest],
        "leaving_largest": [[one.code, one.name, one.exposure] for one in found.leaving_largest],
        "overlaps": [[one.key, one.both.customers, one.both.exposure, round(one.jaccard, 6)] for one in found.overlaps],
    }  # fmt: skip
