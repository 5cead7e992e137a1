"""Which customer a row speaks of: by unified social credit code, else by the identifier of the source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kequn.apps.customers.models import Customer, Identifier
from kequn.apps.ingest.parsing import ParsedRow, Values
from kequn.domain.errors import Finding, Place, Text


@dataclass(slots=True)
class Slot:
    """One customer of this import, stored or about to be. A slot whose row was refused is dropped."""

    number: int
    code: str
    pk: int | None = None
    uscc: str | None = None
    is_new: bool = False
    is_dropped: bool = False
    identifiers: list[str] = field(default_factory=list)  # of this source, not yet stored
    learnt_uscc: bool = False


def chunks(values: Iterable[object], size: int = 900) -> Iterator[list[object]]:
    kept = list(values)
    for start in range(0, len(kept), size):
        yield kept[start : start + size]


def refuse(row: ParsedRow, code: str, column: str, zh: str, en: str, *, found: object = "", expected: str = "") -> None:
    place = Place(row.place.file, row.place.sheet, row.place.row, column)
    row.findings.append(Finding(code, Text(zh, en), place, str(found), expected))


class CustomerBook:
    """The customers that a batch speaks of."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.slots: list[Slot] = []
        self.by_id: dict[str, Slot] = {}
        self.by_uscc: dict[str, Slot] = {}
        self.codes_taken: set[str] = set()

    def load(self, ids: set[object], usccs: set[object]) -> None:
        """Find those that are stored already, in few queries."""
        known: dict[int, Slot] = {}
        for some in chunks(ids):
            found = Identifier.objects.filter(source=self.source, value__in=some)
            for value, pk, code, uscc in found.values_list("value", "customer_id", "customer__code", "customer__uscc"):
                self.by_id[value] = self._stored(known, pk, code, uscc)
            self.codes_taken |= set(Customer.objects.filter(code__in=some).values_list("code", flat=True))
        for some in chunks(usccs):
            for pk, code, uscc in Customer.objects.filter(uscc__in=some).values_list("id", "code", "uscc"):
                self._stored(known, pk, code, uscc)
            self.codes_taken |= set(Customer.objects.filter(code__in=some).values_list("code", flat=True))

    def _stored(self, known: dict[int, Slot], pk: int, code: str, uscc: str | None) -> Slot:
        if pk not in known:
            known[pk] = Slot(len(self.slots), code, pk, uscc)
            self.slots.append(known[pk])
            if uscc:
                self.by_uscc[uscc] = known[pk]
        return known[pk]

    def referred(self, values: Values, column: str, row: ParsedRow) -> Slot | None:
        """The customer that a child row names; it must be stored or stand, accepted, in this batch."""
        identifier, uscc = values.get(column), values.get("uscc") if column == "customer_id" else None
        slot = self.by_uscc.get(str(uscc)) if uscc else None
        if identifier is not None:
            named = self.by_id.get(str(identifier))
            if slot is not None and named is not None and slot is not named:
                self._two_customers(row, uscc, identifier)
                return None
            slot = slot or named
        if slot is None:
            zh, en = "没有这个客户（或其所在行被拒绝）", "no such customer (or its own row was refused)"
            refuse(
                row, "customer_unknown", column, zh, en, found=identifier or uscc or "", expected="customer_id / uscc"
            )
        return slot

    def customer(self, values: Values, row: ParsedRow, fresh: list[Slot]) -> Slot | None:
        """The customer that a customer row is about, made when it is new."""
        identifier, uscc = values.pop("customer_id", None), values.get("uscc")
        if identifier is None and uscc is None:
            zh, en = "客户编号和统一社会信用代码都为空", "neither customer ID nor unified social credit code"
            refuse(row, "required", "customer_id", zh, en, expected="customer_id / uscc")
            return None
        by_code = self.by_uscc.get(str(uscc)) if uscc else None
        by_name = self.by_id.get(str(identifier)) if identifier is not None else None
        if by_code is not None and by_name is not None and by_code is not by_name:
            self._two_customers(row, uscc, identifier)
            return None
        slot = by_code or by_name
        if slot is not None and uscc and slot.uscc and slot.uscc != uscc:
            zh, en = "与已有的统一社会信用代码不同", "differs from the unified social credit code on record"
            refuse(row, "uscc_differs", "uscc", zh, en, found=uscc, expected=slot.uscc)
            return None
        if slot is None:
            slot = self._fresh(identifier, uscc)
            fresh.append(slot)
            if "name" not in values:
                refuse(row, "required", "name", "新客户必须有名称", "a new customer needs a name", expected="name")
        if uscc and not slot.uscc:
            slot.uscc, slot.learnt_uscc = str(uscc), True
            self.by_uscc[slot.uscc] = slot
        if identifier is not None and str(identifier) not in self.by_id:
            slot.identifiers.append(str(identifier))
            self.by_id[str(identifier)] = slot
        return slot

    def _fresh(self, identifier: object, uscc: object) -> Slot:
        wanted = str(identifier if identifier is not None else uscc)
        code = wanted if wanted not in self.codes_taken else f"{self.source}:{wanted}"[:80]
        self.codes_taken.add(code)
        slot = Slot(len(self.slots), code, is_new=True)
        self.slots.append(slot)
        return slot

    def _two_customers(self, row: ParsedRow, uscc: object, identifier: object) -> None:
        zh, en = "代码与编号指向两个客户", "the code and the identifier point at two customers"
        refuse(row, "two_customers", "uscc", zh, en, found=f"{uscc} / {identifier}")

    def drop(self, fresh: list[Slot]) -> None:
        """Forget the customers that only a refused row would have made."""
        for slot in fresh:
            slot.is_dropped = True
            for identifier in slot.identifiers:
                self.by_id.pop(identifier, None)
            if slot.uscc:
                self.by_uscc.pop(slot.uscc, None)
            self.codes_taken.discard(slot.code)
