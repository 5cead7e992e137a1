"""Take one import back: what it made goes, what it overwrote returns. Refused when anything was changed since."""

from collections.abc import Iterable

from django.apps import apps
from django.db.models import Model, QuerySet
from django.utils import timezone

from kequn.apps.accounts.access import UNDO, Person, may
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.audit import bulk
from kequn.apps.audit.services import OpenLine, line
from kequn.apps.customers.models import (
    Contact,
    Customer,
    Event,
    ExternalRating,
    FactValue,
    Group,
    Guarantee,
    Identifier,
    Ownership,
    Statement,
)
from kequn.apps.deals.models import AccountMonth, Facility, FacilityOutcome, Project, ProjectParty
from kequn.apps.ingest.indexing import follow, touched_by
from kequn.apps.ingest.matching import chunks
from kequn.apps.ingest.models import BatchState, BeforeImage, ImportBatch
from kequn.apps.projects.models import ProjectActual
from kequn.apps.ratings.models import RatingCase, RatingState
from kequn.domain.errors import Finding, Misuse, Place, Refused, Text

# children before the rows they hang on
ORDER: tuple[type[Model], ...] = (
    FactValue, AccountMonth, FacilityOutcome, ProjectParty, ProjectActual, Facility, Project, Event, ExternalRating,
    Statement, Contact, Guarantee, Ownership, Identifier, Customer, Group,
)  # fmt: skip
OF_CUSTOMER: tuple[type[Model], ...] = (
    FactValue, AccountMonth, ProjectParty, Facility, Event, ExternalRating, Statement, Contact, Guarantee, Ownership,
    Identifier,
)  # fmt: skip
CHILDREN: tuple[tuple[type[Model], str, type[Model]], ...] = (
    *((model, "customer_id", Customer) for model in OF_CUSTOMER),
    (Ownership, "parent_id", Customer),
    (Guarantee, "guarantor_id", Customer),
    (FacilityOutcome, "facility_id", Facility),
    (ProjectParty, "project_id", Project),
    (ProjectActual, "project_id", Project),
    (Facility, "project_id", Project),
    (Customer, "group_id", Group),
)
DERIVED: tuple[type[Model], ...] = (FindingSpan, CustomerFigures)  # made again by any run, and gone with the customer
NAMED_AT_MOST = 20


def undo(*, batch_id: int, person: Person) -> ImportBatch:
    """Undo one stored batch in one transaction; afterwards the records are as they were before it."""
    if not may(person, UNDO):
        raise Misuse(Text("没有撤销权限", "you may not undo an import"))
    with line(actor=person.actor_key, action="import.undo", subject=str(batch_id)) as audit:
        batch = ImportBatch.objects.select_for_update().filter(id=batch_id).first()
        if batch is None or batch.state != BatchState.STORED:
            state = batch.get_state_display() if batch else "-"
            raise Refused(Text(f"批次{batch_id}不能撤销（{state}）", f"batch {batch_id} cannot be undone ({state})"))
        _refuse_changed_since(batch)
        touched = touched_by(batch.id)
        counts = {"restored": _restore(batch, audit), "removed": _remove(batch, audit)}
        follow(touched)
        batch.state, batch.undone_at = BatchState.UNDONE, timezone.now()
        batch.counts = {**batch.counts, "undone": counts}
        batch.save(update_fields=["state", "undone_at", "counts"])
        audit.detail.update(counts)
    return batch


def _refuse_changed_since(batch: ImportBatch) -> None:
    findings: list[Finding] = []
    for model in ORDER:
        mine = model.objects.filter(made_by=batch.id).exclude(changed_by=batch.id)  # type: ignore[attr-defined]
        findings += _named(model, mine)
    for label in BeforeImage.objects.filter(batch=batch).values_list("table", flat=True).distinct().order_by("table"):
        model = apps.get_model(label)
        ids = list(BeforeImage.objects.filter(batch=batch, table=label).values_list("row_id", flat=True))
        for some in chunks(ids):
            findings += _named(model, model.objects.filter(pk__in=some).exclude(changed_by=batch.id))
    for child, link, parent in CHILDREN:
        made = parent.objects.filter(made_by=batch.id).values("pk")  # type: ignore[attr-defined]
        later = child.objects.filter(**{f"{link}__in": made}).exclude(made_by=batch.id)  # type: ignore[attr-defined]
        findings += _named(child, later)
    for child, link, parent in work_of_people():
        made = parent.objects.filter(made_by=batch.id).values("pk")  # type: ignore[attr-defined]
        findings += _named(child, _by_people(child).filter(**{f"{link}__in": made}))
    if findings:
        text = Text(
            f"批次{batch.id}之后有记录被改动或依附其上，不能撤销",
            f"batch {batch.id} cannot be undone: records were changed, or hang on it, since",
        )
        raise Refused(text, tuple(dict.fromkeys(findings))[:NAMED_AT_MOST])


