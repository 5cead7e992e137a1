"""Parsed rows become drafts of what will stand in the tables: references checked, repeats merged.

A row is taken with all its records or not at all.
"""

import datetime as dt
from dataclasses import dataclass, field

from kequn.apps.accounts.models import Branch, Team, User
from kequn.apps.customers.dictionary import Entry
from kequn.apps.customers.models.facts import ALWAYS
from kequn.apps.deals.models import Facility, Project
from kequn.apps.ingest.layout import RecordSpec
from kequn.apps.ingest.matching import CustomerBook, Slot, chunks, refuse
from kequn.apps.ingest.parsing import ParsedRow, Values

FactKey = tuple[int, str, dt.date]
FactData = tuple[float | None, int | None, str, str | None, bool | None, dt.date | None]
Key = tuple[object, ...]
POINTERS = frozenset({"customer_id", "parent_id", "child_id", "uscc"})


@dataclass(slots=True)
class Draft:
    """One row of one table as the import would have it. `status` is filled when it is compared with what is stored."""

    key: Key
    values: Values
    links: dict[str, int]
    row: int | None
    status: str = ""
    pk: int | None = None
    table: str = ""
    changes: list[dict[str, object]] = field(default_factory=list)  # field, old, new


@dataclass(slots=True)
class FactDraft:
    data: FactData
    owner: Draft
    row: int | None


@dataclass(slots=True)
class _Planned:
    spec: RecordSpec
    key: Key
    values: Values
    links: dict[str, int]
    facts: dict[FactKey, FactData]


