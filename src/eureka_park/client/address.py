"""Where the park is and with which token: explicit, then the environment, a login, the home on this machine."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from eureka_park.client.logins import read_logins
from eureka_park.foundation.errors import BadInput, Unavailable

START_FIX: Final = "Start one: ./park up, or name one elsewhere: park login URL"
LOGIN: Final = "park login"
_IPV4_LOOPBACK: Final = re.compile(r"127(?:\.\d{1,3}){1,3}")  # not names such as 127.example.org


@dataclass(frozen=True, slots=True)
class Address:
    """The base address of a park, the token to show it (None: as a visitor), and who named it."""

    url: str
    token: str | None
    named_by: str = ""


def default_home() -> Path:
    """The home of this person's park: PARK_HOME, else the platform's folder for user data."""
    named = os.environ.get("PARK_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("eureka-park"))


def find_address(url: str | None = None, token: str | None = None) -> Address:
    """The park to talk to: named here, PARK_URL, the park of PARK_HOME, the current login, the park of this machine.

    Raises Unavailable (`no_park`) where there is none of them.
    """
    named = url or os.environ.get("PARK_URL")
    shown = token or os.environ.get("PARK_TOKEN")
    if named:
        checked = checked_url(named)
        return Address(checked, shown or _token_for(checked), "" if url else "PARK_URL")
    found = _unnamed()
    if found is None:
        raise Unavailable("No park runs on this machine.", fix=START_FIX, code="no_park")
    return replace(found, token=shown) if shown else found


def _unnamed() -> Address | None:
    is_home_named = bool(os.environ.get("PARK_HOME"))
    local = _local_address(default_home()) if is_home_named else None
    if local is not None:
        return local
    logins = read_logins()
    if logins.current is not None:
        login = logins.parks[logins.current]
        return Address(checked_url(login.url), login.token, LOGIN)
    return None if is_home_named else _local_address(default_home())


def _token_for(url: str) -> str | None:
    """The token that is kept for a park; the owner's token of this machine goes to this machine's park only."""
    login = read_logins().parks.get(url)
    if login is not None:
        return login.token
    local = _local_address(default_home())
    return local.token if local is not None and local.url == url else None


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine (proxies of the environment are not for it)."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or bool(_IPV4_LOOPBACK.fullmatch(host)) or host.endswith(".localhost")


def _local_address(home: Path) -> Address | None:
    path = home / "run" / "client.json"
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        token = str(value["token"]) if value.get("token") else None
        return Address(checked_url(str(value["url"])), token, f"{home}")
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Unavailable(
            f"{path} belongs to someone else.", fix="Set PARK_TOKEN to a token of your own.", code="no_park"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable(f"{path} cannot be read.", fix="Start the park again: ./park up.", code="no_park") from None


def checked_url(url: str) -> str:
    """An address without its last slash. Raises BadInput."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        good = good and not set(url.strip()) & set("\\ \t\n")
    except ValueError:
        good = False
    if not good:
        raise BadInput(
            f"'{url}' is not the address of a park.",
            fix="Write it as http://localhost:8386.",
            code="bad_url",
            field="PARK_URL",
        )
    return url.strip().rstrip("/")
