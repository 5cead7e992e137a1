"""The chain: one line a transaction, and any tampering is found at its first line."""

import pytest

from kequn.apps.accounts.models import Branch
from kequn.apps.audit.models import AuditHead, AuditLine
from kequn.apps.audit.selectors import verify
from kequn.apps.audit.services import line

pytestmark = pytest.mark.django_db


def write(number: int = 5) -> None:
    for one in range(number):
        with line(actor="local:test", action="test", subject=f"行{one}", amount=one) as audit:
            audit.wrote("table", [[one, "值"]])


def test_an_untouched_chain_is_whole():
    write()
    assert verify().is_whole
    assert verify().lines == 5


def test_an_empty_chain_is_whole():
    assert verify().is_whole


def test_a_changed_line_is_named():
    write()
    AuditLine.objects.filter(id=AuditLine.objects.order_by("id")[2].id).update(actor="user:nobody")
    assert verify().bad_line == AuditLine.objects.order_by("id")[2].id


def test_a_removed_line_is_noticed_at_the_one_after_it():
    write()
    lines = list(AuditLine.objects.order_by("id"))
    lines[1].delete()
    assert verify().bad_line == lines[2].id


def test_a_cut_tail_is_noticed():
    write()
    AuditLine.objects.order_by("-id").first().delete()
    assert not verify().is_whole


def test_a_line_rewritten_with_a_fresh_hash_is_noticed_at_the_next():
    from kequn.apps.audit.services import line_hash

    write()
    lines = list(AuditLine.objects.order_by("id"))
    bent = lines[1]
    bent.detail = "{}"
    parts = {key: getattr(bent, key) for key in ("prev_hash", "at", "actor", "action", "subject", "detail")}
    AuditLine.objects.filter(id=bent.id).update(detail="{}", hash=line_hash(**parts))
    assert verify().bad_line == lines[2].id


def test_a_failed_transaction_leaves_neither_rows_nor_a_line():
    def fail():
        with line(actor="local:test", action="test"):
            Branch.objects.create(code="X", name="X")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not Branch.objects.exists()
    assert not AuditLine.objects.exists()


def test_a_service_within_a_service_adds_to_the_one_line():
    with line(actor="local:test", action="outer"), line(actor="local:test", action="inner") as inner:
        inner.wrote("table", [[1]])
    assert AuditLine.objects.get().action == "outer"
    assert AuditHead.objects.get().lines == 1
