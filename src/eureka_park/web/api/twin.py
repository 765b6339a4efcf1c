"""Runs of the twin: asked for by who is signed in, looked at by everybody; one is played at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from eureka_park.energy.verdict_schema import scenarios_of
from eureka_park.foundation.errors import NotFound
from eureka_park.twin.run_desk import RunDesk, RunStatus
from eureka_park.twin.run_hours import hours_of
from eureka_park.twin.run_question import DAYS_MAX, POLICIES, SEED_MAX, Question, full_site
from eureka_park.web import schemas
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.events import HEARTBEAT_S, sse, watch_of

router = APIRouter(prefix="/twin", tags=["twin"], responses=schemas.ERRORS)
LOOK_S: Final = 0.4
_MAKING: Final = threading.Lock()
RunId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-f]+$", description="A run")]
_STREAM: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_LISTED: Final = ("cfe_frac", "jobs", "jobs_finished", "days_played")  # figures that the list tells


class RunQuestion(BaseModel):
    """A run to be played; powers in MW at the scale of the full site."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    one_in: int = Field(128, ge=1, le=10_000, description="One node in so many is played: 1, 8, 32, 128 or 512")
    days: int = Field(14, ge=1, le=DAYS_MAX, description="Length of the run")
    month: int = Field(12, ge=1, le=12, description="The run begins on the first Monday of this month")
    load_frac: float = Field(0.8, gt=0, le=2, description="GPU hours that jobs ask for, over those there are")
    demand_of_supply: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Scale all plants until jobs ask for so many times what they give; 0: as they are",
    )
    scenario: str = Field("all-plants", max_length=64, description="Which plants run, as for years")
    wind_mw: float = Field(0.0, ge=0, le=100_000, description="New wind; at most 2,000")
    pv_mw: float = Field(0.0, ge=0, le=100_000, description="New PV; at most 2,000")
    policy: str = Field("park", max_length=64, description=f"One of {', '.join(POLICIES)}")
    seed: int = Field(1, ge=0, le=SEED_MAX, description="Seed of all chance: jobs, weather, failures")


def desk_of(request: Request) -> RunDesk:
    """The desk that has runs played for this application; made when it is asked for first."""
    state = request.app.state
    with _MAKING:
        if state.runs is None:
            park = park_of(request)
            state.runs = RunDesk(full_site(park.site), park.home.folder / "twin", scenarios_of(park.site))
    desk: RunDesk = state.runs
    return desk


@router.get("/runs", operation_id="list_runs")
def runs(request: Request) -> dict[str, Any]:
    """The run that is played, those in line, and those that are kept, the newest first."""
    desk = desk_of(request)
    return {"items": [told(desk, status, _LISTED) for status in desk.all()], "next": None}


@router.post("/runs", status_code=202, operation_id="ask_for_run")
def ask(request: Request, who: Someone, body: RunQuestion) -> dict[str, Any]:
    """Have a run of the twin played on the park's machine, behind everything else that it does.

    One is played at a time; `place` says how many come before. A person may have two that are not over. The same
    question has the same `run_id`, and is not played again as long as its run is kept.
    """
    desk = desk_of(request)
    return told(desk, desk.ask(Question(**body.model_dump()), str(who.person_id)))


@router.post("/example", status_code=202, operation_id="ask_for_example")
def example(request: Request, _who: Anyone) -> dict[str, Any]:
    """Have the example played, which everybody may: a fortnight of December on one node in 128. Once kept, it stays."""
    desk = desk_of(request)
    return told(desk, desk.example())


@router.get("/runs/{run_id}", operation_id="get_run")
def run(request: Request, run_id: RunId) -> dict[str, Any]:
    """Where a run stands, and its figures once it is over; those of the model, as `park twin run --json` names them."""
    desk = desk_of(request)
    return told(desk, found_status(desk, run_id))


@router.get("/runs/{run_id}/hours", operation_id="hours_of_run")
def hours(request: Request, run_id: RunId) -> dict[str, Any]:
    """A run hour by hour: power of the machines at the scale of the full site (MW), and jobs of the model.

    `direct_mw`, `salt_mw` and `grid_mw` add up to `load_mw`; `unused_mw` is clean power that found no work, and
    `planned_mw` all clean power that the newest plan had expected.
    """
    record = desk_of(request).shelf.record(run_id)
    if record is None:
        raise _no_such_run(run_id)
    return {"run_id": run_id, **hours_of(record).to_json()}


@router.post("/runs/{run_id}/cancel", operation_id="cancel_run")
def cancel(request: Request, who: Someone, run_id: RunId) -> dict[str, Any]:
    """Take a run out of the line, or end it early: its days until then are kept, and marked. Who asked for it may, and
    operators.
    """
    desk = desk_of(request)
    return told(desk, desk.cancel(run_id, str(who.person_id), is_operator=who.is_operator))


@router.get("/runs/{run_id}/events", response_class=StreamingResponse, operation_id="follow_run")
async def follow(request: Request, run_id: RunId) -> StreamingResponse:
    """Where a run stands, as server-sent events `run` whenever that changes, until it is over."""
    desk = desk_of(request)
    await run_in_threadpool(found_status, desk, run_id)
    return StreamingResponse(_events(request, desk, run_id), media_type="text/event-stream", headers=_STREAM)


async def _events(request: Request, desk: RunDesk, run_id: str) -> AsyncIterator[str]:
    watch, last, quiet_s = watch_of(request.app), dict[str, Any](), 0.0
    while not watch.is_closing:
        status = await run_in_threadpool(desk.status, run_id)
        if status is None:
            return
        seen = told(desk, status, ())
        if seen != last:
            yield sse("run", seen)
            last, quiet_s = seen, 0.0
        elif (quiet_s := quiet_s + LOOK_S) >= HEARTBEAT_S:
            yield ": still here\n\n"
            quiet_s = 0.0
        if status.is_over:
            return
        await asyncio.sleep(LOOK_S)


def found_status(desk: RunDesk, run_id: str) -> RunStatus:
    """Where a run stands. Raises NotFound."""
    status = desk.status(run_id)
    if status is None:
        raise _no_such_run(run_id)
    return status


def _no_such_run(run_id: str) -> NotFound:
    return NotFound(f"There is no run '{run_id}'.", fix="Look at GET /api/v1/twin/runs, or ask for it anew.")


def told(desk: RunDesk, status: RunStatus, only: tuple[str, ...] | None = None) -> dict[str, Any]:
    """A status as JSON, with the figures of a run that is kept: those named, or all."""
    summary = desk.shelf.summary(status.question.run_id) if status.is_over and only != () else None
    figures = dict(summary.figures) if summary else None
    if figures is not None and only is not None:
        figures = {name: figures.get(name) for name in only}
    return {
        "run_id": status.question.run_id,
        "work_id": status.question.work_id,
        **status.question.to_json(),
        "state": status.state,
        "place": status.place,
        "part": status.part or None,
        "days_played": round((status.done_frac if status.is_over else status.played_frac) * status.question.days, 2),
        "done_frac": round(status.done_frac, 3),
        "left_s": round(status.left_s, 1),
        "error": status.error or None,
        "fix": status.fix or None,
        "figures": figures,
    }
