"""Words of a policy as numbers while a book is computed, and as words again when the results are written.

A text that can only be one of the policy's own words (a grade, a class, a form of repayment) need not be carried
as text. The words are numbered in the order of their code points, so that every comparison means the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from kequn.domain.facts import FactType
from kequn.domain.rules import tree
from kequn.domain.rules.program import Program
from kequn.domain.rules.tree import Expr

MOST_WORDS = 30_000


@dataclass(frozen=True, slots=True)
class Coded:
    """A program whose `steps` give numbers of `words` instead of texts."""

    program: Program
    words: tuple[str, ...]
    steps: frozenset[int]

    def decoded(self, column: Any) -> Any:
        """A column of numbers as words."""
        return pa.DictionaryArray.from_arrays(column, pa.array(self.words, pa.string()))


def coded(program: Program) -> Coded:
    """The program with every text that can be a number as a number."""
    steps = {number for number, step in enumerate(program.steps) if tree.type_of(step) == FactType.TEXT}
    while True:
        kept = {number for number in steps if _is_closed(program.steps[number], steps)}
        kept -= {number for step in program.steps for number in _read_as_text(step, kept)}
        kept -= {made for at, step in enumerate(program.steps) if at not in kept for made in _made(step)}
        if kept == steps:
            break
        steps = kept
    words = tuple(sorted({word for step in program.steps for word in _words(step)}))
    if not steps or len(words) > MOST_WORDS:
        return Coded(program, (), frozenset())
    coder = _Coder(frozenset(steps), {word: float(at) for at, word in enumerate(words)})
    changed = (coder.text(step) if at in steps else coder.other(step) for at, step in enumerate(program.steps))
    return Coded(Program(tuple(changed), program.outputs), words, frozenset(steps))


def _outcomes(expr: Expr) -> tuple[Expr, ...] | None:
    """What a text expression can come to; None where it is neither a table nor a choice."""
    match expr:
        case tree.Case(pairs, otherwise) | tree.FirstHit(pairs, otherwise):
            return (*(outcome for _, outcome in pairs), otherwise)
        case tree.Function("coalesce", arguments):
            return arguments
    return None


def _is_closed(expr: Expr, steps: Iterable[int]) -> bool:
    """Whether a text can only be a constant or what closed steps give."""
    if isinstance(expr, tree.Constant):
        return True
    if isinstance(expr, tree.Made):
        return expr.step in steps
    outcomes = _outcomes(expr)
    return outcomes is not None and all(_is_closed(one, steps) for one in outcomes)


def _operands(expr: Expr) -> tuple[Expr, ...]:
    """The texts that a test compares, if it compares texts."""
    match expr:
        case tree.Comparison() | tree.OneOf() | tree.Between() | tree.IsNull():
            operands = tree.children_of(expr)
            return operands if tree.first_type(operands) == FactType.TEXT else ()
    return ()


def _read_as_text(step: Expr, steps: set[int]) -> set[int]:
    """The steps that are read together with a text that has no number."""
    found: set[int] = set()
    stack = [step]
    while stack:
        node = stack.pop()
        operands = _operands(node)
        if operands and not all(_is_closed(one, steps) for one in operands):
            found |= {made for one in operands for made in _made(one)}
        if tree.type_of(node) == FactType.TEXT and _outcomes(node) and not _is_closed(node, steps):
            found |= set(_made(node))
        stack.extend(tree.children_of(node))
    return found & steps


def _made(expr: Expr) -> Iterable[int]:
    """The text steps that a text expression may come to."""
    if isinstance(expr, tree.Made):
        yield expr.step
    for one in _outcomes(expr) or ():
        yield from _made(one)


def _words(expr: Expr) -> Iterable[str]:
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Constant) and isinstance(node.value, str):
            yield node.value
        if not isinstance(node, tree.Children):
            stack.extend(tree.children_of(node))


@dataclass(frozen=True, slots=True)
class _Coder:
    steps: frozenset[int]
    number_of: dict[str, float]

    def text(self, expr: Expr) -> Expr:
        """A closed text as a number."""
        match expr:
            case tree.Constant(str() as word):
                return tree.number(self.number_of[word])
            case tree.Made(step):
                return tree.Made(step, FactType.NUMBER)
            case tree.Case(pairs, otherwise):
                return tree.Case(tuple((self.other(a), self.text(b)) for a, b in pairs), self.text(otherwise))
            case tree.FirstHit(pairs, otherwise):
                return tree.FirstHit(tuple((self.other(a), self.text(b)) for a, b in pairs), self.text(otherwise))
            case tree.Function(name, arguments):
                return tree.Function(name, tuple(map(self.text, arguments)))
        return expr

    def other(self, expr: Expr) -> Expr:
        """Anything else, with the texts in its tests as numbers where they are closed."""
        if isinstance(expr, tree.Children):
            return expr
        operands = _operands(expr)
        if operands and all(_is_closed(one, self.steps) for one in operands):
            return tree.rebuilt(expr, self.text)
        return tree.rebuilt(expr, self.other)
