"""The book as the last published run saw it, in memory: who, with how much, in which segments, in one order.

Every question about a rule that is not yet in force is asked of this: the rule's verdicts come from the engine in the
same order, so that counts and sums are sums over arrays. Nothing here changes while a run stands.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
from django.conf import settings

from kequn.apps.assessments import causes
from kequn.apps.assessments.models import Run
from kequn.apps.assessments.selectors import latest_published
from kequn.apps.governance.selectors import policy_in_use
from kequn.domain.definitions import Plan
from kequn.domain.errors import Refused, Text
from kequn.domain.facts import FactType, Grain
from kequn.domain.rules import tree
from kequn.engine import build_base, preview
from kequn.policy.pack import Pack
from kequn.policy.planning import build_plan

Array = Any
FIGURES = ("exposure_gross", "exposure_net", "expected_loss")  # of the policy, in yuan
DRAWN, COMMITTED, IN_DEFAULT = "drawn", "committed", "in_default"


@dataclass(frozen=True, slots=True, eq=False)
class StandingBook:
    """`figures` are arrays of yuan, NaN where unknown; `members` verdicts (1, 0, -1) of every segment of the run."""

    run_id: int
    book: preview.Book
    codes: Array
    figures: Mapping[str, Array]
    in_default: Array
    members: Mapping[str, Array]

    def verdicts(self, pack: Pack, rule: tree.Expr) -> Array:
        """What a rule says of each customer, under the policy as it stands, on the facts of the run."""
        given = _unchanged(self.book.findings, pack, self.book.as_of)
        return preview.verdicts(self.book, build_plan(pack, self.book.as_of), rule, given)

    def numbers(self, pack: Pack, name: str) -> Array:
        """The value of a definition for each customer, under the policy as it stands; NaN where it is unknown."""
        plan = build_plan(pack, self.book.as_of)
        if all(one.name != name for one in plan.definitions):
            return np.full(len(self.codes), np.nan)
        return self.values(pack, tree.FactRef(name, Grain.CUSTOMER, FactType.NUMBER))

    def values(self, pack: Pack, formula: tree.Expr) -> Array:
        """The value of a formula over numbers for each customer, as `numbers` of a definition."""
        given = _unchanged(self.book.findings, pack, self.book.as_of)
        return preview.numbers(self.book, build_plan(pack, self.book.as_of), formula, given)


def standing_book() -> StandingBook:
    """The book of the last published run; Refused where there is none."""
    run = latest_published()
    folder = Path(settings.KEQUN_HOME) / run.folder if run is not None and run.folder else None
    if run is None or folder is None or not (folder / "findings.parquet").is_file():
        raise Refused(
            Text("尚无已发布的运行，先运行一次", "no run has been published whose files are here; run the book first")
        )
    found = _of_run(run.pk, run.folder)
    _have_base(found.book)
    return found


@lru_cache(maxsize=2)
def _of_run(number: int, _folder: str) -> StandingBook:
    """Read once a run: a version that is published meanwhile changes none of it."""
    run, pack = Run.objects.select_related("snapshot").get(pk=number), policy_in_use()
    home, plan = Path(settings.KEQUN_HOME), build_plan(pack, run.as_of)
    book = _book(home, run)
    _have_base(book)
    file = home / run.folder / "findings.parquet"
    there = set(pq.read_schema(file).names)
    segments = [one.name for one in plan.definitions if one.kind == "segment" and one.name in there]
    found = pq.read_table(file, columns=["customer_id", *segments])
    codes = np.array(found.column("customer_id").to_pylist(), dtype=object)
    if not preview.customers_of(book).equals(found.column("customer_id").combine_chunks()):
        raise Refused(Text("底表与结果不属于同一次运行", "the base and the results are not of one run"))
    given = _unchanged(file, pack, run.as_of)
    members = {name: _verdicts(found.column(name)) for name in segments}
    return StandingBook(number, book, codes, _figures(book, plan, given), _in_default(book, plan, given), members)


def _book(home: Path, run: Run) -> preview.Book:
    """Where the base and the snapshot of the run lie."""
    assert run.snapshot is not None  # noqa: S101 - published runs have one
    name = Path(run.folder).name
    base, snapshot = home / "base" / f"{name}.duckdb", home / run.snapshot.folder
    findings = home / run.folder / "findings.parquet"
    return preview.Book(base, snapshot, findings, run.as_of, home / "base" / f"{name}.more")


@lru_cache(maxsize=4)
def _unchanged(findings: Path, pack: Pack, as_of: date) -> frozenset[str]:
    """The definitions that policy says today as it did for the run, and whose findings are among its results."""
    then = causes.kept(findings.parent)
    now = causes.definition_digests(pack, build_plan(pack, as_of), as_of)
    there = set(pq.read_schema(findings).names)
    return frozenset(name for name, digest in now.items() if name in there and then.get(name) == digest)


def _have_base(book: preview.Book) -> None:
    """A base may be thrown away at any time; it is made again from the snapshot."""
    if not book.base.is_file():
        book.base.parent.mkdir(exist_ok=True)
        build_base(book.snapshot, build_plan(policy_in_use(), book.as_of), book.as_of, book.base)


def _figures(book: preview.Book, plan: Plan, given: frozenset[str]) -> dict[str, Array]:
    """The figures of every customer; nothing is known of one that the policy does not define."""
    defined = {one.name for one in plan.definitions}
    formulas: dict[str, tree.Expr] = {
        name: tree.FactRef(name, Grain.CUSTOMER, FactType.NUMBER) for name in FIGURES if name in defined
    }
    for name in (DRAWN, COMMITTED):
        fact = plan.vocabulary.get(name)
        if fact is not None and fact.grain == Grain.FACILITY:
            formulas[name] = tree.Children("sum", tree.FactRef(name, fact.grain, fact.type), fact.grain)
    nothing = np.full(len(preview.customers_of(book)), np.nan)
    return {
        name: preview.numbers(book, plan, formulas[name], given) if name in formulas else nothing
        for name in (*FIGURES, DRAWN, COMMITTED)
    }


def _in_default(book: preview.Book, plan: Plan, given: frozenset[str]) -> Array:
    """1 in default, 0 not, -1 not known."""
    if IN_DEFAULT not in {one.name for one in plan.definitions}:
        return np.full(0, -1, dtype=np.int8)
    return preview.verdicts(book, plan, tree.FactRef(IN_DEFAULT, Grain.CUSTOMER, FactType.BOOLEAN), given)


def _verdicts(column: Any) -> Array:
    return np.where(column.is_null().to_numpy(), -1, column.fill_null(False).to_numpy().astype(np.int8)).astype(np.int8)


def stands(verdict: Array, unknown_means: str) -> Array:
    """Who is in: a verdict that cannot be told counts as policy says."""
    return verdict != 0 if unknown_means == "in" else verdict == 1


def known_counts(standing: StandingBook, plan: Plan) -> dict[str, int]:
    """For how many customers each fact that a rule may read is known; counted once a run and policy, and kept beside
    the base of the run.
    """
    file = standing.book.base.with_suffix(f".{plan.digest[:16]}.known.json")
    if file.is_file():
        kept: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    found = _count_known(standing.book, plan)
    fresh = file.with_name(f".{file.name}")
    fresh.write_text(json.dumps(found), encoding="utf-8")
    fresh.replace(file)
    return found


def _count_known(book: preview.Book, plan: Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    with duckdb.connect() as con:
        for file, each in (
            (book.findings, "count({0})"),
            (book.snapshot / "customers.parquet", "count({0})"),
            *((book.snapshot / f"{name}.parquet", "count(DISTINCT customer_id) FILTER ({0} IS NOT NULL)")
              for name in ("statements", "account_months")),
        ):  # fmt: skip
            if not file.is_file():
                continue
            names = [one for one in pq.read_schema(file).names if one in plan.vocabulary and one not in found]
            if names:
                counted = ", ".join(each.format(f'"{one}"') for one in names)
                row = con.execute(f"SELECT {counted} FROM read_parquet(?)", [str(file)]).fetchall()[0]
                found |= dict(zip(names, row, strict=True))
    return found
