"""The files that pages are made of: their addresses with a version, and serving them small."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eureka_park.foundation.errors import Internal

STATIC: Final = Path(str(resources.files("eureka_park.web") / "static"))
BUILT: Final = STATIC / "built"
SQUEEZE_BYTES_MIN: Final = 1000
SQUEEZE_AT_ONCE_BYTES_MAX: Final = 256 * 1024  # more takes milliseconds in which nobody else would be served
_SQUEEZED: Final = ("text/html", "application/json")
_LEVEL: Final = 4  # a page of 50 KB: about a millisecond
_NAMED_BY_CONTENT: Final = ("built/chunks/", "built/fonts/")


@cache
def asset(name: str) -> str:
    """The address of a built file, with its version. Errors: Internal where it was not built."""
    try:
        content = (BUILT / name).read_bytes()
    except OSError:
        raise Internal(
            f"The pages' file {name} is not there.", fix="Run ./park again: it builds the pages.", code="not_built"
        ) from None
    return f"/static/built/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


class Static(StaticFiles):
    """Static files: packed where the browser can unpack them, kept long where their address carries a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file, or 404."""
        answer = await super().get_response(path, scope)
        is_versioned = b"v=" in scope.get("query_string", b"")
        is_for_good = is_versioned or Path(path).as_posix().startswith(_NAMED_BY_CONTENT)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_for_good else "max-age=300"
        return answer

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file itself, or the packed one beside it."""
        packed = Path(f"{os.fspath(full_path)}.gz")
        if not packed.is_file():
            return super().file_response(full_path, stat_result, scope, status_code)
        if not _takes_gzip(scope):
            answer = super().file_response(full_path, stat_result, scope, status_code)
            answer.headers["Vary"] = "Accept-Encoding"
            return answer
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        kind = mimetypes.guess_type(full_path)[0]
        whole = FileResponse(packed, status_code, headers, kind, stat_result=packed.stat())
        if self.is_not_modified(whole.headers, Headers(scope=scope)):
            return NotModifiedResponse(whole.headers)
        return whole


class Squeeze:
    """Packs pages and JSON that are answered in one piece. Streams, downloads and packed files pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _takes_gzip(scope):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Squeezing(send))


class _Squeezing:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_worth_it(Headers(raw=message["headers"])):
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                is_large = len(message.get("body", b"")) > SQUEEZE_AT_ONCE_BYTES_MAX
                message = await run_in_threadpool(_packed, start, message) if is_large else _packed(start, message)
            await self._send(start)
        await self._send(message)


def _is_worth_it(headers: Headers) -> bool:
    kind, length = headers.get("content-type", ""), headers.get("content-length", "0")
    is_long = length.isdigit() and int(length) >= SQUEEZE_BYTES_MIN
    return is_long and kind.startswith(_SQUEEZED) and "content-encoding" not in headers


def _packed(start: Message, message: Message) -> Message:
    body = gzip.compress(message["body"], _LEVEL, mtime=0)
    headers = MutableHeaders(raw=start["headers"])
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    headers.add_vary_header("Accept-Encoding")
    return {**message, "body": body}


def _takes_gzip(scope: Scope) -> bool:
    for item in Headers(scope=scope).get("accept-encoding", "").lower().split(","):
        name, _, quality = item.partition(";")
        if name.strip() in {"gzip", "*"}:
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
