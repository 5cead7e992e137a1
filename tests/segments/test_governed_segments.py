"""Segments are defined, shown, approved and read by the next run; the database refuses to change what was published."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from kequn.apps.accounts.models import User
from kequn.apps.assessments.explaining import known_of
from kequn.apps.assessments.models import FindingSpan, Pin
from kequn.apps.assessments.segment_policy import Asked, draft_segment, review, row_of, submit_segment
from kequn.apps.assessments.standing_book import standing_book
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.selectors import verify
from kequn.apps.audit.services import canonical
from kequn.apps.customers.models import Customer
from kequn.apps.governance.approving import decide, withdraw
from kequn.apps.governance.models import Decision, DocumentVersion, Proposal, VersionState
from kequn.apps.governance.selectors import own_pack, policy_in_use, version_in_force
from kequn.domain.errors import Misuse, Refused
from kequn.domain.rules.plain import formulas_of
from kequn.domain.rules.reader import Reader
from kequn.engine import preview
from kequn.policy import build_plan, load_pack
from kequn.policy.amending import Amendment, amended
from kequn.policy.planning import rule_of
from kequn.policy.segment_document import from_yaml, to_yaml
from kequn.policy.writing import write_pack
from kequn.samples.book import AS_OF
from tests.segments.conftest import LATE

pytestmark = pytest.mark.django_db


def test_a_published_version_decides_the_next_run_and_no_earlier_one(approved, judge, members):
    before = members()
    approved("any(days_past_due > 30)")
    assert members() == before
    run = judge(AS_OF + timedelta(days=1))
    assert members() < before
    assert run.policy_digest == policy_in_use().digest != own_pack().digest
    moved = FindingSpan.objects.filter(key="late_payers", closed_by=run)
    assert set(moved.values_list("value", flat=True)) == {"true"}


def test_what_the_preview_said_is_what_the_run_finds(xu, zhou, drafted, judge, members):
    version = drafted("any(days_past_due > 30) or exposure_gross >= 200000000")
    shown = review(version).prospect
    before = members()
    proposal = submit_segment(person=xu, version=version)
    decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    judge(AS_OF)
    assert (shown.weight.customers, shown.entering.customers, shown.leaving.customers) == (
        len(members()), len(members() - before), len(before - members()),
    )  # fmt: skip
    assert {one.code for one in shown.leaving_largest} <= before - members()


def test_who_is_pinned_does_not_move_with_a_rule(drafted, judge, members):
    stays, kept_out = sorted(members())[:2]
    for code, is_in in ((stays, True), (kept_out, False)):
        Pin.objects.create(
            customer=Customer.objects.get(code=code), key="late_payers", is_in=is_in, reason="委员会决议", owner="徐",
            valid_from=AS_OF, expires_on=AS_OF + timedelta(days=90), state="approved", maker="user:demo-segment",
            made_at=timezone.now(),
        )  # fmt: skip
    judge(AS_OF)
    before = members()
    assert stays in before
    assert kept_out not in before
    shown = review(drafted("any(days_past_due > 10000)")).prospect
    assert (shown.weight.customers, shown.leaving.customers) == (1, len(before) - 1)


def test_only_what_is_in_force_at_the_date_is_read(approved):
    later = AS_OF + timedelta(days=30)
    approved("any(days_past_due > 30)", later)
    pack = policy_in_use()
    at = {when: row_of(pack, "late_payers", when)["rule"] for when in (later - timedelta(days=1), later)}
    assert list(at.values()) == ["any(days_past_due > 0)", "any(days_past_due > 30)"]
    assert build_plan(pack, AS_OF).definition("late_payers") == build_plan(own_pack(), AS_OF).definition("late_payers")


def test_what_the_pack_said_before_is_the_first_version(approved):
    second = approved("any(days_past_due > 30)")
    first = DocumentVersion.objects.get(kind="segment", key="late_payers", number=1)
    assert (second.number, first.state, first.origin) == (2, VersionState.PUBLISHED, "cn 2026.11")
    assert version_in_force("segment", "late_payers", AS_OF - timedelta(days=1)) == first


def test_the_row_of_a_later_edition_of_the_pack_rewrites_nothing_before_its_day(approved, settings, tmp_path):
    edition = AS_OF - timedelta(days=60)
    row = LATE | {"rule": "any(days_past_due > 15)"}
    write_pack(amended(own_pack(), [Amendment("late_payers", 2, edition, "0", json.dumps(row))]), tmp_path / "own")
    settings.KEQUN_PACK = str(tmp_path / "own")
    approved("any(days_past_due > 30)")
    days = (edition - timedelta(days=1), edition, AS_OF)
    assert [row_of(policy_in_use(), "late_payers", day)["rule"] for day in days] == [
        f"any(days_past_due > {late})" for late in (0, 15, 30)
    ]


def test_the_database_refuses_to_change_or_delete_what_was_published(approved):
    version = approved("any(days_past_due > 30)")
    for act in (
        lambda: DocumentVersion.objects.filter(pk=version.pk).update(body="{}"),
        lambda: DocumentVersion.objects.filter(pk=version.pk).update(state="draft", published_at=None),
        version.delete,
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            act()


def test_the_database_refuses_to_change_or_delete_what_was_decided(approved):
    proposal = approved("any(days_past_due > 30)").proposal
    for rows, words in (
        (Decision.objects.all(), "a decision"),
        (Proposal.objects.filter(pk=proposal.pk), "a proposal"),
    ):
        for act in (lambda rows=rows: rows.update(maker="another"), lambda rows=rows: rows._raw_delete("default")):
            with pytest.raises(DatabaseError, match=f"{words}.* never changes"), transaction.atomic():
                act()


def test_the_audit_line_of_the_last_approval_holds_what_came_into_force(approved):
    version = approved("employees > 30")
    said = AuditLine.objects.filter(action="governance.approve").order_by("pk").last()
    assert set(json.loads(said.detail)["wrote"]) == {
        "governance.Decision", "governance.DocumentVersion", "governance.Proposal",
    }  # fmt: skip
    written = hashlib.sha256()
    for one in (version, DocumentVersion.objects.get(key=version.key, number=1)):  # and what the pack said before
        row = [one.pk, one.kind, one.key, one.number, one.digest, one.state]
        written.update(canonical(row).encode() + b"\n")
    found = json.loads(said.detail)["wrote"]["governance.DocumentVersion"]
    assert found == {"rows": 2, "digest": written.hexdigest()}


def test_the_maker_never_checks(xu, drafted):
    xu.role = "administrator"
    proposal = submit_segment(person=xu, version=drafted("any(days_past_due > 30)"))
    with pytest.raises(Misuse, match="the maker never checks"):
        decide(person=xu, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)


def test_who_saw_something_else_approves_nothing(xu, zhou, drafted):
    proposal = submit_segment(person=xu, version=drafted("any(days_past_due > 30)"))
    with pytest.raises(Refused, match="not what is proposed"):
        decide(person=zhou, number=proposal.pk, approves=True, seen_digest="0" * 64)
    assert Proposal.objects.get(pk=proposal.pk).state == "open"


@pytest.mark.parametrize("changed", [{"when": AS_OF + timedelta(days=9)}, {"retires": True}, {"reason": "另一理由"}])
def test_a_draft_saved_again_in_any_word_while_it_is_submitted_is_not_submitted(xu, drafted, changed):
    shown = drafted("any(days_past_due > 30)")
    wording = {"when": AS_OF, "retires": False, "reason": "委员会决议"} | changed
    asked = Asked(LATE | {"rule": "any(days_past_due > 30)"}, wording["when"], wording["reason"])
    draft_segment(person=xu, asked=replace(asked, retires=wording["retires"]))
    with pytest.raises(Refused, match="the draft has changed"):
        submit_segment(person=xu, version=shown)


def test_a_version_that_is_not_what_was_shown_is_not_published(xu, zhou, drafted):
    version = drafted("any(days_past_due > 30)")
    proposal = submit_segment(person=xu, version=version)
    DocumentVersion.objects.filter(pk=version.pk).update(effective_from=AS_OF - timedelta(days=90))
    with pytest.raises(Refused, match="not what was put before its checkers"):
        decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    assert DocumentVersion.objects.get(pk=version.pk).state == "in_review"


def test_a_role_that_policy_does_not_name_does_not_check(xu, drafted):
    lin = User.objects.get(username="demo-analyst")
    proposal = submit_segment(person=xu, version=drafted("any(days_past_due > 30)"))
    with pytest.raises(Misuse, match="Head or committee, Administrator"):
        decide(person=lin, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)


def test_what_moves_ten_billion_needs_two(xu, zhou, drafted, monkeypatch):
    from kequn.apps.assessments.prospect import Prospect

    monkeypatch.setattr(Prospect, "moved", property(lambda _self: 10_000_000_000 * 100))
    proposal = submit_segment(person=xu, version=drafted("any(days_past_due > 30)"))
    first = decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    assert (first.checkers, first.state) == (2, "open")
    second = User.objects.create(username="wu", role="head", scope="all")
    assert (
        decide(person=second, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest).state == "approved"
    )


def test_where_the_exposure_of_one_who_moves_is_unknown_so_is_the_amount(drafted):
    found = review(drafted("any(days_past_due > 30)")).prospect
    assert found.moved == found.leaving.exposure > 0
    assert replace(found, leaving=replace(found.leaving, without=1)).moved is None


def test_refused_or_withdrawn_is_a_draft_again(xu, zhou, drafted):
    version = drafted("any(days_past_due > 30)")
    proposal = submit_segment(person=xu, version=version)
    decide(person=zhou, number=proposal.pk, approves=False, seen_digest=proposal.shown_digest, comment="范围过窄")
    again = submit_segment(person=xu, version=DocumentVersion.objects.get(pk=version.pk))
    withdraw(person=xu, number=again.pk)
    assert DocumentVersion.objects.get(pk=version.pk).state == "draft"
    assert verify().is_whole


def test_a_retired_segment_is_gone_from_its_day(approved, judge, members):
    approved("any(days_past_due > 0)", retires=True)
    pack = policy_in_use()
    assert row_of(pack, "late_payers", AS_OF) is None
    assert row_of(pack, "late_payers", AS_OF - timedelta(days=1)) is not None
    judge(AS_OF + timedelta(days=1))
    assert members() == set()


def test_a_draft_that_reads_a_segment_retired_later_is_refused(approved, drafted):
    approved("any(days_past_due > 0)", AS_OF + timedelta(days=30), retires=True)
    listed = {"name": "late_listed", "zh": "逾期上市客户", "en": "Late and listed"}
    with pytest.raises(Refused) as refused:
        drafted("late_payers and is_listed", **listed)
    assert any("late_payers" in one.text.en for one in refused.value.findings), refused.value.findings


def test_a_draft_is_not_published_where_what_it_reads_was_retired_for_later_meanwhile(xu, zhou, drafted, approved):
    version = drafted("late_payers and is_listed", name="late_listed", zh="逾期上市客户", en="Late and listed")
    proposal = submit_segment(person=xu, version=version)
    approved("any(days_past_due > 0)", AS_OF + timedelta(days=30), retires=True)
    with pytest.raises(Refused):
        decide(person=zhou, number=proposal.pk, approves=True, seen_digest=proposal.shown_digest)
    assert Proposal.objects.get(pk=proposal.pk).state == "open"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rule": "days_past_duee > 3"}, "did you mean `days_past_due`"),
        ({"name": "Late", "rule": "true"}, "starts with a small letter"),
        ({"en": "", "rule": "is_listed"}, "missing in one language"),
        ({"unknown": "maybe", "rule": "is_listed"}, "unknown meaning of unknown"),
        ({"rule": "late_payers or is_listed"}, "circle"),
        ({"name": "size", "rule": "is_listed"}, ""),
    ],
)
def test_a_draft_that_is_not_sound_is_refused_with_the_place(xu, row, said):
    with pytest.raises(Refused) as refused:
        draft_segment(person=xu, asked=Asked(LATE | {"rule": "is_listed"} | row, AS_OF))
    assert any(said in one.text.en for one in refused.value.findings), refused.value.findings
    assert not DocumentVersion.objects.filter(key="late_payers").exists()


def test_yaml_out_and_in_is_equal():
    pack = own_pack()
    for item in pack.items(AS_OF):
        if item.kind == "segment":
            body = row_of(pack, item.name, AS_OF)
            assert from_yaml(to_yaml(body)) == body
            assert to_yaml(from_yaml(to_yaml(body))) == to_yaml(body)


def test_differences_are_told_in_both_languages(drafted):
    version = drafted("any(days_past_due > 30) and size = 'micro'", zh="逾期微型客户", unknown="list")
    found = review(version)
    assert found.lines("en")[:2] == [
        "Chinese name changed from “逾期客户” to “逾期微型客户”",
        "Where unknown changed from “out” to “listed as data missing”",
    ]
    assert any("新增条件：" in line for line in found.lines("zh"))
    assert any("Days past due is above 0" in line and "above 30" in line for line in found.lines("en"))


def test_the_policy_written_out_as_a_folder_judges_the_same(approved, tmp_path):
    later = AS_OF + timedelta(days=30)
    approved("any(days_past_due > 30)")
    approved("any(days_past_due > 60)", later)
    write_pack(policy_in_use(), tmp_path / "out")
    for when in (AS_OF - timedelta(days=400), AS_OF - timedelta(days=1), AS_OF, later):
        one, two = (build_plan(pack, when).definitions for pack in (policy_in_use(), load_pack(tmp_path / "out")))
        assert one == two


def test_every_segment_previewed_is_what_the_run_found():
    pack = policy_in_use()
    book = standing_book()
    plan = build_plan(pack, book.book.as_of)
    for item in pack.items(AS_OF):
        if item.kind == "segment":
            rule = rule_of(pack, AS_OF, item.rule)
            assert (book.verdicts(pack, rule) == book.members[item.name]).all(), item.name
            assert (preview.verdicts(book.book, plan, rule) == book.members[item.name]).all(), item.name


def test_a_rule_over_facts_that_no_policy_reads_agrees_with_the_records():
    pack = policy_in_use()
    book = standing_book()
    rule = rule_of(pack, AS_OF, "registered_capital >= 50000000 and any(committed >= 1000000)")
    by_code = dict(zip(book.codes, book.verdicts(pack, rule), strict=True))
    for customer in Customer.objects.all():
        known = known_of(customer=customer, as_of=AS_OF)
        answer = Reader(known.record, formulas_of(known.plan), {}).read(rule)
        assert by_code[customer.code] == {True: 1, False: 0, None: -1}[answer], customer.code
