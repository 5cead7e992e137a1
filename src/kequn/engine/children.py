"""Child rows gathered for each customer: facilities, projects, events, in one pass over each table."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.engine.backends import query_duckdb
from kequn.engine.columns import ARROW_TYPES, normal_column
from kequn.engine.sql import Writer, aggregate

Wanted = Mapping[str, tree.Children]


def gathered(table: Any, owner: Any, customers: int, wanted: Wanted, as_of: date) -> dict[str, Any]:
    """For each wanted name a column, one value a customer. Customers without rows have 0, none, and no extremes."""
    if not wanted:
        return {}
    facts = sorted(
        {ref for children in wanted.values() for ref in tree.facts_in(children.of)}, key=lambda ref: ref.name
    )
    columns = [normal_column(table.column(ref.name), ref.type) for ref in facts]
    kept = owner >= 0
    if "event_date" in table.column_names and all(children.grain == Grain.EVENT for children in wanted.values()):
        days = normal_column(table.column("event_date"), FactType.DATE)
        kept &= pc.fill_null(pc.less_equal(days, pa.scalar(as_of, pa.date32())), True).to_numpy()
    rows = pa.table([pa.array(owner), pa.array(kept), *columns],
                    names=["owner", "kept", *(f"f{number}" for number in range(len(facts)))])  # fmt: skip
    writer = Writer({ref: f"f{number}" for number, ref in enumerate(facts)})
    names = list(wanted)
    values = [
        f"{writer.row_value(wanted[name].function, wanted[name].of)} AS v{number}" for number, name in enumerate(names)
    ]
    totals = [f"{aggregate(wanted[name].function, f'v{number}')} AS a{number}" for number, name in enumerate(names)]
    inner = f"SELECT owner, {', '.join(values)} FROM rows WHERE kept"
    found = query_duckdb(f"SELECT owner, {', '.join(totals)} FROM ({inner}) GROUP BY owner", {"rows": rows})
    return _spread(found, [wanted[name] for name in names], names, customers)


def _spread(found: Any, wanted: Sequence[tree.Children], names: Sequence[str], customers: int) -> dict[str, Any]:
    place = np.full(customers, -1, dtype=np.int64)
    place[found.column("owner").to_numpy()] = np.arange(found.num_rows)
    absent = place < 0
    where = pa.array(place, mask=absent)
    spread = {}
    for number, (name, children) in enumerate(zip(names, wanted, strict=True)):
        column = found.column(f"a{number}").combine_chunks().take(where)
        without = without_rows(children.function)
        if without is not None:
            column = pc.if_else(pa.array(absent), pa.scalar(without, column.type), column)
        spread[name] = column
    return spread


def without_rows(function: tree.ChildName) -> float | bool | None:
    """What a child function says of a customer who has no rows."""
    return {"sum": 0.0, "count": 0.0, "any": False}.get(function)


def nobody_has_any(wanted: Wanted, customers: int) -> dict[str, Any]:
    """The columns of a table without rows."""
    spread = {}
    for name, children in wanted.items():
        kind = ARROW_TYPES[tree.type_of(children) or FactType.NUMBER]
        without = without_rows(children.function)
        spread[name] = pa.nulls(customers, kind) if without is None else pa.repeat(pa.scalar(without, kind), customers)
    return spread
