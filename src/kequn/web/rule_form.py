"""The builder's fields: from what a form posts to groups, and from groups to what a template shows.

A part is named by its path: `g.0` is how the parts of a group hold together, `f.0.1` the fact of a condition, `w`
its word, `v` its values, `o` another fact in their place, `t` the rule text of a condition that no leaf can say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from kequn.domain.facts import CHILD_GRAINS, Fact, FactType, Vocabulary
from kequn.domain.rules.groups import (
    DEEPEST,
    SIGNS,
    VALUES,
    WORDS,
    Group,
    Leaf,
    Part,
    Spoken,
    Together,
    Word,
    lacks_value,
)
from kequn.policy.telling import unit_name
from kequn.web import labels

MOST_PARTS = 200
LONGEST_NUMBER = 9
TOGETHER: dict[Together, str] = {
    "all": gettext_noop("All of these hold"),
    "any": gettext_noop("Any of these holds"),
    "none": gettext_noop("None of these holds"),
}
SAID: dict[Word, str] = {
    "=": gettext_noop("is"), "<>": gettext_noop("is not"), "<": gettext_noop("is below"),
    "<=": gettext_noop("is at most"), ">": gettext_noop("is above"), ">=": gettext_noop("is at least"),
    "in": gettext_noop("is one of"), "not in": gettext_noop("is none of"), "between": gettext_noop("lies between"),
    "not between": gettext_noop("lies outside"), "is true": gettext_noop("holds"),
    "is false": gettext_noop("does not hold"), "is missing": gettext_noop("is missing"),
    "is known": gettext_noop("is known"),
}  # fmt: skip
EMPTY = Leaf("", ">=", ("",))


def whole_number(typed: str) -> int | None:
    """A number of nine digits at most, as an address or a form gives it; None for anything else, such as `²`."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= LONGEST_NUMBER else None


def group_posted(posted: QueryDict, words: Vocabulary) -> Group:
    """The rule as the form says it. A fact is found by its name or by either label."""
    children: dict[str, list[int]] = {}
    paths = {key[2:] for key in posted if key[1:2] == "." and key[0] in "gft"}
    for path in sorted(paths)[:MOST_PARTS]:
        above, _dot, last = path.rpartition(".")
        place = whole_number(last)
        if place is not None and path.count(".") <= DEEPEST + 1:
            children.setdefault(above, []).append(place)
    return cast("Group", _part(posted, "0", children, words)) if "g.0" in posted else Group("all", (EMPTY,))


def _part(posted: QueryDict, path: str, children: Mapping[str, list[int]], words: Vocabulary) -> Part:
    if f"g.{path}" in posted:
        together = posted[f"g.{path}"]
        parts = tuple(_part(posted, f"{path}.{at}", children, words) for at in sorted(children.get(path, ())))
        return Group(cast("Together", together) if together in TOGETHER else "all", parts)
    if f"t.{path}" in posted:
        return Spoken(posted[f"t.{path}"])
    typed = posted.get(f"f.{path}", "").strip()
    fact = words.get(typed)
    values = tuple(one for one in posted.getlist(f"v.{path}") if len(one) <= 500)
    if fact is None:
        return Leaf(typed, ">=", values)
    word = posted.get(f"w.{path}", "")
    fitting = WORDS[fact.type]
    chosen = cast("Word", word) if word in fitting else fitting[0]
    if VALUES.get(chosen) == -1 and len(values) == 1:  # a list typed with commas between
        values = tuple(one.strip() for one in values[0].replace("，", ",").split(",") if one.strip())
    other = words.get(posted.get(f"o.{path}", "").strip())
    return Leaf(fact.name, chosen, values, other.name if other is not None and chosen in SIGNS else "")


def acted(group: Group, act: str) -> Group:
    """The rule after a button: `rule:PATH` and `group:PATH` add to a group, `remove:PATH` takes a part away."""
    what, _colon, path = act.partition(":")
    steps = [place for one in path.split(".")[1:] if (place := whole_number(one)) is not None]
    if what == "rule":
        return _changed(group, steps, lambda one: replace(one, parts=(*one.parts, EMPTY)))
    if what == "group":
        return _changed(group, steps, lambda one: replace(one, parts=(*one.parts, Group("any", (EMPTY,)))))
    if what == "remove" and steps:
        return _changed(group, steps[:-1], lambda one: _without(one, steps[-1]))
    return group


