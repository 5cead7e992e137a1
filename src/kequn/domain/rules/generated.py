"""The program of a plan as Python source: one function, one assignment a step.

The source is written from a checked tree: names are our own (`f3`, `s17`), constants are bound by name, and no
word of a rule's text is in it. It exists for speed; the plain reader gives its meaning.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from kequn.domain.facts import Grain
from kequn.domain.rules import tree
from kequn.domain.rules.program import QUARTERS, Program, row_program
from kequn.domain.rules.reader import any_of, compared, exponential, logarithm, over_rows
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import Expr

Run = Callable[[Record, Mapping[str, Any]], dict[str, Any]]

_HELPERS: dict[str, Any] = {
    "any_of": any_of, "compared": compared, "over_rows": over_rows, "exponential": exponential, "logarithm": logarithm,
    "inf": math.inf,
}  # fmt: skip
_PYTHON_SIGN = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def compiled(program: Program) -> Run:
    """A function from a record and its look-ups' results to the value of every definition."""
    source = _Source()
    body = source.loads(program)
    body += source.child_rows(program)
    for number, step in enumerate(program.steps):
        body.extend(source.assigned(f"s{number}", step))
    results = ", ".join(f"{source.constant(name)}: s{step}" for name, step in program.outputs.items())
    text = "\n    ".join(["def run(record, resolved):", "customer = record.customer", *body, f"return {{{results}}}"])
    text = "\n".join([*source.functions, text])
    names = {**source.names, **_HELPERS}
    exec(compile(text, "<plan>", "exec"), names)  # noqa: S102  # written here from a checked tree, see above
    run: Run = names["run"]
    return run


