"""Keys for programs: made once and shown once, kept as a hash, read-only, ending by themselves."""

import hashlib
import secrets
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from kequn.apps.accounts.models import ApiToken, User
from kequn.apps.audit.services import line
from kequn.domain.errors import Refused, Text

PREFIX = "kq_"
LONGEST_DAYS, USUAL_DAYS = 366, 90


def _digest(token: str) -> str:
    """Tokens are long and random, so that a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_token(*, user: User, name: str, days: int = USUAL_DAYS) -> str:
    """A new key of this person, said once: nobody can read it again."""
    name = name.strip()
    if not name or len(name) > 80:
        raise Refused(Text("请给密钥起名（至多 80 字）", "give the token a name of at most 80 characters"))
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(
            Text(f"有效天数为 1 至 {LONGEST_DAYS}，不是 {days}", f"a token lasts 1 to {LONGEST_DAYS} days, not {days}")
        )
    if user.api_tokens.filter(name=name).exists():
        raise Refused(Text(f"已有名为“{name}”的密钥", f"there is a token named “{name}” already"))
    token = PREFIX + secrets.token_urlsafe(32)
    ends = timezone.localdate() + timedelta(days=days)
    with line(actor=user.actor_key, action="accounts.token", subject=user.username, name=name) as audit:
        made = ApiToken.objects.create(
            user=user, name=name, digest=_digest(token), made_at=timezone.now(), expires_on=ends
        )
        audit.wrote("accounts.ApiToken", [[made.pk, user.username, name, ends]])
    return token


def remove_token(*, user: User, number: int) -> None:
    """End a key of this person at once."""
    with line(actor=user.actor_key, action="accounts.token_removed", subject=user.username, token=number):
        if not user.api_tokens.filter(pk=number).delete()[0]:
            raise Refused(Text("没有这个密钥", "there is no such token"))


def tokens_of(user: User) -> QuerySet[ApiToken]:
    return user.api_tokens.order_by("-id")


def user_of(token: str) -> User | None:
    """Whose key this is; None for a wrong or an ended one, or one of a person who may no longer come in."""
    if not token.startswith(PREFIX):
        return None
    valid = ApiToken.objects.filter(digest=_digest(token), expires_on__gte=timezone.localdate(), user__is_active=True)
    found = valid.select_related("user").first()
    return found.user if found else None
