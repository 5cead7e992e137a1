"""The administration of people: who may come in, in which role, seeing whose customers."""

import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F

from kequn.apps.accounts.access import MANAGE_USERS, Person, may
from kequn.apps.accounts.models import Branch, FailedSignIn, Role, Scope, Team, User
from kequn.apps.accounts.services import create_user, ensure_team
from kequn.apps.audit.services import line
from kequn.domain.errors import Misuse, Refused, Text

ONE_TIME_BYTES = 12


def _must_manage(person: Person) -> None:
    if not may(person, MANAGE_USERS):
        raise Misuse(Text("没有管理用户的权限", "you may not manage users"))


def add(
    *, person: Person, username: str, role: str, scope: str = "", team_code: str = "", branch_code: str = "",
    name: str = "", password: str = "",
) -> tuple[User, str]:  # fmt: skip
    """A new person and the one-time password, which must be changed at the first sign-in."""
    _must_manage(person)
    once = password or secrets.token_urlsafe(ONE_TIME_BYTES)
    with line(actor=person.actor_key, action="accounts.add", subject=username):
        team, branch = _place(person, team_code, branch_code)
        user = create_user(
            actor=person.actor_key, username=username, password=once, role=role, scope=scope, team=team, name=name
        )
        user.branch, user.must_change_password = branch, True
        user.save(update_fields=["branch", "must_change_password"])
    return user, once


def change(
    *, person: Person, user: User, role: str, scope: str, team_code: str, branch_code: str, name: str
) -> None:  # fmt: skip
    """Another role, scope, team, branch or name. Nobody takes the last administrator's role away."""
    _must_manage(person)
    if role not in Role.values or scope not in Scope.values:
        raise Refused(Text("没有这个角色或范围", "there is no such role or scope"))
    with line(actor=person.actor_key, action="accounts.change", subject=user.username) as audit:
        if role != Role.ADMINISTRATOR:
            _keep_one_administrator(user)
        team, branch = _place(person, team_code, branch_code)
        if role != user.role or scope != user.scope:
            user.sessions_ended = F("sessions_ended") + 1
        user.role, user.scope, user.team, user.branch, user.first_name = role, scope, team, branch, name[:150]
        user.save(update_fields=["role", "scope", "team", "branch", "first_name", "sessions_ended"])
        audit.wrote("accounts.User", [[user.username, role, scope, team_code, branch_code, name]])


def set_active(*, person: Person, user: User, active: bool) -> None:
    """Whether this person may come in. Their history stays; open sessions end."""
    _must_manage(person)
    with line(actor=person.actor_key, action="accounts.active", subject=user.username, active=active):
        if not active:
            _keep_one_administrator(user)
        User.objects.filter(pk=user.pk).update(is_active=active, sessions_ended=F("sessions_ended") + 1)


def unlock(*, person: Person, username: str) -> bool:
    """Forget the failed tries of a name; whether there were any."""
    _must_manage(person)
    with line(actor=person.actor_key, action="accounts.unlock", subject=username):
        return FailedSignIn.objects.filter(name__in=(username, f"code:{username}")).delete()[0] > 0


def new_password(*, person: Person, user: User, password: str = "") -> str:
    """A one-time password instead of the old one; open sessions end, and so do the keys of the person's programs."""
    _must_manage(person)
    once = password or secrets.token_urlsafe(ONE_TIME_BYTES)
    _check(once, user)
    with line(actor=person.actor_key, action="accounts.password.reset", subject=user.username):
        user.set_password(once)
        user.must_change_password = True
        user.save(update_fields=["password", "must_change_password"])
        FailedSignIn.objects.filter(name=user.username).delete()
        user.api_tokens.all().delete()
    return once


def change_own_password(*, user: User, old: str, new: str) -> None:
    """The person's own new password; every other session ends."""
    if not user.check_password(old):
        raise Refused(Text("现用密码不对", "the present password is wrong"))
    if old == new:
        raise Refused(Text("新密码与现用密码相同", "the new password is the same as the present one"))
    _check(new, user)
    with line(actor=user.actor_key, action="accounts.password.own", subject=user.username):
        user.set_password(new)
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])


def end_sessions(*, person: Person, user: User) -> None:
    """Sign this person out everywhere."""
    if person.pk != user.pk:
        _must_manage(person)
    with line(actor=person.actor_key, action="accounts.sessions.end", subject=user.username):
        User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])


def _check(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        said = " ".join(error.messages)
        raise Refused(Text(f"密码不可用：{said}", f"the password cannot be used: {said}")) from error


def _keep_one_administrator(user: User) -> None:
    others = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=user.pk)
    if user.role == Role.ADMINISTRATOR and user.is_active and not others.exists():
        raise Refused(Text("这是最后一位管理员，不能停用或改任", "this is the last administrator; there must be one"))


def _place(person: Person, team_code: str, branch_code: str) -> tuple[Team | None, Branch | None]:
    """The team and its branch; a new code makes a new one. Without a team the branch alone."""
    if team_code:
        found = ensure_team(actor=person.actor_key, branch_code=branch_code or team_code, team_code=team_code)
        if branch_code and found.branch.code != branch_code:
            where = found.branch.code
            raise Refused(
                Text(f"团队{team_code}属于分行{where}", f"team {team_code} belongs to branch {where}"),
            )
        return found, found.branch
    if branch_code:
        return None, Branch.objects.get_or_create(code=branch_code, defaults={"name": branch_code})[0]
    return None, None
