"""Rule text to rule tree: the grammar, and what fits what.

    rule       = or of and of not of comparisons; one comparison at a time (`a < b < c` is refused)
    comparison = sum [= <> < <= > >= sum | [not] in (sum, ...) | [not] between sum and sum | is [not] null]
    sum        = terms with + - * / and unary minus
    term       = number, 'text', date '2025-12-31', true, false, null, a fact, case, a function, ( rule )

Nothing else exists: there is no node for a sub-select, a cast or another function, so none can get through.
"""

from collections.abc import Collection
from typing import Literal

from kequn.domain.facts import Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.domain.rules.rendering import render_sentence, render_text
from kequn.domain.rules.tree import Expr
from kequn.policy.rule_parser import Parser

__all__ = ["parse", "render_sentence", "render_text"]

Expected = Literal["boolean", "number", "text", "date", "any"]


def parse(
    text: str,
    vocabulary: Vocabulary,
    expect: Expected = "boolean",
    *,
    grain: Grain = Grain.CUSTOMER,
    empty: Collection[str] = (),
) -> Expr:
    """The tree of one rule text; Refused, with the place, for anything outside the grammar.

    `grain` is what the result belongs to: a formula of one statement reads statement facts only. `empty` names
    columns that are known to hold nothing; they read as null.

    >>> from kequn.domain.facts import Fact, FactType
    >>> words = Vocabulary([Fact("employees", Grain.CUSTOMER, FactType.NUMBER, "从业人员", "Employees")])
    >>> render_text(parse("从业人员 >= 300 and not employees > 1e3", words))
    'employees >= 300 and not employees > 1000'
    """
    parser = Parser(text, vocabulary, grain, frozenset(empty))
    expr = parser.whole()
    kind = tree.type_of(expr)
    if expect != "any" and kind is not None and kind != expect:
        parser.refuse_whole(expect, kind)
    return expr
