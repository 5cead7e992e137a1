"""The administration of people, and whose customers are whose."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from kequn.apps.accounts import people as acts
from kequn.apps.accounts import second_factor, selectors
from kequn.apps.accounts.access import ASSIGN, DEFAULT_SCOPE, MANAGE_USERS, may
from kequn.apps.accounts.models import Branch, Role, Scope, Team, User
from kequn.apps.customers.assigning import assign
from kequn.domain.errors import KequnError, Refused
from kequn.web.templatetags.kequn import language


def _choices() -> dict[str, Any]:
    return {
        "roles": Role.choices,
        "scopes": Scope.choices,
        "teams": Team.objects.select_related("branch").order_by("code"),
        "branches": Branch.objects.order_by("code"),
    }


def _must(request: HttpRequest, act: str) -> User:
    if not isinstance(request.user, User) or not may(request.user, act):
        raise PermissionDenied
    return request.user


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who may come in; a new person."""
    me, context = _must(request, MANAGE_USERS), {}
    if request.method == "POST":
        given = {
            key: request.POST.get(key, "").strip() for key in ("username", "role", "scope", "team", "branch", "name")
        }
        try:
            user, once = acts.add(
                person=me,
                username=given["username"],
                role=given["role"],
                scope=given["scope"] or DEFAULT_SCOPE.get(given["role"], ""),
                team_code=given["team"],
                branch_code=given["branch"],
                name=given["name"],
            )
        except KequnError as error:
            context = {"problem": error.text.in_language(language()), "given": given}
        else:
            context = {"made": user, "once": once}
    context |= _choices() | {"people": selectors.people(), "locked": selectors.locked_names()}
    return render(request, "kequn/people.html", context, status=422 if context.get("problem") else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, number: int) -> HttpResponse:
    """One person: role, scope, place; unlock, new password, second step, sessions, in and out of service."""
    me = _must(request, MANAGE_USERS)
    user = selectors.people().filter(pk=number).first()
    if user is None:
        raise Http404
    context: dict[str, Any] = {}
    if request.method == "POST":
        try:
            once = _act(request, me, user)
        except KequnError as error:
            context["problem"] = error.text.in_language(language())
        else:
            if not once:
                messages.success(request, _("Done."))
                return redirect("person", number=number)
            context["once"] = once
    context |= _choices() | {"person": user, "is_locked": user.username in selectors.locked_names()}
    context["second_step"] = second_factor.is_enrolled(user)
    return render(request, "kequn/person.html", context, status=422 if context.get("problem") else 200)


def _act(request: HttpRequest, me: User, user: User) -> str:
    """Do what was asked; a one-time password if that was it."""
    act = request.POST.get("act", "")
    if act == "change":
        acts.change(
            person=me,
            user=user,
            role=request.POST.get("role", ""),
            scope=request.POST.get("scope", ""),
            team_code=request.POST.get("team", "").strip(),
            branch_code=request.POST.get("branch", "").strip(),
            name=request.POST.get("name", "").strip(),
        )
    elif act in {"activate", "deactivate"}:
        acts.set_active(person=me, user=user, active=act == "activate")
    elif act == "unlock":
        acts.unlock(person=me, username=user.username)
    elif act == "two-step":
        second_factor.reset(person=me, user=user)
    elif act == "sessions":
        acts.end_sessions(person=me, user=user)
    elif act == "password":
        return acts.new_password(person=me, user=user)
    return ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def assignment(request: HttpRequest) -> HttpResponse:
    """Give many customers, by their codes, to a manager or a team."""
    me, context = _must(request, ASSIGN), {}
    if request.method == "POST":
        given = {key: request.POST.get(key, "") for key in ("codes", "manager", "team")}
        codes = given["codes"].replace(",", "\n").replace("，", "\n").replace(";", "\n").split("\n")
        try:
            count = assign(person=me, codes=codes, manager=given["manager"], team=given["team"])
        except KequnError as error:
            findings = error.findings if isinstance(error, Refused) else ()
            problems = [one.in_language(language()) for one in findings]
            context = {"problem": error.text.in_language(language()), "problems": problems, "given": given}
        else:
            messages.success(request, _("%(count)d customers were assigned.") % {"count": count})
            return redirect("assignment")
    context |= _choices() | {"managers": selectors.people().filter(is_active=True)}
    return render(request, "kequn/assignment.html", context, status=422 if context.get("problem") else 200)
