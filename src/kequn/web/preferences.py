"""How this reader likes the pages: language, unit of money, theme, rows. Set once for each request."""

from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from kequn.apps.accounts.models import RowsPerPage, Theme
from kequn.domain.errors import Language
from kequn.domain.money import MoneyUnit, unit_of

_chosen: ContextVar[str] = ContextVar("money_unit", default="")


def unit(spoken: Language) -> MoneyUnit:
    """The unit that this reader sees money in."""
    return unit_of(_chosen.get(), spoken)


def theme(request: HttpRequest) -> str:
    return str(getattr(request.user, "theme", Theme.AUTO))


def rows_per_page(request: HttpRequest) -> int:
    return int(getattr(request.user, "rows_per_page", RowsPerPage.USUAL))


class Preferred:
    """Middleware: the language and the unit of the signed-in person hold for the whole request, and no longer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        mark = _chosen.set(str(getattr(request.user, "money_unit", "")))
        chosen = str(getattr(request.user, "language", ""))
        if chosen:
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()
        try:
            return self.get_response(request)
        finally:
            _chosen.reset(mark)
