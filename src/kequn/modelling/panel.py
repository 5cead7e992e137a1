"""A warning model's view of a panel: is there an event within some periods, seen from a period that has none.

For each debtor the periods stand in order. The outcome of a row is whether the event occurs in one of the next
`horizon` periods; a row in which the event already is, or whose future is not all known and holds no event, has none.
Beside each number stands its change against the period before.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from kequn.domain.facts import FactType
from kequn.engine.columns import kind_of
from kequn.modelling.spec import Spec
from kequn.modelling.tapes import Floats, Tape, Whole, debtors_of, numbers, outcomes, periods

CHANGE = "change of "


def outcome_of(spec: Spec, tape: Tape) -> Floats:
    """The outcome a model of this kind is fitted and judged on: 1, 0 or NaN a row."""
    event = outcomes(spec, tape)
    if spec.kind != "warning":
        return event
    return ahead(event, debtors_of(tape, spec.group), periods(tape.column(spec.period)), spec.horizon)


def features_over_time(spec: Spec, tape: Tape, columns: Mapping[str, pa.ChunkedArray]) -> Mapping[str, pa.ChunkedArray]:
    """The features of a model of this kind: for a warning model also their changes."""
    if spec.kind != "warning":
        return columns
    return with_changes(columns, debtors_of(tape, spec.group), periods(tape.column(spec.period)))


def ahead(event: Floats, debtor: Whole, period: Floats, horizon: int) -> Floats:
    """1, 0 or NaN a row: the event within the next `horizon` periods, counted by the number of the period.

    >>> ahead(np.array([0., 0., 1., 0.]), np.array([1, 1, 1, 2]), np.array([1., 2., 3., 1.]), 1).tolist()
    [0.0, 1.0, nan, nan]
    """
    known = {(d, p): e for d, p, e in zip(debtor.tolist(), period.tolist(), event.tolist(), strict=True)}
    found = np.full(len(event), np.nan)
    for row, (d, p, e) in enumerate(zip(debtor.tolist(), period.tolist(), event.tolist(), strict=True)):
        if e != 0:
            continue
        future = [known.get((d, p + step), np.nan) for step in range(1, horizon + 1)]
        if any(value == 1 for value in future):
            found[row] = 1.0
        elif not any(np.isnan(value) for value in future):
            found[row] = 0.0
    return found


def with_changes(columns: Mapping[str, pa.ChunkedArray], debtor: Whole, period: Floats) -> dict[str, pa.ChunkedArray]:
    """The columns, and for each number its change against the period before; unknown where that is not there."""
    before = {(d, p): row for row, (d, p) in enumerate(zip(debtor.tolist(), period.tolist(), strict=True))}
    place = np.array([before.get((d, p - 1), -1) for d, p in zip(debtor.tolist(), period.tolist(), strict=True)])
    found = dict(columns)
    for name, column in columns.items():
        if kind_of(column.type) == FactType.NUMBER:
            values = numbers(column)
            moved = np.where(place >= 0, values - values[place], np.nan)
            found[CHANGE + name] = pa.chunked_array([pa.array(moved, from_pandas=True)])
    return found
