"""The park's state in one answer, and whether it is ready."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from eureka_park import __version__
from eureka_park.bootstrap import Park
from eureka_park.energy.core.plan_check import standing
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import iso_from_s
from eureka_park.web.auth import park_of

router = APIRouter(tags=["park"])


def status_of(park: Park) -> dict[str, Any]:
    """Version, clocks, site, sandbox, counts and the lease."""
    lease = park.lease()
    real_s = park.clock.real_s()
    is_alive = lease is not None and lease.until_real_s > real_s
    engine = json.loads(park.home.read("run/engine.json") or "{}")
    return {
        "version": __version__,
        "ready": is_alive,
        "park_at": iso_from_s(park.clock.park_s()),
        "real_at": iso_from_s(real_s),
        "pace": park.facts.pace.factor,
        "site": park.site.name,
        "sky": park.sky,
        "scale_model": park.site.is_scale_model,
        "sandbox_level": engine.get("sandbox_level", ""),
        "sandbox_why_not": engine.get("why_not", {}),
        "capabilities": engine.get("capabilities", []),
        "jobs": park.compute.counts(),
        "plan": plan_status(park),
        "live": {"alive": is_alive, "lease_until_at": iso_from_s(lease.until_real_s) if lease else None},
    }


def plan_status(park: Park) -> dict[str, Any]:
    """How the newest plan stands (none, good, late, over), until when it reaches, and why no newer one is followed."""
    plan, now_s = park.energy.current_plan(), park.clock.park_s()
    fault = json.loads(park.home.read("run/plan-fault.json") or "{}")
    return {
        "standing": str(standing(plan, now_s, park.site.policy.plan_every_s)),
        "issued_at": iso_from_s(plan.issued_at_s) if plan else None,
        "until": iso_from_s(plan.end_s) if plan else None,
        "fault": fault.get("text", ""),
        "fault_since": fault.get("since_at"),
    }


@router.get("/healthz", operation_id="health")
def healthz(request: Request) -> JSONResponse:
    """200 when the database answers and `live` holds its lease, else 503."""
    try:
        park = park_of(request)
        lease = park.lease()
        ready = lease is not None and lease.until_real_s > park.clock.real_s()
    except ParkError:
        ready = False
    return JSONResponse({"ready": ready}, 200 if ready else 503)
