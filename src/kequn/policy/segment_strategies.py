"""What single segments ask for their customers, and how it is settled where they disagree: read from the pack."""

from collections.abc import Mapping
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
    name: str
    label: Text
    unit: str
    strict: Strict


@dataclass(frozen=True, slots=True)
class SegmentStrategies:
    """The settlement, the terms in their order, and the demand of each segment that has one."""

    settlement: Settlement
    terms: tuple[Term, ...]
    demands: Mapping[str, Demand]
    status: str

    @property
    def strict(self) -> dict[str, Strict]:
        return {one.name: one.strict for one in self.terms}


def segment_strategies(pack: Pack, as_of: date) -> SegmentStrategies | None:
    """The document in force at a date; None where a pack has none. Refused, with each place, where it is not sound."""
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
    segments = {item.name for item in pack.items(as_of) if item.kind == "segment"}
    known = {one.name for one in terms}
    demands = {}
    for number, row in enumerate(body.get("rows", ()), start=1):
        place = Place(file, "rows", number, str(row.get("segment", "")))
        demand = _demand(row, place, segments, known, complaints)
        demands[demand.segment] = demand
    complaints.settle(pack.id)
    return SegmentStrategies(settlement, terms, demands, document.heading.status)


def _term(name: str, row: Mapping[str, Any], place: Place, complaints: Complaints) -> Term:
    strict: Any = row.get("strict")
    if strict not in get_args(Strict):
        complaints.add(place, "strict", "须说明哪一边更严", "say which way is strict", found=strict,
                       allowed=" ".join(get_args(Strict)))  # fmt: skip
    return Term(name, label_of(row, place, complaints), str(row.get("unit", "")), strict)


def _demand(
    row: Mapping[str, Any], place: Place, segments: set[str], terms: set[str], complaints: Complaints
) -> Demand:
    segment, asked = str(row.get("segment", "")), row.get("terms", {})
    if segment not in segments:
        complaints.add(place, "segment", "没有此客群", "there is no such segment", found=segment)
    for name, value in asked.items():
        if name not in terms or isinstance(value, bool) or not isinstance(value, int | float):
            complaints.add(place, "terms", "不认识的条款或值", "unknown term or value", found=f"{name}: {value}")
    return Demand(segment, int(row.get("priority", 0)), {str(name): float(value) for name, value in asked.items()})
