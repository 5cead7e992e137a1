"""Segments as governed documents: drafts checked as policy, shown with what they would do, published by approval."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.prospect import Prospect, as_shown, prospect
from kequn.apps.assessments.standing_book import StandingBook, standing_book, stands
from kequn.apps.audit.services import OpenLine, canonical
from kequn.apps.governance import versions
from kequn.apps.governance.approving import register
from kequn.apps.governance.models import DocumentVersion, Proposal
from kequn.apps.governance.selectors import SEGMENT, amendment_of, body_of, own_pack, policy_in_use, published
from kequn.domain.definitions import Plan
from kequn.domain.errors import Language, Refused, Text
from kequn.domain.rules import tree
from kequn.policy import Pack
from kequn.policy.amending import SEGMENTS, Amendment, amended
from kequn.policy.differences import Difference, difference, in_words
from kequn.policy.planning import build_plan, rule_of
from kequn.policy.segment_document import KEYS
from kequn.policy.segment_document import body_of as checked_body
from kequn.policy.telling import Teller

LAST = 1_000_000  # a draft that is tried counts as newer than every version
LANGUAGES: tuple[Language, ...] = ("zh", "en")
UNKNOWN_MEANS = {
    "out": Text("不在其内", "out"),
    "in": Text("算在其内", "in"),
    "list": Text("列入缺资料名单", "listed as data missing"),
}


def row_of(pack: Pack, key: str, as_of: date) -> dict[str, str] | None:
    """What policy says of a segment on a day, as a document of its own; None where it says nothing."""
    for document in pack.documents(as_of):
        for row in document.body.get(SEGMENTS, ()):
            if row.get("name") == key:
                return {name: str(row[name]) for name in KEYS if row.get(name) not in (None, "")} | {
                    "unknown": str(row.get("unknown", "out"))
                }
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A draft as somebody wrote it."""

    row: Mapping[str, Any]
    effective_from: date
    reason: str = ""
    origin: str = "page"
    retires: bool = False


def draft_segment(*, person: Person, asked: Asked) -> DocumentVersion:
    """Keep a draft. Refused, with every place, where the policy with this segment in it would not be sound."""
    versions.refuse_who_may_not(person)
    body = checked_body(asked.row)
    refuse_unsound(policy_with(body, asked.effective_from, retires=asked.retires), asked.effective_from)
    wording = versions.Wording(body, asked.effective_from, asked.reason, asked.origin, asked.retires)
    first = 1 if row_of(own_pack(), body["name"], asked.effective_from) is None else 2
    return versions.save_draft(person=person, kind=SEGMENT, key=body["name"], wording=wording, first=first)


def policy_with(body: Mapping[str, str], effective_from: date, *, retires: bool = False) -> Pack:
    """The policy in use as it would be with a draft in it."""
    row = None if retires else canonical(dict(body))
    said = hashlib.sha256(canonical([dict(body), effective_from, retires]).encode()).hexdigest()
    return policy_in_use(more=[Amendment(body["name"], LAST, effective_from, said, row)])


def refuse_unsound(pack: Pack, since: date) -> None:
    """Refused, with every place, where the policy does not hold on some day from `since` on.

    Looked at are that day and every later one on which anything begins: a version published for a later day, or an
    edition of any document. A segment that holds today may read another that is retired then.
    """
    begin = {one.heading.in_force for editions in pack.editions.values() for one in editions}
    for day in sorted({since} | {one for one in begin if one > since}):
        build_plan(pack, day)


# -- what a draft would do -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A version beside what is in force on its day: rule and prospect of each, and the difference."""

    version: DocumentVersion
    body: Mapping[str, str]
    before: Mapping[str, str] | None
    pack: Pack
    plan: Plan
    rule: tree.Expr
    tree: Difference | None
    prospect: Prospect | None  # None where the book was never run

    def lines(self, language: Language) -> list[str]:
        """Every difference in words: names and the meaning of unknown as well as the rule."""
        teller = Teller(self.pack, self.plan, language)
        if self.version.retires:
            return [teller.say(Text("客群停用", "The segment is retired"))]
        if self.before is None:
            return [teller.say(Text("新客群", "A new segment")), teller.sentence(self.rule)]
        said = [
            teller.say(_renamed(zh, en, _words(name, self.before), _words(name, self.body)))
            for name, zh, en in FIELDS
            if self.before.get(name, "") != self.body.get(name, "")
        ]
        return said + (in_words(self.tree, teller) if self.tree is not None else [])


