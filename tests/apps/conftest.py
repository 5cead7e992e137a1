"""A cast that recurs: 王芳 manages, 李强 is in her team, 赵敏 in another branch, 周总 sees all."""

import pytest

from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import Branch, Team, User
from kequn.apps.ingest.services import Wish, import_path

TODAY_BOOK = "customer_id,name,uscc,country,province,industry_code,employees,registered_capital（万元）\n"
GOOD_USCC = "91110000600037341L"


@pytest.fixture
def admin():
    return LocalAdministrator()


@pytest.fixture
def staff(db):
    north, south = (Branch.objects.create(code=code, name=code) for code in ("N", "S"))
    first = Team.objects.create(code="N1", name="一组", branch=north)
    second = Team.objects.create(code="N2", name="二组", branch=north)
    other = Team.objects.create(code="S1", name="南一组", branch=south)

    def person(name, role, scope, team):
        return User.objects.create(username=name, role=role, scope=scope, team=team, branch=team.branch)

    return {
        "wang": person("wang", "manager", "own", first),
        "li": person("li", "analyst", "team", first),
        "sun": person("sun", "risk", "branch", second),
        "zhao": person("zhao", "manager", "own", other),
        "zhou": person("zhou", "head", "all", first),
    }


@pytest.fixture
def bring(tmp_path, admin):
    """Import a text as a CSV file and answer the batch."""

    def bring_in(text, *, name="customers.csv", encoding="utf-8", **wish):
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        wish.setdefault("unit", "元")
        return import_path(path=file, person=admin, wish=Wish(**wish))[0]

    return bring_in
