"""A file of assets through a rule book at once: first each by itself, then with what the debtor's other assets bring.

Where the file gives debtors and balances and not the shares themselves, the share of a debtor's claims here that are
non-performing is counted from the first pass, and every claim is read again with it: contamination needs two readings,
and no more, because a contaminated claim changes nothing for its own debtor that was not over the limit already.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kequn.domain.errors import Finding, Place, Refused, Text
from kequn.domain.facts import FactType, Vocabulary
from kequn.engine.columns import ARROW_TYPES, kind_of, normal_column
from kequn.engine.frames import ReaderName, answers
from kequn.policy.classification import RuleBook

DEBTOR, BALANCE = "debtor_id", "balance"
SHARE, ANYWHERE = "debtor_npl_share_here", "debtor_npl_anywhere"
NON_PERFORMING = ("substandard", "doubtful", "loss")


def classify(table: pa.Table, book: RuleBook, reader: ReaderName = "duckdb") -> pa.Table:
    """The class of each row, then one column a rule, in the order of the rows; null is unknown."""
    facts = _facts(table, book.facts)
    rows = int(table.num_rows)
    outputs = {book.answer: FactType.TEXT} | dict.fromkeys(book.articles, FactType.BOOLEAN)
    found = answers(facts, rows, book.facts, book.program, outputs, reader)
    brought = _brought_by_others(table, facts, found.column(book.answer), book.facts)
    if not brought:
        return found
    return answers({**facts, **brought}, rows, book.facts, book.program, outputs, reader)


def _facts(table: pa.Table, vocabulary: Vocabulary) -> dict[str, pa.ChunkedArray]:
    """The columns that are facts; Refused for one of another type, each named with what it should be."""
    wrong: list[Finding] = []
    found: dict[str, pa.ChunkedArray] = {}
    for fact in vocabulary:
        if fact.name not in table.column_names:
            continue
        column = table.column(fact.name)
        kind = kind_of(column.type)
        if kind != fact.type and not pa.types.is_null(column.type):
            text = Text(f"{fact.name} 应为 {fact.type}，文件中是 {column.type}",
                        f"{fact.name} should be {fact.type}, the file has {column.type}")  # fmt: skip
            wrong.append(Finding("assets.type", text, Place(column=fact.name)))
            continue
        strangers = pc.unique(column).to_pylist() if fact.choices else []
        bad = [one for one in strangers if one is not None and one not in fact.choices]
        if bad:
            text = Text(f"{fact.name} 不认识 {bad[:5]}；应为 {' '.join(fact.choices)}",
                        f"{fact.name} does not know {bad[:5]}; there is {' '.join(fact.choices)}")  # fmt: skip
            wrong.append(Finding("assets.choice", text, Place(column=fact.name)))
        found[fact.name] = normal_column(column, fact.type)
    if wrong:
        raise Refused(Text("文件中的事实不符", "the facts of the file do not fit"), tuple(wrong))
    return found or {"\0": pa.chunked_array([pa.nulls(int(table.num_rows), pa.float64())])}


def _brought_by_others(
    table: pa.Table, facts: Mapping[str, pa.ChunkedArray], tiers: pa.ChunkedArray, vocabulary: Vocabulary
) -> dict[str, pa.ChunkedArray]:
    """What a debtor's claims say together, where the file has debtors and balances and the rule book asks for it."""
    if SHARE not in vocabulary or DEBTOR not in table.column_names or BALANCE not in table.column_names:
        return {}
    _, of = np.unique(np.array([str(one) for one in table.column(DEBTOR).to_pylist()]), return_inverse=True)
    balance = _numbers(table.column(BALANCE))
    bad = np.asarray(pc.is_in(tiers, pa.array(NON_PERFORMING)).to_numpy(zero_copy_only=False), dtype=bool)
    total = np.bincount(of, weights=np.nan_to_num(balance))
    lost = np.bincount(of, weights=np.nan_to_num(balance) * bad)
    unknown = np.bincount(of, weights=np.isnan(balance)) > 0
    share = np.divide(lost, total, out=np.zeros_like(lost), where=total > 0)
    share[unknown] = np.nan
    some = np.bincount(of, weights=bad) > 0
    found = {}
    if SHARE not in facts:
        found[SHARE] = pa.chunked_array([pa.array(share[of], ARROW_TYPES[FactType.NUMBER], from_pandas=True)])
    if ANYWHERE not in facts:
        found[ANYWHERE] = pa.chunked_array([pa.array(some[of], pa.bool_())])
    return found


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    filled = pc.fill_null(normal_column(column, FactType.NUMBER), float("nan"))
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.float64)
