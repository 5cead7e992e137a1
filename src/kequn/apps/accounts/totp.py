"""One-time codes by time: RFC 6238 with SHA-1, six digits, thirty seconds, one step of tolerance either way."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

from cryptography.fernet import Fernet
from django.conf import settings

STEP_SECONDS, DIGITS, TOLERANCE, SECRET_BYTES = 30, 6, 1, 20


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int, *, digits: int = DIGITS) -> str:
    """The code of one step of thirty seconds since 1970.

    >>> code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59 // 30, digits=8)  # RFC 6238, appendix B
    '94287082'
    """
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def step_of(*, secret: str, code: str, now: float, after: int) -> int | None:
    """The step that this code belongs to, later than the last one used; nothing when it is wrong or used."""
    here = int(now) // STEP_SECONDS
    for step in range(here - TOLERANCE, here + TOLERANCE + 1):
        if step > after and hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            return step
    return None


def address(*, secret: str, name: str) -> str:
    """What the picture says to an authenticator."""
    return f"otpauth://totp/Kequn:{quote(name)}?{urlencode({'secret': secret, 'issuer': 'Kequn'})}"


def _box() -> Fernet:
    key = hashlib.sha256(b"kequn.totp:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def sealed(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def opened(sealed_secret: str) -> str:
    return _box().decrypt(sealed_secret.encode()).decode()
