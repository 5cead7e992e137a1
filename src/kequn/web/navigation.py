"""The entries of the bar at the top, for this reader."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from kequn.apps.accounts.access import MANAGE_USERS, RATE, SEE_AUDIT, SEE_OUTCOMES, may, sees_imports, sees_runs
from kequn.apps.governance.selectors import sees_policy_work
from kequn.web.preferences import theme


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    current: bool


def entries(request: HttpRequest) -> list[Entry]:
    user = request.user
    named = [
        ("home", _("Today")),
        ("customers", _("Customers")),
        ("portfolio", _("Portfolio")),
        ("segments", _("Segments")),
        ("signals", _("Signals")),
        ("migration", _("Migration")),
        ("projects", _("Projects")),
        ("ratings", _("Ratings")),
    ]
    named.append(("reports", _("Reports")))
    if sees_policy_work(user) or may(user, RATE):
        named.append(("approvals", _("Approvals")))
    if may(user, SEE_OUTCOMES):
        named.append(("outcomes", _("Outcomes")))
    if sees_imports(user):
        named.append(("imports", _("Imports")))
    if sees_runs(user):
        named.append(("runs", _("Runs")))
    if may(user, SEE_AUDIT):
        named.append(("audit", _("Audit")))
    if may(user, MANAGE_USERS):
        named.append(("people", _("People")))
    return [Entry(label, reverse(name), _stands(request.path, reverse(name))) for name, label in named]


def _stands(path: str, address: str) -> bool:
    return path == address or (address != reverse("home") and path.startswith(address))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `navigation` and `theme` on every page of a signed-in reader."""
    if not request.user.is_authenticated:
        return {"navigation": [], "theme": "auto"}
    return {"navigation": entries(request), "theme": theme(request)}
