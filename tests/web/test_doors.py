"""The ways in: lock-out, the second step, a password somebody else knows, idle sessions, signing out everywhere."""

import re
import time

import pytest
from django.test import Client

from kequn.apps.accounts import people, second_factor, totp
from kequn.apps.accounts.access import LocalAdministrator
from kequn.apps.accounts.models import RecoveryCode, Totp, User
from kequn.apps.audit.models import AuditLine
from kequn.apps.audit.selectors import verify
from kequn.domain.errors import Refused

pytestmark = pytest.mark.django_db
OWN = "seven-blue-herons"


@pytest.fixture
def mei():
    user, _ = people.add(person=LocalAdministrator(), username="mei", role="risk", password=OWN)
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    return User.objects.get(pk=user.pk)


def signed(password=OWN, name="mei", language="en"):
    client = Client(headers={"accept-language": language})
    return client, client.post("/sign-in/", {"username": name, "password": password})


def enrol(user):
    secret = second_factor.begin(user=user)
    return secret, second_factor.confirm(user=user, code=totp.code_at(secret, int(time.time()) // 30 - 1))


def actions(name="mei"):
    return list(AuditLine.objects.filter(subject=name).order_by("id").values_list("action", flat=True))


@pytest.mark.parametrize(("name", "language", "words"), [("mei", "en", "15 more minutes"), ("nobody", "zh-hans", "15")])
def test_a_locked_name_is_told_for_how_long_whether_it_exists_or_not(mei, settings, name, language, words):
    for _ in range(settings.KEQUN_LOCK_OUT_AFTER):
        _client, page = signed("wrong", name, language)
    assert words in page.content.decode()
    assert words in signed(OWN, name, language)[1].content.decode()
    assert people.unlock(person=LocalAdministrator(), username=name)
    if name == "mei":
        assert signed()[1].status_code == 302


def test_coming_and_going_is_audited_and_an_unknown_name_is_not_written_down(mei):
    signed("wrong")
    signed("x", "my-secret-password")
    client, _ = signed()
    client.post("/sign-out/")
    assert actions()[-3:] == ["sign_in.failed", "sign_in", "sign_out"]
    assert not AuditLine.objects.filter(subject__contains="secret").exists()
    assert verify().is_whole


def test_a_password_alone_reaches_nothing_when_the_second_step_is_on(mei):
    secret, _ = enrol(mei)
    client, answer = signed()
    assert answer.url == "/sign-in/code/"
    assert client.get("/customers/").status_code == 302
    assert client.post("/sign-in/code/", {"code": "000000"}).status_code == 200
    assert client.get("/customers/").status_code == 302
    code = totp.code_at(secret, int(time.time()) // 30)
    assert client.post("/sign-in/code/", {"code": code}).status_code == 302
    assert client.get("/customers/").status_code == 200


def test_a_code_opens_once_and_so_does_a_recovery_code(mei):
    secret, codes = enrol(mei)
    code = totp.code_at(secret, int(time.time()) // 30)
    assert second_factor.use(user=mei, code=code)
    assert not second_factor.use(user=mei, code=code)
    assert len(set(codes)) == 10
    assert second_factor.use(user=mei, code=codes[0])
    assert not second_factor.use(user=mei, code=codes[0])
    assert RecoveryCode.objects.count() == 9


def test_wrong_codes_lock_even_beside_right_passwords(mei, settings):
    secret, _ = enrol(mei)
    for _ in range(settings.KEQUN_LOCK_OUT_AFTER):
        client, _ = signed()
        page = client.post("/sign-in/code/", {"code": "123"})
    assert "locked for" in page.content.decode()
    assert not second_factor.use(user=mei, code=totp.code_at(secret, int(time.time()) // 30))


def test_the_second_step_cannot_be_turned_off_by_trying_codes(mei, settings):
    secret, _ = enrol(mei)
    for _ in range(settings.KEQUN_LOCK_OUT_AFTER):
        with pytest.raises(Refused):
            second_factor.turn_off(user=mei, code="000000")
    with pytest.raises(Refused) as refused:
        second_factor.turn_off(user=mei, code=totp.code_at(secret, 1 + int(time.time()) // 30))
    assert refused.value.text == second_factor.LOCKED
    assert second_factor.is_enrolled(mei)


def test_secrets_and_recovery_codes_are_not_kept_in_clear(mei):
    secret, codes = enrol(mei)
    assert secret not in Totp.objects.get(user=mei).secret
    assert codes[0].replace("-", "") not in set(RecoveryCode.objects.values_list("digest", flat=True))


def test_half_a_sign_in_ends_when_the_password_changes(mei):
    secret, _ = enrol(mei)
    client, _ = signed()
    people.new_password(person=LocalAdministrator(), user=mei)
    assert client.post("/sign-in/code/", {"code": totp.code_at(secret, int(time.time()) // 30)}).url == "/sign-in/"


def test_a_required_second_step_lets_nobody_further_without(mei, settings):
    settings.KEQUN_TOTP_ROLES = ["risk"]
    client, _ = signed()
    assert client.get("/customers/").url == "/two-step/"
    client.post("/two-step/", {"act": "begin"})
    secret = second_factor.secret_to_prove(mei)
    page = client.get("/two-step/").content.decode()
    assert secret[:4] in page
    assert "<svg" in page
    assert " style=" not in page
    shown = client.post("/two-step/", {"act": "confirm", "code": totp.code_at(secret, int(time.time()) // 30)})
    assert len(re.findall(r"<code>[0-9a-f-]{19}</code>", shown.content.decode())) == 10
    assert client.get("/customers/").status_code == 200
    assert client.post("/two-step/", {"act": "off", "code": "1"}).status_code == 422


def test_an_administrator_takes_the_second_step_away(mei, sign_in):
    enrol(mei)
    sign_in("administrator").post(f"/people/{mei.pk}/", {"act": "two-step"})
    assert signed()[1].url == "/"
    assert "accounts.totp.reset" in actions()


def test_a_one_time_password_leads_nowhere_but_to_a_new_one(sign_in):
    page = sign_in("administrator").post("/people/", {"username": "yu", "role": "manager", "team": "T01"})
    once = page.context["once"]
    client, _ = signed(once, "yu")
    assert client.get("/customers/").url == "/password/"
    assert client.post("/password/", {"old": once, "new": once, "again": once}).status_code == 422
    assert client.post("/password/", {"old": "wrong", "new": OWN, "again": OWN}).status_code == 422
    assert client.post("/password/", {"old": once, "new": OWN, "again": OWN}).status_code == 302
    assert client.get("/customers/").status_code == 200


def test_a_new_password_and_signing_out_everywhere_end_the_other_sessions(mei):
    (here, _), (there, _) = signed(), signed()
    here.post("/password/", {"act": "everywhere"})
    assert there.get("/customers/").status_code == 302
    assert here.get("/customers/").status_code == 200
    there, _ = signed()
    here.post("/password/", {"old": OWN, "new": OWN + "-2", "again": OWN + "-2"})
    assert there.get("/customers/").status_code == 302
    assert here.get("/customers/").status_code == 200


def test_an_idle_session_ends(mei, settings):
    client, _ = signed()
    assert client.get("/customers/").status_code == 200
    settings.KEQUN_IDLE_MINUTES = -1
    assert client.get("/customers/").url == "/sign-in/"
    assert actions()[-1] == "sign_out"


def test_a_person_no_longer_active_is_out_at_once(mei, sign_in):
    client, _ = signed()
    sign_in("administrator").post(f"/people/{mei.pk}/", {"act": "deactivate"})
    assert client.get("/customers/").status_code == 302
    assert signed()[1].status_code == 200


def test_the_last_administrator_stays(sign_in):
    admin = User.objects.get(username="demo-administrator")
    page = sign_in("administrator").post(f"/people/{admin.pk}/", {"act": "deactivate"})
    assert page.status_code == 422
    admin.refresh_from_db()
    assert admin.is_active


def test_customers_are_assigned_all_or_none(sign_in):
    from kequn.apps.customers.models import Customer

    codes = list(Customer.objects.filter(owner__isnull=True).values_list("code", flat=True)[:3])
    client = sign_in("administrator")
    refused = client.post("/people/assign/", {"codes": "\n".join([*codes, "NOPE"]), "manager": "demo-manager"})
    assert refused.status_code == 422
    assert "NOPE" in refused.content.decode()
    assert not Customer.objects.filter(code__in=codes, owner__isnull=False).exists()
    assert client.post("/people/assign/", {"codes": ",".join(codes), "manager": "demo-manager"}).status_code == 302
    assert Customer.objects.filter(code__in=codes, owner__username="demo-manager", team__code="T01").count() == 3


def test_the_box_finds_within_the_scope_only(sign_in):
    from kequn.apps.customers.models import Customer
    from kequn.apps.customers.selectors import visible_to

    mine = visible_to(User.objects.get(username="demo-manager"))
    page = sign_in("manager").get("/search/", {"q": "示例"})
    assert page.context["results"].count == mine.count() < Customer.objects.count()
    assert 'id="kq-question"' in page.content.decode()
