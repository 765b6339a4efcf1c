"""Jobs of the hub's clients: sent to the park's own scheduler, by its own rules; looked at, followed, ended."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from eureka_park.accounts.service import Act
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.control.of_site import room_of
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.web import logs
from eureka_park.web.doors.hub import buckets, forms, job_words, pages
from eureka_park.web.doors.hub.asking import Asked, asked_of, json_object
from eureka_park.web.doors.streams import body_of
from eureka_park.web.events import HEARTBEAT_S, StateWatch, states_of

BODY_BYTES_MAX: Final = 4 * 1024**2
PAGE: Final = 100
LOOKED_AT_MAX: Final = 2_000  # of the newest jobs, for those that hold the labels that are asked for
_STAGES: Final = {
    "queued": "SCHEDULING", "starting": "SCHEDULING", "running": "RUNNING", "pausing": "RUNNING",
    "paused": "SCHEDULING", "frozen": "RUNNING", "finished": "COMPLETED",
    "failed": "ERROR", "lost": "ERROR", "cancelled": "CANCELED",
}  # fmt: skip


def hardware(request: Request) -> list[dict[str, Any]]:
    """What a job can ask for."""
    return job_words.hardware(room_of(asked_of(request).park.site))


async def submit(request: Request, project: str) -> Response:
    """Send a job to a project."""
    asked = await run_in_threadpool(asked_of, request)
    who = asked.someone()
    content = await body_of(request, BODY_BYTES_MAX)

    def work() -> Response:
        body = json_object(content)
        wanted = job_words.request_of(project, body, room_of(asked.park.site))
        buckets.add_volumes(asked, project, body, wanted)
        job_id = asked.park.compute.submit(who, wanted)
        return JSONResponse(job_form(asked.park.compute.job(who, job_id)))

    return await run_in_threadpool(work)


def jobs(request: Request, project: str) -> Response:
    """The jobs of a project, newest first, in pages."""
    asked = asked_of(request)
    asked.park.accounts.require(Act.SEE, asked.who, project)
    query = request.query_params
    stages = query.getlist("stage")
    states = [state for state, stage in _STAGES.items() if stage in stages]
    if stages and not states:
        return pages.page(asked, [], "")
    labels = dict(text.partition("=")[::2] for text in query.getlist("label"))
    cursor = pages.read_cursor(query["cursor"]) if query.get("cursor") else None
    rows: list[dict[str, Any]] = []
    for _ in range(LOOKED_AT_MAX // PAGE if labels else 1):
        found, cursor = asked.park.compute.jobs(asked.who, states=states, project=project, limit=PAGE, after=cursor)
        rows += [one for one in found if labels.items() <= labels_of(one).items()]
        if cursor is None or len(rows) >= PAGE:
            break
    return pages.page(asked, [job_form(one) for one in rows], cursor or "")


def job(request: Request, project: str, job_id: str) -> dict[str, Any]:
    """One job."""
    return job_form(_job(asked_of(request), project, job_id))


def _job(asked: Asked, project: str, job_id: str) -> dict[str, Any]:
    shown = asked.park.compute.job(asked.who, job_id[:80])
    if shown["project"] != project:
        raise NotFound(f"There is no job {job_id[:80]} in {project[:80]}.", fix="List them: hf jobs ps -a")
    return shown


def cancel(request: Request, project: str, job_id: str) -> Response:
    """Ask for a job to be ended."""
    asked = asked_of(request)
    who = asked.someone()
    _job(asked, project, job_id)
    asked.park.compute.cancel(who, job_id)
    return JSONResponse(job_form(_job(asked, project, job_id)))


# -- forms -------------------------------------------------------------------------------------------------------------
def labels_of(view: Mapping[str, Any]) -> dict[str, str]:
    """Labels of a job: what its sender gave it, its name, and the park's promise to it."""
    return {**view["labels"], "name": view["name"], "tier": view["tier"]}


def job_form(view: Mapping[str, Any]) -> dict[str, Any]:
    """A job as clients of the hub expect it. Neither its variables nor its secrets are told."""
    owner = {"id": view["project"], "name": view["project"], "type": "org"}
    message = " ".join(str(reason["text"]) for reason in view["reasons"]) or view["detail"] or None
    return {
        "id": view["job_id"],
        "createdAt": view["submitted_at"],
        "startedAt": view["started_at"],
        "finishedAt": view["ended_at"],
        "dockerImage": "python",
        "command": view["command"],
        "arguments": [],
        "environment": {},
        "secrets": dict.fromkeys(view["secrets"], ""),
        "flavor": job_words.flavor_of(view),
        "labels": labels_of(view),
        "timeoutSeconds": view["time_s"],
        "status": {"stage": _STAGES[view["state"]], "message": message},
        "durations": {"runningSecs": int(view["ran_s"])},
        "owner": owner,
    }


# -- the log -----------------------------------------------------------------------------------------------------------
async def log(request: Request, project: str, job_id: str) -> Response:
    """The lines of a job's log as events, from the first or one of the last on, until it is over."""

    def begin() -> tuple[Asked, Path, int]:
        asked = asked_of(request)
        _job(asked, project, job_id)
        path = asked.park.compute.log_file(asked.who, job_id)
        return asked, path, offset_of(path, request.query_params.get("tail", ""))

    asked, path, offset = await run_in_threadpool(begin)
    watch = states_of(request.app, asked.park.compute.states)
    stream = _lines(asked, path, offset, job_id, watch)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def offset_of(path: Path, tail: str) -> int:
    """Where the last so many lines begin. Raises BadInput for what is no number."""
    if not tail:
        return 0
    if not (tail.isascii() and tail.isdigit() and len(tail) < 9):
        raise BadInput("'tail' is no number of lines.", fix="Send one.", field="tail")
    size = at = logs.read_range(path, 0, 0)[2]
    n_left = int(tail) + (logs.read_range(path, -1, 1)[0] == b"\n")  # the end of the last line begins none
    while at and n_left:
        start = max(0, at - logs.CHUNK_BYTES)
        chunk, place = logs.read_range(path, start, at - start)[0], at - start
        while n_left and (place := chunk.rfind(b"\n", 0, place)) >= 0:
            n_left -= 1
            if not n_left:
                return start + place + 1
        at = start
    return 0 if int(tail) else size


async def _lines(asked: Asked, path: Path, offset: int, job_id: str, watch: StateWatch) -> AsyncIterator[str]:
    """Each line by itself, with the instant at which it was there."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    left, quiet_s = "", 0.0
    state = (await run_in_threadpool(asked.park.compute.job, asked.who, job_id))["state"]
    async with watch.watching(job_id):
        while not watch.is_closing:
            is_over = state in ENDED_NAMES  # known before the log is read, so that its last words are not missed
            chunk, _, size = await run_in_threadpool(logs.read_range, path, offset, logs.CHUNK_BYTES)
            if chunk:
                offset, quiet_s = offset + len(chunk), 0.0
                *lines, left = (left + decoder.decode(chunk)).split("\n")
                at = forms.instant(min(asked.park.clock.real_s(), _changed_s(path)))
                yield "".join(_event(line, at) for line in lines)
            if offset < size:
                continue
            if is_over:
                if left:
                    yield _event(left, forms.instant(_changed_s(path)))
                return
            await asyncio.sleep(logs.POLL_S)
            quiet_s += logs.POLL_S
            if quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield ": keep-alive\n\n"
            state = watch.state(job_id, state)


def _event(line: str, at: str) -> str:
    return f"data: {json.dumps({'timestamp': at, 'data': line.rstrip(chr(13))})}\n\n"


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
