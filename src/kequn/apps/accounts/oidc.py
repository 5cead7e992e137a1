"""Sign-in through the bank's own OpenID Connect server: authorization code with PKCE, state and nonce.

Off unless KEQUN_OIDC_ISSUER is set. Tokens are verified by PyJWT against the issuer's published keys. A person comes in
who was bound before, who was made before without a password under the name that the server tells, or whose claim names
a role that the settings map; nobody else.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import jwt
from django.conf import settings
from django.core.exceptions import ValidationError

from kequn.apps.accounts.access import DEFAULT_SCOPE
from kequn.apps.accounts.models import Role, User
from kequn.apps.audit.services import line
from kequn.domain.errors import Refused, Text

SECONDS, MOST_BYTES, LEEWAY, LONGEST_SUBJECT = 10, 1_000_000, 60, 255
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
Json = dict[str, Any]


def is_on() -> bool:
    return bool(settings.KEQUN_OIDC_ISSUER and settings.KEQUN_OIDC_CLIENT_ID)


@dataclass(frozen=True, slots=True)
class Started:
    """One attempt: what the session keeps until the server sends the person back."""

    state: str
    nonce: str
    verifier: str


def start(*, back_to: str) -> tuple[str, Started]:
    """Where to send the person, and what to remember."""
    one = Started(*(secrets.token_urlsafe(32) for _ in range(3)))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(one.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": settings.KEQUN_OIDC_CLIENT_ID,
        "redirect_uri": back_to,
        "scope": "openid profile",
        "state": one.state,
        "nonce": one.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{_address('authorization_endpoint')}?{urlencode(asked)}", one


def claims_for(*, code: str, state: str, back_to: str, started: Started) -> Json:
    """Exchange the code and verify who it speaks of."""
    if not secrets.compare_digest(state.encode(), started.state.encode()):
        raise Refused(Text("登录请求不是从这里发出的", "the sign-in was not started here"))
    given = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back_to,
        "code_verifier": started.verifier,
        "client_id": settings.KEQUN_OIDC_CLIENT_ID,
        "client_secret": settings.KEQUN_OIDC_CLIENT_SECRET,
    }
    answer = _fetched(_address("token_endpoint"), urlencode(given).encode())
    return _verified(str(answer.get("id_token", "")), started.nonce)


def _verified(token: str, nonce: str) -> Json:
    try:
        keys = jwt.PyJWKSet.from_dict(_fetched(_address("jwks_uri")))
        wanted = jwt.get_unverified_header(token).get("kid")
        key = next(one for one in keys.keys if wanted is None or one.key_id == wanted)
        claims: Json = jwt.decode(
            token,
            key.key,
            algorithms=[one for one in ALGORITHMS if one == key.algorithm_name],
            audience=settings.KEQUN_OIDC_CLIENT_ID,
            issuer=[settings.KEQUN_OIDC_ISSUER, f"{settings.KEQUN_OIDC_ISSUER}/"],  # the setting holds no last slash
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "nonce"]},
        )
    except (jwt.PyJWTError, StopIteration) as error:
        raise Refused(Text("身份服务器的应答未通过验证", "the identity server's answer was not verified")) from error
    if not secrets.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise Refused(Text("登录应答与请求不符", "the answer does not belong to this sign-in"))
    if (
        isinstance(claims["aud"], list)
        and len(claims["aud"]) > 1
        and claims.get("azp") != settings.KEQUN_OIDC_CLIENT_ID
    ):
        raise Refused(Text("登录应答是给另一系统的", "the answer is meant for another system"))
    return claims


def person_of(claims: Json) -> User:
    """The user whom the claims speak of; made, or given the mapped role anew, where a claim names one."""
    subject = f"{settings.KEQUN_OIDC_ISSUER}#{claims['sub']}"
    if len(subject) > LONGEST_SUBJECT:  # cut short, two people could become one
        raise Refused(Text("身份服务器给出的标识过长", "the identity server's name for you is too long"))
    name, role = str(claims.get(settings.KEQUN_OIDC_NAME_CLAIM, ""))[:150], _role(claims)
    user = User.objects.filter(oidc_subject=subject).first()
    if user is None and name:
        user = User.objects.filter(username=name, oidc_subject__isnull=True).first()
        if user is not None and user.has_usable_password():
            raise Refused(
                Text(
                    f"用户 {name} 已有密码，请管理员先绑定",
                    f"user {name} has a password; an administrator must bind it",
                )
            )
    if user is not None and not user.is_active:
        raise Refused(Text("该用户已停用", "this user is no longer active"))
    if user is None and not role:
        raise Refused(Text("没有为您开通此系统", "you have not been given access to this system"))
    with line(actor=f"oidc:{name}", action="accounts.oidc", subject=name, role=role) as audit:
        if user is None:
            user = _made(name, role, str(claims.get("name", ""))[:150])
        elif role and role != user.role:
            user.role, user.scope = role, DEFAULT_SCOPE[role]
        user.oidc_subject = subject
        user.save(update_fields=["role", "scope", "oidc_subject"] if user.pk else None)
        audit.wrote("accounts.User", [[user.username, user.role, user.scope, subject]])
    return user


def _made(name: str, role: str, full_name: str) -> User:
    if User.objects.filter(username=name).exists():
        raise Refused(Text(f"用户名 {name} 已属于另一人", f"the user name {name} belongs to somebody else"))
    user = User(username=name, role=role, scope=DEFAULT_SCOPE[role], first_name=full_name)
    user.set_unusable_password()
    try:
        User.username_validator(name)
    except ValidationError as error:
        raise Refused(
            Text("身份服务器给出的用户名不可用", "the name given by the identity server cannot be used")
        ) from error
    return user


def _role(claims: Json) -> str:
    """The first mapped role that the claim names, in the order of the settings."""
    said = claims.get(settings.KEQUN_OIDC_ROLE_CLAIM, [])
    named = {str(one) for one in (said if isinstance(said, list) else [said])}
    return next((role for word, role in settings.KEQUN_OIDC_ROLES.items() if word in named and role in Role.values), "")


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_options: Any) -> None:
        return None


def _address(name: str) -> str:
    found = _fetched(f"{settings.KEQUN_OIDC_ISSUER}/.well-known/openid-configuration")
    if found.get("issuer", "").rstrip("/") != settings.KEQUN_OIDC_ISSUER or not isinstance(found.get(name), str):
        raise Refused(Text("身份服务器的说明不完整", "the identity server does not describe itself rightly"))
    return str(found[name])


def _fetched(address: str, body: bytes | None = None) -> Json:
    """JSON from the identity server; only https, or this machine."""
    parts = urlsplit(address)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in {"localhost", "127.0.0.1"}):
        raise Refused(Text("身份服务器必须使用 https", "the identity server must use https"))
    asked = Request(address, body, {"Accept": "application/json"})  # noqa: S310 - the scheme was checked
    try:
        with build_opener(_NoRedirect).open(asked, timeout=SECONDS) as answer:
            found = json.loads(answer.read(MOST_BYTES))
    except (URLError, OSError, ValueError) as error:
        raise Refused(Text("身份服务器没有应答", "the identity server did not answer")) from error
    return found if isinstance(found, dict) else {}
