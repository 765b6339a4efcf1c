"""HTTP to the park: one connection pool, the API's errors as exceptions, patience while the park restarts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

from eureka_park.client.address import START_FIX, Address, is_loopback
from eureka_park.foundation import errors
from eureka_park.foundation.errors import Internal, ParkError, Unavailable

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from eureka_park.client.wire import Answer, Wire

T = TypeVar("T")

TIMEOUT_S: Final = 30.0
CONNECT_TIMEOUT_S: Final = 5.0
CHUNK_BYTES: Final = 1024 * 1024
PUT_CHUNK_BYTES: Final = 256 * 1024
LOST: Final = "connection_lost"  # the park was reached, then the line broke: it may have acted
UNREACHABLE: Final = "not_reachable"

_CLASSES: Final[tuple[type[ParkError], ...]] = (
    errors.BadInput, errors.TooLarge, errors.Unauthorised, errors.Forbidden, errors.NotFound,
    errors.Conflict, errors.RateLimited, errors.Unavailable, errors.Internal,
)  # fmt: skip
_BY_CODE: Final = {kind.default_code: kind for kind in _CLASSES}
_BY_STATUS: Final = {kind.http_status: kind for kind in _CLASSES}


class Transport:
    """Requests to one park. Not for sharing between threads that close it."""

    def __init__(self, address: Address, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._made: Wire | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            wire, self._made = self._made, None
        if wire is not None:
            wire.close()

    def json(
        self, method: str, path: str, *, body: Any = None, params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, timeout_s: float | None = None,
    ) -> Any:  # fmt: skip
        """Send a request and read the JSON of its answer. Raises the exception that the API's error names."""
        found = dict(headers or {})
        data = None
        if body is not None:
            import json

            data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
            found["Content-Type"] = "application/json"
        elif method != "GET":
            data = b""  # so that its length is said
        answer = self._send(method, path, body=data, params=_present(params), headers=found, timeout_s=timeout_s)
        return _json_of(answer, self.address.url + path)

    def post_bytes(self, path: str, content: bytes) -> Any:
        """Send bytes as they are and read the JSON of the answer."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._send("POST", path, body=content, headers=headers)
        return _json_of(answer, self.address.url + path)

    def tell(self, method: str, path: str) -> None:
        """Send a request whose answer has no body."""
        self._send(method, path)

    def read(self, path: str, *, params: Mapping[str, Any] | None = None) -> tuple[bytes, HTTPMessage]:
        """The body of an answer and its headers."""
        answer = self._send("GET", path, params=_present(params))
        return answer.content, answer.headers

    def put_file(self, path: str, file: Path, heard: Callable[[int], None] = lambda _n_bytes: None) -> None:
        """Send a file as the raw body of a PUT; `heard` is told how many bytes have been taken."""
        with file.open("rb") as stream:
            size_bytes = stream.seek(0, 2)
            stream.seek(0)
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
            self._send("PUT", path, body=_chunks(stream, size_bytes, heard), headers=headers)

    @contextmanager
    def download(self, path: str) -> Iterator[Iterator[bytes]]:
        """The body of an answer in chunks, never whole in memory."""
        with self._errors(), self._wire().stream("GET", f"/api/v1{path}") as stream:
            if not stream.is_good:
                raise error_of(stream.status, stream.read(), self.address.url)
            yield stream.chunks(CHUNK_BYTES)

    @contextmanager
    def events(self, path: str) -> Iterator[Iterator[tuple[str, Any]]]:
        """Server-sent events: pairs of a name and the JSON that came with it; heartbeats are left out."""
        with self._errors(), self._wire().stream("GET", f"/api/v1{path}") as stream:
            if not stream.is_good:
                raise error_of(stream.status, stream.read(), self.address.url)
            yield _events(stream.lines())

    def _send(self, method: str, path: str, **options: Any) -> Answer:
        with self._errors():
            answer = self._wire().request(method, f"/api/v1{path}", **options)
        if not answer.is_good:
            raise error_of(answer.status, answer.content, self.address.url)
        return answer

    def _wire(self) -> Wire:
        with self._lock:
            if self._made is None:
                from eureka_park import __version__
                from eureka_park.client.wire import Wire

                headers = {"User-Agent": f"eureka-park/{__version__}", "Accept": "*/*"}
                if self.address.token:
                    _check_token(self.address.token)
                    headers["Authorization"] = f"Bearer {self.address.token}"
                self._made = Wire(
                    self.address.url,
                    headers,
                    timeout_s=self._timeout_s,
                    connect_timeout_s=CONNECT_TIMEOUT_S,
                    uses_proxies=not is_loopback(self.address.url),
                )
            return self._made

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from eureka_park.client.wire import BrokenOff, NotReached, NotTrusted

        try:
            yield
        except NotTrusted as error:
            raise Unavailable(
                f"The certificate of {self.address.url} is not trusted here; nothing was sent.",
                fix="Check the address; if it is right, ask the park's operator which authority signs for it.",
                code="not_trusted",
            ) from error
        except NotReached as error:
            raise Unavailable(f"No park answers at {self.address.url}.", fix=START_FIX, code=UNREACHABLE) from error
        except BrokenOff as error:
            raise Unavailable(
                f"The connection to {self.address.url} broke off ({error}).", fix="Try again in a moment.", code=LOST
            ) from error
        except UnicodeError as error:
            raise errors.BadInput(
                f"'{self.address.url}' is not the address of a park.", fix="Check PARK_URL.", code="bad_url"
            ) from error


def _check_token(token: str) -> None:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise errors.Unauthorised(
            "The token has characters that no token has.", fix="Check PARK_TOKEN.", code="bad_token"
        )


def _chunks(stream: BinaryIO, size_bytes: int, heard: Callable[[int], None]) -> Iterator[bytes]:
    """As many bytes as were announced, also of a file that grows: more would be read as the next request."""
    n_bytes = 0
    while chunk := stream.read(min(PUT_CHUNK_BYTES, size_bytes - n_bytes)):
        yield chunk
        n_bytes += len(chunk)
        heard(n_bytes)


def error_of(status: int, body: bytes, url: str) -> ParkError:
    """The exception that an answer of the API stands for: by its code, else by its status."""
    import json

    try:
        error = json.loads(body)["error"]
        code, message, fix = str(error["code"]), str(error["message"]), str(error.get("fix") or "")
        field, request_id = error.get("field"), str(error.get("request_id") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _foreign_error(status, url)
    kind = _BY_CODE.get(code) or _class_of_status(status)
    if kind is Internal and request_id:
        fix = f"{fix} (request {request_id})".strip()
    return kind(message, fix=fix, code=code, field=field)


def _class_of_status(status: int) -> type[ParkError]:
    fallback: type[ParkError] = errors.BadInput if 400 <= status < 500 else Internal
    return _BY_STATUS.get(status, fallback)


def _foreign_error(status: int, url: str) -> ParkError:
    # A proxy before a restarting park answers in its own words; that is as good as a lost connection.
    if status in {502, 503, 504}:
        return Unavailable(
            f"The park behind {url} does not answer (status {status}).", fix="Try again in a moment.", code=LOST
        )
    return _class_of_status(status)(
        f"{url} answered with status {status}, not in the park's own form.",
        fix="Check that PARK_URL names a park.",
        code="not_a_park",
    )


def is_away(error: ParkError) -> bool:
    """Whether an error means that the park could not be reached at all."""
    return error.code in {LOST, UNREACHABLE, "no_park"}


def patiently(call: Callable[[], T], *, first_s: float, lost_s: float) -> T:
    """Repeat a repeatable call while the park is away: `first_s` when it never answered, `lost_s` after a loss."""
    begin_s, pause_s, limit_s = time.monotonic(), 0.1, first_s
    while True:
        try:
            return call()
        except Unavailable as error:
            if error.code == LOST:
                limit_s = max(limit_s, lost_s)
            if not is_away(error) or time.monotonic() - begin_s + pause_s > limit_s:
                raise
        time.sleep(pause_s)
        pause_s = min(1.0, pause_s * 2)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    import json

    name, data = "message", ""
    for line in lines:
        field, _, value = line.partition(":")
        if field == "event":
            name = value.strip()
        elif field == "data":
            data += value.strip()
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", ""


def _present(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {key: value for key, value in params.items() if value is not None} if params else None


def _json_of(answer: Answer, url: str) -> Any:
    import json

    try:
        return json.loads(answer.content)
    except ValueError:
        raise Internal(
            f"{url} did not answer in JSON.", fix="Check that PARK_URL names a park.", code="not_a_park"
        ) from None
