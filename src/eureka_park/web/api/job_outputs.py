"""What a job wrote: a list, downloads, sizes, and a careful look at texts and pictures."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import CannotShow
from eureka_park.web import schemas
from eureka_park.web.api.job_logs import JobIdPath
from eureka_park.web.auth import Anyone, ThePark

router = APIRouter(tags=["jobs"])
PREVIEW_BYTES: Final = 64 * 1024
PICTURE_BYTES_MAX: Final = 32 * 1024**2
# What a job wrote is foreign: a browser that shows it must not run it, whatever it says it is.
_CAREFUL: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@router.get("/{job_id}/outputs", response_model=schemas.OutputPage, operation_id="outputs_of_job")
def outputs(park: ThePark, who: Anyone, job_id: JobIdPath) -> dict[str, Any]:
    """The files that the job wrote."""
    return {"items": park.compute.outputs(who, job_id), "next": None}


@router.get(
    "/{job_id}/outputs/{path:path}",
    response_class=StreamingResponse,
    operation_id="output_of_job",
    responses={415: {"model": schemas.Error, "description": "It cannot be shown here"}},
)
def output(
    park: ThePark,
    who: Anyone,
    job_id: JobIdPath,
    path: str,
    preview: Annotated[
        bool, Query(description="Show it: the first 64 KiB of a text, or a PNG, JPEG, WebP or GIF")
    ] = False,
) -> Response:
    """One file that the job wrote, as a download: it is the job's, not the park's. With `preview` for looking at."""
    return look(park, who, job_id, path) if preview else stream_output(park, who, job_id, path)


@router.head("/{job_id}/outputs/{path:path}", operation_id="size_of_output")
def size_of_output(park: ThePark, who: Anyone, job_id: JobIdPath, path: str) -> Response:
    """How large one output is: Content-Length, without the file."""
    with park.compute.open_output(who, job_id, path) as file:
        return Response(media_type="application/octet-stream", headers=_download_headers(file))


def stream_output(park: Park, who: Principal | None, job_id: str, path: str) -> StreamingResponse:
    """The bytes of an output in constant memory."""
    file = park.compute.open_output(who, job_id, path)
    return StreamingResponse(_chunks(file), media_type="application/octet-stream", headers=_download_headers(file))


def look(park: Park, who: Principal | None, job_id: str, path: str) -> Response:
    """An output for looking at: a picture whole, a text's begin as plain text. Raises CannotShow for anything else.

    What it is follows from its bytes, never from its name. SVG and HTML are texts here.
    """
    with park.compute.open_output(who, job_id, path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(PREVIEW_BYTES)
        picture = _picture_type(head)
        if picture and size <= PICTURE_BYTES_MAX:
            return Response(head + file.read(PICTURE_BYTES_MAX), media_type=picture, headers=_CAREFUL)
    if picture or not _is_text(head):
        raise CannotShow(f"'{path}' cannot be shown here.", fix="Download it.", code="no_preview")
    headers = {**_CAREFUL, "X-Output-Size": str(size), "X-Preview-Cut": "true" if size > len(head) else "false"}
    return Response(head, media_type="text/plain; charset=utf-8", headers=headers)


def _picture_type(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES if head.startswith(magic)), None)


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters that no text has; its end may be cut within a character."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(letter < " " and letter not in "\t\n\r\f\x1b\b" for letter in text)


def _download_headers(file: BinaryIO) -> dict[str, str]:
    return {
        "Content-Length": str(os.fstat(file.fileno()).st_size),
        "Content-Disposition": "attachment",
        "Cache-Control": "no-store",
    }


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    left = os.fstat(file.fileno()).st_size
    with file:
        while left > 0 and (chunk := file.read(min(256 * 1024, left))):
            left -= len(chunk)  # never more than the length that was said, even while the job still writes
            yield chunk
