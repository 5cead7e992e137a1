"""Read people and their places."""

import math
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import override

from kequn.apps.accounts.access import LocalAdministrator, Person
from kequn.apps.accounts.models import FailedSignIn, Role, SavedView, Scope, Team, User
from kequn.domain.errors import Misuse, Text

MOST_OFFERED = 500  # names in one list to choose from


def is_locked_out(name: str) -> bool:
    since = timezone.now() - timedelta(seconds=settings.KEQUN_LOCK_OUT_SECONDS)
    return FailedSignIn.objects.filter(
        name=name, failures__gte=settings.KEQUN_LOCK_OUT_AFTER, last_at__gte=since
    ).exists()


def locked_for(name: str) -> int:
    """For how many more seconds a name is locked; 0 when it is not."""
    row = FailedSignIn.objects.filter(name=name, failures__gte=settings.KEQUN_LOCK_OUT_AFTER).first()
    if row is None:
        return 0
    ends = row.last_at + timedelta(seconds=settings.KEQUN_LOCK_OUT_SECONDS)
    return max(0, math.ceil((ends - timezone.now()).total_seconds()))


def people() -> QuerySet[User]:
    """Everybody, the active first."""
    return User.objects.select_related("team", "branch", "totp").order_by("-is_active", "username")


def locked_names() -> set[str]:
    """The names that are locked now, by wrong passwords or by wrong codes."""
    since = timezone.now() - timedelta(seconds=settings.KEQUN_LOCK_OUT_SECONDS)
    rows = FailedSignIn.objects.filter(failures__gte=settings.KEQUN_LOCK_OUT_AFTER, last_at__gte=since)
    return {name.removeprefix("code:") for name in rows.values_list("name", flat=True)}


def person_at_terminal(username: str = "") -> Person:
    """The user of `--as USER`, else the local administrator."""
    if not username:
        return LocalAdministrator()
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        known = ", ".join(User.objects.filter(is_active=True).values_list("username", flat=True)[:20]) or "-"
        raise Misuse(Text(f"没有用户 {username}；现有：{known}", f"no user {username}; there are: {known}"))
    return user


def views_of(*, user: User, page: str) -> list[SavedView]:
    """A person's own views of a page, by name."""
    return list(SavedView.objects.filter(owner=user, page=page).order_by("name", "id"))


def managers_seen_by(person: Person) -> list[User]:
    """Who has customers that this person may see, by user name; nobody else where the scope is one's own."""
    found = User.objects.filter(is_active=True, role=Role.MANAGER).order_by("username")
    if person.scope == Scope.ALL:
        return list(found[:MOST_OFFERED])
    if person.scope == Scope.BRANCH and person.branch_id is not None:
        return list(found.filter(branch_id=person.branch_id)[:MOST_OFFERED])
    if person.scope == Scope.TEAM and person.team_id is not None:
        return list(found.filter(team_id=person.team_id)[:MOST_OFFERED])
    return []


def teams_seen_by(person: Person) -> list[Team]:
    """Teams with their branches, as far as the scope allows."""
    found = Team.objects.select_related("branch").order_by("code")
    if person.scope == Scope.ALL:
        return list(found[:MOST_OFFERED])
    if person.scope == Scope.BRANCH and person.branch_id is not None:
        return list(found.filter(branch_id=person.branch_id)[:MOST_OFFERED])
    return []


def role_names(roles: Iterable[str]) -> Text:
    """Roles in words, in both languages."""
    said = {}
    for spoken in ("zh-hans", "en"):
        with override(spoken):
            said[spoken] = [str(Role(one).label) if one in Role.values else one for one in roles]
    return Text("、".join(said["zh-hans"]), ", ".join(said["en"]))


def names_of_actors() -> dict[str, str]:
    """The name of every person by the key under which the records keep who acted."""
    return {user.actor_key: str(user) for user in User.objects.only("username", "first_name", "last_name")}