FIELDS = (
    ("zh", "中文名称", "Chinese name"), ("en", "英文名称", "English name"), ("unknown", "未知时", "Where unknown"),
    ("dimension", "维度", "Dimension"), ("note", "备注", "Note"), ("source", "出处", "Source"),
)  # fmt: skip


def _words(name: str, body: Mapping[str, str]) -> Text:
    found = body.get(name, "") or "–"
    return UNKNOWN_MEANS[found] if name == "unknown" else Text(found, found)


def _renamed(zh: str, en: str, old: Text, new: Text) -> Text:
    return Text(f"{zh}由“{old.zh}”改为“{new.zh}”", f"{en} changed from “{old.en}” to “{new.en}”")


def review(version: DocumentVersion) -> Reviewed:
    """A version with everything that is looked at before it is published, or was when it was."""
    body = {name: str(value) for name, value in body_of(version).items()}
    earlier = _before(version)
    pack = policy_with(body, version.effective_from)
    plan, rule = build_plan(pack, version.effective_from), rule_of(pack, version.effective_from, body["rule"])
    old = rule_of(pack, version.effective_from, earlier["rule"]) if earlier is not None else None
    found = difference(old, rule) if old is not None and not version.retires else None
    return Reviewed(version, body, earlier, pack, plan, rule, found, _prospect(version, body, earlier))


def _before(version: DocumentVersion) -> dict[str, str] | None:
    """What stood on the day before the version took effect, or stands on that day but for it."""
    others = [one for one in published(SEGMENT) if one.pk != version.pk]
    if version.published_at is not None:
        others = [one for one in others if one.number < version.number or one.key != version.key]
    pack = amended(own_pack(), [amendment_of(one) for one in others])
    return row_of(pack, version.key, version.effective_from)


def _prospect(version: DocumentVersion, body: Mapping[str, str], earlier: Mapping[str, str] | None) -> Prospect | None:
    pack = policy_in_use()
    try:
        standing = standing_book()
    except Refused:
        return None
    when = standing.book.as_of
    rule = None if version.retires else rule_of(pack, when, body["rule"])
    before = members_by(standing, pack, earlier)
    return prospect(standing, pack, rule=rule, unknown_means=body["unknown"], before=before, key=version.key)


def members_by(standing: StandingBook, pack: Pack, row: Mapping[str, str] | None) -> Any:
    """Who is in by a wording of a segment, on the facts of the last run; nobody where there is none."""
    if row is None:
        return np.zeros(len(standing.codes), dtype=bool)
    verdict = standing.verdicts(pack, rule_of(pack, standing.book.as_of, row["rule"]))
    return stands(verdict, row.get("unknown", "out"))


# -- review and publication --------------------------------------------------------------------------------------------


def submit_segment(*, person: Person, version: DocumentVersion) -> Proposal:
    """Put a draft before its checkers: its wording, the difference, and what it would do to the book."""
    found = review(version)
    body, moved = found.body, found.prospect.moved if found.prospect is not None else None
    shown = {
        "key": version.key, "number": version.number, "retires": version.retires,
        "effective_from": version.effective_from.isoformat(), "reason": version.reason,
        "body": dict(body), "before": None if found.before is None else dict(found.before),
        "difference": {language: found.lines(language) for language in LANGUAGES},
        "figures": None if found.prospect is None else dict(as_shown(found.prospect)),
    }  # fmt: skip
    act = ("停用", "Retire") if version.retires else ("发布", "Publish")
    title = Text(
        f"{act[0]}客群“{body['zh']}”第 {version.number} 版",
        f"{act[1]} segment “{body['en']}”, version {version.number}",
    )
    return versions.submit(person=person, version=version, pack=policy_in_use(), title=title, shown=shown, amount=moved)


def _approved(proposal: Proposal, audit: OpenLine) -> None:
    """Published; what the pack said of the segment before is kept as the first published version."""
    version = versions.publish(proposal, audit)
    pack = own_pack()
    row = row_of(pack, version.key, version.effective_from)
    if row is not None:
        edition = next(one for one in pack.documents(version.effective_from) if one.key == SEGMENTS)
        began = min(edition.heading.in_force, version.effective_from)  # before the first edition the first is read
        versions.record_origin(
            kind=SEGMENT, key=version.key, body=row, pack=pack, in_force=began, number=1, audit=audit
        )
    refuse_unsound(policy_in_use(), version.effective_from)  # something else may be published meanwhile


def connect() -> None:
    register(SEGMENT, approved=_approved, ended=versions.back_to_draft)
