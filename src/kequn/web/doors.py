"""What stands between a signed-in person and the pages: an idle session, a password to change, a second step."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from kequn.apps.accounts.models import User
from kequn.apps.accounts.second_factor import is_required
from kequn.apps.accounts.sessions import note_sign_out

SEEN, SECOND_STEP, BY_OIDC = "kequn_seen", "kequn_second_step", "kequn_by_oidc"
ALWAYS_OPEN = frozenset({"sign-out", "set_language", "password", "two-step"})
NOTED_EVERY = 60  # seconds
PAGE_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
API = "/api/"


def _holds_nul(request: HttpRequest) -> bool:
    """No text holds it, and PostgreSQL cannot be asked for it."""
    return "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")


class Doors:
    """Middleware after sign-in and messages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in PAGE_METHODS and not request.path_info.startswith(API):
            return HttpResponseNotAllowed(sorted(PAGE_METHODS))
        if _holds_nul(request) and not request.path_info.startswith(API):
            return HttpResponseBadRequest()
        user = request.user
        if isinstance(user, User):
            barred = self._idle(request, user) or self._owed(request, user)
            if barred is not None:
                return barred
        return self.get_response(request)

    def _idle(self, request: HttpRequest, user: User) -> HttpResponse | None:
        now, seen = int(time.time()), request.session.get(SEEN)
        if seen is not None and now - seen > settings.KEQUN_IDLE_MINUTES * 60:
            note_sign_out(user=user, why="idle")
            logout(request)
            messages.info(request, _("You were signed out after a time without use."))
            return redirect("sign-in")
        if seen is None or now - seen > NOTED_EVERY:
            request.session[SEEN] = now
        return None

    def _owed(self, request: HttpRequest, user: User) -> HttpResponse | None:
        """Where the person must go first, if anywhere."""
        owes_password = user.must_change_password
        owes_step = is_required(user) and not (request.session.get(SECOND_STEP) or request.session.get(BY_OIDC))
        if not (owes_password or owes_step):
            return None
        try:
            name = resolve(request.path_info).url_name
        except Resolver404:
            return None
        if name in ALWAYS_OPEN:
            return None
        return redirect("password" if owes_password else "two-step")
