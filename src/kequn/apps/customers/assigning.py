"""Who manages which customers: many at once, all of them or none."""

from collections.abc import Iterable

from kequn.apps.accounts.access import ASSIGN, Person, may
from kequn.apps.accounts.models import Team, User
from kequn.apps.audit.services import line
from kequn.apps.customers.models import Customer
from kequn.apps.customers.selectors import visible_to
from kequn.domain.errors import Finding, Misuse, Place, Refused, Text

CHUNK, NAMED_AT_MOST = 900, 50


def assign(*, person: Person, codes: Iterable[str], manager: str = "", team: str = "") -> int:
    """Give the customers of these codes to a manager, a team, or both. The team brings its branch; a manager without
    a team named brings their own.
    """
    if not may(person, ASSIGN):
        raise Misuse(Text("没有分配客户的权限", "you may not assign customers"))
    wanted = list(dict.fromkeys(one.strip() for one in codes if one.strip()))
    values = _values(manager.strip(), team.strip())
    if not wanted:
        raise Refused(Text("请给出客户编号", "give the codes of the customers"))
    numbers = _numbers(person, wanted)
    with line(actor=person.actor_key, action="customers.assign", subject=manager or team) as audit:
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            Customer.objects.filter(pk__in=some).update(changed_by=None, **values)
        audit.detail.update(manager=manager, team=team)
        audit.wrote("customers.Customer", [[one, manager, team] for one in wanted])
    return len(numbers)


def _values(manager: str, team: str) -> dict[str, object]:
    if not manager and not team:
        raise Refused(Text("请选择客户经理或团队", "choose a manager or a team"))
    owner = User.objects.select_related("team").filter(username=manager, is_active=True).first() if manager else None
    if manager and owner is None:
        raise Refused(Text(f"没有在用的用户 {manager}", f"there is no active user {manager}"))
    place = Team.objects.filter(code=team).first() if team else owner.team if owner else None
    if team and place is None:
        raise Refused(Text(f"没有团队 {team}", f"there is no team {team}"))
    values: dict[str, object] = {"owner": owner} if owner else {}
    return values | ({"team": place, "branch_id": place.branch_id} if place else {})


def _numbers(person: Person, codes: list[str]) -> list[int]:
    found: dict[str, int] = {}
    for start in range(0, len(codes), CHUNK):
        rows = visible_to(person).filter(code__in=codes[start : start + CHUNK])
        found.update(rows.order_by().values_list("code", "pk"))
    text = Text("范围内没有此编号的客户", "no customer of this code within your scope")
    missing = [Finding("unknown", text, Place(column=one), one) for one in codes if one not in found]
    if missing:
        count = len(missing)
        raise Refused(
            Text(f"{count}个编号找不到，未作任何改动", f"{count} codes were not found; nothing was changed"),
            tuple(missing[:NAMED_AT_MOST]),
        )
    return [found[one] for one in codes]
