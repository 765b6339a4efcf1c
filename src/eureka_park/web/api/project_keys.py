"""Keys of confidential projects: begun, lent for a while and taken back, wrapped anew, destroyed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from eureka_park.data.keys.service import LENT_S_MAX, Confidential, key_of_text
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import schemas
from eureka_park.web.auth import Someone, ThePark
from eureka_park.web.request_schemas import Body

router = APIRouter(tags=["keys"], responses=schemas.ERRORS)
_AT = "/projects/{project_id}/key"
ProjectId = Annotated[str, Path(max_length=63, description="The project")]
KeyText = Annotated[str, Field(max_length=200, description="The customer's key: 32 bytes in base 64")]


class KeyView(BaseModel):
    """How the contents of a project lie in the store."""

    project: str
    is_confidential: bool = Field(description="False: in clear; all else is empty then")
    keeper: str | None = Field(description="Who keeps the key: park, kms or customer")
    is_open: bool | None = Field(description="Whether the park can read the contents now")
    open_until: str | None = Field(description="Until when the customer lends the key")
    open_for_job: str | None = Field(description="The job with whose end that is over sooner")
    made_at: str | None
    destroyed_at: str | None


class KeyRequest(Body):
    """A key to begin. `key`: where the customer keeps it."""

    keeper: Literal["park", "kms", "customer"] = "park"
    key: KeyText = ""


class UnlockRequest(Body):
    """The customer's key, and for how long."""

    key: KeyText
    for_s: float = Field(default=4 * 3600.0, gt=0, le=LENT_S_MAX, description="Real seconds")
    job_id: str = Field(default="", max_length=64, description="Only until this job is over and its outputs are kept")


class KeeperRequest(Body):
    """Who is to keep the key from now on."""

    keeper: Literal["park", "kms"]


@router.get(_AT, response_model=KeyView, operation_id="get_project_key")
def get_project_key(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """Whether a project is confidential, and whether the park can read it now."""
    found = park.data.keys.state(who, project_id)
    return view(project_id, found)


@router.post(_AT, status_code=201, response_model=KeyView, operation_id="begin_project_key")
def begin_project_key(park: ThePark, who: Someone, project_id: ProjectId, body: KeyRequest) -> dict[str, Any]:
    """Make a project that holds nothing yet confidential, for ever. For its leads."""
    return view(project_id, park.data.keys.begin(who, project_id, body.keeper, key_of_text(body.key)))


@router.put(_AT, response_model=KeyView, operation_id="rewrap_project_key")
def rewrap_project_key(park: ThePark, who: Someone, project_id: ProjectId, body: KeeperRequest) -> dict[str, Any]:
    """Have the key wrapped anew, by the park or by its key service. For leads."""
    return view(project_id, park.data.keys.rewrap(who, project_id, body.keeper))


@router.delete(_AT, response_model=KeyView, operation_id="destroy_project_key")
def destroy_project_key(
    park: ThePark,
    who: Someone,
    project_id: ProjectId,
    confirm: Annotated[str, Query(max_length=63, description="The project's id again")],
) -> dict[str, Any]:
    """Destroy the key: nothing that the project holds can be read again, but from backups of before. For leads."""
    return view(project_id, park.data.keys.destroy(who, project_id, confirm))


@router.post(f"{_AT}/unlock", response_model=KeyView, operation_id="unlock_project")
def unlock_project(park: ThePark, who: Someone, project_id: ProjectId, body: UnlockRequest) -> dict[str, Any]:
    """Lend the park the customer's key for a while, or for the length of a job."""
    if body.job_id:
        park.compute.job(who, body.job_id)  # NotFound for one that they may not know of
    return view(project_id, park.data.keys.unlock(who, project_id, key_of_text(body.key), body.for_s, body.job_id))


@router.post(f"{_AT}/lock", response_model=KeyView, operation_id="lock_project")
def lock_project(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """Take the lent key back: within five seconds no process of the park can read the project any more."""
    park.data.keys.lock(who, project_id)
    return view(project_id, park.data.keys.state(who, project_id))


def view(project_id: str, found: Confidential | None) -> dict[str, Any]:
    """As the API shows it."""
    if found is None:
        empty = dict.fromkeys(("keeper", "is_open", "open_until", "open_for_job", "made_at", "destroyed_at"))
        return {"project": project_id, "is_confidential": False, **empty}
    return {
        "project": project_id,
        "is_confidential": True,
        "keeper": str(found.keeper),
        "is_open": found.is_open,
        "open_until": iso_from_s(found.open_until_s),
        "open_for_job": found.open_job_id,
        "made_at": iso_from_s(found.made_at_s),
        "destroyed_at": iso_from_s(found.destroyed_at_s),
    }
