"""Calling webhooks: one POST to an address that was looked up once and is of the open internet, within a few seconds,
never a redirection, never more than a little of the answer.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Final

from eureka_park import __version__
from eureka_park.accounts.core.notices import Target, is_allowed, is_public, signed_headers, target_of
from eureka_park.accounts.notices.outbox import Call
from eureka_park.foundation.errors import ParkError

TRY_S: Final = 10.0  # from the first packet to the last byte that is read
ANSWER_BYTES: Final = 4096
_REDIRECTIONS: Final = range(300, 400)


class Refused(Exception):
    """A try that did not succeed: what is noted of it."""


def call(task: Call, at_s: float, allowed: Sequence[str], *, try_s: float = TRY_S) -> str:
    """Call a webhook; the answer's status. Raises Refused with what a person is shown.

    `allowed`: hosts by name, or by name and port, that may have an address of this machine or this network.
    """
    try:
        target = target_of(task.url, allowed)
    except ParkError:
        raise Refused("refused: the address") from None
    headers = {
        **signed_headers(task.notice_id, int(at_s), task.body, task.secrets),
        "Content-Type": "application/json",
        "User-Agent": f"eureka-park/{__version__}",
        "Connection": "close",
    }
    wire = _Wire(target, address_of(target, allowed), try_s)
    try:
        status = wire.post(task.body, headers)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Refused(_why(error, wire.is_late)) from None
    finally:
        wire.close()
    if status in _REDIRECTIONS:
        raise Refused(f"{status}: redirections are not followed")
    if not 200 <= status < 300:
        raise Refused(str(status))
    return str(status)


def address_of(
    target: Target, allowed: Sequence[str], look_up: Callable[..., Sequence[tuple[object, ...]]] = socket.getaddrinfo
) -> str:
    """The address to connect to, looked up once: whoever answers otherwise the next time gains nothing. Raises Refused
    where any of a name's addresses is none of the open internet, unless the operator allows the name.
    """
    try:
        found = look_up(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused("its name is not known") from None
    addresses = [str(item[4][0]) for item in found if isinstance(item[4], tuple)]
    if not addresses:
        raise Refused("its name is not known")
    if not is_allowed(target, allowed) and not all(is_public(address) for address in addresses):
        raise Refused("refused: an address inside of a network")
    return addresses[0]


class _Wire:
    """One connection to one address; a guard cuts it off when its time is over, however slowly it trickles."""

    def __init__(self, target: Target, address: str, try_s: float) -> None:
        self._target, self._try_s, self.is_late = target, try_s, False
        kind = http.client.HTTPSConnection if target.scheme == "https" else http.client.HTTPConnection
        self._conn = kind(target.host, target.port, timeout=try_s)
        self._address = address
        self._socket: socket.socket | None = None
        self._guard = threading.Timer(try_s, self._cut)
        self._guard.daemon = True

    def post(self, body: bytes, headers: dict[str, str]) -> int:
        """The status that the other side answers."""
        self._guard.start()
        plain = socket.create_connection((self._address, self._target.port), timeout=self._try_s)
        self._socket = plain
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self._socket = context.wrap_socket(plain, server_hostname=self._target.host)
        self._conn.sock = self._socket
        self._conn.request("POST", self._target.path, body=body, headers=headers)
        answer = self._conn.getresponse()
        answer.read(ANSWER_BYTES)
        if self.is_late:
            raise TimeoutError
        return answer.status

    def close(self) -> None:
        """Close it."""
        self._guard.cancel()
        self._conn.close()

    def _cut(self) -> None:
        self.is_late = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _why(error: Exception, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return "it takes too long"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers there"
    return f"the connection broke ({type(error).__name__})"
