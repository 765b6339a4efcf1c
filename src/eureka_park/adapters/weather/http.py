"""One question to a weather service: time-outs, a size limit, a few tries, errors as one line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from eureka_park.client.address import is_loopback
from eureka_park.client.wire import BrokenOff, NotReached, NotTrusted, Wire
from eureka_park.foundation.errors import BadInput, ParkError, RateLimited, TooLarge, Unavailable

TIMEOUT_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 10.0
WHOLE_S: Final = 300.0  # of one answer, however little of it comes at a time
BYTES_MAX: Final = 64 * 1024 * 1024
PAUSES_S: Final = (1.0, 4.0)  # before the second and the third try
REDIRECTS_MAX: Final = 3
_LATER: Final = "Try again later."


@dataclass(frozen=True, slots=True)
class Service:
    """A weather service: what people call it, where it is, what its data may be used for."""

    name: str
    url: str
    licence: str

    def at(self, url: str | None) -> Service:
        """The same service elsewhere: a mirror, or a server of a test. Raises BadInput."""
        if not url:
            return self
        if not _is_address(url):
            raise BadInput(
                f"'{_without_name(url)}' is not an address.", fix="Write it as https://host/path.", code="bad_url"
            )
        return Service(self.name, url if url.endswith("/") else f"{url}/", self.licence)


def _is_address(url: str) -> bool:
    """Whether something can be asked there: http or https, a host, no name and password that would end in logs."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_plain = url.isprintable() and url.isascii() and " " not in url and port != 0
    return is_plain and parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _without_name(url: str) -> str:
    """The address as it may be told: what stands before an @ left out, and no more than a line of it."""
    told = f"...@{url.rpartition('@')[2]}" if "@" in url else url
    return "".join(mark for mark in told if mark.isprintable())[:80]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Bytes as they came and the address they came from."""

    content: bytes
    url: str

    def json(self, service: Service) -> Any:
        """The bytes as JSON. Raises Unavailable."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise Unavailable(
                f"{service.name} did not answer in JSON.", fix="Check --url, or try again later.", code="bad_answer"
            ) from None


def fetch(service: Service, url: str, params: Mapping[str, object], pauses_s: tuple[float, ...] = PAUSES_S) -> Fetched:
    """Ask by GET; repeat when the line broke, the service is busy or says 5xx.

    Raises BadInput for what the service refuses, RateLimited, TooLarge, Unavailable.
    """
    known = {key: value for key, value in params.items() if value is not None}
    target = f"{url}?{urlencode(known)}" if known else url
    for pause_s in (*pauses_s, None):
        try:
            return _once(service, target)
        except (Unavailable, RateLimited) as error:
            if pause_s is None or error.code in {"not_trusted", "bad_answer"}:
                raise
            time.sleep(pause_s)
    raise AssertionError("unreachable")


def _once(service: Service, target: str) -> Fetched:
    for _hop in range(REDIRECTS_MAX + 1):
        status, location, content = _asked(service, target)
        if status not in {301, 302, 303, 307, 308} or not location:
            break
        follow = _joined(target, location)
        if not _is_address(follow):
            raise Unavailable(f"{service.name} sends on to what is no web address.", fix=_LATER, code="bad_answer")
        if urlsplit(target).scheme == "https" and urlsplit(follow).scheme != "https":
            raise Unavailable(f"{service.name} sends on to an address without TLS.", fix=_LATER, code="bad_answer")
        target = follow
    if 200 <= status < 300:
        return Fetched(content, target)
    raise _refused(service, status, content)


def _joined(target: str, location: str) -> str:
    try:
        return urljoin(target, location)
    except ValueError:
        return ""


def _asked(service: Service, target: str) -> tuple[int, str, bytes]:
    from eureka_park import __version__

    parts = urlsplit(target)
    origin = f"{parts.scheme}://{parts.netloc}"
    wire = Wire(
        origin,
        {"User-Agent": f"eureka-park/{__version__}", "Accept": "application/json"},
        timeout_s=TIMEOUT_S,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        uses_proxies=not is_loopback(origin),
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with wire.stream("GET", path) as stream:
            return stream.status, stream.header("Location"), _whole(service, stream.chunks(1 << 16))
    except NotTrusted as error:
        raise Unavailable(
            f"The certificate of {parts.hostname} is not trusted here; nothing was sent.",
            fix="Check --url and this machine's list of authorities.", code="not_trusted",
        ) from error  # fmt: skip
    except NotReached as error:
        raise Unavailable(
            f"{service.name} cannot be reached at {origin}.",
            fix="Check the network and its proxy, or import a file: park weather import FILE.", code="not_reached",
        ) from error  # fmt: skip
    except BrokenOff as error:
        raise Unavailable(
            f"The connection to {service.name} broke off ({error}).", fix=_LATER, code="broken_off"
        ) from error
    finally:
        wire.close()


def _whole(service: Service, chunks: Any) -> bytes:
    content, begun_s = bytearray(), time.monotonic()
    for chunk in chunks:
        if time.monotonic() - begun_s > WHOLE_S:
            raise Unavailable(
                f"{service.name} did not end its answer within {WHOLE_S:g} s.", fix=_LATER, code="bad_answer"
            )
        content += chunk
        if len(content) > BYTES_MAX:
            raise TooLarge(f"{service.name} answered with more than {BYTES_MAX // 2**20} MiB.", fix="Ask for one year.")
    return bytes(content)


def _refused(service: Service, status: int, content: bytes) -> ParkError:
    why = _reason(content)
    said = f": {why}" if why else ""
    if status == 429:
        return RateLimited(f"{service.name} has had too many requests from here{said}.", fix="Try again tomorrow.")
    if 400 <= status < 500:
        return BadInput(
            f"{service.name} refused the request ({status}){said}.", fix="Check place and year.", code="refused"
        )
    return Unavailable(f"{service.name} failed ({status}){said}.", fix=_LATER, code="service_failed")


def _reason(content: bytes) -> str:
    """What services say in their errors: PVGIS `message`, Open-Meteo `reason`, NASA POWER `detail` or `messages`."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, Mapping):
        return ""
    found = next((value[key] for key in ("message", "reason", "detail", "messages") if value.get(key)), "")
    if isinstance(found, list):
        found = "; ".join(str(item.get("msg", item) if isinstance(item, Mapping) else item) for item in found)
    return " ".join("".join(mark for mark in str(found) if mark.isprintable()).split())[:200].rstrip(".")
