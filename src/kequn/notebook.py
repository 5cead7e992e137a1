"""The book in a notebook: Arrow, pandas or polars frames of a published run, each carrying the run's identity.

Frames are read from the immutable Parquet folders of the run and of its snapshot, narrowed to what the person may
see; nothing can be written through this door. Amounts are yuan.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from kequn.domain.errors import Misuse, Text

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

METADATA_KEY = b"kequn.run"
RUN_COLUMN = "kequn_run"
KEY = "customer_id"


@dataclass(frozen=True, slots=True)
class Identity:
    """The three parents of what a frame holds: facts (snapshot as of a date), policy, program."""

    run: int
    as_of: date
    snapshot: str
    policy: str
    policy_digest: str
    program: str

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True)
class Frame:
    """One table of one run. In every form the column `kequn_run` names the run; the rest of the identity travels
    in the schema of Arrow (`kequn.run`), in `attrs["kequn"]` of pandas, and stands in `identity`.
    """

    table: pa.Table
    identity: Identity

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_arrow(self) -> pa.Table:
        return self.table

    def to_pandas(self) -> "pd.DataFrame":
        frame = self.table.to_pandas()
        frame.attrs["kequn"] = self.identity.as_dict()
        return frame

    def to_polars(self) -> "pl.DataFrame":
        import polars as pl

        frame = pl.from_arrow(self.table)
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - of a table, never of an array
        return frame


class Book:
    """One published run, as far as one person may see it."""

    def __init__(self, identity: Identity, run_folder: Path, snapshot_folder: Path, codes: pa.Array | None) -> None:
        self.identity = identity
        self._run, self._snapshot, self._codes = run_folder, snapshot_folder, codes

    def findings(self, columns: list[str] | None = None) -> Frame:
        """One row a customer: classes, segments, signals, ratios, score, PD, exposure, prices."""
        return self._frame(self._run / "findings.parquet", columns)

    def customers(self, columns: list[str] | None = None) -> Frame:
        """One row a customer: the facts as they were handed in."""
        return self._frame(self._snapshot / "customers.parquet", columns)

    def statements(self, columns: list[str] | None = None) -> Frame:
        """One row a statement, every basis and version."""
        return self._frame(self._snapshot / "statements.parquet", columns)

    def facilities(self, columns: list[str] | None = None) -> Frame:
        return self._frame(self._snapshot / "facilities.parquet", columns)

    def projects(self, columns: list[str] | None = None) -> Frame:
        """One row for each part that a customer has in a project."""
        return self._frame(self._snapshot / "projects.parquet", columns)

    def account_months(self, columns: list[str] | None = None) -> Frame:
        return self._frame(self._snapshot / "account_months.parquet", columns)

    def events(self, columns: list[str] | None = None) -> Frame:
        return self._frame(self._snapshot / "events.parquet", columns)

    def changes(self) -> Frame:
        """What the run changed: customer, finding, value before and after, cause."""
        return self._frame(self._run / "changes.parquet", None)

    def _frame(self, file: Path, columns: list[str] | None) -> Frame:
        if not file.is_file():
            raise Misuse(Text(f"该运行没有表 {file.stem}", f"this run has no table {file.stem}"))
        known = pq.read_schema(file).names
        strange = [one for one in columns or () if one not in known]
        if strange:
            raise Misuse(
                Text(
                    f"表 {file.stem} 没有列 {', '.join(strange)}",
                    f"the table {file.stem} has no column {', '.join(strange)}; it has {', '.join(known[:12])} …",
                )
            )
        wanted = None if columns is None else list(dict.fromkeys([KEY, *columns]))
        filters = None if self._codes is None else [(KEY, "in", self._codes.to_pylist())]
        table = pq.read_table(file, columns=wanted, filters=filters)
        run = pa.array([self.identity.run], pa.int32()).take(pa.array([0] * table.num_rows, pa.int32()))
        table = table.append_column(RUN_COLUMN, run)
        marked: Mapping[bytes, bytes] = {METADATA_KEY: json.dumps(self.identity.as_dict()).encode()}
        return Frame(table.replace_schema_metadata(marked), self.identity)


def book(home: str | Path | None = None, *, run: int | None = None, as_user: str = "") -> Book:
    """The last published run of an installation, or the one with this number.

    `home` is its KEQUN_HOME, else that of the environment. Raises Misuse where there is no such run or user.
    """
    if home is not None:
        os.environ["KEQUN_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kequn.config.settings")
    # a notebook runs inside an event loop; these few reads may block it
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    import django

    django.setup()
    from kequn.apps.assessments.selectors import published_run

    found = published_run(run)
    if found is None or found.snapshot is None:
        raise Misuse(Text("还没有已发布的运行；先执行 kequn run", "no such run was published; use kequn run first"))
    from django.conf import settings

    root = Path(settings.KEQUN_HOME)
    if home is not None and Path(home).resolve() != root:
        raise Misuse(
            Text(
                f"本进程已打开 {root}；另一处数据请另起进程", f"this process has opened {root}; use another for {home}"
            )
        )
    identity = Identity(
        found.pk, found.as_of, found.snapshot.digest, found.pack, found.policy_digest, found.program_version
    )
    return Book(identity, root / found.folder, root / found.snapshot.folder, _codes(as_user))


def _codes(as_user: str) -> pa.Array | None:
    """The customers a person may see; None for who sees them all."""
    from kequn.apps.accounts.models import Scope
    from kequn.apps.accounts.selectors import person_at_terminal
    from kequn.apps.customers.selectors import visible_to

    person = person_at_terminal(as_user)
    if person.scope == Scope.ALL:
        return None
    return pa.array(visible_to(person).order_by().values_list("code", flat=True), pa.string())
