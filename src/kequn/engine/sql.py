"""The program of a plan as set-wise SQL: one projection a stage over one wide table.

The SQL keeps to what DuckDB, Spark and PostgreSQL read alike: CASE, comparison, arithmetic on DOUBLE, COALESCE,
LN, EXP. Every number literal is a DOUBLE, every name is one of our own, every text is quoted by one function.
A step that may overflow is computed in one stage and made null, where it is not finite, in the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from kequn.domain.facts import FactType
from kequn.domain.rules import tree
from kequn.domain.rules.program import Program, is_finite
from kequn.domain.rules.reader import SUM_LIMIT, SUM_SCALE
from kequn.domain.rules.tree import Expr
from kequn.engine.bins import as_bins, as_switch
from kequn.engine.bounds import ANYTHING, NOTHING, Bounds, bounds_of

SQL_TYPES = {
    FactType.NUMBER: "DOUBLE",
    FactType.TEXT: "VARCHAR",
    FactType.BOOLEAN: "BOOLEAN",
    FactType.DATE: "DATE",
}
LARGEST = "1.7976931348623157e308"
SHORTEST_GUARDED = 3  # fewer rows gain nothing


def quoted(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def name_of(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: tree.Value | None, kind: FactType | None = None) -> str:
    if value is None:
        return f"CAST(NULL AS {SQL_TYPES[kind]})" if kind else "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        shown = repr(value + 0.0)
        shown = shown if "e" in shown else shown + "e0"
        return f"({shown})" if shown.startswith("-") else shown
    if isinstance(value, date):
        return f"CAST('{value.isoformat()}' AS DATE)"
    return quoted(value)


def finite(sql: str) -> str:
    """The value where it is finite. NaN is above every number in DuckDB, Spark and PostgreSQL alike."""
    return f"CASE WHEN ABS({sql}) <= {LARGEST} THEN {sql} END"


@dataclass(frozen=True, slots=True)
class Writer:
    """Expressions to SQL; `columns` says where facts, cells and steps stand."""

    columns: Mapping[Expr, str]
    steps: Mapping[Expr, Expr] = field(default_factory=dict)

    def sql(self, expr: Expr) -> str:
        match expr:
            case tree.Constant(value, kind):
                return literal(value, kind)
            case tree.FactRef() | tree.Cell() | tree.Made():
                return self.columns[expr]
            case tree.Arithmetic(first, rest):
                return f"({self.sql(first)}{''.join(self.term(sign, term) for sign, term in rest)})"
            case tree.Negative(of):
                return f"(- {self.sql(of)})"
            case tree.Comparison(sign, left, right):
                return f"({self.value(left)} {sign} {self.value(right)})"
            case tree.IsNull(of, negated):
                return f"({self.value(of)} IS {'NOT ' if negated else ''}NULL)"
            case tree.OneOf(of, among, negated):
                return self.one_of(of, among, negated)
            case tree.Between(of, low, high, negated):
                said = self.value(of)
                both = f"({said} >= {self.value(low)} AND {said} <= {self.value(high)})"
                return f"(NOT {both})" if negated else both
            case tree.And(parts):
                return f"({' AND '.join(map(self.sql, parts))})"
            case tree.Or(parts):
                return f"({' OR '.join(map(self.sql, parts))})"
            case tree.Not(of):
                return f"(NOT {self.sql(of)})"
            case tree.Case(branches, otherwise):
                return self.case([(self.sql(if_), then) for if_, then in branches], otherwise)
            case tree.FirstHit():
                return self.first_hit(expr)
            case tree.Function(name, arguments):
                return self.function(name, arguments)
            case tree.History() | tree.Children():
                raise TypeError("history and child functions are laid out in the base")

    def value(self, expr: Expr) -> str:
        """SQL that is null wherever the value is unknown."""
        return self.sql(expr) if is_finite(expr) else f"({finite(self.sql(expr))})"

    def term(self, sign: str, term: Expr) -> str:
        if sign != "/":
            return f" {sign} {self.sql(term)}"
        if isinstance(term, tree.Constant) and term.value:
            return f" / {literal(term.value)}"
        return f" / NULLIF({self.value(term)}, 0e0)"

    def one_of(self, of: Expr, among: tuple[Expr, ...], negated: bool) -> str:
        said = self.value(of)
        if tree.first_type((of, *among)) == FactType.NUMBER:
            said = f"({said} + 0e0)"
        return f"({said} {'NOT ' if negated else ''}IN ({', '.join(map(self.value, among))}))"

    def case(self, branches: Iterable[tuple[str, Expr]], otherwise: Expr) -> str:
        said = "".join(f" WHEN {condition} THEN {self.sql(outcome)}" for condition, outcome in branches)
        last = "" if otherwise == tree.NULL else f" ELSE {self.sql(otherwise)}"
        return f"(CASE{said}{last} END)"

    def first_hit(self, expr: tree.FirstHit) -> str:
        expr = tree.FirstHit(tuple((self.inlined(if_), then) for if_, then in expr.rows), expr.otherwise)
        told = as_bins(expr) or as_switch(expr)
        if told is not None:
            return told.sql(self.sql)
        branches: list[tuple[str, Expr]] = []
        settled: set[Expr] = set()
        guarded = guarded_end(expr)
        for condition, outcome in expr.rows[: -len(guarded[1].rows)] if guarded else expr.rows:
            said = self.sql(condition)
            branches.extend((test, tree.NULL) for test in self.unknown_tests(condition, said, settled))
            branches.append((said, outcome))
        if guarded:
            branches.append((self.sql(guarded[0]), guarded[1]))
        return self.case(branches, expr.otherwise)

    def inlined(self, condition: Expr) -> Expr:
        """A test of one number against constants is as cheap as reading its verdict, and says more of the table."""
        step = self.steps.get(condition)
        if step is None or isinstance(condition, tree.IsNull):
            return condition
        leaf = sole_leaf(step)
        return step if leaf is not None and tree.type_of(leaf) == FactType.NUMBER else condition

    def unknown_tests(self, condition: Expr, said: str, settled: set[Expr]) -> list[str]:
        """Tests, before a row, that find its condition unknown; a value tested once needs no second test."""
        if isinstance(condition, tree.IsNull) or condition in (tree.TRUE, tree.FALSE):
            return []
        leaf = self.root(condition)
        if leaf is None:
            return [f"{said} IS NULL"]
        if leaf in settled:
            return []
        settled.add(leaf)
        return [f"{self.columns[leaf]} IS NULL"]

    def root(self, condition: Expr) -> Expr | None:
        """`sole_leaf`, through the steps that are themselves conditions on one value."""
        leaf = sole_leaf(condition)
        while leaf is not None and leaf in self.steps and tree.type_of(leaf) == FactType.BOOLEAN:
            below = sole_leaf(self.steps[leaf])
            if below is None:
                break
            leaf = below
        return leaf

    def function(self, name: tree.FunctionName, arguments: tuple[Expr, ...]) -> str:
        if name == "ln":
            return f"LN(NULLIF(GREATEST({self.sql(arguments[0])}, 0e0), 0e0))"
        if name == "abs":
            return f"ABS({self.sql(arguments[0])})"
        values = [self.value(one) for one in arguments]
        if name == "exp":
            return f"EXP({values[0]})"
        if len(values) == 1:
            return values[0]
        if name == "coalesce" and len(values) == 2 and arguments[0] in self.columns:  # cheaper than COALESCE
            return f"(CASE WHEN {values[0]} IS NULL THEN {values[1]} ELSE {values[0]} END)"
        if name == "coalesce":
            return f"COALESCE({', '.join(values)})"
        known = " AND ".join(f"{value} IS NOT NULL" for value in values)
        return f"(CASE WHEN {known} THEN {name.upper()}({', '.join(values)}) END)"

    def row_value(self, function: tree.ChildName, of: Expr) -> str:
        """What one child row brings to an aggregate; null is unknown. Sums are of whole ten-thousandths."""
        said = self.value(of)
        if function != "sum":
            return said
        scaled = f"({said} * {literal(SUM_SCALE)} + 0.5e0)"
        return f"CASE WHEN ABS({scaled}) < {literal(SUM_LIMIT)} THEN CAST(FLOOR({scaled}) AS BIGINT) END"


def aggregate(function: tree.ChildName, column: str) -> str:
    """An aggregate over the row values of one customer who has at least one row; null is unknown."""
    if function == "any":
        some = f"COALESCE(BOOL_OR({column}), FALSE)"
        return f"CASE WHEN {some} THEN TRUE WHEN COUNT({column}) = COUNT(*) THEN FALSE END"
    if function == "count":
        total = f"CAST(SUM(CASE WHEN {column} THEN 1 ELSE 0 END) AS DOUBLE)"
    elif function == "sum":
        total = f"CAST(TRY_CAST(SUM({column}) AS BIGINT) AS DOUBLE) / {literal(SUM_SCALE)}"
    else:
        total = f"{function.upper()}({column})"
    return f"CASE WHEN COUNT({column}) = COUNT(*) THEN {total} END"


def guarded_end(table: tree.FirstHit) -> tuple[Expr, tree.FirstHit] | None:
    """The last rows of a table as a table of their own, where one flag stands before each of them and nothing after.

    Where the flag is false none of the rows holds and where it is unknown none can be told, so both come to nothing.
    """
    rows: list[tuple[Expr, Expr]] = []
    guard: Expr | None = None
    for condition, outcome in reversed(table.rows):
        match condition:
            case tree.And((tree.Made() | tree.FactRef() as first, *others)) if guard in (None, first):
                guard = first
                rows.append((others[0] if len(others) == 1 else tree.And(tuple(others)), outcome))
            case _:
                break
    if guard is None or len(rows) < SHORTEST_GUARDED or table.otherwise != tree.NULL:
        return None
    return guard, tree.FirstHit(tuple(reversed(rows)), tree.NULL)


def sole_leaf(condition: Expr) -> Expr | None:
    """The one value a condition depends on, where the condition is unknown exactly when that value is."""
    match condition:
        case tree.FactRef() | tree.Cell() | tree.Made():
            return condition
        case tree.And(parts) | tree.Or(parts):
            leaves = {sole_leaf(part) for part in parts}
        case tree.Not() | tree.Comparison() | tree.Between() | tree.OneOf():
            operands = tree.children_of(condition)
            leaves = {sole_leaf(one) for one in operands if not isinstance(one, tree.Constant) or one.value is None}
        case _:
            return None
    return leaves.pop() if len(leaves) == 1 else None


class _Stages:
    """Columns by the stage that computes them: a stage reads its source and what the stages below it made."""

    def __init__(self, source: Iterable[str]) -> None:
        self.level_of = dict.fromkeys(source, -1)
        self.stages: list[list[str]] = []

    def put(self, name: str, sql: str, reads: Iterable[str]) -> None:
        level = 1 + max((self.level_of[one] for one in reads), default=-1)
        while len(self.stages) <= level:
            self.stages.append([])
        self.stages[level].append(f"{sql} AS {name}")
        self.level_of[name] = level

    def over(self, source: str) -> str:
        body = source
        for stage in self.stages:
            body = f"(SELECT *, {', '.join(stage)} FROM {body})"
        return body


def staged(
    program: Program, source: str, columns: Mapping[Expr, str], bounds: Mapping[Expr, Bounds] | None = None
) -> tuple[str, dict[int, str]]:
    """SQL of a table with every step of a program beside the columns of its source, and each step's column.

    `source` is the table or sub-query below; `columns` says where its facts and cells stand, `bounds` how large
    and how small they are.
    """
    known, whole = dict(bounds or {}), dict[Expr, Expr]()
    places, made = dict(columns), dict[int, str]()
    stages = _Stages(places.values())
    for number, step in enumerate(program.steps):
        name, kind = f"s{number}", tree.type_of(step)
        if isinstance(step, tree.FactRef | tree.Cell | tree.Made):
            name = places[step]
            known[tree.Made(number, kind)] = known.get(step, ANYTHING)
        else:
            sql, reads = Writer(places, whole).sql(step), [places[leaf] for leaf in leaves_of(step)]
            whole[tree.Made(number, kind)] = step
            reach = bounds_of(step, known) if kind == FactType.NUMBER else NOTHING
            known[tree.Made(number, kind)] = reach
            if is_finite(step) or reach.is_safe:
                stages.put(name, sql, reads)
            else:
                stages.put(f"g{number}", sql, reads)
                stages.put(name, finite(f"g{number}"), [f"g{number}"])
        made[number] = name
        for any_kind in (None, *FactType):  # what is always unknown has no type of its own
            places[tree.Made(number, any_kind)] = name
    return stages.over(source), made


def leaves_of(expr: Expr) -> set[Expr]:
    found: set[Expr] = set()
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.FactRef | tree.Cell | tree.Made):
            found.add(node)
        stack.extend(tree.children_of(node))
    return found
