"""People, from the terminal: add, list, password, unlock, second step."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kequn.cli.records import answer_json, ready

AsUser = Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")]
Name = Annotated[str, typer.Argument(help="The name to sign in with.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with the password; else one is made and shown once.")]


def register(app: typer.Typer) -> None:
    people = typer.Typer(help="Who may sign in, in which role, and whose customers they see.", no_args_is_help=True)
    for name, command in (
        ("add", add), ("list", everybody), ("passwd", passwd), ("unlock", unlock), ("reset-two-step", reset_two_step),
        ("token", token),
    ):  # fmt: skip
        people.command(name)(command)
    app.add_typer(people, name="user")


def _given(file: Path | None) -> str:
    return file.read_text(encoding="utf-8").strip() if file else ""


def add(
    name: Name,
    role: Annotated[str, typer.Option(help="manager, analyst, risk, segment, head, administrator, auditor.")],
    team: Annotated[str, typer.Option(help="Code of the team; made when new.")] = "",
    branch: Annotated[str, typer.Option(help="Code of the branch; made when new.")] = "",
    scope: Annotated[str, typer.Option(help="own, team, branch, all; else what the role usually sees.")] = "",
    password_file: PasswordFile = None,
    as_user: AsUser = "",
) -> None:
    """Add a person. The password must be changed at the first sign-in."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts import people

    user, once = people.add(
        person=person, username=name, role=role, scope=scope, team_code=team, branch_code=branch,
        password=_given(password_file),
    )  # fmt: skip
    print(user.username if password_file else f"{user.username}\t{once}")


def everybody(
    as_user: AsUser = "", as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False
) -> None:
    """List everybody: role, scope, team, branch, state."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts import selectors
    from kequn.apps.accounts.access import MANAGE_USERS, may
    from kequn.domain.errors import Misuse, Text

    if not may(person, MANAGE_USERS):
        raise Misuse(Text("没有管理用户的权限", "you may not manage users"))
    locked = selectors.locked_names()
    rows: list[dict[str, Any]] = [
        {
            "name": one.username,
            "role": one.role,
            "scope": one.scope,
            "team": one.team.code if one.team else "",
            "branch": one.branch.code if one.branch else "",
            "active": one.is_active,
            "locked": one.username in locked,
        }
        for one in selectors.people()
    ]
    if as_json:
        answer_json(rows)
    else:
        for row in rows:
            print("\t".join(str(value) for value in row.values()))


def _user(name: str) -> Any:
    from kequn.apps.accounts.models import User
    from kequn.domain.errors import Misuse, Text

    found = User.objects.filter(username=name).first()
    if found is None:
        raise Misuse(Text(f"没有用户 {name}", f"no user {name}"))
    return found


def passwd(name: Name, password_file: PasswordFile = None, as_user: AsUser = "") -> None:
    """Give a person a one-time password; it must be changed at the next sign-in, and open sessions end."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts import people

    once = people.new_password(person=person, user=_user(name), password=_given(password_file))
    print(name if password_file else f"{name}\t{once}")


def unlock(name: Name, as_user: AsUser = "") -> None:
    """Forget the failed tries of a name."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts import people

    people.unlock(person=person, username=name)


def reset_two_step(name: Name, as_user: AsUser = "") -> None:
    """Take the second step away from who has lost device and recovery codes."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts import second_factor

    second_factor.reset(person=person, user=_user(name))


def token(
    name: Name,
    purpose: Annotated[str, typer.Option("--for", help="What the token is for.")],
    days: Annotated[int, typer.Option(help="How many days it lasts.")] = 90,
    as_user: AsUser = "",
) -> None:
    """Make a token with which a program reads the API as this person; it is shown once."""
    person = ready(as_user=as_user)
    from kequn.apps.accounts.access import MANAGE_USERS, may
    from kequn.apps.accounts.models import User
    from kequn.apps.accounts.tokens import make_token
    from kequn.domain.errors import Misuse, Text

    if not may(person, MANAGE_USERS):
        raise Misuse(Text("没有管理用户的权限", "you may not manage users"))
    user = User.objects.filter(username=name).first()
    if user is None:
        raise Misuse(Text(f"没有用户 {name}", f"no user {name}"))
    print(make_token(user=user, name=purpose, days=days))
