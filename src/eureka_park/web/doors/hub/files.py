"""Files of a version on their way out: whole, in part, or only what they are."""

from __future__ import annotations

import re
from typing import Final

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import Commit
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import ParkError
from eureka_park.web.doors.hub.asking import Asked, asked_of, refusal, rest

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
# What lies in repositories is foreign: a browser that is led there must not run it.
_CAREFUL: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Disposition": "attachment",
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
}


def resolve_model(request: Request) -> Response:
    """A file of a model."""
    return _resolve(request, "models", 0)


def resolve_dataset(request: Request) -> Response:
    """A file of a data set."""
    return _resolve(request, "datasets", 1)


def _resolve(request: Request, kinds: str, n_before: int) -> Response:
    asked = asked_of(request)
    version: Commit | None = None
    try:
        found = asked.find(Want.READ, kinds, asked.path[n_before], asked.path[n_before + 1])
        revision, path = rest(asked, n_before + 3)
        version = asked.park.data.repositories.versions.at(found, revision)
        entry = asked.park.data.repositories.versions.entry(version, path)
    except ParkError as error:
        return refusal(error, version.commit_id if version is not None else "")
    return answer(asked, found.project_id, entry, version.commit_id)


def answer(asked: Asked, project_id: str, entry: Entry, commit_id: str) -> Response:
    """A file, or the part of it that was asked for."""
    headers = {
        **_CAREFUL,
        "ETag": f'"{entry.etag}"',
        "X-Repo-Commit": commit_id,
        "X-Linked-Size": str(entry.size_bytes),
        "X-Linked-Etag": f'"{entry.etag}"',
    }
    request = asked.request
    if f'"{entry.etag}"' in request.headers.get("if-none-match", "").split(", "):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, entry.size_bytes, 200
    given = request.headers.get("range", "")
    if given and request.headers.get("if-range", f'"{entry.etag}"') == f'"{entry.etag}"':
        found = _part(given, entry.size_bytes)
        if found is None:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{entry.size_bytes}"})
        start, end = found
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size_bytes}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    blob = asked.park.data.objects.open(project_id, entry.sha256)
    pieces = blob.read(start, end)
    return StreamingResponse(pieces, status, headers=headers, media_type="application/octet-stream")


def _part(given: str, size_bytes: int) -> tuple[int, int] | None:
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


__all__ = ["answer", "resolve_dataset", "resolve_model"]
