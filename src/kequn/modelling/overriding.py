"""What people did to the grades of a model: how many were moved, how far, why, by whose authority, and how it ended.

Every share is of whole rows, stands beside its rows, and has Jeffreys' interval. Rows of which the outcome is not
known are counted apart and never as a good outcome.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kequn.modelling.agreement import jeffreys

OVERRIDDEN, UP, DOWN, AS_MODEL = "overridden", "up", "down", "as_model"


@dataclass(frozen=True, slots=True)
class Moved:
    """One rating: notches by hand (up, safer, where positive), reason and authority by key, outcome None if unknown."""

    notches: int
    reason: str = ""
    authority: str = ""
    is_bad: bool | None = None

    @property
    def way(self) -> str:
        return AS_MODEL if not self.notches else UP if self.notches > 0 else DOWN


def overriding(rows: Sequence[Moved], confidence: float) -> dict[str, Any]:
    """The report on overrides: shares of all rows by direction and notches, of the overridden by reason and authority,
    and the outcome of each group.

    >>> found = overriding([Moved(0), Moved(-1, "peers", "own", True), Moved(0, is_bad=False)], 0.95)
    >>> found["overridden"]["count"], found["overridden"]["of"], [one["notches"] for one in found["by_notches"]]
    (1, 3, [-1])
    """
    moved = [one for one in rows if one.notches]
    ways, far = Counter(one.way for one in rows), Counter(one.notches for one in moved)
    return {
        "confidence": confidence,
        "rows": len(rows),
        "overridden": share(len(moved), len(rows), confidence),
        "upgraded": share(ways[UP], len(rows), confidence),
        "downgraded": share(ways[DOWN], len(rows), confidence),
        "mean_notches": sum(abs(one.notches) for one in moved) / len(moved) if moved else None,
        "by_notches": [{"notches": n, **share(far[n], len(rows), confidence)} for n in sorted(far)],
        "by_reason": _by((one.reason for one in moved), moved, "reason", confidence),
        "by_authority": _by((one.authority for one in moved), moved, "authority", confidence),
        "outcomes": [_outcome(rows, group, confidence) for group in (AS_MODEL, OVERRIDDEN, UP, DOWN)],
    }


def share(count: int, of: int, confidence: float) -> dict[str, Any]:
    """A count as a share of rows with Jeffreys' interval; None where there are no rows."""
    if not of:
        return {"count": count, "of": of, "value": None, "low": None, "high": None}
    found = jeffreys(count, of, confidence)
    return {"count": count, "of": of, "value": found.value, "low": found.low, "high": found.high}


def _by(keys: Iterable[str], moved: Sequence[Moved], name: str, confidence: float) -> list[dict[str, Any]]:
    """The overridden rows by one key, the most frequent first, with how many went up and down."""
    keyed = list(zip(keys, moved, strict=True))
    counts = Counter(key for key, _ in keyed)
    return [
        {name: key, "upgraded": sum(one == key and row.notches > 0 for one, row in keyed),
         "downgraded": sum(one == key and row.notches < 0 for one, row in keyed),
         **share(count, len(moved), confidence)}
        for key, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]  # fmt: skip


def _outcome(rows: Sequence[Moved], group: str, confidence: float) -> dict[str, Any]:
    """The rate of bad outcomes of a group among those of which it is known, and how many are not known."""
    of = [one for one in rows if group == one.way or (group == OVERRIDDEN and one.notches)]
    known = [one for one in of if one.is_bad is not None]
    bad = sum(bool(one.is_bad) for one in known)
    return {"group": group, "rows": len(of), "unknown": len(of) - len(known), **share(bad, len(known), confidence)}
