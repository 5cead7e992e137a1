"""Drafts against what is stored: new, changed or unchanged; then written with as few statements as possible."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Model
from django.utils import timezone

from kequn.apps.audit import bulk, faults
from kequn.apps.audit.services import OpenLine
from kequn.apps.customers.models import Customer, FactValue, Group, Identifier
from kequn.apps.deals.models import Facility, Project
from kequn.apps.ingest.assembling import Assembly, Draft
from kequn.apps.ingest.matching import chunks
from kequn.apps.ingest.models import BeforeImage
from kequn.apps.ingest.tables import Table, tables

OF_PROJECT = frozenset({"facilities", "parties", "project_actuals"})  # their rows name a project
RANK = {"": 0, "unchanged": 1, "changed": 2, "new": 3}
FACT_COLUMNS = ("number", "minor", "currency", "text", "truth", "day")
Resolved = dict[str, object]


@dataclass(slots=True)
class Store:
    """Writes one assembly for one batch inside the caller's transaction."""

    assembly: Assembly
    batch_id: int
    audit: OpenLine
    source: str
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def write(self) -> None:
        self._groups()
        self._customers()
        self._identifiers()
        faults.commit_too_early("import_in_two_transactions")
        for table in tables().values():
            drafts = self.assembly.drafts.get(table.name)
            if table.name != "customers" and drafts:
                self._table(table, list(drafts.values()))
        self._facts()

    # --- customers ------------------------------------------------------------------------------------------

    def _groups(self) -> None:
        """The groups that customers name; a group's code is its name until somebody gives it another."""
        named = {
            d.values["group_name"]
            for d in self.assembly.drafts.get("customers", {}).values()
            if "group_name" in d.values
        }
        if not named:
            return
        known: dict[object, int] = {}
        for some in chunks(named):
            known.update(Group.objects.filter(code__in=some).values_list("code", "id"))
        fresh = sorted(str(one)[:80] for one in named if one not in known)
        if fresh:
            self._insert(Group, ("code", "name"), [(one, one) for one in fresh])
            for some in chunks(fresh):
                known.update(Group.objects.filter(code__in=some).values_list("code", "id"))
        self._count("groups", new=len(fresh), unchanged=len(named) - len(fresh))
        for draft in self.assembly.drafts["customers"].values():
            name = draft.values.pop("group_name", None)
            if name is not None:
                draft.values["group_id"] = known[str(name)[:80]]

    def _customers(self) -> None:
        slots = self.assembly.book.slots
        drafts = list(self.assembly.drafts.get("customers", {}).values())
        fresh = [draft for draft in drafts if slots[draft.links["customer"]].is_new]
        names = self._names(fresh)
        now = timezone.now()
        rows = [
            (slots[d.links["customer"]].code, now, *(d.values.get(name, _empty(Customer, name)) for name in names))
            for d in fresh
        ]
        self._insert(Customer, ("code", "made_at", *names), rows)
        codes = {slots[draft.links["customer"]].code: slots[draft.links["customer"]] for draft in fresh}
        for some in chunks(codes):
            for code, pk in Customer.objects.filter(code__in=some).values_list("code", "id"):
                codes[code].pk = pk
        for draft in fresh:
            draft.status = "new"
        stored = [draft for draft in drafts if not draft.status]
        resolved = [({"id": slots[draft.links["customer"]].pk, **draft.values}, draft) for draft in stored]
        self._compare(Customer, ("id",), resolved)
        self._count_drafts("customers", drafts)

    def _names(self, drafts: Iterable[Draft]) -> list[str]:
        return sorted({name for draft in drafts for name in draft.values})

    def _identifiers(self) -> None:
        rows = [
            (slot.pk, self.source, value)
            for slot in self.assembly.book.slots
            if not slot.is_dropped
            for value in slot.identifiers
        ]
        self._insert(Identifier, ("customer_id", "source", "value"), rows)

    # --- any table ------------------------------------------------------------------------------------------

    def _table(self, table: Table, drafts: list[Draft]) -> None:
        key = tuple(_attname(name) for name in table.key)
        resolved = [(self._resolve(table, draft), draft) for draft in drafts]
        self._compare(table.model, key, resolved)
        fresh = [(row, draft) for row, draft in resolved if not draft.status]
        names = sorted({name for row, _ in fresh for name in row})
        blank = {name: _empty(table.model, name) for name in names}
        self._insert(table.model, names, [[row.get(name, blank[name]) for name in names] for row, _ in fresh])
        for _, draft in fresh:
            draft.status = "new"
        self._count_drafts(table.name, drafts)
        if table.name in {"projects", "facilities"}:
            self._learn_ids(table.name, [draft.key[0] for _, draft in fresh])

    def _learn_ids(self, name: str, keys: list[object]) -> None:
        for some in chunks(keys):
            if name == "projects":
                found = Project.objects.filter(project_id__in=some).values_list("project_id", "id")
                self.assembly.projects.update(found)
            else:
                rows = Facility.objects.filter(facility_id__in=some).values_list("facility_id", "id", "customer_id")
                self.assembly.facilities.update({code: (pk, customer) for code, pk, customer in rows})

    def _resolve(self, table: Table, draft: Draft) -> Resolved:
        """The draft as columns of the model, links as primary keys."""
        fields = {one.attname for one in table.model._meta.concrete_fields}  # noqa: SLF001
        row = {name: value for name, value in draft.values.items() if name in fields}
        for link, number in draft.links.items():
            row[f"{link}_id"] = self.assembly.book.slots[number].pk
        if table.name in OF_PROJECT and "project_id" in row:
            row["project_id"] = self.assembly.projects[row["project_id"]]
        if table.name == "outcomes":
            row["facility_id"] = self.assembly.facilities[row["facility_id"]][0]
        return row

    def _compare(self, model: type[Model], key: tuple[str, ...], resolved: Sequence[tuple[Resolved, Draft]]) -> None:
        """Mark the drafts that are stored already, and put right the columns that differ."""
        if not resolved:
            return
        names = sorted({name for row, _ in resolved for name in row} - set(key))
        anchor = "customer_id" if "customer_id" in key else key[0]
        new = {slot.pk for slot in self.assembly.book.slots if slot.is_new}
        anchors = {row[anchor] for row, _ in resolved}
        stored: dict[tuple[object, ...], tuple[object, ...]] = {}
        for some in chunks(anchors - new if anchor == "customer_id" else anchors):
            found = model.objects.filter(**{f"{anchor}__in": some}).values_list("pk", *key, *names)  # type: ignore[attr-defined]
            stored.update({tuple(one[1 : len(key) + 1]): one for one in found})
        changes: dict[tuple[str, ...], list[tuple[object, ...]]] = {}
        before: list[tuple[int, Resolved]] = []
        for row, draft in resolved:
            there = stored.get(tuple(row.get(name) for name in key))
            if there is None:
                continue
            draft.pk = there[0]  # type: ignore[assignment]
            old = dict(zip(names, there[len(key) + 1 :], strict=True))
            differing = tuple(
                name for name in names if name in row and row[name] is not None and old[name] != row[name]
            )
            draft.status = "changed" if differing else "unchanged"
            if differing:
                draft.changes += [
                    {"field": name, "old": bulk.to_json(old[name]), "new": bulk.to_json(row[name])}
                    for name in differing
                ]
                changes.setdefault(differing, []).append((*(row[name] for name in differing), draft.pk))
                before.append((draft.pk, {name: old[name] for name in differing}))  # type: ignore[arg-type]
        self._update(model, changes, before)

    # --- facts ----------------------------------------------------------------------------------------------

    def _facts(self) -> None:
        slots, facts = self.assembly.book.slots, self.assembly.facts
        if not facts:
            return
        stored: dict[tuple[object, ...], tuple[object, ...]] = {}
        for some in chunks({slots[key[0]].pk for key in facts if not slots[key[0]].is_new}):
            found = FactValue.objects.filter(customer_id__in=some)
            columns = ("customer_id", "name", "known_from", "id", "changed_by", *FACT_COLUMNS)
            stored.update({row[:3]: row[3:] for row in found.values_list(*columns)})
        tally = {"new": 0, "changed": 0, "unchanged": 0}
        moves = _FactMoves()
        for key, draft in facts.items():
            there = stored.get((slots[key[0]].pk, key[1], key[2]))
            status = moves.add((slots[key[0]].pk, key[1], key[2]), draft.data, there, self.source)
            tally[status] += 1
            if status == "changed" and there is not None:
                old, new = _shown(there[2:]), _shown(draft.data)
                draft.owner.changes.append({"field": key[1], "old": old, "new": new})
            worst = max(draft.owner.status, "changed" if status != "unchanged" else "unchanged", key=RANK.__getitem__)
            draft.owner.status = worst
        self._insert(FactValue, ("customer_id", "name", "known_from", *FACT_COLUMNS, "source"), moves.fresh)
        self._update(FactValue, {FACT_COLUMNS: moves.changes} if moves.changes else {}, moves.before)
        self._count("facts", **tally)
        self._count_drafts("customers", list(self.assembly.drafts.get("customers", {}).values()))

    # --- writing --------------------------------------------------------------------------------------------

    def _insert(self, model: type[Model], names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        stamp = (self.batch_id, self.batch_id)
        bulk.insert(model, (*names, "made_by", "changed_by"), ((*row, *stamp) for row in rows))
        self.audit.wrote(model._meta.label, rows)  # noqa: SLF001

    def _update(
        self,
        model: type[Model],
        changes: dict[tuple[str, ...], list[tuple[object, ...]]],
        before: list[tuple[int, Resolved]],
    ) -> None:
        pks = [pk for pk, _ in before]
        writers: dict[object, object] = {}
        for some in chunks(pks):
            writers.update(model.objects.filter(pk__in=some).values_list("pk", "changed_by"))  # type: ignore[attr-defined]
        label = model._meta.label  # noqa: SLF001
        images = [
            (self.batch_id, label, pk, {"changed_by": writers[pk], **{k: bulk.to_json(v) for k, v in old.items()}})
            for pk, old in before
        ]
        bulk.insert(BeforeImage, ("batch_id", "table", "row_id", "values"), images)
        for names, rows in changes.items():
            stamped = ((*row[:-1], self.batch_id, row[-1]) for row in rows)
            bulk.update(model, (*names, "changed_by"), stamped)
            self.audit.wrote(label, rows)

    def _count(self, table: str, **numbers: int) -> None:
        self.counts[table] = {"new": 0, "changed": 0, "unchanged": 0, **numbers}

    def _count_drafts(self, table: str, drafts: list[Draft]) -> None:
        numbers = {"new": 0, "changed": 0, "unchanged": 0}
        for draft in drafts:
            numbers[draft.status or "unchanged"] += 1
        self.counts[table] = numbers


@dataclass(slots=True)
class _FactMoves:
    """Dated facts to insert and to put right."""

    fresh: list[tuple[object, ...]] = field(default_factory=list)
    changes: list[tuple[object, ...]] = field(default_factory=list)
    before: list[tuple[int, Resolved]] = field(default_factory=list)

    def add(
        self, key: tuple[object, ...], data: tuple[object, ...], there: tuple[object, ...] | None, source: str
    ) -> str:
        if there is None:
            self.fresh.append((*key, *data, source))
            return "new"
        if tuple(there[2:]) == tuple(data):
            return "unchanged"
        self.changes.append((*data, there[0]))
        self.before.append((there[0], dict(zip(FACT_COLUMNS, there[2:], strict=True))))  # type: ignore[arg-type]
        return "changed"


def _shown(data: Sequence[object]) -> object:
    """The one value of a dated fact, out of its columns."""
    number, minor, _, text, truth, day = data
    found = next((one for one in (minor, number, truth, day, text) if one is not None), None)
    return bulk.to_json(found)


def _empty(model: type[Model], attname: str) -> object:
    found = bulk.field_of(model, attname)
    return None if found.null else found.get_default()


def _attname(name: str) -> str:
    return name if name not in {"customer", "parent", "guarantor"} else f"{name}_id"