class _Source:
    """Expressions to Python expressions. Every temporary has its own name."""

    def __init__(self) -> None:
        self.leaves: dict[Expr, str] = {}
        self.names: dict[str, Any] = {}
        self.functions: list[str] = []
        self.places: dict[tuple[Grain, Expr], int] = {}
        self.temporaries = 0

    def constant(self, value: object) -> str:
        if value is None or isinstance(value, bool):
            return repr(value)
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    def temporary(self) -> str:
        self.temporaries += 1
        return f"t{self.temporaries}"

    def loads(self, program: Program) -> list[str]:
        """The statements that bring every fact and cell into a local name."""
        lines: list[str] = []
        series: dict[tuple[Grain, str], str] = {}
        for number, leaf in enumerate(program.leaves()):
            name = self.leaves[leaf] = f"f{number}"
            if leaf == QUARTERS:
                lines.append(f"{name} = record.quarters")
            elif isinstance(leaf, tree.Cell):
                key = (leaf.grain, leaf.name)
                if key not in series:
                    series[key] = f"a{len(series)}"
                    periods = f"record.periods.get({self.constant(leaf.grain)}, {{}})"
                    lines.append(f"{series[key]} = {periods}.get({self.constant(leaf.name)}, ())")
                lines.append(f"{name} = {series[key]}[{leaf.offset}] if len({series[key]}) > {leaf.offset} else None")
            elif isinstance(leaf, tree.FactRef):
                key_said = self.constant(leaf.name)
                lines.append(f"{name} = resolved.get({key_said})")
                lines.append(f"if {name} is None: {name} = customer.get({key_said})")
        return lines

    def child_rows(self, program: Program) -> list[str]:
        """One function a child grain, which reads everything wanted of a row; and its results for all rows."""
        lines = []
        steps = [step for step in program.steps if isinstance(step, tree.Children)]
        for grain in sorted({step.grain for step in steps}):
            wanted = list(dict.fromkeys(step.of for step in steps if step.grain == grain))
            self.functions.append(self.row_function(f"each_{grain.value}", row_program(wanted)))
            lines.append(f"{grain.value}_rows = record.children.get({self.constant(grain)})")
            each = f"[each_{grain.value}(row) for row in {grain.value}_rows]"
            lines.append(f"{grain.value}_values = None if {grain.value}_rows is None else {each}")
            self.places.update({(grain, of): at for at, of in enumerate(wanted)})
        return lines

    def row_function(self, name: str, program: Program) -> str:
        inner = _Source()
        inner.names = self.names
        lines = [f"def {name}(row):"]
        for number, leaf in enumerate(program.leaves()):
            inner.leaves[leaf] = f"r{number}"
            if isinstance(leaf, tree.FactRef):
                lines.append(f"r{number} = row.get({self.constant(leaf.name)})")
        for number, step in enumerate(program.steps):
            lines.extend(inner.assigned(f"s{number}", step))
        results = "".join(f"s{program.outputs[str(at)]}, " for at in range(len(program.outputs)))
        return "\n    ".join([*lines, f"return ({results})"])

    def assigned(self, name: str, step: Expr) -> list[str]:
        """The statements that compute one step."""
        if isinstance(step, tree.Case | tree.FirstHit):
            return self.table(name, step)
        if isinstance(step, tree.Children):
            return self.rows(name, step)
        return [f"{name} = {self.expression(step)}"]

    def table(self, name: str, step: tree.Case | tree.FirstHit) -> list[str]:
        lines = [f"{name} = None", "while True:"]
        for condition, outcome in tree.pairs_of(step):
            hit = self.temporary()
            lines.append(f"    {hit} = {self.expression(condition)}")
            lines.append(f"    if {hit} is True: {name} = {self.expression(outcome)}; break")
            if isinstance(step, tree.FirstHit):
                lines.append(f"    if {hit} is None: break")
        return [*lines, f"    {name} = {self.expression(step.otherwise)}", "    break"]

    def rows(self, name: str, step: tree.Children) -> list[str]:
        rows, place = f"{step.grain.value}_values", self.places[step.grain, step.of]
        values = f"[values[{place}] for values in {rows}]"
        return [f"{name} = None if {rows} is None else over_rows({step.function!r}, {values})"]

    def operand(self, expr: Expr) -> tuple[str, str]:
        """As `held`, with a number written where it stands: nothing asks whether it is missing."""
        if isinstance(expr, tree.Constant) and isinstance(expr.value, float):
            return repr(expr.value), repr(expr.value)
        return self.held(expr)

    def held(self, expr: Expr) -> tuple[str, str]:
        """(first mention, later mentions) of a value: a name as it is, anything more bound on the way."""
        said = self.expression(expr)
        if said.isidentifier() or isinstance(expr, tree.Constant):
            return said, said
        name = self.temporary()
        return f"({name} := {said})", name

    def expression(self, expr: Expr) -> str:
        match expr:
            case tree.Constant(value):
                return self.constant(value)
            case tree.FactRef() | tree.Cell():
                return self.leaves[expr]
            case tree.Made(step):
                return f"s{step}"
            case tree.Arithmetic(first, rest):
                return self.arithmetic(first, rest)
            case tree.Negative(of):
                first_said, again = self.held(of)
                return f"(None if {first_said} is None else -{again})"
            case tree.Comparison(sign, left, right):
                return self.comparison(sign, left, right)
            case tree.IsNull(tree.Constant(value), negated):
                return repr((value is None) != negated)
            case tree.IsNull(of, negated):
                return f"({self.expression(of)} {'is not' if negated else 'is'} None)"
            case tree.OneOf(of, among, negated):
                return self.one_of(of, among, negated)
            case tree.Between(of, low, high, negated):
                return self.between(of, low, high, negated)
            case tree.And(parts):
                return self.joined(parts, "False", "True")
            case tree.Or(parts):
                return self.joined(parts, "True", "False")
            case tree.Not(of):
                first_said, again = self.held(of)
                return f"(None if {first_said} is None else not {again})"
            case tree.Case() | tree.FirstHit():
                return self.short_table(expr)
            case tree.Function(name, arguments):
                return self.function(name, arguments)
            case tree.History() | tree.Children():
                raise TypeError("history and child functions are steps of the program")

    def arithmetic(self, first: Expr, rest: tuple[tuple[str, Expr], ...]) -> str:
        every = (first, *(term for _, term in rest))
        terms = [self.operand(term) for term in every]
        tests = missing(terms, every)
        tests += [f"not {again}" for (sign, _), (_, again) in zip(rest, terms[1:], strict=True) if sign == "/"]
        total = terms[0][1] + "".join(f" {sign} {again}" for (sign, _), (_, again) in zip(rest, terms[1:], strict=True))
        result = self.temporary()
        guarded = f"({result} if -inf < ({result} := {total}) < inf else None)"
        return f"(None if {' or '.join(tests)} else {guarded})" if tests else guarded

    def comparison(self, sign: str, left: Expr, right: Expr) -> str:
        pair = [self.operand(left), self.operand(right)]
        tests = missing(pair, (left, right))
        verdict = f"{pair[0][1]} {_PYTHON_SIGN[sign]} {pair[1][1]}"
        return f"(None if {' or '.join(tests)} else {verdict})" if tests else f"({verdict})"

    def one_of(self, of: Expr, among: tuple[Expr, ...], negated: bool) -> str:
        values = [one.value for one in among if isinstance(one, tree.Constant) and one.value is not None]
        if len(values) == len(among):
            first_said, again = self.held(of)
            inside = "not in" if negated else "in"
            return f"(None if {first_said} is None else {again} {inside} {self.constant(frozenset(values))})"
        first_said, again = self.held(of)
        tests = [f'compared("=", {first_said if number == 0 else again}, {self.expression(one)})'
                 for number, one in enumerate(among)]  # fmt: skip
        return self.negated(f"any_of([{', '.join(tests)}])", negated)

    def between(self, of: Expr, low: Expr, high: Expr, negated: bool) -> str:
        first_said, again = self.held(of)
        tests = (
            f'compared(">=", {first_said}, {self.expression(low)})',
            f'compared("<=", {again}, {self.expression(high)})',
        )
        ends = [self.temporary(), self.temporary()]
        both = (f"(False if ({ends[0]} := {tests[0]}) is False or ({ends[1]} := {tests[1]}) is False "
                f"else None if {ends[0]} is None or {ends[1]} is None else True)")  # fmt: skip
        return self.negated(both, negated)

    def negated(self, said: str, negated: bool) -> str:
        if not negated:
            return said
        name = self.temporary()
        return f"(None if ({name} := {said}) is None else not {name})"

    def joined(self, parts: tuple[Expr, ...], decisive: str, otherwise: str) -> str:
        held = [self.held(part) for part in parts]
        decided = " or ".join(f"{said} is {decisive}" for said, _ in held)
        unknown = " or ".join(f"{again} is None" for _, again in held)
        return f"({decisive} if {decided} else None if {unknown} else {otherwise})"

    def short_table(self, expr: tree.Case | tree.FirstHit) -> str:
        said = self.expression(expr.otherwise)
        for condition, outcome in reversed(tree.pairs_of(expr)):
            first_said, again = self.held(condition)
            unknown = f"None if {again} is None else " if isinstance(expr, tree.FirstHit) else ""
            said = f"({self.expression(outcome)} if {first_said} is True else {unknown}{said})"
        return said

    def function(self, name: tree.FunctionName, arguments: tuple[Expr, ...]) -> str:
        held = [self.held(one) for one in arguments]
        if name == "coalesce":
            return self.coalesce(held, arguments)
        values = ", ".join(again for _, again in held)
        call = {"least": "min", "greatest": "max", "abs": "abs", "ln": "logarithm", "exp": "exponential"}[name]
        result = held[0][1] if len(held) == 1 and name in ("least", "greatest") else f"{call}({values})"
        tests = missing(held, arguments)
        return f"(None if {' or '.join(tests)} else {result})" if tests else f"({result})"

    def coalesce(self, held: list[tuple[str, str]], arguments: tuple[Expr, ...]) -> str:
        said = "None"
        for (first, again), argument in reversed(list(zip(held, arguments, strict=True))):
            tests = missing([(first, again)], (argument,))
            said = f"({said} if {tests[0]} else {again})" if tests else again
        return said


def missing(held: list[tuple[str, str]], exprs: tuple[Expr, ...]) -> list[str]:
    """The tests that bind the values and find one of them missing; a constant needs none."""
    return [
        f"{said} is None"
        for (said, _), expr in zip(held, exprs, strict=True)
        if not isinstance(expr, tree.Constant) or expr.value is None
    ]
