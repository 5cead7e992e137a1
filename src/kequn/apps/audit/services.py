"""Write to the chain: `with line(...)` is one transaction and leaves exactly one audit line.

A service called inside another one's `line` adds to that line instead of opening its own.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from kequn.apps.audit import faults
from kequn.apps.audit.models import GENESIS, AuditHead, AuditLine


def canonical(value: object) -> str:
    """One text for one value: sorted keys, no spaces, everything else by its str()."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def line_hash(*, prev_hash: str, at: datetime, actor: str, action: str, subject: str, detail: str) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    content = canonical([prev_hash, moment, actor, action, subject, detail])
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(slots=True)
class OpenLine:
    """What one transaction has written so far."""

    actor: str
    action: str
    subject: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    _digests: dict[str, Any] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def wrote(self, table: str, rows: Iterable[object]) -> None:
        """Take the written rows into the digest of their table, in the order they were written."""
        digest = self._digests.setdefault(table, hashlib.sha256())
        count = 0
        for row in rows:
            digest.update(canonical(row).encode())
            digest.update(b"\n")
            count += 1
        self._counts[table] = self._counts.get(table, 0) + count

    def wrote_digest(self, table: str, *, rows: int, digest: str) -> None:
        """For rows that never passed through Python: their count and the digest of what they came from."""
        self.detail.setdefault("moved", {})[table] = {"rows": rows, "digest": digest}

    def closed_detail(self) -> str:
        written = {
            table: {"rows": self._counts[table], "digest": digest.hexdigest()}
            for table, digest in sorted(self._digests.items())
        }
        return canonical({**self.detail, "wrote": written} if written else self.detail)


_open: ContextVar[OpenLine | None] = ContextVar("kequn_open_audit_line", default=None)


def is_writing() -> bool:
    """Whether a line is open: a transaction has written what the chain does not speak of yet."""
    return _open.get() is not None


@contextmanager
def line(*, actor: str, action: str, subject: str = "", **detail: Any) -> Iterator[OpenLine]:
    """One transaction, one audit line, written last before the commit."""
    outer = _open.get()
    if outer is not None:
        outer.detail.setdefault("also", []).append({"action": action, "subject": subject, **detail})
        yield outer
        return
    mine = OpenLine(actor=actor, action=action, subject=subject, detail=dict(detail))
    token = _open.set(mine)
    try:
        with transaction.atomic():
            yield mine
            if not faults.planted("audit_afterwards"):
                _append(mine)
        if faults.planted("audit_afterwards"):
            time.sleep(faults.WINDOW_SECONDS)
            with transaction.atomic():
                _append(mine)
    finally:
        _open.reset(token)


def _append(open_line: OpenLine) -> AuditLine:
    AuditHead.objects.get_or_create(id=1, defaults={"hash": GENESIS, "lines": 0})
    head = AuditHead.objects.select_for_update().get(id=1)
    values = {
        "at": datetime.now(UTC),
        "actor": open_line.actor,
        "action": open_line.action,
        "subject": open_line.subject[:300],
        "detail": open_line.closed_detail(),
        "prev_hash": head.hash,
    }
    made = AuditLine.objects.create(**values, hash=line_hash(**values))
    head.hash, head.lines = made.hash, head.lines + 1
    head.save(update_fields=["hash", "lines"])
    return made
