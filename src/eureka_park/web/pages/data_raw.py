"""The bytes of a file for a browser: a picture, a sound or a film as what it is, everything else as a download.

Whatever they say they are, they can run nothing here: they are foreign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from eureka_park.web.auth import Anyone
from eureka_park.web.doors.hub.ranges import FOREIGN, part_of
from eureka_park.web.pages.data_frame import Here, repository_page
from eureka_park.web.preview.kinds import media_type

CAREFUL: Final = {**FOREIGN, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization"}
_HEAD_BYTES: Final = 64


def raw_page(request: Request, who: Anyone) -> Response:
    """A file, or a part of it."""
    return repository_page(_raw)(request, who)


def _raw(here: Here) -> Response:
    entry = here.versions.entry(here.version(), here.path)
    blob = here.park.data.objects.open(here.repository.project_id, entry.sha256)
    return bytes_of(here.request, blob.read, blob.size_bytes, entry.path, entry.etag)


def bytes_of(
    request: Request, read: Callable[[int, int], Iterator[bytes]], size_bytes: int, path: str, etag: str
) -> Response:
    """A file, or the part of it that was asked for; `?download=1` for one that is not to be shown."""
    headers = {**CAREFUL, "ETag": f'"{etag}"'}
    if f'"{etag}"' in request.headers.get("if-none-match", "").split(", "):
        return Response(status_code=304, headers=headers)
    is_download = bool(request.query_params.get("download"))
    kind = "" if is_download else media_type(b"".join(read(0, min(_HEAD_BYTES, size_bytes))))
    if not kind:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(path.rpartition('/')[2], safe='')}"
    start, end, status = 0, size_bytes, 200
    given = request.headers.get("range", "")
    if given and request.headers.get("if-range", f'"{etag}"') == f'"{etag}"':
        found = part_of(given, size_bytes)
        if found is None:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size_bytes}"})
        if found != (0, size_bytes):
            start, end = found
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size_bytes}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(read(start, end), status, headers=headers, media_type=kind or "application/octet-stream")
