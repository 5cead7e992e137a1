"""What single segments ask for their customers, and how it is settled where they disagree: read from the policy.

A segment's strategy is a small decision table: rows over the dimensions, the first that fits holds, and the last fits
everybody, so that there is no customer without an answer. A term of words has its choices from the kindest to the
hardest; its value is the place among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from kequn.domain.errors import Place, Text
from kequn.domain.segmentation.settling import Demand, Settlement, Strict
from kequn.policy.documents import Complaints, label_of
from kequn.policy.pack import Pack

DOCUMENT = "segment_strategies"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a strategy says. `words` names the list in which the choices are said in both languages.

    Beyond `most` a figure is taken for a slip, such as 0.5 typed for 0.5 %.
    """

    name: str
    label: Text
    unit: str
    strict: Strict
    choices: tuple[str, ...] = ()
    words: str = ""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """For whom (codes of dimensions; a dimension that is not named may be any), and what is asked."""

    when: Mapping[str, tuple[str, ...]]
    terms: Mapping[str, float]

    def fits(self, classes: Mapping[str, str]) -> bool:
        return all(classes.get(name) in codes for name, codes in self.when.items())


@dataclass(frozen=True, slots=True)
class Strategy:
    """The table of one segment; the smaller `priority` ranks first."""

    segment: str
    priority: int
    rows: tuple[StrategyRow, ...]

    def demand(self, classes: Mapping[str, str]) -> Demand:
        """What it asks of a customer with these classes. The last row fits everybody."""
        row = next(one for one in self.rows if one.fits(classes))
        return Demand(self.segment, self.priority, row.terms)


@dataclass(frozen=True, slots=True)
class SegmentStrategies:
    """The settlement, the terms and conditions in their order, and the strategy of each segment that has one."""

    settlement: Settlement
    terms: tuple[Term, ...]
    conditions: tuple[str, ...]
    strategies: Mapping[str, Strategy]
    status: str

    @property
    def strict(self) -> dict[str, Strict]:
        return {one.name: one.strict for one in self.terms}


def segment_strategies(pack: Pack, as_of: date) -> SegmentStrategies | None:
    """The document in force at a date; None where a pack has none. Refused, with each place, where it is not sound.

    The strategy of a segment that is not defined on that day sleeps: a segment may be retired and come again.
    """
    document = next((one for one in pack.documents(as_of) if one.key == DOCUMENT), None)
    if document is None:
        return None
    body, file, complaints = document.body.get(DOCUMENT, {}), document.heading.file, Complaints()
    settlement = body.get("settle")
    if settlement not in get_args(Settlement):
        complaints.add(
            Place(file, "settle"), "settle", "不认识的处理办法", "unknown settlement", found=settlement,
            allowed=" ".join(get_args(Settlement)),
        )  # fmt: skip
    terms = tuple(_term(name, row, Place(file, "terms", None, name), complaints)
                  for name, row in body.get("terms", {}).items())  # fmt: skip
    conditions = tuple(map(str, body.get("conditions", ())))
    defined = {item.name for item in pack.items(as_of) if item.kind == "segment"}
    found = {}
    for number, row in enumerate(body.get("rows", ()), start=1):
        one = _strategy(row, Place(file, "rows", number, str(row.get("segment", ""))), terms, conditions, complaints)
        if one.segment in defined:
            found[one.segment] = one
    complaints.settle(pack.id)
    return SegmentStrategies(settlement, terms, conditions, found, document.heading.status)


def _term(name: str, row: Mapping[str, Any], place: Place, complaints: Complaints) -> Term:
    strict: Any = row.get("strict")
    if strict not in get_args(Strict):
        complaints.add(place, "strict", "须说明哪一边更严", "say which way is strict", found=strict,
                       allowed=" ".join(get_args(Strict)))  # fmt: skip
    choices = tuple(map(str, row.get("choices", ())))
    label = label_of(row, place, complaints)
    most = None if row.get("most") is None else float(row["most"])
    return Term(name, label, str(row.get("unit", "")), strict, choices, str(row.get("words", "")), most)


def _strategy(row: Mapping[str, Any], place: Place, terms: Sequence[Term], conditions: Sequence[str],
              complaints: Complaints) -> Strategy:  # fmt: skip
    rows = row["rows"] if "rows" in row else [{"terms": row.get("terms", {})}]
    read = tuple(_row(one, place, terms, conditions, complaints) for one in rows)
    if not read or read[-1].when:
        complaints.add(place, "rows", "最后一行不得有条件，否则有客户得不到策略",
                       "the last row has no condition, or some customers would have no strategy")  # fmt: skip
    for number, one in enumerate(read[:-1], start=1):
        if not one.when:
            complaints.add(place, "rows", f"第 {number} 行没有条件，其后各行永远用不到",
                           f"row {number} has no condition, so the rows after it are never read")  # fmt: skip
    return Strategy(str(row.get("segment", "")), int(row.get("priority", 0)), read)


def _row(row: Mapping[str, Any], place: Place, terms: Sequence[Term], conditions: Sequence[str],
         complaints: Complaints) -> StrategyRow:  # fmt: skip
    by_name = {one.name: one for one in terms}
    asked: dict[str, float] = {}
    for name, value in row.get("terms", {}).items():
        term = by_name.get(name)
        if term is not None and term.choices and value in term.choices:
            asked[str(name)] = float(term.choices.index(value))
        elif term is None or term.choices or isinstance(value, bool) or not isinstance(value, int | float):
            allowed = " ".join(term.choices) if term is not None else " ".join(by_name)
            complaints.add(place, "terms", "不认识的条款或值", "unknown term or value", found=f"{name}: {value}",
                           allowed=allowed)  # fmt: skip
        else:
            asked[str(name)] = float(value)
    when = {}
    for name, codes in (row.get("when") or {}).items():
        if name not in conditions:
            complaints.add(place, "when", "不能作为条件", "is no condition of a strategy", found=name,
                           allowed=" ".join(conditions))  # fmt: skip
        when[str(name)] = tuple(codes) if isinstance(codes, list | tuple) else (str(codes),)
    return StrategyRow(when, asked)
