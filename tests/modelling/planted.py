"""Books with groups planted in them, and books in which nothing hangs together."""

import numpy as np
import pyarrow as pa

FEATURES = ["x0", "x1", "x2", "x3", "x4", "c0", "c1"]
REQUEST = {"key": "id", "features": FEATURES}


def planted(seed: int, rows: int = 2000, separation: float = 2.5, groups: int = 4):
    """Five numbers and two texts; the centres of the groups lie `separation` standard deviations of a group apart.

    A centre is drawn from a normal distribution of that standard deviation in each number, a text from a share of three
    classes for each group; a twentieth of the numbers is unknown. The table, and the group of each row.
    """
    draw = np.random.default_rng(seed)
    group = draw.integers(0, groups, rows)
    values = draw.normal(0, separation, (groups, 5))[group] + draw.normal(0, 1, (rows, 5))
    unknown = draw.random((rows, 5)) < 0.05
    columns = {"id": np.arange(rows)}
    columns |= {f"x{at}": pa.array(values[:, at], mask=unknown[:, at]) for at in range(5)}
    for at in range(2):
        shares = draw.dirichlet(np.ones(3), groups)
        columns[f"c{at}"] = pa.array([str(draw.choice(["a", "b", "c"], p=shares[one])) for one in group])
    return pa.table(columns), group


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """The same columns, each in an order of its own."""
    draw = np.random.default_rng([seed, 1])
    return pa.table({
        name: column if name == "id" else column.combine_chunks().take(pa.array(draw.permutation(len(column))))
        for name, column in zip(table.column_names, table.columns, strict=True)
    })  # fmt: skip
