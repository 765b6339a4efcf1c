"""Jobs: submit, look, wait, cancel, why, receipt, history; their logs and outputs have modules of their own."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool

from eureka_park.compute.service import ENDED_NAMES
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.web import schemas
from eureka_park.web.api import job_logs, job_outputs
from eureka_park.web.api.job_logs import JobIdPath as JobIdPath
from eureka_park.web.auth import Anyone, Someone, ThePark
from eureka_park.web.events import states_of, watch_of

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=schemas.ERRORS)
Until = Literal["ended", "running", "state-change"]


@router.post("", status_code=201, response_model=schemas.JobId, operation_id="submit_job")
def submit(
    park: ThePark,
    who: Someone,
    body: schemas.JobRequest,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, str]:
    """Submit a job. The same Idempotency-Key gives the same job again."""
    request = body.model_dump(by_alias=True, exclude_unset=True)
    return {"job_id": park.compute.submit(who, request, idempotency_key)}


@router.get("", response_model=schemas.JobPage, operation_id="list_jobs")
def list_jobs(
    park: ThePark,
    who: Anyone,
    state: Annotated[str | None, Query(max_length=200, description="One state, or several with commas")] = None,
    tier: schemas.TierName | None = None,
    project: Annotated[str | None, Query(max_length=128)] = None,
    text: Annotated[str, Query(max_length=200, description="Part of name, id or project, in any case")] = "",
    sort: Annotated[schemas.SortName, Query(description="What stands first")] = "newest",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=1000, description="`next` of the page before")] = None,
) -> dict[str, Any]:
    """Jobs that the asker may see, newest first unless asked otherwise."""
    states = _states(state)
    items, next_ = park.compute.jobs(
        who, states=states, tier=tier, project=project, text=text, sort=sort, limit=limit, after=after
    )
    return {"items": items, "next": next_}


@router.post("/cancel", response_model=schemas.CancelAnswers, operation_id="cancel_jobs")
def cancel_many(park: ThePark, who: Someone, body: schemas.CancelRequest) -> dict[str, Any]:
    """Ask for many jobs to be ended at once: for each its state at that moment, or why it cannot be."""
    return {"items": park.compute.cancel_many(who, body.job_ids), "next": None}


@router.post("/{job_id}/commit", response_model=schemas.JobView, operation_id="commit_outputs")
def commit_outputs(park: ThePark, who: Someone, job_id: JobIdPath) -> dict[str, Any]:
    """Have the outputs of a job that is over committed, where that was not possible when it ended."""
    return park.compute.commit_outputs(who, job_id)


def _states(text: str | None) -> list[str]:
    names = [name.strip() for name in (text or "").split(",") if name.strip()]
    known = schemas.JobStateName.__args__  # type: ignore[attr-defined]
    for name in names:
        if name not in known:
            raise BadInput(f"'{name}' is not a state.", fix=f"Choose among {', '.join(known)}.", field="state")
    return names


@router.get("/{job_id}", response_model=schemas.JobView, operation_id="get_job")
async def get_job(
    request: Request,
    park: ThePark,
    who: Anyone,
    job_id: JobIdPath,
    wait_s: Annotated[float, Query(ge=0, le=60, description="Wait so long at most")] = 0.0,
    until: Annotated[Until, Query(description="What to wait for")] = "ended",
) -> dict[str, Any]:
    """A job as it is now, or once it has got where the asker waits for it."""
    watch, states = watch_of(request.app), states_of(request.app, park.compute.states)
    shown = first = await run_in_threadpool(park.compute.job, who, job_id)
    end_s = asyncio.get_running_loop().time() + wait_s
    while not _is_there(shown, first, until) and not watch.is_closing:
        left_s = end_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            break
        await states.wait(job_id, shown["state"], left_s)
        shown = await run_in_threadpool(park.compute.job, who, job_id)
    return shown


def _is_there(shown: dict[str, Any], first: dict[str, Any], until: Until) -> bool:
    if shown["state"] in ENDED_NAMES:
        return True
    if until == "running":
        return shown["state"] not in {"queued", "starting"}
    return until == "state-change" and shown["state"] != first["state"]


@router.post("/{job_id}/cancel", response_model=schemas.JobEnding, operation_id="cancel_job")
def cancel(park: ThePark, who: Someone, job_id: JobIdPath) -> dict[str, str]:
    """Ask for a job or a whole array to be ended."""
    return {"job_id": job_id, "state": park.compute.cancel(who, job_id)}


@router.get("/{job_id}/why", response_model=schemas.Why, operation_id="why_job")
def why(park: ThePark, who: Anyone, job_id: JobIdPath) -> dict[str, Any]:
    """Why it waits, is capped, paused or frozen, or how it ended."""
    return park.compute.why(who, job_id)


@router.get("/{job_id}/receipt", response_model=schemas.Receipt, operation_id="receipt_of_job")
def receipt(park: ThePark, who: Anyone, job_id: JobIdPath) -> dict[str, Any]:
    """What it used, by hour and source."""
    found = park.compute.receipt(who, job_id)
    if found is None:
        raise NotFound(
            f"{job_id} has no receipt yet.", fix="It comes when the job has ended: park wait", code="no_receipt_yet"
        )
    return found


@router.get("/{job_id}/timeline", operation_id="timeline_of_job")
def timeline(park: ThePark, who: Anyone, job_id: JobIdPath) -> dict[str, Any]:
    """What happened to it, oldest first."""
    return {"items": park.compute.timeline_view(who, job_id), "next": None}


@router.get("/{job_id}/history", response_model=schemas.JobHistory, operation_id="history_of_job")
def history(park: ThePark, who: Anyone, job_id: JobIdPath) -> dict[str, Any]:
    """Its life as spans of state with their reasons, its power by park hour, and the sky over the same hours."""
    return park.compute.history(who, job_id)


router.include_router(job_logs.router)
router.include_router(job_outputs.router)
