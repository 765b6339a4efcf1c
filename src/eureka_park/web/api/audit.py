"""The audit log: read and checked by operators and auditors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from eureka_park.accounts.service import Act
from eureka_park.foundation.errors import BadInput
from eureka_park.web import account_schemas, schemas
from eureka_park.web.auth import Someone, ThePark

router = APIRouter(prefix="/audit", tags=["audit"], responses=schemas.ERRORS)


@router.get("", response_model=account_schemas.AuditPage, operation_id="read_audit")
def read_audit(
    park: ThePark,
    who: Someone,
    person: Annotated[str, Query(max_length=80, description="What one person did")] = "",
    thing: Annotated[str, Query(max_length=200, description="What was done to one thing")] = "",
    after: Annotated[str, Query(max_length=20, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> dict[str, Any]:
    """What was done, the newest first. For operators and auditors."""
    park.accounts.require_park(Act.AUDIT, who)
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise BadInput("This is not the next of a page.", fix="Give back `next` as it came.", field="after")
    found = park.accounts.audit.newest(int(after) if after else None, limit, who=person, thing=thing)
    return {"items": found, "next": str(found[-1]["entry_id"]) if len(found) == limit else None}


@router.get("/check", response_model=account_schemas.AuditCheck, operation_id="check_audit")
def check_audit(park: ThePark, who: Someone) -> dict[str, Any]:
    """Follow the chain of the log from its beginning. For operators and auditors."""
    park.accounts.require_park(Act.AUDIT, who)
    found = park.accounts.audit.check()
    return {
        "is_sound": not found.fault,
        "n_entries": found.n_entries,
        "hash": found.hash,
        "fault": found.fault,
        "seq": found.seq if found.fault else 0,
    }
