"""Tokens with which programs read as this person: make one, see it once, end it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from kequn.apps.accounts.models import User
from kequn.apps.accounts.tokens import LONGEST_DAYS, USUAL_DAYS, make_token, remove_token, tokens_of
from kequn.domain.errors import KequnError
from kequn.web.templatetags.kequn import language


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the door lets nobody else in
    context: dict[str, Any] = {"usual": USUAL_DAYS, "longest": LONGEST_DAYS}
    if request.method == "POST":
        name, days = request.POST.get("name", ""), request.POST.get("days", "")
        try:
            context["made"] = make_token(user=user, name=name, days=int(days) if days.isdecimal() else 0)
        except KequnError as error:
            context |= {"problem": error.text.in_language(language()), "name": name, "days": days}
    context["tokens"] = tokens_of(user)
    return render(request, "kequn/tokens.html", context)


@require_POST
def remove(request: HttpRequest, number: int) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - the door lets nobody else in
    try:
        remove_token(user=request.user, number=number)
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    else:
        messages.success(request, _("The token is ended."))
    return redirect("tokens")
