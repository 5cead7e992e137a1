"""The second step of signing in: enrol, prove, use a recovery code, take away."""

import hashlib
import hmac
import secrets
import time

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kequn.apps.accounts import totp
from kequn.apps.accounts.access import MANAGE_USERS, Person, may
from kequn.apps.accounts.models import RecoveryCode, Totp, User
from kequn.apps.accounts.selectors import is_locked_out
from kequn.apps.accounts.services import count_failure, forget_failures
from kequn.apps.audit.services import line
from kequn.domain.errors import Misuse, Refused, Text

RECOVERY_CODES, RECOVERY_BYTES = 10, 8
WRONG = Text("验证码不对，或已经用过", "the code is wrong, or was used before")
LOCKED = Text("验证码错误次数过多，请稍后再试", "too many wrong codes; try again later")


def is_enrolled(user: User) -> bool:
    return Totp.objects.filter(user=user, confirmed_at__isnull=False).exists()


def is_required(user: User) -> bool:
    return user.role in settings.KEQUN_TOTP_ROLES


def begin(*, user: User) -> str:
    """The secret to be proved; asked again before it is proved, it is the same."""
    with line(actor=user.actor_key, action="accounts.totp.begin", subject=user.username):
        row, _ = Totp.objects.select_for_update().get_or_create(
            user=user, defaults={"secret": totp.sealed(totp.new_secret())}
        )
    if row.confirmed_at is not None:
        raise Refused(Text("已经启用两步验证", "two-step sign-in is on already"))
    return totp.opened(row.secret)


def secret_to_prove(user: User) -> str:
    """The secret that waits to be proved, or nothing."""
    row = Totp.objects.filter(user=user, confirmed_at__isnull=True).first()
    return totp.opened(row.secret) if row else ""


def confirm(*, user: User, code: str) -> list[str]:
    """The first right code turns the second step on; the recovery codes, shown this once."""
    with line(actor=user.actor_key, action="accounts.totp.on", subject=user.username) as audit:
        row = Totp.objects.select_for_update().filter(user=user, confirmed_at__isnull=True).first()
        step = _step(row, code) if row else None
        if row is None or step is None:
            raise Refused(WRONG)
        row.confirmed_at, row.last_step = timezone.now(), step
        row.save(update_fields=["confirmed_at", "last_step"])
        codes = _fresh_codes(user)
        audit.wrote("accounts.Totp", [[user.username, "on"]])
    return codes


def renew_codes(*, user: User, code: str) -> list[str]:
    """New recovery codes for a right one-time code; the old ones are void."""
    _prove(user, code)
    with line(actor=user.actor_key, action="accounts.totp.codes", subject=user.username):
        return _fresh_codes(user)


def turn_off(*, user: User, code: str) -> None:
    if is_required(user):
        raise Refused(Text("您的角色必须使用两步验证", "your role must use two-step sign-in"))
    _prove(user, code)
    with line(actor=user.actor_key, action="accounts.totp.off", subject=user.username):
        _remove(user)


def reset(*, person: Person, user: User) -> None:
    """An administrator takes the second step away from who has lost device and codes."""
    if not may(person, MANAGE_USERS):
        raise Misuse(Text("没有管理用户的权限", "you may not manage users"))
    with line(actor=person.actor_key, action="accounts.totp.reset", subject=user.username):
        _remove(user)


def use(*, user: User, code: str) -> bool:
    """Whether this one-time or recovery code opens, once. Who fails too often is locked, as with passwords."""
    given, tries = "".join(code.split()).replace("-", "").lower(), lock_name(user)
    if is_locked_out(tries):
        return False
    with line(actor=user.actor_key, action="accounts.totp.used", subject=user.username) as audit:
        is_code = given.isdecimal() and len(given) == totp.DIGITS
        opens = _spend(user, given) if is_code else _open_with_recovery(user, given)
        audit.detail["by"] = "code" if is_code else "recovery code"
        audit.detail["opens"] = opens
        if opens:
            forget_failures(name=tries)
    if not opens:
        count_failure(name=tries)
    return opens


def lock_name(user: User) -> str:
    """Under which name wrong codes are counted; no user name holds a colon."""
    return f"code:{user.username}"[:150]


def _open_with_recovery(user: User, given: str) -> bool:
    return RecoveryCode.objects.filter(user=user, digest=_digest(user, given)).delete()[0] == 1


def _prove(user: User, code: str) -> None:
    """A one-time code, no recovery code. Wrong ones count and lock as at sign-in: an open session may be a thief's."""
    tries = lock_name(user)
    if is_locked_out(tries):
        raise Refused(LOCKED)
    with transaction.atomic():
        is_right = _spend(user, "".join(code.split()))
    if not is_right:
        count_failure(name=tries)
        raise Refused(WRONG)


def _spend(user: User, code: str) -> bool:
    row = Totp.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
    step = _step(row, code) if row else None
    if row is None or step is None:
        return False
    row.last_step = step
    row.save(update_fields=["last_step"])
    return True


def _step(row: Totp, code: str) -> int | None:
    given = "".join(code.split())
    return totp.step_of(secret=totp.opened(row.secret), code=given, now=time.time(), after=row.last_step)


def _fresh_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [secrets.token_hex(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, digest=_digest(user, one)) for one in codes)
    return ["-".join(one[place : place + 4] for place in range(0, len(one), 4)) for one in codes]


def _digest(user: User, code: str) -> str:
    key = f"kequn.recovery:{settings.SECRET_KEY}".encode()
    return hmac.new(key, f"{user.pk}:{code}".encode(), hashlib.sha256).hexdigest()


def _remove(user: User) -> None:
    Totp.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
