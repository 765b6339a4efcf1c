"""The park itself: plan, meter, site, status, and the stream of changes."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request

from eureka_park.bootstrap import Park
from eureka_park.energy.core.sky import sky_now
from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site, site_to_json
from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.web import schemas
from eureka_park.web.api import quotes
from eureka_park.web.auth import Anyone, ThePark
from eureka_park.web.events import Pulse, PulseResponse, watch_of
from eureka_park.web.status import status_of

router = APIRouter(tags=["park"], responses=schemas.ERRORS)
router.include_router(quotes.router)


@router.get("/plan", operation_id="get_plan")
def plan(park: ThePark) -> dict[str, Any]:
    """What sun, wind and salt will give in the next 48 hours, and what more would cost."""
    found = park.energy.current_plan()
    if found is None:
        raise Unavailable(
            "There is no power plan yet.", fix="The first one is being made; ask again.", code="no_plan_yet"
        )
    return {**found.to_json(), "now": now_of(park, found)}


def now_of(park: Park, found: PowerPlan) -> dict[str, Any]:
    """The plan's figures for this very moment in one sentence and in numbers, and the hour that was metered last."""
    now_s = park.clock.park_s()
    index = min(max(0, int((now_s - found.start_s) // found.step_s)), found.n_intervals - 1)
    sky = sky_now(found, now_s, kinds_of(park.site))
    return {
        "park_at": iso_from_s(now_s),
        **power_now(park),
        "interval": index,
        "sentence": sky.text,
        "sentence_code": sky.code,
        "clean_available_mw": found.clean_available_mw_p50[index],
        "grid_limit_mw": found.grid_limit_mw[index],
        "by_source_mw": {
            name: series[index] for name, series in found.available_by_source_mw.items() if name != GRID_SOURCE_ID
        },
        "metered_hour": last_hour(park),
        "sky": park.sky,
        "scale_model": park.site.is_scale_model,
    }


def power_now(park: Park) -> dict[str, float | None]:
    """Power in the machines and at the site meter by the last reading; None before the first."""
    note = json.loads(park.home.read("run/power.json") or "{}")
    return {"site_mw": note.get("site_mw"), "it_mw": note.get("it_mw")}


def kinds_of(site: Site) -> dict[str, str]:
    """Each plant's kind: wind, pv, csp or battery."""
    return {plant.id: "csp" if plant.type.startswith("csp") else plant.type for plant in site.plants}


def last_hour(park: Park) -> dict[str, Any] | None:
    """The meter's newest hour, None before the first reading."""
    now_s = park.clock.park_s()
    rows = park.ledger.hours(now_s - 2 * HOUR_S, now_s)
    return rows[-1] if rows else None


@router.get("/meter", operation_id="get_meter")
def meter(park: ThePark, hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24) -> dict[str, Any]:
    """The node's energy by park hour: jobs, idle, sources, carbon."""
    now_s = park.clock.park_s()
    return {"items": park.ledger.hours((now_s // HOUR_S - hours + 1) * HOUR_S, now_s), "next": None}


@router.get("/power", response_model=schemas.PowerPage, operation_id="get_power")
def power(
    park: ThePark,
    hours: Annotated[float, Query(gt=0, le=48, description="How far back, in hours of park time")] = 6.0,
    limit: Annotated[int, Query(ge=1, le=5000, description="Most readings; neighbours become their mean")] = 500,
) -> dict[str, Any]:
    """Readings of the meter for live charts: real watts at the site meter and in the machines, the oldest first."""
    now_s = park.clock.park_s()
    return {"items": park.ledger.readings(now_s - hours * HOUR_S, now_s, limit), "next": None}


@router.get("/today", response_model=schemas.Today, operation_id="get_today")
def today(park: ThePark) -> dict[str, Any]:
    """Energy and carbon since midnight of the site's time zone, and how many hours were covered by the own sky."""
    return park.ledger.today(park.clock.park_s())


@router.get("/flows", response_model=schemas.FlowPage, operation_id="get_flows")
def flows(park: ThePark, hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24) -> dict[str, Any]:
    """Energy from each source to each tier in the last park hours."""
    now_s = park.clock.park_s()
    return {"items": park.ledger.flows((now_s // HOUR_S - hours + 1) * HOUR_S, now_s), "next": None}


@router.get("/gantt", response_model=schemas.GanttPage, operation_id="get_gantt")
def gantt(
    park: ThePark,
    who: Anyone,
    hours: Annotated[float, Query(gt=0, le=24 * 31)] = 24.0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """Jobs that were on a node in the last hours of park time, the latest start first, each with its spans."""
    now_s = park.clock.park_s()
    return {"items": park.compute.gantt(who, now_s - hours * HOUR_S, now_s, limit), "next": None}


@router.get("/site", operation_id="get_site")
def site(park: ThePark) -> dict[str, Any]:
    """The site: plants, nodes, overhead, policy, prices, with their sources."""
    return {**site_to_json(park.site), "sky": park.sky, "scale_model": park.site.is_scale_model}


@router.get("/status", operation_id="get_status")
def status(park: ThePark, who: Anyone) -> dict[str, Any]:
    """The park in one answer."""
    return status_of(park)


@router.get("/events", status_code=200, response_class=PulseResponse, operation_id="follow_park")
async def events(request: Request, park: ThePark, who: Anyone) -> PulseResponse:
    """Server-sent events: `changed` now, and whenever something changed, at most twice a second.

    It says what everybody may know: how many jobs there are by state, the power of now, the code of the sky's sentence.
    Ask for anything else when it comes.
    """
    return PulseResponse(pulse_of(request.app, park))


def pulse_of(app: FastAPI, park: Park) -> Pulse:
    """The process's pulse, made when the first listener comes."""
    if not hasattr(app.state, "pulse"):
        app.state.pulse = Pulse(watch_of(app), partial(pulse_facts, park))
    pulse: Pulse = app.state.pulse
    return pulse


def pulse_facts(park: Park) -> dict[str, Any]:
    """What a change is told with: small, public, the same for everybody."""
    found, now_s = park.energy.current_plan(), park.clock.park_s()
    now = {"park_at": iso_from_s(now_s), **power_now(park), "clean_mw": None, "load_mw": None, "sentence_code": None}
    if found is not None:
        index = min(max(0, int((now_s - found.start_s) // found.step_s)), found.n_intervals - 1)
        now["clean_mw"], now["load_mw"] = found.clean_available_mw_p50[index], found.load_mw[index]
        now["sentence_code"] = sky_now(found, now_s, kinds_of(park.site)).code
    return {"jobs": park.compute.counts(), "now": now}
