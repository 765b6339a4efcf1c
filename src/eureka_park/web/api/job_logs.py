"""The log of a job: bytes, lines by number, search, and a stream that follows it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from eureka_park.compute.service import ENDED_NAMES
from eureka_park.foundation.errors import BadInput
from eureka_park.web import log_lines, log_schemas, log_search, logs
from eureka_park.web.auth import Anyone, ThePark
from eureka_park.web.events import states_of

router = APIRouter(tags=["jobs"])
JobIdPath = Annotated[str, Path(max_length=80, pattern=r"^[a-z0-9\[\]-]+$", description="A job, a task or an array")]
Offset = Annotated[int, Query(ge=-(2**53), le=2**53, description="First byte; negative counts from the end")]
_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/{job_id}/logs", response_class=Response, operation_id="log_of_job")
def log(
    park: ThePark,
    who: Anyone,
    job_id: JobIdPath,
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=0, le=8 * 1024**2)] = 1024**2,
) -> Response:
    """Bytes of the log as plain text; X-Log-Size is the whole log's size, X-Log-Offset where these bytes begin."""
    shown = park.compute.job(who, job_id)
    chunk, begin, size = logs.read_range(park.compute.log_file(who, job_id), offset, limit)
    headers = {
        "X-Log-Size": str(size), "X-Log-Offset": str(begin), "X-Job-State": shown["state"], "Cache-Control": "no-store",
    }  # fmt: skip
    return Response(chunk, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/{job_id}/logs/lines", response_model=log_schemas.LogLines, operation_id="log_lines_of_job")
def lines(
    park: ThePark,
    who: Anyone,
    job_id: JobIdPath,
    from_line: Annotated[
        int, Query(ge=-(10**9), le=10**12, description="Number of the first line from 0; negative counts from the end")
    ] = 0,
    n: Annotated[int, Query(ge=1, le=5000)] = 200,
) -> dict[str, Any]:
    """Lines by number. The end is there at once; the lines of a large log are counted meanwhile.

    Until then `n_lines` is null, and a line that is not reached yet comes as an empty list: ask again.
    """
    state = park.compute.job(who, job_id)["state"]
    found = log_lines.read_lines(park.compute.log_file(who, job_id), from_line, n)
    return {name: getattr(found, name) for name in found.__slots__} | {"is_over": state in ENDED_NAMES}


@router.get("/{job_id}/logs/search", response_model=log_schemas.LogMatches, operation_id="search_log_of_job")
def search(
    park: ThePark,
    who: Anyone,
    job_id: JobIdPath,
    text: Annotated[str, Query(min_length=1, max_length=200)],
    after: Annotated[int | None, Query(ge=0, le=2**53, description="Search forwards from this byte on")] = None,
    before: Annotated[int | None, Query(ge=0, le=2**53, description="Search backwards from this byte")] = None,
    match_case: Annotated[bool, Query(description="Tell small from capital letters")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Lines that hold a text, forwards from the begin unless asked otherwise. `next` is where to go on: give it back as
    `after` or `before`. One answer reads 64 MiB at most, so it may hold no match and still have a `next`.
    """
    if after is not None and before is not None:
        raise BadInput("'after' and 'before' are both there.", fix="Give one of the two.", field="before")
    path = park.compute.log_file(who, job_id)
    needle = log_search.Needle(text, ignores_case=not match_case)
    if before is not None:
        found = log_search.search_backwards(path, needle, before, limit)
    else:
        found = log_search.search_forwards(path, needle, after or 0, limit)
    numbers = log_lines.line_numbers(path, [one.offset for one in found.matches])
    matches = [
        {"offset": one.offset, "line_no": number, "text": one.text}
        for one, number in zip(found.matches, numbers, strict=True)
    ]
    return {"matches": matches, "next": found.next, "size": found.size}


@router.get("/{job_id}/logs/stream", response_class=StreamingResponse, operation_id="follow_log_of_job")
async def follow_log(
    request: Request, park: ThePark, who: Anyone, job_id: JobIdPath, offset: Offset = 0
) -> StreamingResponse:
    """The log as server-sent events: `log`, `state`, `end`. Last-Event-ID continues where a stream broke off."""
    last = request.headers.get("last-event-id", "")
    begin = int(last) if last.isdigit() and len(last) < 17 else offset
    path = await run_in_threadpool(park.compute.log_file, who, job_id)

    def view() -> dict[str, Any]:
        return park.compute.job(who, job_id)

    stream = logs.follow(path, begin, job_id, view, states_of(request.app, park.compute.states))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_STREAM)
