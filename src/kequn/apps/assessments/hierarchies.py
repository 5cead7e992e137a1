"""Exclusive hierarchies: ordered segments of which each customer takes the first; proved complete and disjoint, or not.

The proof is over the book as it stands, within the reader's scope: everybody is in one of the segments, and nobody in
two. Where it fails the customers who show it are named. The segments of a dimension of the pack are hierarchies too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F

from kequn.apps.accounts.access import Person
from kequn.apps.assessments.models import CustomerFigures, FindingSpan
from kequn.apps.audit.services import OpenLine, line
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.apps.governance import versions
from kequn.apps.governance.approving import register
from kequn.apps.governance.models import Proposal
from kequn.apps.governance.selectors import HIERARCHY, body_of, policy_in_use, published
from kequn.domain.errors import Refused, Text
from kequn.policy import Pack
from kequn.policy.segment_document import NAME

NAMED = 10
MOST = 40


@dataclass(frozen=True, slots=True)
class Hierarchy:
    key: str
    label: Text
    segments: tuple[str, ...]
    is_of_pack: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One segment of the order: who is in it by its own rule, and whom it takes after those before it."""

    segment: str
    customers: int
    taken: int
    exposure: int  # minor units of yuan, of those it takes


@dataclass(frozen=True, slots=True)
class Proof:
    steps: tuple[Step, ...]
    customers: int
    left_out: int
    in_several: int
    left_out_named: tuple[tuple[str, str, int | None], ...]  # code, name, exposure
    in_several_named: tuple[tuple[str, str, tuple[str, ...]], ...]

    @property
    def is_complete(self) -> bool:
        return self.left_out == 0

    @property
    def is_disjoint(self) -> bool:
        return self.in_several == 0


def hierarchies(pack: Pack, as_of: date) -> list[Hierarchy]:
    """Those of the pack's dimensions, then those that were published, in force on a day."""
    items = [item for item in pack.items(as_of) if item.kind == "segment" and item.dimension]
    dimensions: dict[str, list[str]] = {}
    for item in items:
        dimensions.setdefault(item.dimension, []).append(item.name)
    found = [Hierarchy(name, Text(name, name), tuple(keys), True) for name, keys in dimensions.items()]
    newest: dict[str, Any] = {}
    for version in published(HIERARCHY):
        if version.effective_from <= as_of:
            newest[version.key] = None if version.retires else body_of(version)
    own = [
        Hierarchy(key, Text(body["zh"], body["en"]), tuple(body["segments"]), False)
        for key, body in newest.items()
        if body is not None
    ]
    return own + found


def prove(*, person: Person, segments: Sequence[str]) -> Proof:
    """The proof over everybody whom the person sees."""
    mine = visible_to(person).order_by()
    held: dict[int, list[str]] = {}
    order = {key: at for at, key in enumerate(segments)}
    found = FindingSpan.objects.filter(key__in=segments, value="true", valid_to__isnull=True).order_by()
    if person.scope != "all":
        found = found.filter(customer__in=mine.values("pk"))
    for customer, key in found.values_list("customer_id", "key"):
        held.setdefault(customer, []).append(key)
    exposures = dict(CustomerFigures.objects.values_list("customer_id", "exposure_gross"))
    counts, taken, exposure = [0] * len(order), [0] * len(order), [0] * len(order)
    for customer, keys in held.items():
        places = [order[key] for key in keys]
        for at in places:
            counts[at] += 1
        taken[min(places)] += 1
        exposure[min(places)] += exposures.get(customer) or 0
    several = [customer for customer, keys in held.items() if len(keys) > 1]
    whole = mine.count()
    steps = tuple(Step(key, counts[at], taken[at], exposure[at]) for key, at in order.items())
    return Proof(
        steps, whole, whole - len(held), len(several), _left_out(mine, set(held)) if whole > len(held) else (),
        _in_several(several, held, order, exposures),
    )  # fmt: skip


def _left_out(mine: Any, held: set[int]) -> tuple[tuple[str, str, int | None], ...]:
    """The largest whom no segment of the order takes."""
    rows = mine.order_by(F("figures__exposure_gross").desc(nulls_last=True), "id")
    rows = rows.values_list("pk", "code", "name", "figures__exposure_gross")
    found: list[tuple[str, str, int | None]] = []
    for pk, code, name, exposure in rows.iterator(chunk_size=2000):
        if pk not in held:
            found.append((code, name, exposure))
            if len(found) == NAMED:
                break
    return tuple(found)


def _in_several(
    several: list[int], held: dict[int, list[str]], order: dict[str, int], exposures: dict[int, int | None]
) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    chosen = sorted(several, key=lambda one: -(exposures.get(one) or 0))[:NAMED]
    names = {
        pk: (code, name) for pk, code, name in Customer.objects.filter(pk__in=chosen).values_list("pk", "code", "name")
    }
    return tuple((*names[one], tuple(sorted(held[one], key=order.__getitem__))) for one in chosen)


# -- governed ----------------------------------------------------------------------------------------------------------


def propose_hierarchy(
    *, person: Person, key: str, zh: str, en: str, segments: Sequence[str], effective_from: date
) -> Proposal:
    """A new hierarchy or the next version of one, put before its checkers with its proof."""
    versions.refuse_who_may_not(person)
    pack = policy_in_use()
    known = {item.name for item in pack.items(effective_from) if item.kind == "segment"}
    wrong = [one for one in segments if one not in known]
    if wrong:
        raise Refused(Text(f"没有客群：{', '.join(wrong[:5])}", f"there is no segment {', '.join(wrong[:5])}"))
    if not NAME.fullmatch(key) or not zh.strip() or not en.strip() or not 2 <= len(set(segments)) <= MOST:
        raise Refused(
            Text(
                f"须有代码、中英文名称和 2 至 {MOST} 个客群", f"a code, both names and 2 to {MOST} segments are needed"
            )
        )
    ordered = list(dict.fromkeys(segments))
    body = {"name": key, "zh": zh.strip(), "en": en.strip(), "segments": ordered}
    proof = prove(person=person, segments=ordered)
    shown = {
        "body": body | {"segments": ", ".join(ordered)}, "effective_from": effective_from.isoformat(),
        "proof": {"customers": proof.customers, "left_out": proof.left_out, "in_several": proof.in_several,
                  "steps": [[one.segment, one.customers, one.taken, one.exposure] for one in proof.steps]},
    }  # fmt: skip
    title = Text(f"发布互斥层级“{body['zh']}”", f"Publish the exclusive hierarchy “{body['en']}”")
    wording = versions.Wording(body, effective_from)
    with line(
        actor=person.actor_key, action="assessments.hierarchy", subject=key
    ):  # a draft alone is never left behind
        version = versions.save_draft(person=person, kind=HIERARCHY, key=key, wording=wording)
        return versions.submit(person=person, version=version, pack=pack, title=title, shown=shown, amount=None)


def connect() -> None:
    register(HIERARCHY, approved=_approved, ended=_ended)


def _approved(proposal: Proposal, audit: OpenLine) -> None:
    versions.publish(proposal, audit)


def _ended(proposal: Proposal, audit: OpenLine) -> None:
    """There is no page to go on writing a hierarchy: what was shown stays in the proposal, and the draft goes."""
    audit.wrote(
        "governance.DocumentVersion", [[*row, "deleted"] for row in proposal.versions.values_list("pk", "digest")]
    )
    proposal.versions.all().delete()
