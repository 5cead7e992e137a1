"""A rule as people build it: groups of all, any or none, and leaves of a fact, a word and a value.

Every rule has this form: what no leaf can say stays rule text, as a leaf of its own. From groups back to the tree
nothing is lost, and the common query builders' JSON (react-querybuilder) says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kequn.domain.errors import Refused, Text
from kequn.domain.facts import CHILD_GRAINS, Fact, FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.domain.rules.rendering import render_text
from kequn.domain.rules.tree import Expr, FactRef

Together = Literal["all", "any", "none"]
Word = Literal[
    "=", "<>", "<", "<=", ">", ">=", "in", "not in", "between", "not between", "is true", "is false", "is missing",
    "is known",
]  # fmt: skip
WORDS: Mapping[FactType, tuple[Word, ...]] = {
    FactType.NUMBER: (">=", ">", "<=", "<", "=", "<>", "between", "not between", "is missing", "is known"),
    FactType.TEXT: ("=", "<>", "in", "not in", "is missing", "is known"),
    FactType.BOOLEAN: ("is true", "is false", "is missing", "is known"),
    FactType.DATE: (">=", ">", "<=", "<", "=", "<>", "between", "not between", "is missing", "is known"),
}
VALUES: Mapping[Word, int] = {  # how many values a word takes; -1 is a list
    "between": 2, "not between": 2, "in": -1, "not in": -1,
    "is true": 0, "is false": 0, "is missing": 0, "is known": 0,
}  # fmt: skip
DEEPEST = 12  # groups within groups
SIGNS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition on one fact. `values` are as they are typed; `other` is a fact in place of a value."""

    fact: str
    word: Word
    values: tuple[str, ...] = ()
    other: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A condition that no leaf can say, as rule text."""

    text: str


@dataclass(frozen=True, slots=True)
class Group:
    together: Together
    parts: tuple["Part", ...] = ()


Part = Group | Leaf | Spoken


def groups_of(expr: Expr) -> Group:
    """The rule as one group; a single condition is a group of one, and what lies deeper than DEEPEST is rule text."""
    part = _part(expr)
    return part if isinstance(part, Group) else Group("all", (part,))


def _part(expr: Expr, depth: int = 0) -> Part:
    if depth > DEEPEST:
        return _leaf(expr) or Spoken(render_text(expr))
    match expr:
        case tree.And(parts):
            return Group("all", tuple(_part(one, depth + 1) for one in parts))
        case tree.Or(parts):
            return Group("any", tuple(_part(one, depth + 1) for one in parts))
        case tree.Not(FactRef() as fact) if _is_plain(fact):
            return Leaf(fact.name, "is false")
        case tree.Not(tree.Or(parts)):
            return Group("none", tuple(_part(one, depth + 1) for one in parts))
        case tree.Not(of):
            return Group("none", (_part(of, depth + 1),))
        case _:
            return _leaf(expr) or Spoken(render_text(expr))


def _leaf(expr: Expr) -> Leaf | None:
    match expr:
        case FactRef(name, _, FactType.BOOLEAN) if _is_plain(expr):
            return Leaf(name, "is true")
        case tree.IsNull(FactRef(name) as fact, negated) if _is_plain(fact):
            return Leaf(name, "is known" if negated else "is missing")
        case tree.Comparison(sign, FactRef(name) as fact, FactRef(other) as beside) if _is_plain(fact, beside):
            return Leaf(name, sign, (), other)
        case tree.Comparison(sign, FactRef(name) as fact, value) if _is_plain(fact) and fact.type != FactType.BOOLEAN:
            said = _typed(value)
            return None if said is None else Leaf(name, sign, (said,))
        case tree.OneOf(FactRef(name, _, FactType.TEXT) as fact, among, negated) if _is_plain(fact):
            listed = [_typed(one) for one in among]
            known = tuple(one for one in listed if one is not None and "," not in one)
            return Leaf(name, "not in" if negated else "in", known) if len(known) == len(listed) else None
        case tree.Between(FactRef(name) as fact, low, high, negated) if _is_plain(fact):
            ends = [said for said in (_typed(low), _typed(high)) if said is not None]
            return Leaf(name, "not between" if negated else "between", tuple(ends)) if len(ends) == 2 else None
        case _:
            return None


def _is_plain(*facts: FactRef) -> bool:
    return all(fact.grain not in CHILD_GRAINS for fact in facts)


def _typed(value: Expr) -> str | None:
    """A constant as one would type it; None for anything else."""
    match value:
        case tree.Constant(str(text)) if text:
            return text
        case tree.Constant(bool()) | tree.Constant(None):
            return None
        case tree.Constant(date() as day):
            return day.isoformat()
        case tree.Constant(float()) | tree.Negative(tree.Constant(float())):
            return render_text(value)
        case _:
            return None


# -- and back to text --------------------------------------------------------------------------------------------------


def text_of(part: Part, words: Vocabulary) -> str:
    """Rule text of a group or leaf; what is not filled in yet is left out. Values are checked when the text is read."""
    return _said(part, words, top=True)


def _said(part: Part, words: Vocabulary, *, top: bool = False) -> str:
    match part:
        case Spoken(text):
            return text.strip() if top or not text.strip() else f"({text.strip()})"
        case Leaf():
            return _said_leaf(part, words.get(part.fact))
        case Group(together, parts):
            said = [one for one in (_said(inner, words) for inner in parts) if one]
            if not said:
                return ""
            if together == "none":
                return f"not ({' or '.join(said)})"
            joined = (" and " if together == "all" else " or ").join(said)
            return joined if top or len(said) == 1 else f"({joined})"


def _said_leaf(leaf: Leaf, fact: Fact | None) -> str:
    if fact is None:
        return ""
    name = render_text(FactRef(fact.name, Grain.CUSTOMER, fact.type))
    match leaf.word:
        case "is true":
            return name
        case "is false":
            return f"not {name}"
        case "is missing" | "is known":
            return f"{name} is {'not ' if leaf.word == 'is known' else ''}null"
    values = [_literal(one.strip(), fact.type) for one in leaf.values if one.strip()]
    if leaf.word in SIGNS:
        beside = render_text(FactRef(leaf.other, Grain.CUSTOMER, fact.type)) if leaf.other else "".join(values[:1])
        return f"{name} {leaf.word} {beside}" if beside else ""
    if leaf.word in ("between", "not between"):
        return f"{name} {leaf.word} {values[0]} and {values[1]}" if len(values) > 1 else ""
    return f"{name} {leaf.word} ({', '.join(values)})" if values else ""


def lacks_value(leaf: Leaf) -> bool:
    """Whether its word takes more values than are filled in; such a condition says nothing yet."""
    if leaf.other and leaf.word in SIGNS:
        return False
    takes = VALUES.get(leaf.word, 1)
    return sum(bool(one.strip()) for one in leaf.values) < (1 if takes == -1 else takes)


def _literal(typed: str, kind: FactType) -> str:
    if kind == FactType.TEXT:
        return "'" + typed.replace("'", "''") + "'"
    if kind == FactType.DATE:
        return f"date '{typed}'"
    return typed.replace(",", "").replace("，", "")


# -- react-querybuilder ------------------------------------------------------------------------------------------------

_TO_RQB: Mapping[Word, str] = {
    "=": "=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in", "not in": "notIn",
    "between": "between", "not between": "notBetween", "is missing": "null", "is known": "notNull",
}  # fmt: skip
_FROM_RQB = {said: word for word, said in _TO_RQB.items()}
TEXT_FIELD = "kequn:rule"  # the field under which rule text travels
MOST_PARTS = 500


def to_rqb(group: Group, words: Vocabulary) -> dict[str, Any]:
    """The query of react-querybuilder: combinator, not, rules."""
    return {
        "combinator": "and" if group.together == "all" else "or",
        "not": group.together == "none",
        "rules": [to_rqb(one, words) if isinstance(one, Group) else _rqb_rule(one, words) for one in group.parts],
    }


def _rqb_rule(part: Leaf | Spoken, words: Vocabulary) -> dict[str, Any]:
    if isinstance(part, Spoken):
        return {"field": TEXT_FIELD, "operator": "=", "valueSource": "value", "value": part.text}
    if part.word in ("is true", "is false"):
        return {"field": part.fact, "operator": "=", "valueSource": "value", "value": part.word == "is true"}
    if part.other:
        return {"field": part.fact, "operator": _TO_RQB[part.word], "valueSource": "field", "value": part.other}
    fact = words.get(part.fact)
    values: list[Any] = [_rqb_value(one, fact.type if fact else FactType.TEXT) for one in part.values]
    several = VALUES.get(part.word, 1)
    value = None if several == 0 else values if several != 1 else values[0] if values else ""
    return {"field": part.fact, "operator": _TO_RQB[part.word], "valueSource": "value", "value": value}


def _rqb_value(typed: str, kind: FactType) -> Any:
    if kind != FactType.NUMBER:
        return typed
    try:
        return float(typed) if not float(typed).is_integer() else int(float(typed))
    except (ValueError, OverflowError):
        return typed


def _no_query(where: str) -> Refused:
    return Refused(Text(f"不是查询构建器的格式：{where}", f"This is no query of a query builder: {where}"))


def from_rqb(query: object, words: Vocabulary, depth: int = 0) -> Group:
    """Groups out of the query of react-querybuilder; Refused where it is none, with the place."""
    if depth > DEEPEST:
        raise _no_query(f"deeper than {DEEPEST}")
    if not isinstance(query, Mapping) or not isinstance(query.get("rules"), Sequence):
        raise _no_query("combinator, rules")
    combinator = str(query.get("combinator", "and")).lower()
    if combinator not in ("and", "or") or len(query["rules"]) > MOST_PARTS:
        raise _no_query(f"combinator {combinator}")
    parts = tuple(
        from_rqb(one, words, depth + 1) if isinstance(one, Mapping) and "rules" in one else _from_rule(one, words)
        for one in query["rules"]
    )
    if not query.get("not"):
        return Group("all" if combinator == "and" else "any", parts)
    return Group("none", parts if combinator == "or" else (Group("all", parts),))


def _from_rule(rule: object, words: Vocabulary) -> Part:
    if not isinstance(rule, Mapping):
        raise _no_query("rules")
    field, operator, value = str(rule.get("field", "")), str(rule.get("operator", "")), rule.get("value")
    if field == TEXT_FIELD:
        return Spoken(str(value))
    fact = words.get(field)
    if fact is None:
        raise _no_query(f"field {field}")
    if fact.type == FactType.BOOLEAN and operator in ("=", "!="):
        holds = (value is True or str(value).lower() == "true") == (operator == "=")
        return Leaf(fact.name, "is true" if holds else "is false")
    word = _FROM_RQB.get(operator)
    if word is None or word not in WORDS[fact.type]:
        raise _no_query(f"operator {operator} of {field}")
    if rule.get("valueSource") == "field":
        if word not in SIGNS or words.get(str(value)) is None:
            raise _no_query(f"valueSource field, {field} {operator} {value}")
        return Leaf(fact.name, word, (), str(value))
    if VALUES.get(word, 1) == 0:
        return Leaf(fact.name, word)
    listed = value if isinstance(value, list | tuple) else str(value).split(",") if VALUES.get(word) else [value]
    return Leaf(fact.name, word, tuple(str(one).strip() for one in listed))
