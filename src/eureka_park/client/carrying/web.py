"""Files by HTTP from anywhere: in pieces, going on where it broke off; tokens only to the host that they are for."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

TIMEOUT_S: Final = 60.0
TRIES: Final = 4
JSON_BYTES_MAX: Final = 64 * 1024 * 1024
_PIECE: Final = 256 * 1024
_SHORTER: Final = "source_shorter"
_PASSING: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https alone, and takes no token along to another host."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.HTTPError(newurl, code, "it leads to no web address", headers, fp)
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and not is_same_origin(newurl, req.full_url):
            made.remove_header("Authorization")
        return made


def is_same_origin(url: str, other: str) -> bool:
    """Whether two addresses are of one host, reached in one way: a token for the one may be shown to the other."""
    return urlsplit(url)[:2] == urlsplit(other)[:2]


def _opener() -> urllib.request.OpenerDirector:
    from eureka_park.client.wire import _trust

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_trust()),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _ask(url: str, headers: Mapping[str, str]) -> Any:
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(f"{url[:200]!a} is no web address.", fix="Write http:// or https://.", code="bad_url")
    request = urllib.request.Request(
        url, headers={"User-Agent": "eureka-park", "Accept-Encoding": "identity", **headers}
    )
    try:
        return _opener().open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            raise Unavailable(f"{url[:200]} is shorter by now.", fix="Try again.", code=_SHORTER) from None
        if error.code in _PASSING:
            raise Unavailable(
                f"{url[:200]} answers {error.code}.", fix="Try again later.", code="source_busy"
            ) from None
        raise NotFound(
            f"{url[:200]} answers {error.code}.", fix="Check the address, and the token for it.", code="source_refuses"
        ) from None
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(
            f"{url[:200]} cannot be reached ({error}).", fix="Check the address.", code="source_silent"
        ) from None


def get_json(url: str, headers: Mapping[str, str]) -> tuple[Any, str]:
    """The JSON at an address, and its `Link` header. Raises NotFound, Unavailable, BadInput."""
    content, link = _patiently(lambda: _read(url, headers))
    try:
        return json.loads(content), link
    except (ValueError, RecursionError):
        raise BadInput(f"{url[:200]} answers no JSON.", fix="Check the address of the hub.", code="no_json") from None


def _read(url: str, headers: Mapping[str, str]) -> tuple[bytes, str]:
    with _ask(url, headers) as answer:
        try:
            content = answer.read(JSON_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{url[:200]} broke off ({error}).", fix="Try again.", code="source_broke") from None
        if len(content) > JSON_BYTES_MAX:
            raise BadInput(f"{url[:200]} answers with too much.", fix="Check the address.", code="too_much")
        return content, answer.headers.get("Link", "")


def fetch(url: str, part: Path, headers: Mapping[str, str]) -> None:
    """Bring what lies at an address to a file; what is there of it already is not fetched again where the server can
    go on. Raises NotFound, Unavailable, BadInput, OSError.
    """
    _patiently(lambda: _fetch(url, part, headers))


def _fetch(url: str, part: Path, headers: Mapping[str, str]) -> None:
    tag = part.with_suffix(".etag")
    have_bytes = part.stat().st_size if part.exists() else 0
    etag = tag.read_text(encoding="utf-8") if have_bytes and tag.exists() else ""
    more = {"Range": f"bytes={have_bytes}-", "If-Range": etag} if etag else {}
    with _begun(url, {**headers, **more}, part, tag) as answer:
        is_rest = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have_bytes}-")
        if answer.status == 206 and not is_rest:
            tag.unlink(missing_ok=True)
            raise Unavailable(f"{url[:200]} answers another part.", fix="Try again.", code="source_broke")
        found = answer.headers.get("ETag", "")
        if found and not found.startswith("W/"):
            tag.write_text(found, encoding="utf-8")
        else:
            tag.unlink(missing_ok=True)
        _pour(url, answer, part, is_rest=is_rest)


def _begun(url: str, headers: Mapping[str, str], part: Path, tag: Path) -> Any:
    try:
        return _ask(url, headers)
    except Unavailable as error:
        if error.code == _SHORTER:  # it is here whole, or another by now: from the beginning
            part.unlink(missing_ok=True)
            tag.unlink(missing_ok=True)
        raise


def _pour(url: str, answer: Any, part: Path, *, is_rest: bool) -> None:
    left_bytes = int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
    with part.open("ab" if is_rest else "wb") as target:
        try:
            while piece := answer.read(_PIECE):
                target.write(piece)
                left_bytes = None if left_bytes is None else left_bytes - len(piece)
        except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
            raise Unavailable(f"{url[:200]} broke off ({error}).", fix="Try again.", code="source_broke") from None
    if left_bytes:
        raise Unavailable(f"{url[:200]} broke off.", fix="Try again.", code="source_broke")


def _patiently(work: Any) -> Any:
    """Try again a few times where the trouble may pass."""
    for attempt in range(TRIES):
        with suppress(Unavailable):
            return work()
        time.sleep(0.2 * 4**attempt)
    return work()
