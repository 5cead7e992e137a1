"""Checks of a spread statement: do its sums add up, and do its three forms agree with one another and with the opening.

Amounts are integers in minor units of one currency. A line that is not known makes what rests on it unknown; it is
named, never taken as nil. The rest of a sum holds what the form lists beyond the lines that are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

OPENING = "opening."
Amounts = Mapping[str, int | None]
Outcome = Literal["holds", "fails", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """Two sides: lines with their factors. `equal`, or the left at most the right; within `tolerance` of the larger."""

    name: str
    kind: Literal["equal", "at_most"]
    left: Mapping[str, float]
    right: Mapping[str, float]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Checked:
    """`gap`: left less right, in minor units; `missing` names the lines that are not known."""

    name: str
    outcome: Outcome
    left: int | None
    right: int | None
    gap: int | None
    missing: tuple[str, ...]


def check(one: Check, amounts: Amounts, opening: Amounts) -> Checked:
    """One check of a statement against its opening.

    >>> balance = Check("balance", "equal", {"assets": 1}, {"debt": 1, "equity": 1}, 0.001)
    >>> check(balance, {"assets": 100, "debt": 60, "equity": 30}, {}).gap
    10
    """
    left, lost = _side(one.left, amounts, opening)
    right, more = _side(one.right, amounts, opening)
    missing = (*lost, *more)
    if left is None or right is None:
        return Checked(one.name, "unknown", left, right, None, missing)
    gap = left - right
    allowed = one.tolerance * max(abs(left), abs(right))
    holds = gap <= allowed if one.kind == "at_most" else abs(gap) <= allowed
    return Checked(one.name, "holds" if holds else "fails", left, right, gap, ())


def rest_of(whole: str, parts: Mapping[str, float], amounts: Amounts) -> int | None:
    """What a sum holds beyond its known lines; None where the sum is not known or none of its lines is."""
    total = amounts.get(whole)
    known = [factor * value for name, factor in parts.items() if (value := amounts.get(name)) is not None]
    return None if total is None or not known else total - round(sum(known))


def _side(lines: Mapping[str, float], amounts: Amounts, opening: Amounts) -> tuple[int | None, tuple[str, ...]]:
    total, missing = 0.0, []
    for name, factor in lines.items():
        bare = name.removeprefix(OPENING)
        value = opening.get(bare) if name.startswith(OPENING) else amounts.get(bare)
        if value is None:
            missing.append(name)
        else:
            total += factor * value
    return (None if missing else round(total)), tuple(missing)
