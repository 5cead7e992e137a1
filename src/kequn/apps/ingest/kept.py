"""Mappings that were made once and kept: found again by the header of the file, renamed, removed."""

import hashlib
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.accounts.access import IMPORT, Person, may
from kequn.apps.audit.services import line
from kequn.apps.ingest.layout import SHEET_TABLES, sheet_columns_of
from kequn.apps.ingest.models import KeptMapping
from kequn.domain.errors import Misuse, Refused, Text


def signature_of(header: Sequence[str]) -> str:
    """One digest for one header: its names in their order, blanks and case aside."""
    return hashlib.sha256("\n".join(one.strip().casefold() for one in header if one).encode()).hexdigest()


def mappings() -> QuerySet[KeptMapping]:
    return KeptMapping.objects.order_by("name")


def for_header(header: Sequence[str]) -> KeptMapping | None:
    return KeptMapping.objects.filter(signature=signature_of(header)).first()


def keep(
    *, person: Person, name: str, kind: str, header: Sequence[str], columns: dict[str, dict[str, object]]
) -> KeptMapping:
    """Keep what a person said of the columns of a header; said again, it replaces what was kept."""
    _may(person)
    if kind not in SHEET_TABLES:
        raise Refused(Text("请先选这是哪一类表", "choose first what kind of sheet this is"))
    known, used = sheet_columns_of(kind), [str(one["field"]) for one in columns.values() if one.get("field")]
    unknown = [one for one in used if one not in known]
    twice = sorted({one for one in used if used.count(one) > 1})
    if unknown or twice:
        named = ", ".join(known[one].zh if one in known else one for one in (*unknown, *twice))
        named_en = ", ".join(known[one].en if one in known else one for one in (*unknown, *twice))
        raise Refused(Text(f"同一项指给了两列：{named}", f"given to two columns: {named_en}"))
    if not used:
        raise Refused(Text("至少要指明一列", "say of at least one column what it is"))
    named = (name.strip() or header[0])[:120]
    signature = signature_of(header)
    values = {
        "header": [one for one in header if one],
        "document": {"kind": kind, "columns": columns},
        "made_by": person.actor_key,
        "made_at": timezone.now(),
    }
    with line(actor=person.actor_key, action="mapping.keep", subject=named, digest=signature):
        while KeptMapping.objects.filter(name=named).exclude(signature=signature).exists():
            named = f"{named[:110]} ({KeptMapping.objects.count() + 1})"
        return KeptMapping.objects.update_or_create(signature=signature, defaults={"name": named, **values})[0]


def rename(*, person: Person, mapping_id: int, name: str) -> None:
    _may(person)
    if not name.strip():
        raise Refused(Text("名称不能为空", "the name is empty"))
    try:
        with transaction.atomic(), line(actor=person.actor_key, action="mapping.rename", subject=name.strip()[:120]):
            KeptMapping.objects.filter(id=mapping_id).update(name=name.strip()[:120])
    except IntegrityError as error:
        raise Refused(Text("已有同名的映射", "there is a mapping of this name already")) from error


def remove(*, person: Person, mapping_id: int) -> None:
    _may(person)
    with line(actor=person.actor_key, action="mapping.remove", subject=str(mapping_id)) as audit:
        found = KeptMapping.objects.filter(id=mapping_id).first()
        if found is None:
            raise Refused(Text("没有这个映射", "there is no such mapping"))
        audit.detail["name"] = found.name
        found.delete()


def _may(person: Person) -> None:
    if not may(person, IMPORT):
        raise Misuse(Text("没有导入权限", "you may not import"))
