"""Books with groups planted in them, and books in which nothing hangs together."""

import numpy as np
import pyarrow as pa

FEATURES = ["x0", "x1", "x2", "x3", "x4", "c0", "c1"]
NUMBERS = 5
REQUEST = {"key": "id", "features": FEATURES}


def separated(draw, groups: int, separation: float):
    """Centres drawn from a normal distribution of that standard deviation, until all are separated."""
    while True:
        centres = draw.normal(0, separation, (groups, NUMBERS))
        apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[np.triu_indices(groups, 1)]
        if apart.min() >= separation * np.sqrt(NUMBERS):
            return centres


def planted(seed: int, rows: int = 2000, separation: float = 2.5, groups: int = 4):
    """Five numbers and two texts; every two groups are `separation`-separated, and the texts differ at random.

    Groups of standard deviation 1 in d numbers are c-separated where their centres lie c times the root of d apart or
    more (S. Dasgupta, "Learning mixtures of Gaussians", FOCS 1999). A twentieth of the numbers is unknown. The table,
    and the group of each row.
    """
    draw = np.random.default_rng(seed)
    group = draw.integers(0, groups, rows)
    centres = separated(draw, groups, separation)
    values = centres[group] + draw.normal(0, 1, (rows, NUMBERS))
    unknown = draw.random((rows, NUMBERS)) < 0.05
    columns = {"id": np.arange(rows)}
    columns |= {f"x{at}": pa.array(values[:, at], mask=unknown[:, at]) for at in range(NUMBERS)}
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
