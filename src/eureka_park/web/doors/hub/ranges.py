"""Parts of contents as HTTP asks for them, and answers that carry them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fastapi.responses import Response, StreamingResponse

from eureka_park.data.objects.reading import Blob
from eureka_park.web.wire import BYTES, FilePart

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,20})")
# What lies in repositories is foreign: a browser that is led there must not run it.
FOREIGN: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-Ranges": "bytes",
}
CAREFUL: Final = {**FOREIGN, "Content-Disposition": "attachment", "Cache-Control": "no-store"}


def part_of(given: str, size_bytes: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header names; None where there are none. Several ranges: the first."""
    match = _RANGE.match(given.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size_bytes
    first, last = match.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
    return (start, end) if start < end else None


def part_answer(blob: Blob, start: int, end: int, status: int, headers: Mapping[str, str]) -> Response:
    """The bytes [start, end) of a content: from its file, without being read, where it has one of its own."""
    if blob.place is not None:
        return FilePart(blob.place, start, end, status, headers)
    return StreamingResponse(blob.read(start, end), status, headers=dict(headers), media_type=BYTES)
