"""Sign-in by password; a name that failed too often is locked for a while, whether it exists or not."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from kequn.apps.accounts.models import User
from kequn.apps.accounts.selectors import is_locked_out
from kequn.apps.accounts.services import count_failure, forget_failures


class LockOutBackend(ModelBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **rest: Any
    ) -> User | None:
        name = (username or "")[:150]
        if not name or password is None or is_locked_out(name):
            return None
        user = super().authenticate(request, username=name, password=password, **rest)
        if user is None:
            count_failure(name=name)
        else:
            forget_failures(name=name)
        return user
