"""Host names that this park answers to: a page elsewhere cannot reach it by pointing its own name at this machine."""

from __future__ import annotations

import ipaddress
import os
import re
from functools import lru_cache
from typing import Final

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


def allowed_hosts() -> frozenset[str]:
    """Loopback names, and those of PARK_HOSTS (comma-separated) for a park behind a proxy."""
    named = os.environ.get("PARK_HOSTS", "")
    return LOOPBACK | {name.strip().lower() for name in named.split(",") if name.strip()}


def is_loopback_name(header: str) -> bool:
    """Whether a Host header names this machine itself; by any other name the park is reached through TLS alone."""
    return host_name(header) in LOOPBACK


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Whom requests from an address are counted to: an IPv6 host has a /64 of addresses to itself."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def host_name(header: str) -> str:
    """The name in a Host header, its port and brackets left out; nothing where the header is more than name and port.

    The header stands in links that letters carry: `park.example.org:443@elsewhere.example` must not pass for a park.
    """
    found = _HOST.fullmatch(header)
    return (found["six"] or found["name"]).lower() if found else ""