class Assembly:
    """Everything that one batch would write, keyed as the tables are."""

    def __init__(self, source: str) -> None:
        self.book = CustomerBook(source)
        self.drafts: dict[str, dict[Key, Draft]] = {}
        self.facts: dict[FactKey, FactDraft] = {}
        self.taken: list[tuple[ParsedRow, list[Draft]]] = []
        self.facilities: dict[object, tuple[int, int]] = {}  # facility_id -> (pk, customer pk), stored
        self.projects: dict[object, int] = {}
        self.users = dict(User.objects.values_list("username", "id"))
        self.teams = {code: (pk, at) for code, pk, at in Team.objects.values_list("code", "id", "branch_id")}
        self.branches = dict(Branch.objects.values_list("code", "id"))

    def load(self, rows: list[ParsedRow]) -> None:
        """Find the stored customers, facilities and projects that these rows speak of."""
        names: dict[str, set[object]] = {"ids": set(), "uscc": set(), "facility_id": set(), "project_id": set()}
        for row in rows:
            for _, values in row.records:
                names["ids"] |= {values[key] for key in ("customer_id", "parent_id", "child_id") if key in values}
                for name in ("uscc", "facility_id", "project_id"):
                    if name in values:
                        names[name].add(values[name])
        self.book.load(names["ids"], names["uscc"])
        for some in chunks(names["facility_id"]):
            found = Facility.objects.filter(facility_id__in=some).values_list("facility_id", "id", "customer_id")
            self.facilities.update({name: (pk, customer) for name, pk, customer in found})
        for some in chunks(names["project_id"]):
            self.projects.update(Project.objects.filter(project_id__in=some).values_list("project_id", "id"))

    def take(self, row: ParsedRow) -> None:
        """Tie the row to customers and drafts; nothing of it is kept when any of it is refused."""
        planned: list[_Planned] = []
        fresh: list[Slot] = []
        if not row.findings:
            for spec, values in row.records:
                one = self._plan(spec, dict(values), row, fresh, planned)
                if one is not None:
                    planned.append(one)
        for one in planned if not row.findings else ():
            self._check_repeat(one, row)
        if row.findings:
            self.book.drop(fresh)
            self.taken.append((row, []))
        else:
            self.taken.append((row, [self._merge(one, row) for one in planned]))

    def _plan(
        self, spec: RecordSpec, values: Values, row: ParsedRow, fresh: list[Slot], before: list[_Planned]
    ) -> _Planned | None:
        if spec.table.name == "customers":
            slot = self.book.customer(values, row, fresh)
            if slot is None:
                return None
            self._staff(values, row)
            facts = self._facts_of(spec, slot, values)
            return _Planned(spec, (slot.number,), values, {"customer": slot.number}, facts)
        links: dict[str, int] = {}
        for link, column in spec.table.links:
            slot = self.book.referred(values, column, row)
            if slot is None:
                return None
            links[link] = slot.number
        values = {name: one for name, one in values.items() if name not in POINTERS}
        self._complete(spec, values)
        self._check_links(spec, values, links, row, before)
        for name in spec.table.key:
            if name not in links and name not in values:
                refuse(row, "required", name, "必填项为空", "required and empty", expected=name)
        key = tuple(links[name] if name in links else values.get(name) for name in spec.table.key)
        return _Planned(spec, key, values, links, {})

    def _complete(self, spec: RecordSpec, values: Values) -> None:
        name = spec.table.name
        if "from_date" in spec.table.key:
            values.setdefault("from_date", ALWAYS)
        if name == "guarantees":
            values.pop("relation", None)
            values.pop("share", None)
        elif name == "statements":
            values.setdefault("standard", "CAS")
            values.setdefault("version", 1)
        elif name == "events":
            values.setdefault("event_source", "")
        elif name == "outcomes":
            details = {
                key.removeprefix("details."): values.pop(key) for key in list(values) if key.startswith("details.")
            }
            if details:
                values["details"] = details

    def _check_links(
        self, spec: RecordSpec, values: Values, links: dict[str, int], row: ParsedRow, before: list[_Planned]
    ) -> None:
        name = spec.table.name
        if name == "facilities":
            stored = self.facilities.get(values.get("facility_id"))
            if stored and stored[1] != self.book.slots[links["customer"]].pk:
                zh, en = "这笔授信属于另一客户", "this facility belongs to another customer"
                refuse(row, "facility_of_another", "facility_id", zh, en, found=values["facility_id"])
        if name in {"facilities", "parties", "project_actuals"} and (project := values.get("project_id")) is not None:
            here = any(one.spec.table.name == "projects" and one.key == (project,) for one in before)
            if not here and project not in self.projects and (project,) not in self.drafts.get("projects", {}):
                refuse(row, "project_unknown", "project_id", "没有这个项目", "there is no such project", found=project)
        if name in {"ownership", "guarantees"} and len(set(links.values())) < 2:
            zh, en = "客户不能持有或担保自己", "a customer cannot own or guarantee itself"
            refuse(row, "itself", "child_id", zh, en)

    def _staff(self, values: Values, row: ParsedRow) -> None:
        """Relationship manager, team and branch by their codes; the team brings its branch."""
        for name, known in (("owner", self.users), ("team", self.teams), ("branch", self.branches)):
            word = values.pop(name, None)
            if word is None:
                continue
            found = known.get(str(word))
            if found is None:
                refuse(
                    row,
                    f"{name}_unknown",
                    name,
                    f"没有 {word}",
                    f"there is no {word}",
                    found=word,
                    expected=", ".join(list(known)[:8]),
                )
            elif isinstance(found, tuple):
                values["team_id"], values["branch_id"] = found
            else:
                values[f"{name}_id"] = found

    def _facts_of(self, spec: RecordSpec, slot: Slot, values: Values) -> dict[FactKey, FactData]:
        since, currency = values.pop("known_from", None) or ALWAYS, str(values.pop("currency", "CNY"))
        facts: dict[FactKey, FactData] = {}
        for name in list(values):
            column = spec.table.columns.get(name)
            if column is not None and column.is_fact:
                facts[slot.number, name, since] = fact_data(column.entry, values.pop(name), currency)  # type: ignore[index]
        return facts

    def _check_repeat(self, one: _Planned, row: ParsedRow) -> None:
        """The same key twice with different values is refused, unless the mapping says which is to stand."""
        if one.spec.repeat != "refuse":
            return
        draft = self.drafts.get(one.spec.table.name, {}).get(one.key)
        differing = []
        if draft is not None:
            differing = [name for name, value in one.values.items() if draft.values.get(name, value) != value]
        for key, data in one.facts.items():
            other = self.facts.get(key)
            if other is not None and other.data != data:
                differing.append(key[1])
        if differing and draft is not None:
            zh = f"与第{draft.row}行是同一条，但值不同：{', '.join(differing)}"
            en = f"is the same as row {draft.row}, with other values: {', '.join(differing)}"
            refuse(row, "repeated", differing[0], zh, en, found=one.values.get(differing[0], ""))

    def _merge(self, one: _Planned, row: ParsedRow) -> Draft:
        table = self.drafts.setdefault(one.spec.table.name, {})
        draft = table.get(one.key)
        if draft is None:
            draft = table[one.key] = Draft(one.key, one.values, one.links, row.place.row, table=one.spec.table.name)
        elif one.spec.repeat == "latest":
            draft.values.update(one.values)
        else:
            for name, value in one.values.items():
                draft.values.setdefault(name, value)
        if "group_label" in one.values:
            self._join_group(one)
        for key, data in one.facts.items():
            if key not in self.facts or one.spec.repeat == "latest":
                self.facts[key] = FactDraft(data, draft, row.place.row)
        return draft

    def _join_group(self, one: _Planned) -> None:
        """The two sides of a relation belong to the group that the row names, unless their own rows say otherwise."""
        customers = self.drafts.setdefault("customers", {})
        for number in one.links.values():
            draft = customers.setdefault((number,), Draft((number,), {}, {"customer": number}, None, table="customers"))
            draft.values.setdefault("group_name", one.values["group_label"])


def fact_data(entry: Entry, value: object, currency: str) -> FactData:
    """A value in the columns of a dated fact: number, minor, currency, text, truth, day."""
    if entry.is_money:
        return None, value, currency, None, None, None  # type: ignore[return-value]
    if entry.type == "number":
        return value, None, "", None, None, None  # type: ignore[return-value]
    if entry.type == "boolean":
        return None, None, "", None, value, None  # type: ignore[return-value]
    if entry.type == "date":
        return None, None, "", None, None, value  # type: ignore[return-value]
    return None, None, "", value, None, None  # type: ignore[return-value]
