"""Groups: who is in them, what they hold, and who decides about them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from eureka_park.accounts.groups import Told
from eureka_park.accounts.store import Group
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import account_schemas, schemas
from eureka_park.web.api.people import PersonId
from eureka_park.web.auth import Someone, ThePark

router = APIRouter(prefix="/groups", tags=["groups"], responses=schemas.ERRORS)
GroupId = Annotated[str, Path(max_length=80, description="The group's id")]


@router.get("", response_model=account_schemas.GroupPage, operation_id="list_groups")
def list_groups(park: ThePark, who: Someone) -> dict[str, Any]:
    """The groups that one may know of: one's own, and those of one's organisations. Operators see all."""
    return {"items": [group_view(item) for item in park.accounts.groups.of(who)], "next": None}


@router.post("", status_code=201, response_model=account_schemas.GroupTold, operation_id="new_group")
def new_group(park: ThePark, who: Someone, body: account_schemas.GroupRequest) -> dict[str, Any]:
    """A group of an organisation, for its leads, or of the park, for operators."""
    group_id = park.accounts.groups.new(who, body.name, body.organisation)
    return told_view(park.accounts.groups.told(who, group_id))


@router.get("/{group_id}", response_model=account_schemas.GroupTold, operation_id="get_group")
def get_group(park: ThePark, who: Someone, group_id: GroupId) -> dict[str, Any]:
    """A group with its people, the roles that it holds, and who decides about it."""
    return told_view(park.accounts.groups.told(who, group_id))


@router.patch("/{group_id}", response_model=account_schemas.GroupTold, operation_id="rename_group")
def rename_group(park: ThePark, who: Someone, group_id: GroupId, body: account_schemas.GroupChange) -> dict[str, Any]:
    """Give it another name. For whoever decides about it."""
    park.accounts.groups.rename(who, group_id, body.name)
    return told_view(park.accounts.groups.told(who, group_id))


@router.delete("/{group_id}", status_code=204, operation_id="end_group")
def end_group(park: ThePark, who: Someone, group_id: GroupId) -> None:
    """End it with the roles that it holds. For whoever decides about it."""
    park.accounts.groups.end(who, group_id)


@router.put("/{group_id}/people/{person_id}", status_code=204, operation_id="put_into_group")
def put_into_group(park: ThePark, who: Someone, group_id: GroupId, person_id: PersonId) -> None:
    """Put a person into it: they hold its roles from then on. For whoever decides about it."""
    park.accounts.groups.put_in(who, group_id, person_id)


@router.delete("/{group_id}/people/{person_id}", status_code=204, operation_id="take_out_of_group")
def take_out_of_group(park: ThePark, who: Someone, group_id: GroupId, person_id: PersonId) -> None:
    """Take a person out of it. For whoever decides about it, and for whoever leaves."""
    park.accounts.groups.take_out(who, group_id, person_id)


def group_view(item: Group) -> dict[str, Any]:
    """A group as the API lists it."""
    return {
        "group_id": item.group_id, "name": item.name, "organisation": item.organisation_id or None,
        "created_at": iso_from_s(item.created_at_s),
    }  # fmt: skip


def told_view(told: Told) -> dict[str, Any]:
    """A group as the API shows one."""
    return {
        **group_view(told.group),
        "people": [{"person_id": person_id, "name": name} for person_id, name in told.people],
        "roles": [{"role": str(role), "at": scope} for role, scope in told.roles],
        "managers": [{"person_id": person_id, "name": name} for person_id, name in told.managers],
    }
