"""The books of the bench, cut from one snapshot: one hundredth of it changed, and a small one full of gaps."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from kequn.engine.backends import connect
from kequn.engine.snapshot import FILES, KEY
from kequn.engine.sql import name_of, quoted

KEYS = frozenset(
    ("customer_id", "period_end", "months", "flows", "scope", "standard", "version", "currency",
     "facility_id", "project_id", "account_id", "month", "role", "event_date")
)  # fmt: skip


def cut_changed(snapshot: Path, folder: Path, every: int = 100) -> list[str]:
    """Each hundredth customer with amounts that moved by up to a tenth; their keys."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = pq.read_table(snapshot / "customers.parquet", columns=[KEY]).column(KEY).to_pylist()[::every]
    moved = "(0.9e0 + (hash(rowid_, {salt}) % 1000) / 5000e0)"
    _cut(
        snapshot,
        folder,
        ids,
        lambda name, kind: f"{name} * {moved.format(salt=quoted(name))}" if kind == "DOUBLE" else name,
    )
    return [str(one) for one in ids]


def cut_gaps(snapshot: Path, folder: Path, customers: int) -> None:
    """Customers from all over the book, a fifth of their fields emptied and a tenth of their statements gone."""
    folder.mkdir(parents=True, exist_ok=True)
    ids = pq.read_table(snapshot / "customers.parquet", columns=[KEY]).column(KEY).to_pylist()
    ids = ids[:: max(1, len(ids) // customers)][:customers]

    def emptied(name: str, _kind: str) -> str:
        return f"CASE WHEN hash(rowid_, {quoted(name)}) % 5 <> 0 THEN {name} END"

    _cut(snapshot, folder, ids, emptied, where={"statements": "hash(rowid_, 7) % 10 <> 0"})


def _cut(snapshot: Path, folder: Path, ids: list[Any], change: Any, where: dict[str, str] | None = None) -> None:
    import pyarrow as pa

    with connect() as connection:
        connection.register("wanted", pa.table({KEY: ids}))
        for name in FILES.values():
            source = snapshot / f"{name}.parquet"
            if not source.is_file():
                continue
            read = f"read_parquet({quoted(str(source))}, file_row_number = true)"
            numbered = f"(SELECT *, file_row_number AS rowid_ FROM {read})"
            described = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({quoted(str(source))})").fetchall()
            columns = ", ".join(
                name_of(column) if column in KEYS else f"{change(name_of(column), kind)} AS {name_of(column)}"
                for column, kind, *_ in described
            )
            kept = (where or {}).get(name, "TRUE")
            target = quoted(str(folder / f"{name}.parquet"))
            connection.execute(
                f"COPY (SELECT {columns} FROM {numbered} SEMI JOIN wanted USING ({KEY}) WHERE {kept} ORDER BY rowid_) "
                f"TO {target} (FORMAT parquet, COMPRESSION zstd)"
            ).fetchall()
