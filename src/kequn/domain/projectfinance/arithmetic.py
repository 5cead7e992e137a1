"""Arithmetic of one case and of many: the same steps, in plain numbers or in arrays.

A run works out a hundred small figures in every period. For many cases each of them is an array of shape (scenarios,);
for one case an array of a single number would cost ten times a plain number, so one case is run in plain numbers.
Both are IEEE doubles and the steps are the same lines of code, so the two faces agree bit for bit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kequn.domain.projectfinance.arrays import Array, Bools, Like, ratio

# One figure of a period, shape (scenarios,), and a line of them by period. With one case they are a float and a list of
# floats: these answer the same operators and indices, which is all that the steps ask of them.
Amount = Array
Line = Array


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What the steps of a run ask beyond the operators.

    `lesser` and `greater` of two amounts; `chosen(flag, a, b)` is a where the flag stands, else b; `ratio` is infinite
    where nothing is owed; `some` whether a flag stands anywhere. `amount` makes one figure of a number or an array,
    `line` a line of figures of an array (periods, scenarios), `blank` an empty line of a kind, and `array` makes the
    array of a line again.
    """

    lesser: Callable[[Amount | float, Amount | float], Amount]
    greater: Callable[[Amount | float, Amount | float], Amount]
    chosen: Callable[[Bools, Amount | float, Amount | float], Amount]
    ratio: Callable[[Amount, Amount], Amount]
    some: Callable[[Bools], bool]
    amount: Callable[[Like, int], Amount]
    line: Callable[[Array], Line]
    blank: Callable[[int, int, type], Line]
    array: Callable[[Line], Array]


def _lesser(one: Any, other: Any) -> Any:
    return one if one < other else other  # noqa: FURB136 - half the time of min(), and asked for in every step


def _greater(one: Any, other: Any) -> Any:
    return one if one > other else other  # noqa: FURB136 - the same


def _chosen(flag: Any, one: Any, other: Any) -> Any:
    return one if flag else other


def _ratio(above: Any, below: Any) -> Any:
    return above / below if below else math.inf


def _number(value: Like, _count: int) -> Any:
    return float(np.asarray(value, np.float64).item())


def _numbers(values: Array) -> Any:
    return values[:, 0].tolist()


def _blank(periods: int, _count: int, kind: type) -> Any:
    return [kind()] * periods


MANY = Arithmetic(
    lesser=np.minimum,
    greater=np.maximum,
    chosen=np.where,
    ratio=ratio,
    some=lambda flags: bool(flags.any()),
    amount=lambda value, count: np.broadcast_to(np.asarray(value, np.float64), (count,)).copy(),
    line=lambda values: values,
    blank=lambda periods, count, kind: np.zeros((periods, count), kind),
    array=lambda line: line,
)
ONE = Arithmetic(
    lesser=_lesser,
    greater=_greater,
    chosen=_chosen,
    ratio=_ratio,
    some=bool,
    amount=_number,
    line=_numbers,
    blank=_blank,
    array=lambda line: np.asarray(line)[:, None],
)


def arithmetic_of(count: int) -> Arithmetic:
    """The arithmetic of so many cases.

    >>> arithmetic_of(1).lesser(2.0, 3.0), arithmetic_of(2).lesser(np.array([2.0, 5.0]), 3.0).tolist()
    (2.0, [2.0, 3.0])
    """
    return ONE if count == 1 else MANY
