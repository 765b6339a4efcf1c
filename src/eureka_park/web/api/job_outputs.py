"""What a job wrote: a list, downloads, sizes, and a careful look at texts and pictures."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
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
        headers = _download_headers(os.fstat(file.fileno()).st_size)
        return Response(media_type="application/octet-stream", headers=headers)


def stream_output(park: Park, who: Principal | None, job_id: str, path: str) -> StreamingResponse:
    """The bytes of an output in constant memory."""
    file = park.compute.open_output(who, job_id, path)
    size_bytes = os.fstat(file.fileno()).st_size
    headers = _download_headers(size_bytes)
    return StreamingResponse(_chunks(file, size_bytes), media_type="application/octet-stream", headers=headers)


@dataclass(frozen=True, slots=True)
class Look:
    """What an output is by its begin: the type of a picture, or empty for a text. Its name says nothing."""

    picture: str
    head: bytes
    size_bytes: int

    @property
    def is_cut(self) -> bool:
        """Whether a text goes on beyond its begin."""
        return self.size_bytes > len(self.head)


def look_at(file: BinaryIO, path: str) -> Look:
    """What an output is, by its first 64 KiB. Raises CannotShow for what is neither a text nor a picture of a size that
    browsers bear. SVG and HTML are texts here.
    """
    size_bytes, head = os.fstat(file.fileno()).st_size, file.read(PREVIEW_BYTES)
    picture = _picture_type(head) or ""
    if size_bytes > PICTURE_BYTES_MAX if picture else not _is_text(head):
        raise CannotShow(f"'{path}' cannot be shown here.", fix="Download it.", code="no_preview")
    return Look(picture, head, size_bytes)


def look(park: Park, who: Principal | None, job_id: str, path: str) -> Response:
    """An output for looking at: a picture whole, a text's begin as plain text. Raises CannotShow for anything else."""
    file = park.compute.open_output(who, job_id, path)
    try:
        found = look_at(file, path)
        if found.picture:
            file.seek(0)
            headers = {**_CAREFUL, "Content-Length": str(found.size_bytes)}
            return StreamingResponse(_chunks(file, found.size_bytes), media_type=found.picture, headers=headers)
    except BaseException:
        file.close()
        raise
    file.close()
    headers = {**_CAREFUL, "X-Output-Size": str(found.size_bytes), "X-Preview-Cut": str(found.is_cut).lower()}
    return Response(found.head, media_type="text/plain; charset=utf-8", headers=headers)


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


def _download_headers(size_bytes: int) -> dict[str, str]:
    return {
        "Content-Length": str(size_bytes),
        "Content-Disposition": "attachment",
        "Cache-Control": "no-store",
    }


def _chunks(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Never more than the length that was said, even while the job still writes."""
    with file:
        while size_bytes > 0 and (chunk := file.read(min(256 * 1024, size_bytes))):
            size_bytes -= len(chunk)
            yield chunk