def work_of_people() -> list[tuple[type[Model], str, type[Model]]]:
    """What no import makes and yet hangs on what imports make, such as a pin: (model, its link, what it hangs on)."""
    links = ((relation.related_model, relation.field, parent) for parent in ORDER for relation in
             parent._meta.related_objects if not relation.many_to_many)  # noqa: SLF001  # fmt: skip
    return [(model, field.attname, parent) for model, field, parent in links
            if isinstance(model, type) and model not in ORDER and model not in DERIVED]  # fmt: skip


def _by_people(model: type[Model]) -> QuerySet[Model]:
    """Its records without those that the system makes by itself: a suggested rating is nobody's work yet."""
    found: QuerySet[Model] = model._default_manager.all()  # noqa: SLF001
    return found.exclude(state=RatingState.SUGGESTED) if model is RatingCase else found


KINDS = {
    "FactValue": Text("客户事实", "Fact"), "AccountMonth": Text("账户流水", "Account month"),
    "FacilityOutcome": Text("授信结果", "Outcome"), "ProjectParty": Text("项目参与方", "Party to a project"),
    "Facility": Text("授信", "Facility"), "Project": Text("项目", "Project"), "Event": Text("事件", "Event"),
    "ExternalRating": Text("外部评级", "External rating"), "Statement": Text("财务报表", "Statement"),
    "Contact": Text("联系人", "Contact"), "ProjectActual": Text("项目实际数", "Actual figures of a project"),
    "ProjectModel": Text("项目模型", "Model of a project"),
    "Guarantee": Text("担保", "Guarantee"), "Ownership": Text("股权", "Ownership"),
    "Identifier": Text("客户编号", "Customer number"),
    "Customer": Text("客户", "Customer"), "Group": Text("集团", "Group"), "Pin": Text("人工归属", "Pin"),
    "RatingCase": Text("评级", "Rating"), "Covenant": Text("契约", "Covenant"),
}  # fmt: skip


def _named(model: type[Model], rows: Iterable[Model]) -> list[Finding]:
    """Each record that stands in the way, and the import that changed it since."""
    kind = KINDS[model.__name__]
    findings = []
    for one in rows[:NAMED_AT_MOST]:  # type: ignore[index]
        name, later = _name_of(one), getattr(one, "changed_by", None)
        zh_by, en_by = (f"第{later}次导入", f"import {later}") if later else ("人工", "a person")  # e.g. an assignment
        zh = f"{kind.zh} {name}：此后被{zh_by}改动或新增"
        en = f"{kind.en} {name}: changed or added since by {en_by}"
        findings.append(Finding("changed_since", Text(zh, en), Place(), name))
    return findings


def _name_of(record: Model) -> str:
    """How a reader would call a record: its own code or name, and the customer it belongs to."""
    customer = getattr(record, "customer", None)
    own = next(
        (
            str(value)
            for key in ("facility_id", "project_id", "code", "contact_name", "name")
            if (value := getattr(record, key, None))
        ),
        str(record),
    )
    return f"{own} ({customer.code})"[:120] if isinstance(customer, Customer) else own[:120]


def _restore(batch: ImportBatch, audit: OpenLine) -> dict[str, int]:
    counts: dict[str, int] = {}
    images = BeforeImage.objects.filter(batch=batch).order_by("table", "row_id")
    grouped: dict[tuple[str, tuple[str, ...]], list[list[object]]] = {}
    for label, pk, values in images.values_list("table", "row_id", "values").iterator(chunk_size=5000):
        names = tuple(sorted(values))
        model = apps.get_model(label)
        row = [_back(model, name, values[name]) for name in names]
        grouped.setdefault((label, names), []).append([*row, pk])
    for (label, names), rows in grouped.items():
        bulk.update(apps.get_model(label), names, rows)
        audit.wrote(label, rows)
        counts[label] = counts.get(label, 0) + len(rows)
    return counts


def _back(model: type[Model], name: str, value: object) -> object:
    return None if value is None else bulk.field_of(model, name).to_python(value)


def _remove(batch: ImportBatch, audit: OpenLine) -> dict[str, int]:
    counts: dict[str, int] = {}
    made = Customer.objects.filter(made_by=batch.id).values("pk")
    for derived in DERIVED:
        derived.objects.filter(customer__in=made)._raw_delete("default")  # noqa: SLF001
    RatingCase.objects.filter(customer__in=made, state=RatingState.SUGGESTED)._raw_delete("default")  # noqa: SLF001
    for model in ORDER:
        mine = model.objects.filter(made_by=batch.id)  # type: ignore[attr-defined]
        removed = mine._raw_delete("default")  # noqa: SLF001 - children went before; nothing is left to cascade to
        if removed:
            label = model._meta.label  # noqa: SLF001
            counts[label] = removed
            audit.wrote_digest(label, rows=removed, digest=f"made_by={batch.id}")
    return counts
