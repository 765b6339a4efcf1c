"""Open invitations to the park, a project, an organisation: listed, made, withdrawn by whoever decides who is there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from eureka_park.accounts.core.permissions import scope_of
from eureka_park.accounts.core.roles import Kind, Role
from eureka_park.accounts.service import Principal
from eureka_park.accounts.sign_in.store import Invitation
from eureka_park.bootstrap import Park
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import account_schemas, schemas
from eureka_park.web.api.projects import OrganisationId, ProjectId
from eureka_park.web.auth import Someone, ThePark
from eureka_park.web.inviting import invite

router = APIRouter(tags=["invitations"], responses=schemas.ERRORS)
InvitationId = Annotated[str, Path(max_length=80, description="The invitation's id")]
Asked = account_schemas.InvitationRequest
_PROJECT = "/projects/{project_id}/invitations"
_ORGANISATION = "/organisations/{organisation_id}/invitations"
_PAGE = account_schemas.InvitationPage
_MADE = account_schemas.InvitationMade


@router.get("/invitations", response_model=_PAGE, operation_id="list_invitations")
def list_invitations(park: ThePark, who: Someone) -> dict[str, Any]:
    """Open invitations to hold a role park-wide. For operators."""
    return _listed(park, who, scope_of(Kind.PARK))


@router.post("/invitations", status_code=201, response_model=_MADE, operation_id="invite")
def invite_to_park(request: Request, park: ThePark, who: Someone, body: Asked, response: Response) -> dict[str, Any]:
    """Ask somebody to hold a role park-wide. For operators."""
    return _invited(request, who, scope_of(Kind.PARK), body, response)


@router.delete("/invitations/{invitation_id}", status_code=204, operation_id="withdraw_invitation")
def withdraw(park: ThePark, who: Someone, invitation_id: InvitationId) -> None:
    """End an invitation of the park. For operators."""
    park.sign_in.invitations.withdraw(who, scope_of(Kind.PARK), invitation_id)


@router.get(_PROJECT, response_model=_PAGE, operation_id="list_project_invitations")
def list_for_project(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """Open invitations to a project. For its leads."""
    return _listed(park, who, scope_of(Kind.PROJECT, project_id))


@router.post(_PROJECT, status_code=201, response_model=_MADE, operation_id="invite_to_project")
def invite_to_project(
    request: Request, who: Someone, project_id: ProjectId, body: Asked, response: Response
) -> dict[str, Any]:
    """Ask somebody into a project by a letter. For its leads."""
    return _invited(request, who, scope_of(Kind.PROJECT, project_id), body, response)


@router.delete(_PROJECT + "/{invitation_id}", status_code=204, operation_id="withdraw_project_invitation")
def withdraw_from_project(park: ThePark, who: Someone, project_id: ProjectId, invitation_id: InvitationId) -> None:
    """End an invitation to a project. For its leads."""
    park.sign_in.invitations.withdraw(who, scope_of(Kind.PROJECT, project_id), invitation_id)


@router.get(_ORGANISATION, response_model=_PAGE, operation_id="list_organisation_invitations")
def list_for_organisation(park: ThePark, who: Someone, organisation_id: OrganisationId) -> dict[str, Any]:
    """Open invitations to an organisation. For its leads."""
    return _listed(park, who, scope_of(Kind.ORGANISATION, organisation_id))


@router.post(_ORGANISATION, status_code=201, response_model=_MADE, operation_id="invite_to_organisation")
def invite_to_organisation(
    request: Request, who: Someone, organisation_id: OrganisationId, body: Asked, response: Response
) -> dict[str, Any]:
    """Ask somebody into an organisation by a letter. For its leads."""
    return _invited(request, who, scope_of(Kind.ORGANISATION, organisation_id), body, response)


@router.delete(_ORGANISATION + "/{invitation_id}", status_code=204, operation_id="withdraw_organisation_invitation")
def withdraw_from_organisation(
    park: ThePark, who: Someone, organisation_id: OrganisationId, invitation_id: InvitationId
) -> None:
    """End an invitation to an organisation. For its leads."""
    park.sign_in.invitations.withdraw(who, scope_of(Kind.ORGANISATION, organisation_id), invitation_id)


def _listed(park: Park, who: Principal, scope: str) -> dict[str, Any]:
    found = park.sign_in.invitations.at(who, scope)
    names = park.accounts.people.names([item.invited_by for item in found])
    return {"items": [_view(item, names.get(item.invited_by, "")) for item in found], "next": None}


def _invited(request: Request, who: Principal, scope: str, body: Asked, response: Response) -> dict[str, Any]:
    given = body.model_dump(exclude={"role"})
    made, link = invite(request, who, Role(body.role), scope, **given)
    response.headers["Cache-Control"] = "no-store"
    return {**_view(made, who.name), "link": link or None}


def _view(item: Invitation, by: str) -> dict[str, Any]:
    return {
        "invitation_id": item.invitation_id, "email": item.email, "name": item.name, "role": str(item.role),
        "at": item.scope, "invited_by": by, "created_at": iso_from_s(item.created_at_s),
        "expires_at": iso_from_s(item.expires_at_s),
    }  # fmt: skip
