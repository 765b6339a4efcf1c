"""What people can be told of, when a message that did not arrive is sent again, how webhooks are signed, and which
addresses the park sends to. Signatures follow the Standard Webhooks specification, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import iso_from_s

EMAIL: Final = "email"  # the lane of notices by e-mail; each webhook is a lane of its own
LETTER: Final = "letter"  # the lane of letters that let one in
GATHER_S: Final = 60.0  # what comes of many jobs within this time goes into one e-mail
MAIL_AGAIN_S: Final = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 72000.0)
LETTER_AGAIN_S: Final = (5.0, 20.0, 60.0, 120.0, 240.0, 480.0)
HOOK_AGAIN_S: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
FAILURES_MAX: Final = 20  # tries in a row without success
FAILING_S: Final = 86400.0  # and for at least so long, before a webhook is turned off
SECRET_BYTES: Final = 32
SECRET_PREFIX: Final = "whsec_"
URL_CHARS_MAX: Final = 500
_JITTER_FRAC: Final = 0.1
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice. `audience`: person, project (its leads; other members if they choose so) or operators;
    `by_email`: whether it goes by e-mail to whoever chose nothing; `gathers`: many may come at once.
    """

    name: str
    group: str
    audience: str
    by_email: bool = True
    gathers: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("job.ended", "jobs", "person", by_email=False, gathers=True),
        Kind("job.failed", "jobs", "person", by_email=False, gathers=True),
        Kind("job.unpaid", "jobs", "person", gathers=True),
        Kind("budget.reached", "credits", "project"),
        Kind("grant.given", "credits", "project"),
        Kind("grant.ending", "credits", "project"),
        Kind("grant.reclaim_noticed", "credits", "project"),
        Kind("grant.reclaimed", "credits", "project"),
        Kind("invoice.issued", "credits", "project"),
        Kind("session.new_place", "account", "person"),
        Kind("token.made", "account", "person"),
        Kind("role.given", "account", "person"),
        Kind("webhook.disabled", "account", "person"),
        Kind("top_up.requested", "operators", "operators"),
        Kind("plan.missing", "operators", "operators"),
        Kind("store.damaged", "operators", "operators", gathers=True),
    )
}
TEST: Final = "test"  # of a lane, by its person; nobody chooses it


def again_s(lane: str, n_tries: int, mark: str) -> float | None:
    """How long after a try that failed comes the next, the `n_tries`-th having just failed; None: no more.

    A little is taken off or added by the message's `mark`, so that all that failed together does not come together.
    """
    steps = {LETTER: LETTER_AGAIN_S, EMAIL: MAIL_AGAIN_S}.get(lane, HOOK_AGAIN_S)
    if n_tries > len(steps):
        return None
    part = int.from_bytes(hashlib.sha256(mark.encode()).digest()[:4], "big") / 2**32
    return steps[n_tries - 1] * (1.0 + _JITTER_FRAC * (2.0 * part - 1.0))


def is_to_turn_off(n_failures: int, failing_since_s: float, now_s: float) -> bool:
    """Whether a webhook has failed so often and for so long that nobody is there."""
    return n_failures >= FAILURES_MAX and now_s - failing_since_s >= FAILING_S


# -- webhooks ----------------------------------------------------------------------------------------------------------
def shown_secret(raw: bytes) -> str:
    """A secret as people see it."""
    return SECRET_PREFIX + base64.b64encode(raw).decode()


def signed_headers(notice_id: str, at_s: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The three headers of a message; with several secrets each of them signs, so that either is enough."""
    said = f"{notice_id}.{at_s}.".encode() + body
    marks = [base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode() for secret in secrets]
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }


def body_of(kind: str, at_s: float, thing: str, detail: Mapping[str, Any]) -> bytes:
    """What a webhook says: ids and numbers, no names."""
    said = {"type": kind, "timestamp": iso_from_s(at_s), "data": {"object": thing, **detail}}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook leads: `host` without brackets."""

    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str, allowed: Sequence[str]) -> Target:
    """The parts of a webhook's address. Raises BadInput (`bad_webhook_url`) for what the park does not send to: all
    but https, save for hosts that the operator allows by name (`host`, or `host:port` for that port alone).
    """
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad_url("It is too long, or has signs that an address has not.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("It cannot be read.") from None
    host = (parts.hostname or "").lower().rstrip(".")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _bad_url("It has a name, a password or a # in it.")
    if parts.scheme not in ("https", "http") or not host or not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise _bad_url("It must begin with https://.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)
    if parts.scheme == "http" and not is_allowed(target, allowed):
        raise _bad_url("It must begin with https://.")
    return target


def is_allowed(target: Target, allowed: Sequence[str]) -> bool:
    """Whether the operator lets webhooks lead there by name, also inside of a network: every port of a host, or one."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return target.host in allowed or f"{host}:{target.port}" in allowed


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: none of this machine, this network, or wrapped around one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.is_site_local:  # of old of a site's own; Python counts it as global
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved and found not in _OF_HOSTS


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_OF_HOSTS: Final = frozenset({ipaddress.ip_address("168.63.129.16")})  # a cloud's host answers its machines there


def _bad_url(why: str) -> BadInput:
    return BadInput(
        f"A webhook cannot lead there. {why}", fix="Write it as https://hooks.example.org/park.",
        code="bad_webhook_url", field="url",
    )  # fmt: skip


# -- places ------------------------------------------------------------------------------------------------------------
def place_of(address: str, client: str) -> str:
    """Where somebody signs in from, roughly: the network, and the browser without its versions."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
        network = str(ipaddress.ip_network((str(found), 24 if found.version == 4 else 48), strict=False))
    except ValueError:
        network = address
    return f"{network} {re.sub(r'[0-9._]+', '', client)}"
