"""`kequn sample`: an invented book in files, of any size."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)


def sample(
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write; Parquet, one file a sheet.")],
    customers: Annotated[int, typer.Option(min=20, max=1_000_000, help="How many customers.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same book.")] = 20260930,
    snapshot: Annotated[bool, typer.Option("--snapshot", help="The engine's snapshot layout, not the sheets.")] = False,
) -> None:
    """Invent a book: firms, groups, statements that balance, facilities, projects, account flows, defaults."""
    from kequn.samples.book import write_sheets, write_snapshot

    write = write_snapshot if snapshot else write_sheets
    for name, rows in write(output, customers, seed=seed).items():
        print(f"{name}: {rows:,}")
