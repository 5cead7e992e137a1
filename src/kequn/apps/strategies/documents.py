"""A segment's strategy as a governed document: checked as policy, shown with its shadow, published by approval."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from kequn.apps.accounts.access import Person
from kequn.apps.audit.services import OpenLine, canonical
from kequn.apps.governance import versions
from kequn.apps.governance.approving import register
from kequn.apps.governance.models import DocumentVersion, Proposal
from kequn.apps.governance.selectors import STRATEGY, body_of, own_pack, policy_in_use
from kequn.apps.strategies.books import MINOR, RunBook, visible
from kequn.apps.strategies.performance import read_books
from kequn.apps.strategies.shadow import Shadow, shadow
from kequn.domain.errors import Language, Refused, Text
from kequn.policy.amending import STRATEGIES, Amendment
from kequn.policy.items import Item
from kequn.policy.pack import Pack
from kequn.policy.planning import build_plan
from kequn.policy.segment_strategies import SegmentStrategies, Strategy, segment_strategies
from kequn.policy.strategy_document import Column, columns_of, grid_of
from kequn.policy.words import words_of

LAST = 1_000_000  # a draft that is tried counts as newer than every version
LANGUAGES: tuple[Language, ...] = ("zh", "en")
LGD = "lgd_unsecured"


@dataclass(frozen=True, slots=True)
class Asked:
    """A draft as somebody wrote it: the body of a strategy, from when it holds, and why."""

    body: Mapping[str, Any]
    effective_from: date
    reason: str = ""
    origin: str = "page"


def strategies_at(pack: Pack, as_of: date) -> SegmentStrategies:
    """What policy says of strategies on a day; Refused where the pack has no such document."""
    found = segment_strategies(pack, as_of)
    if found is None:
        raise Refused(Text("政策包没有 segment_strategies.yaml", "the policy pack has no segment_strategies.yaml"))
    return found


def columns_at(pack: Pack, as_of: date) -> tuple[Column, ...]:
    policy, known = strategies_at(pack, as_of), build_plan(pack, as_of).vocabulary
    labels = {name: Text(fact.zh, fact.en) for name in policy.conditions if (fact := known.get(name)) is not None}
    return columns_of(policy, words_of(pack), labels)


def row_of(pack: Pack, key: str, as_of: date) -> Mapping[str, Any] | None:
    """What policy says of a segment's strategy on a day; None where it says nothing."""
    for document in pack.documents(as_of):
        if document.key == STRATEGIES:
            for row in document.body[STRATEGIES].get("rows", ()):
                if row.get("segment") == key:
                    return dict(row)
    return None


def draft_strategy(*, person: Person, asked: Asked) -> DocumentVersion:
    """Keep a draft. Refused, with every place, where the policy with this strategy in it would not be sound."""
    versions.refuse_who_may_not(person)
    key = str(asked.body["segment"])
    _refuse_unsound(_policy_with(asked.body, asked.effective_from), key, asked.effective_from)
    wording = versions.Wording(asked.body, asked.effective_from, asked.reason, asked.origin)
    first = 1 if row_of(own_pack(), key, asked.effective_from) is None else 2
    return versions.save_draft(person=person, kind=STRATEGY, key=key, wording=wording, first=first)


def _policy_with(body: Mapping[str, Any], effective_from: date) -> Pack:
    text = canonical(dict(body))
    said = hashlib.sha256(text.encode()).hexdigest()
    return policy_in_use(more=[Amendment(str(body["segment"]), LAST, effective_from, said, text, STRATEGIES)])


def _refuse_unsound(pack: Pack, key: str, since: date) -> None:
    """Refused where the strategies do not hold on that day or on a later one on which anything begins."""
    begin = {one.heading.in_force for editions in pack.editions.values() for one in editions}
    for day in sorted({since} | {one for one in begin if one > since}):
        found = strategies_at(pack, day)
        if day == since and key not in found.strategies:
            raise Refused(Text(f"{day} 没有客群 {key}", f"there is no segment {key} on {day}"))


# -- the draft beside what is in force ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A version, what stands on its day without it, and both over the members of today."""

    version: DocumentVersion
    columns: tuple[Column, ...]
    strategy: Strategy
    before: Strategy | None
    shadow: Shadow | None  # None where nothing stood before, or nothing was ever run
    exposure: int | None  # of the members, in minor units


def review(version: DocumentVersion, item: Item, person: Person) -> Reviewed:
    """A draft with what it would give to the customers the reader sees, beside what stands."""
    day = version.effective_from
    strategy = strategies_at(_policy_with(body_of(version), day), day).strategies[version.key]
    standing = policy_in_use()
    before = strategies_at(standing, day).strategies.get(version.key)
    books = read_books(standing, day)
    if not books:
        return Reviewed(version, columns_at(standing, day), strategy, before, None, None)
    book = books[-1]
    members = book.members(version.key, item.unknown_means) & book.seen_by(visible(person))
    found = None
    if before is not None:
        found = shadow(book, members, before, strategy, standing.constant(LGD, book.as_of))
    return Reviewed(version, columns_at(standing, day), strategy, before, found, _exposure(book, members))


def _exposure(book: RunBook, members: Any) -> int | None:
    """The sum of their exposures in minor units; unknown where that of one of them is."""
    amounts = book.column("exposure_gross")[members]
    whole = float(amounts.sum())
    return round(whole * MINOR) if math.isfinite(whole) else None


def submit_strategy(*, person: Person, version: DocumentVersion, item: Item) -> Proposal:
    """Put a draft before its checkers: both tables in both languages, and what each would give."""
    found = review(version, item, person)
    shown = {
        "key": version.key, "number": version.number, "effective_from": version.effective_from.isoformat(),
        "reason": version.reason, "priority": found.strategy.priority,
        "grid": {one: _said(found.strategy, found.columns, one) for one in LANGUAGES},
        "grid_before": {one: _said(found.before, found.columns, one) for one in LANGUAGES},
        "shadow": None if found.shadow is None else asdict(found.shadow),
    }  # fmt: skip
    title = Text(
        f"发布客群“{item.label.zh}”的策略第 {version.number} 版",
        f"Publish the strategy of segment “{item.label.en}”, version {version.number}",
    )
    return versions.submit(
        person=person, version=version, pack=policy_in_use(), title=title, shown=shown, amount=found.exposure
    )


def _said(strategy: Strategy | None, columns: tuple[Column, ...], language: Language) -> dict[str, Any]:
    """The table in words: its heads, and a list of cells for each row."""
    heads = [one.label.in_language(language) for one in columns]
    rows = [] if strategy is None else grid_of(strategy, columns, language)
    return {"heads": heads, "rows": [[row[one.name] for one in columns] for row in rows]}


def _approved(proposal: Proposal, audit: OpenLine) -> None:
    """Published; what the pack said of the strategy before is kept as its first published version."""
    version = versions.publish(proposal, audit)
    pack = own_pack()
    row = row_of(pack, version.key, version.effective_from)
    if row is not None:
        edition = next(one for one in pack.documents(version.effective_from) if one.key == STRATEGIES)
        began = min(edition.heading.in_force, version.effective_from)
        versions.record_origin(
            kind=STRATEGY, key=version.key, body=row, pack=pack, in_force=began, number=1, audit=audit
        )
    _refuse_unsound(policy_in_use(), version.key, version.effective_from)  # a segment may be retired meanwhile


def connect() -> None:
    register(STRATEGY, approved=_approved, ended=versions.back_to_draft)
