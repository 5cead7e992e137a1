"""What two wordings of a rule differ in: as a tree with a mark on each part, and line by line in words.

Parts are paired as people would: equal parts first, then conditions on the same fact, then groups of one kind; what is
left over was added or taken away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kequn.domain.errors import Text
from kequn.domain.rules import tree
from kequn.domain.rules.tree import Expr
from kequn.policy.telling import Teller

Mark = Literal["same", "added", "removed", "changed"]
TOGETHER = {
    "all": Text("全部满足", "all of"),
    "any": Text("任一满足", "any of"),
    "none": Text("均不满足", "none of"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a rule before and after. A group has `together` and parts; a condition has neither."""

    mark: Mark
    before: Expr | None
    after: Expr | None
    together: str = ""
    parts: tuple["Difference", ...] = ()


def difference(before: Expr, after: Expr) -> Difference:
    """The difference of two rules. Equal trees give `same` throughout."""
    if before == after:
        return _whole(after, "same")
    one, two = _group(before), _group(after)
    if one[0] and one[0] == two[0]:
        parts = tuple(_paired(one[1], two[1]))
        return Difference("changed", before, after, one[0], parts)
    if one[0] != two[0] and (one[0] or two[0]):
        # a single condition that became a group, or the other way: it is one part of it
        if not one[0]:
            return Difference("changed", before, after, two[0], tuple(_paired((before,), two[1])))
        if not two[0]:
            return Difference("changed", before, after, one[0], tuple(_paired(one[1], (after,))))
        return Difference("changed", before, after, two[0], tuple(_paired(one[1], two[1])))
    return Difference("changed", before, after)


def _group(expr: Expr) -> tuple[str, tuple[Expr, ...]]:
    match expr:
        case tree.And(parts):
            return "all", parts
        case tree.Or(parts):
            return "any", parts
        case tree.Not(tree.Or(parts)):
            return "none", parts
        case tree.Not(of) if not isinstance(of, tree.FactRef):
            return "none", (of,)
        case _:
            return "", ()


def _whole(expr: Expr, mark: Mark) -> Difference:
    together, parts = _group(expr)
    before, after = (None if mark == "added" else expr), (None if mark == "removed" else expr)
    return Difference(mark, before, after, together, tuple(_whole(one, mark) for one in parts))


def _paired(before: Sequence[Expr], after: Sequence[Expr]) -> Iterator[Difference]:
    left = list(before)
    partner: dict[int, Expr] = {}
    for alike in (_equal, _same_facts, _same_kind):
        for at, new in enumerate(after):
            if at in partner:
                continue
            old = next((one for one in left if alike(one, new)), None)
            if old is not None:
                partner[at] = old
                left.remove(old)
    for at, new in enumerate(after):
        yield difference(partner[at], new) if at in partner else _whole(new, "added")
    yield from (_whole(old, "removed") for old in left)


def _equal(one: Expr, two: Expr) -> bool:
    return one == two


def _same_facts(one: Expr, two: Expr) -> bool:
    named = tree.facts_in(one)
    return bool(named) and named == tree.facts_in(two) and _group(one)[0] == _group(two)[0]


def _same_kind(one: Expr, two: Expr) -> bool:
    return bool(_group(one)[0]) and _group(one)[0] == _group(two)[0]


def in_words(found: Difference, teller: Teller) -> list[str]:
    """The differences as sentences, one a line; none where the rules are equal."""
    if found.mark == "same":
        return []
    if found.mark in ("added", "removed"):
        expr = found.after if found.after is not None else found.before
        assert expr is not None  # noqa: S101 - one side is there
        said = teller.sentence(expr)
        words = {
            "added": Text(f"新增条件：{said}", f"Condition added: {said}"),
            "removed": Text(f"去掉条件：{said}", f"Condition removed: {said}"),
        }
        return [teller.say(words[found.mark])]
    lines = _regrouped(found, teller)
    if found.together:
        return lines + [line for part in found.parts for line in in_words(part, teller)]
    assert found.before is not None  # noqa: S101 - changed parts have both sides
    assert found.after is not None  # noqa: S101
    old, new = teller.sentence(found.before), teller.sentence(found.after)
    return [teller.say(Text(f"条件由“{old}”改为“{new}”", f"Condition changed from “{old}” to “{new}”"))]


def _regrouped(found: Difference, teller: Teller) -> list[str]:
    """Where all of, any of and none of changed places."""
    if found.before is None or found.after is None:
        return []
    one, two = _group(found.before)[0], _group(found.after)[0]
    if not one or not two or one == two:
        return []
    old, new = teller.say(TOGETHER[one]), teller.say(TOGETHER[two])
    return [teller.say(Text(f"条件的组合由“{old}”改为“{new}”", f"Conditions held together as “{old}” are now “{new}”"))]
