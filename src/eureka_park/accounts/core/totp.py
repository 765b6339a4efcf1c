"""Time-based one-time codes (RFC 6238): six digits of HMAC-SHA-1 over steps of 30 s. Pure: time is an argument."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30.0
DIGITS: Final = 6
SECRET_BYTES: Final = 20
_WINDOW: Final = 1  # steps that a clock may be off


def step_at(now_s: float) -> int:
    """The number of the step that holds an instant."""
    return int(now_s // STEP_S)


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step."""
    digest = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    place = digest[-1] & 0x0F
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def matching_step(secret: bytes, code: str, now_s: float, after_step: int) -> int | None:
    """The step whose code this is, one step of clock error allowed; None for a wrong code, or one up to `after_step`:
    a code is good once.
    """
    now, found = step_at(now_s), None
    for step in range(now - _WINDOW, now + _WINDOW + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode()) and step > after_step:
            found = step
    return found


def shown(secret: bytes) -> str:
    """The secret for people who type it: letters in fours."""
    letters = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def link_of(secret: bytes, account: str, issuer: str) -> str:
    """The address that programs for codes read from a picture."""
    letters = base64.b32encode(secret).decode().rstrip("=")
    asked = urlencode({"secret": letters, "issuer": issuer, "digits": DIGITS, "period": int(STEP_S)}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{asked}"
