"""Coming and going, written to the audit chain."""

from kequn.apps.accounts.models import User
from kequn.apps.audit.services import line


def note_sign_in(*, user: User, by: str) -> None:
    with line(actor=user.actor_key, action="sign_in", subject=user.username, by=by):
        pass


def note_sign_out(*, user: User, why: str = "asked") -> None:
    with line(actor=user.actor_key, action="sign_out", subject=user.username, why=why):
        pass
