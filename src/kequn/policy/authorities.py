"""Who must approve what: the rows of the approval policy, by kind of record and by amount."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kequn.domain.errors import Place, Refused, Text
from kequn.policy.documents import Complaints, label_of
from kequn.policy.pack import Pack

DOCUMENT = "approvals"


@dataclass(frozen=True, slots=True)
class Authority:
    """How many people of which roles must approve. `from_amount` is in yuan."""

    kind: str
    from_amount: float
    checkers: int
    roles: tuple[str, ...]
    title: Text


def authority_for(pack: Pack, as_of: date, kind: str, amount: float | None) -> Authority:
    """The row in force for this kind and amount (yuan); Refused where policy names nobody, so that nothing slips by.

    An amount that is not known (None) may be any amount: the row of the largest is read.
    """
    reached = [one for one in authorities(pack, as_of) if one.kind == kind]
    if amount is not None:
        reached = [one for one in reached if one.from_amount <= amount]
    if not reached:
        raise Refused(
            Text(
                f"审批权限（approvals.yaml）没有为“{kind}”指定审批人",
                f"the approval policy (approvals.yaml) names nobody for “{kind}”",
            )
        )
    return max(reached, key=lambda one: one.from_amount)


def authorities(pack: Pack, as_of: date) -> tuple[Authority, ...]:
    """Every row in force at a date; Refused with each place where the document is not sound."""
    complaints = Complaints()
    found = [
        _authority(row, Place(document.heading.file, DOCUMENT, number, str(row.get("kind", ""))), complaints)
        for document in pack.documents(as_of)
        if document.key == DOCUMENT
        for number, row in enumerate(document.body.get(DOCUMENT, ()), start=1)
    ]
    complaints.settle(pack.id)
    return tuple(found)


def _authority(row: Mapping[str, Any], place: Place, complaints: Complaints) -> Authority:
    checkers, roles, amount = row.get("checkers"), row.get("roles") or (), row.get("from_amount", 0)
    if isinstance(checkers, bool) or not isinstance(checkers, int) or checkers < 1:
        complaints.add(place, "checkers", "审批人数须为正整数", "one checker or more", found=checkers, allowed=">= 1")
        checkers = 1
    if not roles:
        complaints.add(place, "roles", "缺少审批角色", "the roles are missing", allowed="roles: [...]")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        complaints.add(place, "from_amount", "应为金额（元）", "an amount in yuan is needed", found=amount)
        amount = 0
    title = label_of(row, place, complaints)
    return Authority(str(row.get("kind", "")), float(amount), checkers, tuple(map(str, roles)), title)
