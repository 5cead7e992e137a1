"""The phases of the portfolio bench. Each runs as `python -m kequn.engine.bench.phases PHASE FOLDER PACK AS_OF ENGINE`
and prints its figures as one line of JSON, so that its memory is its own.
"""

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kequn.domain.definitions import Plan
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.domain.rules.plain import evaluate
from kequn.engine import build_base, migration, record_from_rows, run
from kequn.engine.backends import connect
from kequn.engine.base import knower, places_of, read_meta
from kequn.engine.bench.books import cut_gaps
from kequn.engine.bench.measure import measured, said
from kequn.engine.bench.rules import rules_plan
from kequn.engine.layout import layout_of
from kequn.engine.snapshot import FILES, KEY, Snapshot
from kequn.engine.sql import name_of, quoted
from kequn.policy import build_plan, load_pack

SCANNED = (Grain.STATEMENT, Grain.FACILITY, Grain.ACCOUNT_MONTH)
GAPS, RULES = 20_000, 200


class Bench:
    """The folder of one bench: a snapshot, a base, results."""

    def __init__(self, folder: Path, pack: str, as_of: date, engine: str) -> None:
        self.folder = folder
        self.as_of = as_of
        self.engine = engine
        self.plan: Plan = build_plan(load_pack(pack), as_of)

    def path(self, name: str) -> Path:
        return self.folder / name

    def floor(self) -> dict[str, Any]:
        """One scan of every statement, facility and flow column that the policy reads, from Parquet."""
        queries = []
        for grain, columns in self.needed().items():
            sums = [
                f"sum({name_of(name)})" if kind == FactType.NUMBER else f"count({name_of(name)})"
                for name, kind in columns
            ]
            file = quoted(str(self.path("snapshot") / f"{FILES[grain]}.parquet"))
            queries.append(f"SELECT {', '.join(sums)} FROM read_parquet({file})")
        with connect() as connection:
            cost = measured(lambda: [connection.execute(query).fetchall() for query in queries])
        return {**said(cost), "columns": {grain.value: len(columns) for grain, columns in self.needed().items()}}

    def needed(self) -> dict[Grain, list[tuple[str, FactType]]]:
        """The columns of the long tables that the policy reads."""
        snapshot = Snapshot(self.path("snapshot"))
        known = sorted((grain.value, name) for grain, names in snapshot.columns.items() for name in names)
        found: dict[Grain, set[tuple[str, FactType]]] = {grain: set() for grain in SCANNED}
        for column in layout_of(self.plan, knower({"known": known})).columns.values():
            stack: list[tree.Expr] = [column.expr]
            while stack:
                node = stack.pop()
                if (
                    isinstance(node, tree.Cell | tree.FactRef)
                    and node.grain in found
                    and snapshot.knows(node.name, node.grain)
                ):
                    found[node.grain].add((node.name, node.type))
                stack.extend(tree.children_of(node))
        return {grain: sorted(columns) for grain, columns in found.items()}

    def base(self) -> dict[str, Any]:
        cost = measured(lambda: build_base(self.path("snapshot"), self.plan, self.as_of, self.path("base.duckdb")))
        return {**said(cost), "file_gib": round(self.path("base.duckdb").stat().st_size / 2**30, 3)}

    def first(self) -> dict[str, Any]:
        """The first run of all: nothing stands before it, so everything that stands after it is a change."""
        return said(measured(lambda: self.evaluated("first")))

    def changed(self) -> dict[str, Any]:
        """One hundredth of the customers changed: their rows of the base replaced, their findings made again."""
        ids = json.loads(self.path("changed.json").read_text(encoding="utf-8"))

        def work() -> None:
            build_base(self.path("delta"), self.plan, self.as_of, self.path("base.duckdb"), changed=ids)
            self.evaluated("partial", previous=self.path("first"), only=ids)

        return {**said(measured(work)), "customers": len(ids)}

    def whole(self) -> dict[str, Any]:
        """The whole book again after that change: findings, changes with causes, migration of the grades."""

        def work() -> dict[str, Any]:
            manifest = self.evaluated("whole", previous=self.path("first"))
            grade = next((name for name in ("grade", "credit_tier") if name in manifest["outputs"]), "")
            moved = migration(self.path("first"), self.path("whole"), grade) if grade else []
            return {"manifest": manifest, "migration": moved}

        cost = measured(work)
        manifest = cost.answer["manifest"]
        return {**said(cost), "counts": self.counts(), "outputs": len(manifest["outputs"]),
                "changes": manifest["changes"],
                "findings_gib": round((self.path("whole") / "findings.parquet").stat().st_size / 2**30, 3),
                "migrated": sum(count for old, new, count in cost.answer["migration"] if old != new)}  # fmt: skip

    def rules(self) -> dict[str, Any]:
        """Two hundred segments over the whole book, beside an edition in which twenty stood elsewhere."""
        findings = self.path("first") / "findings.parquet"
        earlier, now = (rules_plan(self.plan, findings, RULES, moved=moved) for moved in (RULES // 10, 0))
        self.evaluated("rules-before", plan=earlier)
        read = measured(lambda: self.columns_read(now))
        cost = measured(lambda: self.evaluated("rules", plan=now, previous=self.path("rules-before")))
        return {**said(cost), "rules": RULES, "reading_cpu_seconds": round(read.cpu_seconds, 3),
                "reading_wall_seconds": round(read.wall_seconds, 3), "columns": read.answer,
                "changes": cost.answer["changes"]}  # fmt: skip

    def columns_read(self, plan: Plan) -> int:
        """One reading of the columns of the base that a plan starts from; how many they are."""
        with connect(self.path("base.duckdb"), read_only=True) as connection:
            meta = read_meta(connection)
            layout = layout_of(plan, knower(meta))
            names = places_of(layout, meta)
            sums = [f"sum({names[leaf]})" if column.type == FactType.NUMBER else f"count({names[leaf]})"
                    for leaf, column in layout.columns.items()]  # fmt: skip
            connection.execute(f"SELECT {', '.join(sums)} FROM base").fetchall()
        return len(sums)

    def evaluated(self, out: str, plan: Plan | None = None, **options: Any) -> dict[str, Any]:
        engine: Any = self.engine
        base = self.path("base.duckdb")
        return run(base, plan or self.plan, self.as_of, self.path(out), engine=engine, **options)

    def counts(self) -> dict[str, int]:
        """What the policy computes for each customer."""
        kinds = [one.kind for one in self.plan.definitions if one.grain == Grain.CUSTOMER and one.output]
        named = {"ratios": "derived", "segments": "segment", "scorecard_variables": "points", "signals": "signal",
                 "prices": "price", "strategy_figures": "strategy", "dimensions": "dimension"}  # fmt: skip
        return {name: kinds.count(kind) for name, kind in named.items()}  # type: ignore[arg-type]  # the words are kinds

    def agree(self) -> dict[str, Any]:
        """The engine and the plain reader on customers with gaps; and what one customer alone costs."""
        cut_gaps(self.path("snapshot"), self.path("gaps"), GAPS)
        build_base(self.path("gaps"), self.plan, self.as_of, self.path("gaps.duckdb"))
        engine: Any = self.engine
        run(self.path("gaps.duckdb"), self.plan, self.as_of, self.path("gaps-out"), engine=engine)
        table = pq.read_table(self.path("gaps-out") / "findings.parquet")
        found = {name: table.column(name).to_pylist() for name in table.column_names}
        rows = {name: _rows_of(self.path("gaps") / f"{name}.parquet") for name in FILES.values()}
        differ = unknown = compared = 0
        alone: list[float] = []
        assembled: list[float] = []
        for at, key in enumerate(found[KEY]):
            started = time.perf_counter()
            record = self._record(rows, key)
            read = time.perf_counter()
            answers = evaluate(self.plan, record, self.as_of)
            alone.append(time.perf_counter() - read)
            assembled.append(time.perf_counter() - started)
            for name, value in answers.items():
                if name in found:
                    other = found[name][at]
                    compared += 1
                    unknown += value is None
                    differ += not _same(value, other)
        return {
            "customers": len(found[KEY]), "answers": compared, "unknown_share": round(unknown / max(compared, 1), 4),
            "differences": differ, "one_customer_ms": _percentiles(alone), "with_its_rows_ms": _percentiles(assembled),
        }  # fmt: skip

    def _record(self, rows: dict[str, dict[str, list[dict[str, Any]]] | None], key: str) -> Any:
        def of(name: str) -> list[dict[str, Any]] | None:
            table = rows[name]
            return None if table is None else table.get(key, [])

        return record_from_rows(
            self.plan, (of("customers") or [{}])[0], statements=of("statements"), facilities=of("facilities"),
            projects=of("projects"), account_months=of("account_months"), events=of("events"), as_of=self.as_of,
        )  # fmt: skip


def _rows_of(path: Path) -> dict[str, list[dict[str, Any]]] | None:
    if not path.is_file():
        return None
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in pq.read_table(path).to_pylist():
        rows.setdefault(row[KEY], []).append(row)
    return rows


def _same(one: Any, other: Any) -> bool:
    """Grades, memberships and flags exactly; figures that pass through a logarithm to twelve places."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= 1e-12 * max(abs(one), abs(other))
    return bool(one == other)


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    at = {"p50": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)]}
    return {name: round(value * 1000, 4) for name, value in at.items()}


def main(phase: str, folder: str, pack: str, as_of: str, engine: str) -> None:
    bench = Bench(Path(folder), pack, date.fromisoformat(as_of), engine)
    pa.array([0])  # loads what Arrow loads at its first use: the start of a process is no part of the work
    print(json.dumps(getattr(bench, phase)()))


if __name__ == "__main__":
    main(*sys.argv[1:])
