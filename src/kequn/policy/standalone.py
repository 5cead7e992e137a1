"""A document that stands by itself: its own facts, constants, definitions and tables, read without the rest of a pack.

Models and rule books of single assets are of this kind: their facts are not those of a customer.
"""

from collections.abc import Mapping

from kequn.domain.definitions import Definition
from kequn.domain.errors import Refused
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules.tree import Expr
from kequn.policy.documents import Complaints, Document
from kequn.policy.items import Item, items_of
from kequn.policy.planning import with_constants
from kequn.policy.rule_text import parse
from kequn.policy.tables import read_table


def definitions_of(document: Document, facts: Vocabulary | Mapping[str, FactType]) -> list[Definition]:
    """The definitions over these facts, in an order in which they can be computed; Refused with every place."""
    complaints = Complaints()
    words = facts if isinstance(facts, Vocabulary) else Vocabulary(_bare(facts))
    items = list(items_of(document, complaints))
    complaints.settle(document.heading.file)
    constants = {item.name: item.constant for item in items if item.constant is not None}
    waiting = [item for item in items if item.constant is None]
    found: list[Definition] = []
    while waiting:
        complaints, left = Complaints(), list[Item]()
        for item in waiting:
            expr = _expression(item, words, constants, complaints)
            if expr is None:
                left.append(item)
                continue
            found.append(Definition(item.name, Grain.CUSTOMER, item.type, expr, item.kind))
            words = words.extended((Fact(item.name, Grain.CUSTOMER, item.type),))
        if len(left) == len(waiting):
            complaints.settle(document.heading.file)
        waiting = left
    return found


def _bare(kinds: Mapping[str, FactType]) -> list[Fact]:
    return [Fact(name, Grain.CUSTOMER, kind) for name, kind in kinds.items()]


def _expression(item: Item, words: Vocabulary, constants: Mapping[str, float], complaints: Complaints) -> Expr | None:
    """The tree of a formula or a table; None, with a complaint, where it reads what is not there yet."""
    if item.table is not None:
        table = read_table(item.table, item.place, words, {}, complaints)
        return None if table is None else table.expression(item.column)
    try:
        return parse(with_constants(item.rule, constants), words, item.type.value)
    except Refused as refused:
        complaints.take(item.place, refused)
        return None
