"""A file of assets through a rule book at once: first each by itself, then with what the debtor's other assets bring.

Where the file gives debtors and balances and not the shares themselves, the share of a debtor's claims here that are
non-performing is counted from the first pass, and every claim is read again with it: contamination needs two readings,
and no more, because a contaminated claim changes nothing for its own debtor that was not over the limit already.

A claim of which it is unknown whether it performs, or how large it is, makes that share a span. The claims are then
read at both ends of it, and what differs between the two is unknown. A claim without a debtor is its own debtor.
"""

from collections.abc import Mapping
from typing import Any

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
NON_PERFORMING = ("at_least_substandard", "at_least_doubtful", "at_least_loss")  # definitions of the rule book


def classify(table: pa.Table, book: RuleBook, reader: ReaderName = "duckdb") -> pa.Table:
    """The class of each row, then one column a rule, in the order of the rows; null is unknown."""
    facts = _facts(table, book.facts)
    rows = int(table.num_rows)
    outputs = {book.answer: FactType.TEXT} | dict.fromkeys(book.articles, FactType.BOOLEAN)

    def read(brought: Mapping[str, pa.ChunkedArray], wanted: Mapping[str, FactType]) -> pa.Table:
        return answers({**facts, **brought}, rows, book.facts, book.program, wanted, reader)

    if SHARE not in book.facts or DEBTOR not in table.column_names or BALANCE not in table.column_names:
        return read({}, outputs)
    alone = read({}, dict.fromkeys(NON_PERFORMING, FactType.BOOLEAN))
    low, high = (
        {name: column for name, column in brought.items() if name not in facts}
        for brought in _brought_by_others(table, alone)
    )
    least = read(low, outputs)
    return least if low == high else _agreed(least, read(high, outputs))


def _agreed(least: pa.Table, most: pa.Table) -> pa.Table:
    """What two readings say alike; null where they differ."""
    columns = [
        pc.if_else(pc.equal(one, other), one, pa.scalar(None, one.type))
        for one, other in zip(least.columns, most.columns, strict=True)
    ]
    return pa.table(columns, names=least.column_names)


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


def _brought_by_others(table: pa.Table, alone: pa.Table) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """What a debtor's claims say together: at the least, and at the most, that what is unknown allows."""
    of = _debtors(table.column(DEBTOR))
    bad = alone.column(NON_PERFORMING[0])
    for name in NON_PERFORMING[1:]:
        bad = pc.or_kleene(bad, alone.column(name))
    surely, maybe = (
        np.asarray(pc.fill_null(bad, silence).to_numpy(zero_copy_only=False), dtype=bool) for silence in (False, True)
    )
    balance = _numbers(table.column(BALANCE))
    unknown, known = np.isnan(balance), np.nan_to_num(balance)
    total = _summed(of, known)
    least = np.where(total > 0, _share(_summed(of, known * surely), total), _summed(of, unknown & surely) > 0)
    least[_summed(of, unknown & ~surely) > 0] = 0.0  # it may be as large as can be, and perform
    most = _share(_summed(of, known * maybe), total)
    most[_summed(of, unknown & maybe) > 0] = 1.0  # it may be as large as can be, and not perform
    low, high = (
        {
            SHARE: pa.array(share[of], ARROW_TYPES[FactType.NUMBER]),
            ANYWHERE: pa.array(_summed(of, some)[of] > 0, pa.bool_()),
        }
        for share, some in ((least, surely), (most, maybe))
    )
    return low, high


def _debtors(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for each debtor, from 0; each row without a debtor has a number of its own."""
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    encoded = texts.combine_chunks().dictionary_encode()
    found = np.array(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    nobody = found < 0
    found[nobody] = len(encoded.dictionary) + np.arange(np.count_nonzero(nobody))
    return found


def _summed(of: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The sum of the values of each debtor."""
    return np.asarray(np.bincount(of, weights=values.astype(np.float64)), dtype=np.float64)


def _share(part: npt.NDArray[np.float64], total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.divide(part, total, out=np.zeros_like(part), where=total > 0)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    filled = pc.fill_null(normal_column(column, FactType.NUMBER), float("nan"))
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.float64)
