"""Read the chain and prove it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.audit.models import GENESIS, AuditHead, AuditLine
from kequn.apps.audit.services import line_hash
from kequn.domain.errors import Text


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chain is whole, or the first line that is not, and why."""

    lines: int
    head: str
    bad_line: int | None = None
    why: Text | None = None

    @property
    def is_whole(self) -> bool:
        return self.why is None


@dataclass(frozen=True, slots=True)
class LinesWanted:
    """Which lines are asked for: a part of the actor's or the subject's name, one kind of act, days inclusive."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    first_day: date | None = None
    last_day: date | None = None


def latest_lines(*, wanted: LinesWanted = LinesWanted(), before: int | None = None) -> QuerySet[AuditLine]:
    lines = AuditLine.objects.order_by("-id")
    if wanted.actor:
        lines = lines.filter(actor__icontains=wanted.actor)
    if wanted.action:
        lines = lines.filter(action=wanted.action)
    if wanted.subject:
        lines = lines.filter(subject__icontains=wanted.subject)
    if wanted.first_day:
        lines = lines.filter(at__gte=_midnight(wanted.first_day))
    if wanted.last_day:
        lines = lines.filter(at__lt=_midnight(wanted.last_day + timedelta(days=1)))
    return lines.filter(id__lt=before) if before else lines


def last_hash() -> str:
    """The hash of the last line: it changes with every act."""
    return AuditHead.objects.filter(id=1).values_list("hash", flat=True).first() or GENESIS


def last_line_but(quiet: Collection[str]) -> str:
    """The hash of the last line whose act is none of these."""
    loud = AuditLine.objects.exclude(action__in=quiet).order_by("-id")
    return loud.values_list("hash", flat=True).first() or GENESIS


def lines_written() -> int:
    head = AuditHead.objects.filter(id=1).first()
    return head.lines if head else 0


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def actions() -> list[str]:
    """Every kind of act that the chain holds."""
    return list(AuditLine.objects.order_by("action").values_list("action", flat=True).distinct())


def verify() -> Verdict:
    """Walk the whole chain; name the first line that was changed, removed, moved or added beside it."""
    previous, count = GENESIS, 0
    fields = ("id", "at", "actor", "action", "subject", "detail", "prev_hash", "hash")
    for number, at, actor, action, subject, detail, prev_hash, digest in (
        AuditLine.objects.order_by("id").values_list(*fields).iterator(chunk_size=5000)
    ):
        if prev_hash != previous:
            why = Text(
                f"第{number}行不接上一行：有行被删除、插入或调换", f"line {number} does not follow the one before it"
            )
            return Verdict(count, previous, number, why)
        computed = line_hash(prev_hash=prev_hash, at=at, actor=actor, action=action, subject=subject, detail=detail)
        if computed != digest:
            why = Text(f"第{number}行的内容被改动", f"the content of line {number} was changed")
            return Verdict(count, previous, number, why)
        previous, count = digest, count + 1
    head = AuditHead.objects.filter(id=1).first()
    expected = (head.hash, head.lines) if head else (GENESIS, 0)
    if expected != (previous, count):
        why = Text(
            f"链尾应有{expected[1]}行，实有{count}行：末尾被截去或改动",
            f"the chain should end after {expected[1]} lines, it ends after {count}: its tail was cut or changed",
        )
        return Verdict(count, previous, count + 1, why)
    return Verdict(count, previous)
