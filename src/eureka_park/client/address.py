"""Where the park is and with which token: explicit, then PARK_URL and PARK_TOKEN, then the home on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eureka_park.foundation.errors import BadInput, Unavailable

START_FIX = "Start one: ./park up, or name one elsewhere with PARK_URL and PARK_TOKEN."


@dataclass(frozen=True, slots=True)
class Address:
    """The base address of a park and the token to show it (None: as a visitor)."""

    url: str
    token: str | None


def default_home() -> Path:
    """The home of this person's park: PARK_HOME, else the platform's folder for user data."""
    named = os.environ.get("PARK_HOME")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("eureka-park"))


def find_address(url: str | None = None, token: str | None = None) -> Address:
    """The park to talk to. Raises Unavailable (`no_park`) where none is named and none runs here."""
    named = url or os.environ.get("PARK_URL")
    shown = token or os.environ.get("PARK_TOKEN")
    if named and shown:
        return Address(_checked(named), shown)
    local = _local_address(default_home())
    if not named:
        if local is None:
            raise Unavailable("No park runs on this machine.", fix=START_FIX, code="no_park")
        return Address(_checked(local.url), shown or local.token)
    checked = _checked(named)
    # The owner's token of this machine goes to this machine's park only.
    same = local is not None and _checked(local.url) == checked
    return Address(checked, local.token if same and local else None)


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine (proxies of the environment are not for it)."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.") or host.endswith(".localhost")


def _local_address(home: Path) -> Address | None:
    path = home / "run" / "client.json"
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        return Address(str(value["url"]), str(value["token"]) if value.get("token") else None)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Unavailable(
            f"{path} belongs to someone else.", fix="Set PARK_TOKEN to a token of your own.", code="no_park"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable(f"{path} cannot be read.", fix="Start the park again: ./park up.", code="no_park") from None


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
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
