"""Write people, teams and branches; make the demonstration logins."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from kequn.apps.accounts.access import DEFAULT_SCOPE
from kequn.apps.accounts.models import (
    Branch,
    FailedSignIn,
    MoneyUnit,
    Role,
    RowsPerPage,
    SavedView,
    Scope,
    Team,
    Theme,
    User,
)
from kequn.apps.audit.services import line
from kequn.domain.errors import Refused, Text

DEMO_LOGINS = "demo_logins.txt"


def count_failure(*, name: str) -> None:
    """One more try in vain. A name that nobody bears is not written down: it may be a password in the wrong field."""
    now = timezone.now()
    known = User.objects.filter(username=name.removeprefix("code:")).exists()
    with line(actor="sign-in", action="sign_in.failed", subject=name if known else "an unknown name"):
        row, _ = FailedSignIn.objects.get_or_create(name=name, defaults={"last_at": now})
        stale = row.last_at < now - timedelta(seconds=settings.KEQUN_LOCK_OUT_SECONDS)
        failures = 1 if stale else F("failures") + 1
        FailedSignIn.objects.filter(pk=row.pk).update(failures=failures, last_at=now)


def forget_failures(*, name: str) -> None:
    FailedSignIn.objects.filter(name=name).delete()


def ensure_team(*, actor: str, branch_code: str, team_code: str, branch_name: str = "", team_name: str = "") -> Team:
    """The team of that code under that branch, made when it is not there yet."""
    found = Team.objects.select_related("branch").filter(code=team_code).first()
    if found is not None:
        return found
    with line(actor=actor, action="accounts.team", subject=team_code) as audit:
        branch, _ = Branch.objects.get_or_create(code=branch_code, defaults={"name": branch_name or branch_code})
        team = Team.objects.create(code=team_code, name=team_name or team_code, branch=branch)
        audit.wrote("accounts.Team", [[team.code, branch.code]])
    return team


def create_user(
    *, actor: str, username: str, password: str, role: str, scope: str = "", team: Team | None = None, name: str = ""
) -> User:
    """A new person. The password is checked, stored hashed, and never shown again."""
    if role not in Role.values:
        choices = ", ".join(Role.values)
        raise Refused(Text(f"没有角色 {role}；可选：{choices}", f"no role {role}; choose from {choices}"))
    if scope and scope not in Scope.values:
        choices = ", ".join(Scope.values)
        raise Refused(Text(f"没有范围 {scope}；可选：{choices}", f"no scope {scope}; choose from {choices}"))
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise Refused(
            Text(
                f"用户名“{username}”不可用：只用字母、数字和 @ . + - _",
                f"the user name “{username}” cannot be used: letters, digits and @ . + - _ only",
            )
        ) from error
    if User.objects.filter(username=username).exists():
        raise Refused(Text(f"用户 {username} 已存在", f"user {username} exists already"))
    user = User(
        username=username,
        role=role,
        scope=scope or DEFAULT_SCOPE[role],
        team=team,
        branch=team.branch if team else None,
        first_name=name,
    )
    try:
        validate_password(password, user)
    except ValidationError as error:
        said = " ".join(error.messages)
        raise Refused(Text(f"密码不可用：{said}", f"the password cannot be used: {said}")) from error
    user.set_password(password)
    with line(actor=actor, action="accounts.user", subject=username) as audit:
        user.save()
        audit.wrote("accounts.User", [[username, role, user.scope, team.code if team else None]])
    return user


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person likes to read the pages."""

    language: str
    money_unit: str
    theme: str
    rows_per_page: int


def keep_preferences(*, user: User, preferences: Preferences) -> User:
    """Keep how a person likes to read. What is not among the choices is refused by name."""
    choices: dict[str, Sequence[object]] = {
        "language": ["", *(code for code, _ in settings.LANGUAGES)],
        "money_unit": MoneyUnit.values,
        "theme": Theme.values,
        "rows_per_page": RowsPerPage.values,
    }
    for name, allowed in choices.items():
        found = getattr(preferences, name)
        if found not in allowed:
            raise Refused(Text(f"{name} 不能为“{found}”", f"{name} cannot be “{found}”"))
        setattr(user, name, found)
    with line(actor=user.actor_key, action="accounts.preferences", subject=user.username) as audit:
        user.save(update_fields=list(choices))
        audit.wrote("accounts.User", [[user.username, *(getattr(user, name) for name in choices)]])
    return user


MOST_VIEWS, LONGEST_NAME, LONGEST_QUERY = 50, 80, 1000


def save_view(*, user: User, page: str, name: str, query: str) -> SavedView:
    """Keep a list's filters and order under a name; the same name again replaces what it held."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Refused(Text("请为视图起一个不超过80字的名称", "give the view a name of at most 80 characters"))
    if len(query) > LONGEST_QUERY:
        raise Refused(Text("筛选条件太长，无法保存", "the filters are too long to be kept"))
    others = SavedView.objects.filter(owner=user, page=page).exclude(name=name)
    if others.count() >= MOST_VIEWS:
        raise Refused(Text(f"视图已满{MOST_VIEWS}个，请先删除一个", f"there are {MOST_VIEWS} views; remove one first"))
    with line(actor=user.actor_key, action="accounts.view", subject=name) as audit:
        view, _made = SavedView.objects.update_or_create(owner=user, page=page, name=name, defaults={"query": query})
        audit.wrote("accounts.SavedView", [[user.username, page, name, query]])
    return view


def remove_view(*, user: User, view_id: int) -> None:
    """Forget a view of one's own; another's is not touched."""
    view = SavedView.objects.filter(owner=user, pk=view_id).first()
    if view is None:
        raise Refused(Text("没有这个视图", "there is no such view of yours"))
    with line(actor=user.actor_key, action="accounts.view_removed", subject=view.name):
        view.delete()


def demo_logins(*, actor: str = "local:demo") -> list[tuple[str, str, str]]:
    """One login per role with a random password, kept in a file only its owner may read; (role, name, password).

    Asked again it answers the same. A person whose password was changed since keeps the change.
    """
    file = Path(settings.KEQUN_HOME) / DEMO_LOGINS
    if file.exists():
        return [tuple(row.split("\t")) for row in file.read_text(encoding="utf-8").splitlines()]  # type: ignore[misc]
    made: list[tuple[str, str, str]] = []
    with line(actor=actor, action="accounts.demo"):
        team = ensure_team(
            actor=actor,
            branch_code="B01",
            team_code="T01",
            branch_name="示范分行 Demo branch",
            team_name="示范一组 Demo team",
        )
        for role in Role.values:
            username, password = f"demo-{role}", secrets.token_urlsafe(15)
            if not User.objects.filter(username=username).exists():
                create_user(actor=actor, username=username, password=password, role=role, team=team)
            else:
                user = User.objects.get(username=username)
                user.set_password(password)
                user.save(update_fields=["password"])
            made.append((role, username, password))
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.writelines("\t".join(row) + "\n" for row in made)
    return made
