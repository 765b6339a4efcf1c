"""The line to OpenID Connect providers: JSON over HTTPS, within a few seconds and a size, never a redirection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from eureka_park import __version__
from eureka_park.accounts.core.oidc import bad_flow
from eureka_park.client.address import is_loopback
from eureka_park.client.wire import BrokenOff, NotReached, NotTrusted, Wire
from eureka_park.foundation.errors import Unavailable

TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 5.0
BYTES_MAX: Final = 1024 * 1024


class OidcLine:
    """One question at a time; nothing is kept. Raises Unavailable (`provider_away`, `provider_odd`)."""

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at an address."""
        status, found = self._asked("GET", url, None, headers or {})
        if status != 200:
            raise _odd(url, f"it answers {status}")
        return found

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """The JSON that answers a form. Raises Unauthorised where the provider refuses it."""
        sent = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        status, found = self._asked("POST", url, urlencode(form).encode(), sent)
        if status in (400, 401, 403):
            said = found.get("error", "") if isinstance(found, Mapping) else ""
            plain = "".join(mark for mark in str(said)[:40] if mark.isalnum() or mark in "_-")
            raise bad_flow(f"The provider refuses the park's question ({plain or status}).")
        if status != 200:
            raise _odd(url, f"it answers {status}")
        return found

    def _asked(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, Any]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        told = {"Accept": "application/json", "User-Agent": f"eureka-park/{__version__}"}
        wire = Wire(
            origin, told, timeout_s=TIMEOUT_S, connect_timeout_s=CONNECT_TIMEOUT_S, uses_proxies=not is_loopback(origin)
        )
        try:
            answer = wire.request(method, path, body=body, headers=headers)
        except NotTrusted:
            raise _away(origin, "its certificate is not trusted here") from None
        except (NotReached, BrokenOff):
            raise _away(origin, "it does not answer") from None
        finally:
            wire.close()
        if len(answer.content) > BYTES_MAX:
            raise _odd(url, "it says too much")
        try:
            return answer.status, json.loads(answer.content)
        except (ValueError, RecursionError):
            if answer.is_good:
                raise _odd(url, "it does not answer in JSON") from None
            return answer.status, None


def _away(origin: str, why: str) -> Unavailable:
    return Unavailable(
        f"The provider at {origin} cannot be asked: {why}.", fix="Use another way to sign in, or try again later.",
        code="provider_away",
    )  # fmt: skip


def _odd(url: str, why: str) -> Unavailable:
    return Unavailable(
        f"The provider's {urlsplit(url).path or '/'} cannot be used: {why}.", fix="Check its issuer in accounts.toml.",
        code="provider_odd",
    )  # fmt: skip
