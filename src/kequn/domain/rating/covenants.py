"""A covenant tested: whether what was agreed holds, by which value against which threshold, and what is not known.

A covenant is a rule over the facts of the customer that is to hold: `debt_to_assets <= 0.7`. Where it does not, it is
breached; where a fact is missing it cannot be told, and that is neither kept nor breached.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kequn.domain.rules import tree
from kequn.domain.rules.reader import Answer, Reader, Truth

NONE_BREACHED, NOT_TOLD, BETWEEN = "none", "unknown", "; "
MIRRORED: Mapping[tree.ComparisonSign, tree.ComparisonSign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Tested:
    """`holds`: True kept, False breached, None cannot be told. Of a single comparison `value`, `sign` and `threshold`.

    `headroom`: how far the value may still move before the breach, over the size of the threshold; below zero where it
    is breached. `missing`: the facts that were read and are not known.
    """

    holds: Truth
    value: Answer = None
    sign: str = ""
    threshold: Answer = None
    headroom: float | None = None
    missing: tuple[str, ...] = ()


def tested(rule: tree.Expr, reader: Reader) -> Tested:
    """A covenant read for one customer."""
    missing = tuple(dict.fromkeys(ref.name for ref in _read_here(rule) if reader.read(ref) is None))
    holds = reader.truth(rule)
    if not isinstance(rule, tree.Comparison):
        return Tested(holds, missing=missing)
    faced = facing(rule)
    value, threshold = reader.read(faced.left), reader.read(faced.right)
    return Tested(holds, value, faced.sign, threshold, headroom_of(faced.sign, value, threshold), missing)


def facing(rule: tree.Comparison) -> tree.Comparison:
    """The same comparison with the figure at the left: `0.7 >= leverage` is `leverage <= 0.7`."""
    if not isinstance(rule.left, tree.Constant) or isinstance(rule.right, tree.Constant):
        return rule
    return tree.Comparison(MIRRORED.get(rule.sign, rule.sign), rule.right, rule.left)


def _read_here(expr: tree.Expr) -> Iterable[tree.FactRef]:
    """The facts of a rule that have one value for the customer; histories and child rows are wholes of their own."""
    if isinstance(expr, tree.FactRef):
        yield expr
    elif not isinstance(expr, tree.History | tree.Children):
        for child in tree.children_of(expr):
            yield from _read_here(child)


def headroom_of(sign: str, value: Any, threshold: Any) -> float | None:
    """The distance to the threshold over its size; None for what has no direction or no size.

    >>> round(headroom_of("<=", 0.63, 0.7), 3), round(headroom_of(">=", 1.0, 1.25), 3)
    (0.1, -0.2)
    """
    both = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, threshold))
    if not both or not threshold or sign[0] not in "<>" or sign == "<>":
        return None
    room = threshold - value if sign[0] == "<" else value - threshold
    return float(room / abs(threshold))


def told(verdicts: Mapping[str, Truth]) -> str | None:
    """What a rating keeps of all covenants in force, by name: those breached, or none, or that it cannot be told.

    None where there is no covenant.

    >>> told({"leverage": False, "cover": None}), told({"cover": None}), told({"cover": True}), told({})
    ('leverage', 'unknown', 'none', None)
    """
    if not verdicts:
        return None
    breached = sorted(name for name, holds in verdicts.items() if holds is False)
    if breached:
        return BETWEEN.join(breached)
    return NOT_TOLD if None in verdicts.values() else NONE_BREACHED


def newly_breached(before: Any, after: Any) -> frozenset[str]:
    """The covenants that are breached now and were not before, from what two ratings keep."""
    return _names(after) - _names(before)


def _names(kept: Any) -> frozenset[str]:
    is_list = isinstance(kept, str) and kept not in (NONE_BREACHED, NOT_TOLD)
    return frozenset(kept.split(BETWEEN)) if is_list else frozenset()
