"""Sign-in through an identity server of the test's own, over the wire, with signed tokens."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from kequn.apps.accounts.models import User

pytestmark = pytest.mark.django_db
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Server(HTTPServer):
    claims: dict = {}
    key = KEY
    posted: dict = {}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        here = f"http://127.0.0.1:{self.server.server_port}"
        if self.path.endswith("openid-configuration"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            self.say({"issuer": here, **{name: f"{here}/{name}" for name in names}})
        else:
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            self.say({"keys": [{**public, "kid": "1", "alg": "RS256", "use": "sig"}]})

    def do_POST(self):
        self.server.posted = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = jwt.encode(self.server.claims, self.server.key, algorithm="RS256", headers={"kid": "1"})
        self.say({"id_token": token, "access_token": "x"})

    def say(self, answer):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server(settings):
    one = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    settings.KEQUN_OIDC_ISSUER = f"http://127.0.0.1:{one.server_port}"
    settings.KEQUN_OIDC_CLIENT_ID, settings.KEQUN_OIDC_CLIENT_SECRET = "kequn", "hush"
    settings.KEQUN_OIDC_ROLES = {"bank-risk": "risk"}
    yield one
    one.shutdown()
    one.server_close()


def come_in(server, state=None, **claims):
    client = Client()
    asked = parse_qs(urlsplit(client.get("/sign-in/oidc/").url).query)
    now = int(time.time())
    server.claims = {"iss": f"http://127.0.0.1:{server.server_port}", "aud": "kequn", "sub": "77", "iat": now,
                     "exp": now + 60, "nonce": asked["nonce"][0], "preferred_username": "hua"} | claims  # fmt: skip
    answer = client.get("/sign-in/oidc/back/", {"code": "c", "state": state or asked["state"][0]})
    return client, answer


def test_a_mapped_role_comes_in_and_is_made_without_a_password(server):
    client, answer = come_in(server, roles=["staff", "bank-risk"])
    assert answer.url == "/"
    user = User.objects.get(username="hua")
    assert (user.role, user.scope, user.has_usable_password()) == ("risk", "branch", False)
    assert client.get("/password/").status_code == 200
    assert len(server.posted["code_verifier"][0]) >= 43
    come_in(server, roles=["bank-risk"], preferred_username="renamed")
    assert User.objects.count() == 1


def test_who_was_made_before_comes_in_without_a_mapped_role(server):
    made = User(username="hua", role="head", scope="all")
    made.set_unusable_password()
    made.save()
    assert come_in(server)[1].url == "/"


def test_nobody_else_comes_in(server):
    assert come_in(server)[1].url == "/sign-in/"
    assert not User.objects.exists()


def test_a_user_with_a_password_is_not_taken_over(server):
    User.objects.create_user("hua", password="x" * 20)
    assert come_in(server, roles=["bank-risk"])[1].url == "/sign-in/"


def test_who_is_no_longer_active_stays_out(server):
    come_in(server, roles=["bank-risk"])
    User.objects.update(is_active=False)
    assert come_in(server, roles=["bank-risk"])[1].url == "/sign-in/"


@pytest.mark.parametrize(
    "forged",
    [{"nonce": "other"}, {"aud": "another"}, {"iss": "https://elsewhere"}, {"exp": 1}, {"state": "other"},
     {"aud": ["kequn", "another"], "azp": "another"}, {"sub": "7" * 256}],
)  # fmt: skip
def test_an_answer_that_is_not_ours_is_refused(server, forged):
    assert come_in(server, roles=["bank-risk"], **forged)[1].url == "/sign-in/"
    assert not User.objects.exists()


def test_an_issuer_that_writes_its_last_slash_is_the_same(server):
    assert come_in(server, roles=["bank-risk"], iss=f"http://127.0.0.1:{server.server_port}/")[1].url == "/"


def test_a_name_that_somebody_else_was_bound_under_is_refused(server):
    come_in(server, roles=["bank-risk"])
    assert come_in(server, roles=["bank-risk"], sub="78")[1].url == "/sign-in/"
    assert User.objects.count() == 1


def test_a_token_of_another_key_is_refused(server):
    server.key = OTHER_KEY
    assert come_in(server, roles=["bank-risk"])[1].url == "/sign-in/"


def test_without_settings_there_is_no_such_address(db):
    assert Client().get("/sign-in/oidc/").status_code == 404
    assert Client().get("/sign-in/oidc/back/?code=c&state=s").status_code == 404
