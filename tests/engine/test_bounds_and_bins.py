"""What is left out of the SQL of a plan, and why that is safe."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.program import Program
from kequn.domain.rules.reader import Reader
from kequn.domain.rules.record import Record
from kequn.domain.rules.tree import NULL
from kequn.engine.backends import connect
from kequn.engine.bins import as_bins, as_switch
from kequn.engine.bounds import ANYTHING, Bounds, bounds_of, union
from kequn.engine.coding import coded
from kequn.engine.sql import Writer, guarded_end, sole_leaf

X = tree.FactRef("x", Grain.CUSTOMER, FactType.NUMBER)
Y = tree.FactRef("y", Grain.CUSTOMER, FactType.NUMBER)
FLAG = tree.FactRef("flag", Grain.CUSTOMER, FactType.BOOLEAN)
WORD = tree.FactRef("word", Grain.CUSTOMER, FactType.TEXT)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1), st.lists(finite, min_size=1), st.sampled_from("+-*/"))
def test_what_is_called_safe_is_finite_for_every_pair(ones: list[float], others: list[float], sign: str) -> None:
    known = {X: measured(ones), Y: measured(others)}
    expr = tree.Arithmetic(X, ((sign, Y),))  # type: ignore[arg-type]
    reach = bounds_of(expr, known)
    results = [result for one in ones for other in others if (result := compute(one, sign, other)) is not None]
    if reach.is_safe:
        assert all(math.isfinite(result) and abs(result) <= reach.largest for result in results)
        assert all(abs(result) >= reach.smallest for result in results if result)


def measured(values: list[float]) -> Bounds:
    return union(Bounds(abs(value), abs(value)) if value else Bounds(0.0, math.inf) for value in values)


def compute(one: float, sign: str, other: float) -> float | None:
    if sign == "/":
        return one / other if other else None
    return one + other if sign == "+" else one - other if sign == "-" else one * other


def test_a_difference_of_close_numbers_cannot_be_closer_than_their_grain() -> None:
    difference = tree.Arithmetic(X, (("-", Y),))
    amounts = {X: Bounds(1e12, 0.01), Y: Bounds(1e12, 0.01)}
    assert bounds_of(tree.Arithmetic(X, (("/", difference),)), amounts).is_safe
    assert not bounds_of(tree.Arithmetic(X, (("/", difference),)), {X: ANYTHING, Y: ANYTHING}).is_safe


def test_infinity_times_zero_is_not_safe() -> None:
    growth = tree.Function("exp", (X,))
    assert not bounds_of(tree.Arithmetic(growth, (("*", Y),)), {X: Bounds(1e3, 1.0), Y: Bounds(0.0, math.inf)}).is_safe


def below(at: float) -> tree.Expr:
    return tree.Comparison("<", X, tree.number(at))


def test_ranges_that_follow_one_another_are_bins() -> None:
    between = tree.And((tree.Comparison(">=", X, tree.number(1)), below(2)))
    table = tree.FirstHit(((below(1), tree.number(10)), (between, tree.number(20))), tree.number(30))
    bins = as_bins(table)
    assert bins is not None
    assert [edge.at for edge in bins.edges] == [1.0, 2.0]
    assert bins.missing == tree.NULL


@pytest.mark.parametrize(
    "second",
    [below(0.5), tree.Comparison(">", X, tree.number(1)), tree.Comparison("<", Y, tree.number(9)), tree.IsNull(X)],
)
def test_ranges_with_gaps_or_of_other_values_are_no_bins(second: tree.Expr) -> None:
    assert as_bins(tree.FirstHit(((below(1), tree.number(1)), (second, tree.number(2))), tree.NULL)) is None


def test_single_values_make_a_switch() -> None:
    rows = tuple((tree.Comparison("=", X, tree.number(at)), tree.number(at * 10)) for at in (5, 1, 4, 2, 3))
    switch = as_switch(tree.FirstHit(rows, tree.NULL))
    assert switch is not None
    assert [at for at, _ in switch.outcomes] == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("first", [None, tree.Comparison(">", Y, tree.number(0))])
def test_rows_behind_one_flag_are_read_as_rows_each_with_its_flag(first: tree.Expr | None) -> None:
    rows = tuple((tree.And((FLAG, below(at))), tree.number(at)) for at in (1, 2, 3))
    table = tree.FirstHit(((first, tree.number(0)), *rows) if first else rows, tree.NULL)
    assert guarded_end(table) == (FLAG, tree.FirstHit(tuple((below(at), tree.number(at)) for at in (1, 2, 3)), NULL))
    sql = Writer({X: "x", Y: "y", FLAG: "flag"}).sql(table)
    with connect() as connection:
        for x, y, flag in product((None, 0.5, 1.5, 2.5, 3.5), (None, -1.0, 1.0), (None, True, False)):
            values = "SELECT CAST(? AS DOUBLE) AS x, CAST(? AS DOUBLE) AS y, CAST(? AS BOOLEAN) AS flag"
            found = connection.execute(f"SELECT {sql} FROM ({values})", [x, y, flag]).fetchall()[0][0]
            assert found == Reader(Record({"x": x, "y": y, "flag": flag})).read(table), (x, y, flag)


def test_a_condition_that_can_be_known_without_its_value_has_no_sole_leaf() -> None:
    assert sole_leaf(tree.Or((below(1), tree.Not(tree.Comparison(">", X, tree.number(5)))))) == X
    assert sole_leaf(tree.Or((below(1), tree.TRUE))) is None
    assert sole_leaf(tree.And((below(1), tree.Comparison("<", Y, tree.number(1))))) is None


def grade(outcome: tree.Expr) -> tree.Expr:
    return tree.Case(((below(1), tree.text("A")),), outcome)


def test_words_of_the_policy_are_carried_as_numbers_in_their_order() -> None:
    made = tree.Made(0, FactType.TEXT)
    worse = tree.Comparison(">", made, tree.text("A"))
    found = coded(Program((grade(tree.text("B")), worse), {"grade": 0, "worse": 1}))
    assert found.words == ("A", "B")
    assert found.steps == {0}
    assert found.program.steps[1] == tree.Comparison(">", tree.Made(0, FactType.NUMBER), tree.number(0))


def test_a_word_that_meets_a_text_of_the_book_stays_a_text() -> None:
    same = tree.Comparison("=", tree.Made(0, FactType.TEXT), WORD)
    assert coded(Program((grade(tree.text("B")), same), {"it": 1})).steps == frozenset()
    open_text = tree.Function("coalesce", (tree.Made(0, FactType.TEXT), WORD))
    assert coded(Program((grade(tree.text("B")), open_text), {"it": 1})).steps == frozenset()


def test_what_a_text_step_passes_on_is_text_too() -> None:
    middle = tree.Case(((below(2), tree.Made(0, FactType.TEXT)),), tree.text("C"))
    last = tree.Comparison("=", tree.Made(1, FactType.TEXT), WORD)
    assert coded(Program((grade(tree.text("B")), middle, last), {"it": 2})).steps == frozenset()
