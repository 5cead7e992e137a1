"""People: sign-in that locks, passwords that are checked, demonstration logins that only their owner may read."""

import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import authenticate

from kequn.apps.accounts.models import User
from kequn.apps.accounts.selectors import person_at_terminal
from kequn.apps.accounts.services import DEMO_LOGINS, create_user, demo_logins
from kequn.domain.errors import Misuse, Refused

pytestmark = pytest.mark.django_db
GOOD = "correct-horse-battery"


@pytest.fixture
def wang(db):
    return create_user(actor="local:test", username="wang", password=GOOD, role="manager")


def test_the_right_password_signs_in(wang):
    assert authenticate(username="wang", password=GOOD) == wang


@pytest.mark.parametrize("name", ["wang", "nobody"])
def test_a_name_tried_too_often_is_locked_whether_it_exists_or_not(wang, name):
    for _ in range(settings.KEQUN_LOCK_OUT_AFTER):
        assert authenticate(username=name, password="wrong") is None
    assert authenticate(username=name, password=GOOD) is None


def test_a_lock_ends_by_itself(wang, settings):
    for _ in range(settings.KEQUN_LOCK_OUT_AFTER):
        authenticate(username="wang", password="wrong")
    settings.KEQUN_LOCK_OUT_SECONDS = 0
    assert authenticate(username="wang", password=GOOD) == wang


@pytest.mark.parametrize(("password", "role"), [("short", "manager"), ("password1234", "manager"), (GOOD, "king")])
def test_a_weak_password_or_an_unknown_role_is_refused(db, password, role):
    with pytest.raises(Refused):
        create_user(actor="local:test", username="li", password=password, role=role)
    assert not User.objects.exists()


def test_the_role_brings_its_usual_scope(wang):
    assert wang.scope == "own"


def test_demonstration_logins_are_kept_and_readable_by_their_owner_only(db, settings, tmp_path):
    settings.KEQUN_HOME = tmp_path
    made = demo_logins()
    assert demo_logins() == made
    file = Path(tmp_path) / DEMO_LOGINS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert authenticate(username=made[0][1], password=made[0][2]) is not None


def test_acting_as_somebody_unknown_names_those_there_are(wang):
    with pytest.raises(Misuse, match="wang"):
        person_at_terminal("wong")


def test_the_home_and_the_database_are_their_owner_s_alone(tmp_path):
    from kequn.config import environment

    home = environment.private_home(tmp_path / "home")
    environment.sqlite(home / "kequn.sqlite3")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "kequn.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_one_time_codes_are_those_of_rfc_6238_appendix_b(seconds, code):
    from kequn.apps.accounts.totp import code_at

    assert code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", seconds // 30, digits=8) == code
