"""Parquet to lines: its own column names are the header. Judged by its footer before any column is read."""

import datetime as dt
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from kequn.apps.ingest.guards import UNZIPPED_BYTES, Trouble, guard_cells


def read(path: Path, _encoding: str) -> Iterator[Any]:
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from pyarrow import ArrowException, parquet

    try:
        file = parquet.ParquetFile(path)
        footer = file.metadata
        guard_cells(footer.num_rows * footer.num_columns)
        total = sum(footer.row_group(one).total_byte_size for one in range(footer.num_row_groups))
    except (ArrowException, OSError, ValueError) as error:
        raise Trouble("parquet", "不是可读的Parquet文件", "this is not a readable Parquet file") from error
    if total > UNZIPPED_BYTES:
        raise Trouble("file_too_large", "解压后超过1 GiB", "unpacked it is larger than 1 GiB")
    names = list(file.schema_arrow.names)
    yield {"sheet": path.name.rsplit(".", 1)[0], "header": names}
    number = 1
    try:
        for batch in file.iter_batches(batch_size=20_000, use_threads=False):
            for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                number += 1
                yield [number, [plain(cell) for cell in cells]]
    except (ArrowException, OSError, ValueError) as error:
        zh, en = "Parquet文件已损坏", "the Parquet file is damaged"
        raise Trouble("parquet", zh, en, row=number) from error


def plain(cell: object) -> object:
    if cell is None or isinstance(cell, str | int | float):
        return cell
    if isinstance(cell, dt.datetime):
        return {"d": cell.date().isoformat()}
    if isinstance(cell, dt.date):
        return {"d": cell.isoformat()}
    if isinstance(cell, Decimal):
        return {"n": str(cell)}
    return str(cell)
