"""Files of a version on their way out: whole, in part, or only what they are."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import Commit, Repository
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import ParkError
from eureka_park.web.doors.hub.asking import Asked, asked_of, refusal, rest
from eureka_park.web.doors.hub.fetching import offer
from eureka_park.web.doors.hub.ranges import CAREFUL, part_answer, part_of


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
        asked.park.data.objects.check_key(found.project_id)  # clients learn it from the head, before they fetch packs
    except ParkError as error:
        return refusal(error, version.commit_id if version is not None else "")
    return answer(asked, found, entry, version.commit_id)


def answer(asked: Asked, found: Repository, entry: Entry, commit_id: str) -> Response:
    """A file, or the part of it that was asked for."""
    headers = {
        **CAREFUL,
        "ETag": f'"{entry.etag}"',
        "X-Repo-Commit": commit_id,
        "X-Linked-Size": str(entry.size_bytes),
        "X-Linked-Etag": f'"{entry.etag}"',
        **offer(asked, found, entry, commit_id),
    }
    request = asked.request
    if f'"{entry.etag}"' in request.headers.get("if-none-match", "").split(", "):
        return Response(status_code=304, headers=headers)
    start, end, status = 0, entry.size_bytes, 200
    given = request.headers.get("range", "")
    if given and request.headers.get("if-range", f'"{entry.etag}"') == f'"{entry.etag}"':
        part = part_of(given, entry.size_bytes)
        if part is None:
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{entry.size_bytes}"})
        start, end = part
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size_bytes}"
    headers["Content-Length"] = str(end - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    blob = asked.park.data.objects.open(found.project_id, entry.sha256)
    return part_answer(blob, start, end, status, headers)


__all__ = ["answer", "resolve_dataset", "resolve_model"]
