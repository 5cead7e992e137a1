"""Our side of the comparison with other packages: the same rules and the same scorecard over the same rows.

`facts` writes a table of figures without gaps and thirty rules over it; the peers, in an environment of their
own, answer it (`tools/bench_peers.py`); `compare` answers it here and holds the two together.
"""

import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kequn.domain.definitions import Definition
from kequn.domain.facts import Fact, FactType, Grain, Vocabulary
from kequn.domain.rules import tree
from kequn.domain.rules.generated import compiled
from kequn.domain.rules.program import program_of
from kequn.domain.rules.record import Record
from kequn.engine.bench.measure import measured, said
from kequn.engine.frames import answers
from kequn.policy.rule_text import parse

VARIABLES = 15
RULES = 30


def facts(folder: Path) -> dict[str, Any]:
    """Fifteen figures of the whole run, their gaps filled by their median, and thirty rules with hits."""
    schema = pq.read_schema(folder / "whole" / "findings.parquet")
    numbers = [field.name for field in schema if pa.types.is_floating(field.type)]
    table = pq.read_table(folder / "whole" / "findings.parquet", columns=numbers)
    varied = [name for name in numbers if pc.count_distinct(table.column(name).slice(0, 5000)).as_py() > 1000]
    kept = sorted(varied, key=lambda name: (table.column(name).null_count, name))[:VARIABLES]
    columns = {}
    for place, name in enumerate(kept):
        column = table.column(name)
        middle = pc.approximate_median(column).as_py() or 0.0
        columns[f"x{place}"] = pc.fill_null(column, middle)
    pq.write_table(pa.table(columns), folder / "peer_facts.parquet", compression="snappy")
    cuts = {
        name: np.quantile(column.to_numpy(), np.linspace(0.05, 0.95, 19)).tolist() for name, column in columns.items()
    }
    rules = written_rules(cuts)
    (folder / "peer_rules.json").write_text(json.dumps(rules), encoding="utf-8")
    return {"rows": table.num_rows, "variables": kept, "rules": len(rules)}


def written_rules(cuts: dict[str, list[float]]) -> dict[str, str]:
    """Thirty rules of two to four conditions each, in the grammar that both engines share."""
    draw = random.Random(30)
    rules = {}
    for number in range(RULES):
        parts = []
        for _ in range(draw.choice((2, 3, 3, 4))):
            name = draw.choice(list(cuts))
            parts.append(f"x{name[1:]} {draw.choice(('<', '>', '<=', '>='))} {draw.choice(cuts[name])!r}")
        joined = f"({parts[0]} or {parts[1]})" + "".join(f" and {part}" for part in parts[2:])
        rules[f"r{number}"] = joined.replace("e+", "e")
    return rules


def compare(folder: Path) -> dict[str, Any]:
    """Our rules and scores on the same rows, timed, and whether hits and scores are the peers' own."""
    theirs = json.loads((folder / "peers.json").read_text(encoding="utf-8"))
    table = pq.read_table(folder / "peer_facts.parquet")
    columns = {name: table.column(name) for name in table.column_names}
    vocabulary = Vocabulary(Fact(name, Grain.CUSTOMER, FactType.NUMBER) for name in columns)
    rules = json.loads((folder / "peer_rules.json").read_text(encoding="utf-8"))
    verdicts = [
        Definition(name, Grain.CUSTOMER, FactType.BOOLEAN, parse(text, vocabulary), "segment")
        for name, text in rules.items()
    ]
    scores = [_binned(name, binned) for name, binned in theirs["bins"].items()]
    kinds = dict.fromkeys(rules, FactType.BOOLEAN)
    rows = table.num_rows
    rules_program, score_program = program_of(verdicts), program_of(scores)
    hits = measured(lambda: answers(columns, rows, vocabulary, rules_program, kinds, "duckdb"))
    names = {one.name: FactType.NUMBER for one in scores}
    woe = measured(lambda: answers(columns, rows, vocabulary, score_program, names, "duckdb"))
    counted = {
        name: pc.sum(hits.answer.column(name).slice(0, theirs["rule_engine"]["rows"])).as_py() or 0 for name in rules
    }
    other = pq.read_table(folder / "peer_scores.parquet")
    apart = max(
        float(np.max(np.abs(woe.answer.column(f"woe_{name}").to_numpy() - other.column(name).to_numpy())))
        for name in columns
    )
    one = _one_at_a_time(columns, compiled(rules_program), theirs["rule_engine"]["rows"])
    per_row, slow = hits.cpu_seconds / rows, theirs["rule_engine"]
    return {
        "rules": {**said(hits), "rows": rows, "one_customer_us": round(one * 1e6, 2)},
        "scoring": {**said(woe), "rows": rows},
        "ratios": {
            "rule_engine_batch": round(slow["cpu_seconds"] / slow["rows"] / per_row, 1),
            "rule_engine_one": round(slow["one_seconds"] / one, 1),
            "optbinning": round(theirs["optbinning"]["cpu_seconds"] / woe.cpu_seconds, 2),
            "pandas_rules": round(theirs["pandas"]["rules_cpu_seconds"] / hits.cpu_seconds, 2),
            "pandas_scoring": round(theirs["pandas"]["scoring_cpu_seconds"] / woe.cpu_seconds, 2),
        },
        "checks": {"same_hits": counted == theirs["rule_engine"]["hits"], "largest_score_difference": apart},
    }  # fmt: skip


def _binned(name: str, binned: dict[str, list[float]]) -> Definition:
    """Bins and weights as a decision table of our own."""
    ref = tree.FactRef(name, Grain.CUSTOMER, FactType.NUMBER)
    tests = [tree.Comparison("<", ref, tree.number(split)) for split in binned["splits"]]
    rows = tuple((test, tree.number(weight)) for test, weight in zip(tests, binned["woe"][:-1], strict=True))
    table = tree.FirstHit(rows, tree.number(binned["woe"][-1])) if rows else tree.number(binned["woe"][-1])
    return Definition(f"woe_{name}", Grain.CUSTOMER, FactType.NUMBER, table, "points")


def _one_at_a_time(columns: dict[str, Any], run: Any, rows: int) -> float:
    """Seconds of all rules for one row, read as the live path reads them."""
    lists = {name: column.slice(0, rows).to_pylist() for name, column in columns.items()}
    records = [Record({name: values[row] for name, values in lists.items()}) for row in range(rows)]
    started = time.process_time()
    for record in records:
        run(record, {})
    return (time.process_time() - started) / rows


if __name__ == "__main__":
    print(json.dumps({"facts": facts, "compare": compare}[sys.argv[1]](Path(sys.argv[2]))))
