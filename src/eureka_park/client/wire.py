"""HTTP/1.1 on the standard library alone: a command that asks one question should not pay for a framework's import.

Idle connections are kept and used again; TLS trusts what the system trusts; proxies of the environment are used for
addresses beyond this machine. No redirection is followed. Nothing is repeated but a GET on a connection that the server
closed just as it was to be used again.
"""

from __future__ import annotations

import http.client
import select
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlencode, urlsplit

if TYPE_CHECKING:
    import ssl

Body = bytes | Iterable[bytes] | None
IDLE_MAX: Final = 8
LINE_MAX_BYTES: Final = 64 * 1024 * 1024


class NotReached(Exception):
    """No connection could be made: nothing was sent."""


class NotTrusted(NotReached):
    """The server's certificate is not one that this system trusts for this name: nothing was sent."""


class BrokenOff(Exception):
    """The connection was lost, or stood still for too long, after something may have been sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Names of headers are read in any case."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300


class Stream:
    """An answer whose body is read bit by bit."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self.status = response.status

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """A header of the answer; empty where it has none."""
        return self._response.headers.get(name, "")

    def read(self) -> bytes:
        """All that is left."""
        with _breaks():
            return self._response.read()

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """The body in parts of at most this size, as they come."""
        while True:
            with _breaks():
                chunk = self._response.read1(size_bytes)
            if not chunk:
                self._check_whole()
                return
            yield chunk

    def lines(self) -> Iterator[str]:
        """The body as lines without their ends, as they come."""
        rest = b""
        for chunk in self.chunks(65536):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_MAX_BYTES:
                raise BrokenOff("a line without an end")
            yield from (line.rstrip(b"\r").decode("utf-8", "replace") for line in whole)
        if rest:
            yield rest.decode("utf-8", "replace")

    def _check_whole(self) -> None:
        if self._response.length:  # the line broke before all that was announced had come
            raise BrokenOff("IncompleteRead")


class Wire:
    """Connections to one server. May be used by several threads at once."""

    def __init__(
        self, url: str, headers: Mapping[str, str], *, timeout_s: float, connect_timeout_s: float, uses_proxies: bool
    ) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._is_tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._headers = dict(headers)
        self._timeout_s, self._connect_timeout_s = timeout_s, connect_timeout_s
        self._proxy = _proxy_for(parts.scheme, self._host) if uses_proxies else None
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close idle connections; requests that are under way end by themselves."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Send a request and read the whole answer. Raises NotReached or BrokenOff."""
        connection, response = self._exchange(method, path, params, body, headers, timeout_s)
        try:
            with _breaks():
                content = response.read()
        except BaseException:
            connection.close()
            raise
        self._give_back(connection, response)
        return Answer(response.status, response.headers, content)

    @contextmanager
    def stream(self, method: str, path: str) -> Iterator[Stream]:
        """Send a request and read its answer bit by bit; the connection is not used again."""
        connection, response = self._exchange(method, path, None, None, None, None)
        try:
            yield Stream(response)
        finally:
            response.close()
            connection.close()

    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        body: Body,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        target = self._prefix + path + (f"?{urlencode(params)}" if params else "")
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        connection, is_used = self._connection(min(timeout_s, self._connect_timeout_s))
        assert connection.sock is not None
        connection.sock.settimeout(timeout_s)
        try:
            with _breaks():
                # A server that refuses a body may answer, and close, before it has all of it: then that answer counts.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, self._written(target), body, {**self._headers, **(headers or {})})
                return connection, connection.getresponse()
        except BrokenOff as error:
            connection.close()
            if is_used and method == "GET" and isinstance(error.__cause__, ConnectionError):
                return self._exchange(method, path, params, body, headers, timeout_s)
            raise
        except BaseException:
            connection.close()
            raise

    def _written(self, target: str) -> str:
        """The target as it stands in the request line: whole for a proxy that reads the request."""
        if self._proxy is None or self._is_tls:
            return target
        return f"http://{_in_brackets(self._host)}:{self._port}{target}"

    def _connection(self, timeout_s: float) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connected(timeout_s), False
            # A server that has closed an idle connection has left something to read: its end.
            if connection.sock is not None and not _is_readable(connection.sock):
                return connection, True
            connection.close()

    def _connected(self, timeout_s: float) -> http.client.HTTPConnection:
        connection = self._made(timeout_s)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            is_distrust = (
                type(error).__name__ == "SSLCertVerificationError"
            )  # without ssl's import where none is needed
            raise (NotTrusted if is_distrust else NotReached)(str(error)) from error
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _made(self, timeout_s: float) -> http.client.HTTPConnection:
        host, port, credentials = self._proxy or (self._host, self._port, {})
        if self._proxy is not None and not self._is_tls:
            self._headers |= credentials
        if not self._is_tls:
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        connection = http.client.HTTPSConnection(host, port, timeout=timeout_s, context=_trust())
        if self._proxy is not None:
            connection.set_tunnel(self._host, self._port, credentials)
        return connection

    def _give_back(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        with self._lock:
            if not response.will_close and connection.sock is not None and len(self._idle) < IDLE_MAX:
                self._idle.append(connection)
                return
        connection.close()


@contextmanager
def _breaks() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise BrokenOff(type(error).__name__) from error


def _is_readable(sock: socket.socket) -> bool:
    with suppress(OSError, ValueError):
        return bool(select.select([sock], [], [], 0.0)[0])
    return True


def _trust() -> ssl.SSLContext:
    """What the system trusts, on macOS and Windows too."""
    import ssl

    import truststore

    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


def _proxy_for(scheme: str, host: str) -> tuple[str, int, dict[str, str]] | None:
    """Host, port and credentials of the proxy that the environment (or the system) names for a host."""
    from urllib.request import getproxies, proxy_bypass

    named = getproxies()
    address = named.get(scheme) or named.get("all")
    if not address or proxy_bypass(host):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in {"http", "https"}:
        from eureka_park.foundation.errors import BadInput

        raise BadInput(
            f"The environment names a proxy that speaks {parts.scheme[:20]}, which this command does not.",
            fix="Name an HTTP proxy, or add the park to NO_PROXY.",
            code="bad_proxy",
        )
    if not parts.hostname:
        return None
    credentials = {}
    if parts.username:
        import base64

        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        credentials = {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), credentials


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
