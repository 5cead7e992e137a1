"""Sign in by password and one-time code, sign out; one's own password and second step."""

import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kequn.apps.accounts import people, second_factor, totp
from kequn.apps.accounts.models import User
from kequn.apps.accounts.selectors import locked_for
from kequn.apps.accounts.sessions import note_sign_in, note_sign_out
from kequn.domain.errors import KequnError
from kequn.web import qr
from kequn.web.doors import BY_OIDC, SECOND_STEP
from kequn.web.templatetags.kequn import language

BACKEND = "kequn.apps.accounts.backends.LockOutBackend"
HALF, HALF_SECONDS = "kequn_half_signed_in", 300


def locked_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return ngettext(
        "Too many wrong tries. Sign-in is locked for %(minutes)d more minute; an administrator can unlock it.",
        "Too many wrong tries. Sign-in is locked for %(minutes)d more minutes; an administrator can unlock it.",
        minutes,
    ) % {"minutes": minutes}


class PasswordForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        name = (self.cleaned_data.get("username") or "")[:150]
        wrong = _("The user name or the password is wrong. Mind small and capital letters.")
        if not locked_for(name):
            try:
                return super().clean()
            except forms.ValidationError as error:
                if not locked_for(name):  # else this try was the last one
                    raise forms.ValidationError(wrong) from error
        raise forms.ValidationError(locked_words(locked_for(name)))


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    template_name = "kequn/sign_in.html"
    form_class = PasswordForm
    redirect_authenticated_user = True
    extra_context = {"oidc_name": settings.KEQUN_OIDC_NAME if settings.KEQUN_OIDC_ISSUER else ""}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if second_factor.is_enrolled(user):
            half = {"user": user.pk, "at": int(time.time()), "next": self.get_redirect_url()}
            self.request.session[HALF] = half | {"hash": user.get_session_auth_hash()}
            return redirect("sign-in-code")
        login(self.request, user, BACKEND)
        note_sign_in(user=user, by="password")
        return redirect(self.get_success_url())


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """The second step: who comes here has given the right password and is not signed in yet."""
    half = request.session.get(HALF) or {}
    fresh = time.time() - half.get("at", 0) < HALF_SECONDS
    user = User.objects.filter(pk=half.get("user"), is_active=True).first() if fresh else None
    if user is None or user.get_session_auth_hash() != half.get("hash"):
        request.session.pop(HALF, None)
        return redirect("sign-in")
    problem = ""
    if request.method == "POST":
        if second_factor.use(user=user, code=request.POST.get("code", "")[:40]):
            request.session.pop(HALF, None)
            login(request, user, BACKEND)
            request.session[SECOND_STEP] = True
            note_sign_in(user=user, by="password and code")
            wanted = half.get("next") or ""
            safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
            return redirect(wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL))
        seconds = locked_for(second_factor.lock_name(user))
        problem = locked_words(seconds) if seconds else _("The code is wrong, or was used before.")
    return render(request, "kequn/sign_in_code.html", {"problem": problem}, status=200)


@method_decorator(login_not_required, name="dispatch")
class SignOut(LogoutView, RedirectURLMixin):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            note_sign_out(user=request.user)
        return super().post(request, *args, **kwargs)


def _own(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the door lets nobody else in
    return request.user


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """One's own password, and signing out everywhere."""
    user, problem = _own(request), ""
    if request.method == "POST":
        try:
            if request.POST.get("act") == "everywhere":
                people.end_sessions(person=user, user=user)
                update_session_auth_hash(request, user)
                messages.success(request, _("All other sessions have ended."))
                return redirect("password")
            if request.POST.get("new") != request.POST.get("again"):
                problem = _("The new password was not typed the same twice.")
            else:
                people.change_own_password(user=user, old=request.POST.get("old", ""), new=request.POST.get("new", ""))
                update_session_auth_hash(request, user)
                messages.success(request, _("The password is changed; all other sessions have ended."))
                return redirect("home")
        except KequnError as error:
            problem = error.text.in_language(language())
    context = {"problem": problem, "may_change": user.has_usable_password(), "must": user.must_change_password}
    return render(request, "kequn/password.html", context, status=422 if problem else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def two_step(request: HttpRequest) -> HttpResponse:
    """Turn the second step on, renew its recovery codes, turn it off."""
    user, context = _own(request), {}
    if request.method == "POST":
        try:
            context = _two_step_act(request, user)
        except KequnError as error:
            context = {"problem": error.text.in_language(language())}
    secret = second_factor.secret_to_prove(user)
    context |= {
        "on": second_factor.is_enrolled(user),
        "required": second_factor.is_required(user),
        "by_oidc": request.session.get(BY_OIDC, False),
        "secret": " ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
    }
    if secret:
        context["picture"] = qr.drawn(totp.address(secret=secret, name=user.username))
    return render(request, "kequn/two_step.html", context, status=422 if context.get("problem") else 200)


def _two_step_act(request: HttpRequest, user: User) -> dict[str, Any]:
    act, code = request.POST.get("act", ""), request.POST.get("code", "")[:40]
    if act == "begin":
        second_factor.begin(user=user)
    elif act == "confirm":
        codes = second_factor.confirm(user=user, code=code)
        request.session[SECOND_STEP] = True
        return {"codes": codes}
    elif act == "renew":
        return {"codes": second_factor.renew_codes(user=user, code=code)}
    elif act == "off":
        second_factor.turn_off(user=user, code=code)
        messages.success(request, _("Two-step sign-in is off."))
    return {}
