"""How a person likes to read: the page of settings, the button of the other language, the views kept of a list."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from kequn.apps.accounts.models import MoneyUnit, RowsPerPage, Theme, User
from kequn.apps.accounts.services import Preferences, keep_preferences, remove_view, save_view
from kequn.domain.errors import KequnError
from kequn.web.templatetags.kequn import language


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - the door lets nobody else in
    if request.method == "POST":
        rows = request.POST.get("rows_per_page", "")
        chosen = Preferences(
            language=request.POST.get("language", ""),
            money_unit=request.POST.get("money_unit", ""),
            theme=request.POST.get("theme", ""),
            rows_per_page=int(rows) if rows.isdecimal() else 0,
        )
        try:
            kept = keep_preferences(user=request.user, preferences=chosen)
        except KequnError as error:
            messages.error(request, error.text.in_language(language()))
        else:
            translation.activate(kept.language or translation.get_language_from_request(request))
            messages.success(request, _("Your settings are kept."))
        return redirect("preferences")
    context = {
        "languages": [("", _("As the device")), ("zh-hans", "中文"), ("en", "English")],
        "units": MoneyUnit.choices,
        "themes": Theme.choices,
        "rows": RowsPerPage.choices,
    }
    return render(request, "kequn/preferences.html", context)


@login_not_required
def change_language(request: HttpRequest) -> HttpResponse:
    """The button of the other language; for a signed-in person it is kept."""
    chosen = request.POST.get("language", "")
    if request.method == "POST" and isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        user = request.user
        kept = Preferences(chosen, user.money_unit, user.theme, user.rows_per_page)
        keep_preferences(user=user, preferences=kept)
    return set_language(request)


@require_POST
def keep_view(request: HttpRequest) -> HttpResponse:
    """Keep the list as it stands now under a name."""
    assert isinstance(request.user, User)  # noqa: S101 - the door lets nobody else in
    name, query = request.POST.get("name", ""), request.POST.get("query", "")
    try:
        save_view(user=request.user, page="customers", name=name, query=query)
        messages.success(request, _("The view “%(name)s” is kept.") % {"name": name.strip()})
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect(f"{reverse('customers')}?{query}")


@require_POST
def forget_view(request: HttpRequest, number: int) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - the door lets nobody else in
    try:
        remove_view(user=request.user, view_id=number)
        messages.success(request, _("The view is removed."))
    except KequnError as error:
        messages.error(request, error.text.in_language(language()))
    return redirect("customers")
