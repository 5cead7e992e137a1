"""What the analytics base holds for a plan: one column for each value that the plan's steps start from.

A column is a customer fact, a cell (a fact so many periods back), a twelve-month figure, or an aggregate over
child rows. Columns are known by a canonical key, so that a base built for one plan serves every plan that asks
for no more.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from kequn.domain.definitions import Plan
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.program import QUARTERS, Program, program_of
from kequn.domain.rules.rendering import render_text
from kequn.domain.rules.tree import Expr
from kequn.engine.sql import leaves_of

ColumnKind = Literal["fact", "cell", "twelve_months", "rows"]
BASE_FACTS = {
    "statement_date": FactType.DATE,
    "statement_age_days": FactType.NUMBER,
    "statement_scope": FactType.TEXT,
}


@dataclass(frozen=True, slots=True)
class BaseColumn:
    """One value the base lays out. `expr` is over raw facts, cells and child rows only."""

    kind: ColumnKind
    expr: Expr
    type: FactType

    @property
    def key(self) -> str:
        grain = f"{self.expr.grain}:" if isinstance(self.expr, tree.FactRef | tree.Cell | tree.Children) else ""
        return f"{self.kind} {grain}{render_text(self.expr)}"


@dataclass(frozen=True, slots=True)
class Layout:
    """A plan's program over base columns, and the columns."""

    program: Program
    columns: dict[Expr, BaseColumn]

    @property
    def digest(self) -> str:
        keys = "\n".join(sorted(column.key for column in self.columns.values()))
        return hashlib.sha256(keys.encode()).hexdigest()


def layout_of(plan: Plan, known: Callable[[str, Grain], bool]) -> Layout:
    """The layout of a plan over a book that has the known facts."""
    looked_up = {name: kind for lookup in plan.lookups for name, kind in lookup.outputs}
    program = program_of(plan.definitions, lambda name, grain: known(name, grain) or name in looked_up)
    steps, columns = _cut(program)
    for lookup in plan.lookups:
        for name in lookup.dimensions:
            ref = tree.FactRef(name, Grain.CUSTOMER, looked_up[name])
            columns.setdefault(ref, BaseColumn("fact", ref, ref.type))
    return Layout(steps, columns)


def _cut(program: Program) -> tuple[Program, dict[Expr, BaseColumn]]:
    """The program with what the base computes taken out of its steps, and without steps nobody reads."""
    laid_out = _laid_out_steps(program)
    steps = list(program.steps)
    columns: dict[Expr, BaseColumn] = {}
    for number in laid_out:
        whole = expanded(program, steps[number])
        kind = tree.type_of(steps[number])
        leaf = tree.FactRef(f"={number}", Grain.CUSTOMER, kind or FactType.NUMBER)
        kind_of_column: ColumnKind = "rows" if isinstance(whole, tree.Children) else "twelve_months"
        columns[leaf] = BaseColumn(kind_of_column, whole, leaf.type)
        steps[number] = leaf
    used = _used(steps, program.outputs.values())
    kept = Program(tuple(step if number in used else tree.NULL for number, step in enumerate(steps)), program.outputs)
    for found in kept.leaves():
        if found not in columns and isinstance(found, tree.FactRef | tree.Cell):
            columns[found] = BaseColumn("cell" if isinstance(found, tree.Cell) else "fact", found, found.type)
    needed = set(kept.leaves())
    return kept, {leaf: column for leaf, column in columns.items() if leaf in needed}


def _laid_out_steps(program: Program) -> list[int]:
    """The steps that only lay out history or child rows: twelve-month figures of cells, and child functions."""
    over_cells: set[int] = set()
    found: list[int] = []
    for number, step in enumerate(program.steps):
        if isinstance(step, tree.Children):
            found.append(number)
            continue
        leaves = leaves_of(step)
        if leaves and all(_is_laid_out(leaf, over_cells) for leaf in leaves):
            over_cells.add(number)
            if QUARTERS in leaves:
                found.append(number)
    return found


def _is_laid_out(leaf: Expr, over_cells: set[int]) -> bool:
    if isinstance(leaf, tree.Made):
        return leaf.step in over_cells
    return leaf == QUARTERS or (isinstance(leaf, tree.Cell) and leaf.grain == Grain.STATEMENT)


def expanded(program: Program, expr: Expr) -> Expr:
    """The expression with every earlier step written out."""
    if isinstance(expr, tree.Made):
        return expanded(program, program.steps[expr.step])
    return tree.rebuilt(expr, lambda part: expanded(program, part))


def _used(steps: list[Expr], outputs: Iterable[int]) -> set[int]:
    used: set[int] = set()
    stack = list(outputs)
    while stack:
        number = stack.pop()
        if number not in used:
            used.add(number)
            stack.extend(leaf.step for leaf in leaves_of(steps[number]) if isinstance(leaf, tree.Made))
    return used
