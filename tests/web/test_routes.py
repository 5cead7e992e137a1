"""Every route, by method, role and record, against the one declared table in routes.py.

A refused request must have changed nothing: the database itself counts every row that is inserted, changed or deleted.
"""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, get_resolver

from kequn.apps.accounts.models import Role, User
from kequn.apps.customers.models import Customer
from tests.web.routes import EVERYONE, NOBODY, ROUTES, SEES, Route

pytestmark = pytest.mark.django_db
DONE, REFUSED, NOT_THERE, NO_SUCH_METHOD = {200, 302, 400, 409, 422}, {403}, {404}, {405}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ELSEWHERE = ("/api/", "/health", "/metrics")  # not pages: the API and the operation have tests of their own


def patterns(resolver, before="/"):
    for one in resolver.url_patterns:
        address = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield one.name or address, address
        else:
            yield from patterns(one, address)


@pytest.fixture(autouse=True)
def sessions_in_cookies(settings):
    """So that every change of a row is the page's own."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"


@pytest.fixture
def records(db):
    lin = User.objects.get(username="demo-manager")
    others = Customer.objects.exclude(owner=lin)
    return {
        "own": Customer.objects.filter(owner=lin).order_by("pk").first().code,
        "team": others.filter(team__code="T01").order_by("pk").first().code,
        "other branch": others.filter(branch__code="B02").order_by("pk").first().code,
    }


def test_every_route_is_declared_and_nothing_else_is():
    there = {name: address for name, address in patterns(get_resolver()) if not address.startswith(ELSEWHERE)}
    lines = [f'    "{name}": Route("{address}"),' for name, address in there.items() if name not in ROUTES]
    assert not lines, "add to ROUTES in tests/web/routes.py, with who reads and who writes:\n" + "\n".join(lines)
    assert set(ROUTES) - set(there) == set(), "no longer a route: take the line out of tests/web/routes.py"


def expected(route: Route, method: str, role: str, record: str) -> set[int]:
    if method in {"PUT", "PATCH", "DELETE"}:
        return NO_SUCH_METHOD
    if method == "HEAD":
        return expected(route, "GET", role, record)
    if method == "GET" and route.reads == NOBODY:
        return NO_SUCH_METHOD
    if record and record not in SEES[role]:
        return NOT_THERE | (NO_SUCH_METHOD if method == "POST" else set())
    roles = route.writes if method == "POST" and route.writes else route.reads
    if method == "POST" and not route.writes:  # a page that is only read: it says so, or answers as ever
        return NO_SUCH_METHOD | (DONE | NOT_THERE if role in roles else REFUSED)
    if role not in roles:
        return REFUSED
    return NOT_THERE if route.missing else DONE


def changes_during(client: Client, method: str, address: str, data: dict[str, str]) -> tuple[int, int]:
    """The answer's status, and how many rows were touched; all is rolled back."""
    client.raise_request_exception = False
    with transaction.atomic():
        before = connection.connection.total_changes
        answer = client.generic(method, address) if method != "POST" else client.post(address, data)
        if answer.streaming:
            b"".join(answer.streaming_content)
        answer.close()
        changed = connection.connection.total_changes - before
        transaction.set_rollback(True)
    return answer.status_code, changed


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite counts the touched rows")
@pytest.mark.parametrize("name", ROUTES)
def test_a_route_answers_each_role_as_declared_and_a_refusal_changes_nothing(name, sign_in, records):
    route = ROUTES[name]
    wrong = []
    for role in Role.values:
        for record, code in records.items() if route.record else [("", "")]:
            for method in METHODS:
                address = route.address.format(code=code)
                status, changed = changes_during(sign_in(role), method, address, route.post)
                if status not in expected(route, method, role, record):
                    wrong.append(f"{method} {address} as {role} {record}: {status}")
                if changed and (
                    status in REFUSED | NOT_THERE | NO_SUCH_METHOD or (method == "POST" and not route.writes)
                ):
                    wrong.append(f"{method} {address} as {role} {record}: {status}, yet {changed} rows were touched")
    assert wrong == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite counts the touched rows")
@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if not route.open])
def test_without_signing_in_there_is_only_the_door(name, db, records):
    address = ROUTES[name].address.format(code=records["own"])
    for method in METHODS:
        client = Client()
        status, changed = changes_during(client, method, address, ROUTES[name].post)
        assert (status, changed) in {(302, 0), (405, 0)}, method


def test_the_table_names_roles_that_exist():
    named = {role for route in ROUTES.values() for role in (*route.reads, *route.writes)}
    assert named <= set(Role.values) == set(EVERYONE) == set(SEES)
