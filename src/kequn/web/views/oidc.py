"""Sign in through the bank's identity server, where one is set."""

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kequn.apps.accounts import oidc
from kequn.apps.accounts.sessions import note_sign_in
from kequn.domain.errors import KequnError
from kequn.web.doors import BY_OIDC
from kequn.web.templatetags.kequn import language
from kequn.web.views.account import BACKEND

STARTED = "kequn_oidc"


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("oidc-back"))


@never_cache
@login_not_required
@require_safe
def oidc_start(request: HttpRequest) -> HttpResponse:
    if not oidc.is_on():
        raise Http404
    try:
        address, started = oidc.start(back_to=_back(request))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
        return redirect("sign-in")
    request.session[STARTED] = asdict(started)
    return redirect(address)


@never_cache
@login_not_required
@require_safe
def oidc_back(request: HttpRequest) -> HttpResponse:
    kept = request.session.pop(STARTED, None)
    if not oidc.is_on() or kept is None:
        raise Http404
    code, state = request.GET.get("code", ""), request.GET.get("state", "")
    try:
        claims = oidc.claims_for(code=code, state=state, back_to=_back(request), started=oidc.Started(**kept))
        user = oidc.person_of(claims)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
        return redirect("sign-in")
    login(request, user, BACKEND)
    request.session[BY_OIDC] = True
    note_sign_in(user=user, by="oidc")
    return redirect("home")