def _without(group: Group, at: int) -> Group:
    return replace(group, parts=tuple(part for place, part in enumerate(group.parts) if place != at))


def _changed(group: Group, steps: list[int], change: Any) -> Group:
    if not steps:
        changed: Group = change(group)
        return changed
    parts = list(group.parts)
    if steps[0] < len(parts) and isinstance(inner := parts[steps[0]], Group):
        parts[steps[0]] = _changed(inner, steps[1:], change)
    return replace(group, parts=tuple(parts))


# -- for the template --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shower:
    """How parts are shown: facts by label with unit and number of customers, choices by their words."""

    words: Vocabulary
    known: Mapping[str, int]
    spoken: labels.Language

    def part(self, part: Part, path: str = "0") -> dict[str, Any]:
        if isinstance(part, Group):
            shown = [self.part(one, f"{path}.{at}") for at, one in enumerate(part.parts)]
            options = [{"value": one, "label": _(said)} for one, said in TOGETHER.items()]
            return {"is_group": True, "path": path, "together": part.together, "options": options, "parts": shown}
        if isinstance(part, Spoken):
            return {"is_text": True, "path": path, "text": part.text}
        return self.leaf(part, path)

    def leaf(self, leaf: Leaf, path: str) -> dict[str, Any]:
        fact = self.words.get(leaf.fact)
        if fact is None:
            problem = self.unknown(leaf.fact) if leaf.fact else ""
            return {"path": path, "fact": leaf.fact, "words": [], "values": [], "problem": problem}
        several = VALUES.get(leaf.word, 1)
        options = [{"value": one, "label": _(SAID[one])} for one in WORDS[fact.type]]
        choices = [{"value": one, "label": labels.value(fact.name, one, self.spoken), "is_chosen": one in leaf.values}
                   for one in fact.choices]  # fmt: skip
        typed = [", ".join(leaf.values)] if several == -1 else [*leaf.values, "", ""][: max(several, 0)]
        return {
            "path": path, "fact": self.label(fact), "word": leaf.word, "words": options, "type": fact.type.value,
            "choices": choices if several else [], "is_list": several == -1, "values": typed,
            "other": self.label(found) if (found := self.words.get(leaf.other)) else "",
            "takes_other": leaf.word in SIGNS and fact.type != FactType.TEXT, "unit": unit_name(fact.unit, self.spoken),
            "known": self.known.get(fact.name),
        }  # fmt: skip

    def label(self, fact: Fact) -> str:
        return (fact.zh if self.spoken == "zh" else fact.en) or fact.name

    def unknown(self, typed: str) -> str:
        near = self.words.suggestion(typed)
        if near:
            return _("There is no fact “%(typed)s”; did you mean “%(near)s”?") % {"typed": typed[:60], "near": near}
        return _("There is no fact “%(typed)s”.") % {"typed": typed[:60]}

    def problems(self, part: Part) -> list[str]:
        """What is not a fact, wherever it stands."""
        if isinstance(part, Group):
            return [one for inner in part.parts for one in self.problems(inner)]
        is_wrong = isinstance(part, Leaf) and part.fact and self.words.get(part.fact) is None
        return [self.unknown(part.fact)] if is_wrong and isinstance(part, Leaf) else []

    def unfinished(self, part: Part) -> list[str]:
        """The conditions on a fact that lack a value: nothing of them would be kept."""
        if isinstance(part, Group):
            return [one for inner in part.parts for one in self.unfinished(inner)]
        fact = self.words.get(part.fact) if isinstance(part, Leaf) else None
        if fact is None or not isinstance(part, Leaf) or not lacks_value(part):
            return []
        said = {"fact": self.label(fact), "word": _(SAID[part.word])}
        return [_("The condition “%(fact)s %(word)s …” has no value; fill it in or remove it.") % said]

    def offered(self) -> list[dict[str, str]]:
        """The facts a condition may name: label, unit, and how many customers have it."""
        found = []
        for fact in self.words:
            if fact.grain in CHILD_GRAINS or fact.outcome or fact.name not in self.known:
                continue
            unit = unit_name(fact.unit, self.spoken)
            have = _("known of %(count)s") % {"count": f"{self.known[fact.name]:,}"}
            found.append({"value": self.label(fact), "hint": f"{unit} · {have}" if unit else have})
        return sorted(found, key=lambda one: one["value"])
