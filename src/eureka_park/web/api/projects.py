"""Projects and organisations, and the people in them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from eureka_park.accounts.core.permissions import Organisation, Project, kind_of, may, may_know_people, scope_of
from eureka_park.accounts.core.roles import Act, Kind, Role
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import Forbidden
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import account_schemas, schemas
from eureka_park.web.api.people import PersonId, RoleInPath, person_view
from eureka_park.web.api.permissions import holder_view
from eureka_park.web.auth import Anyone, Someone, ThePark

router = APIRouter(tags=["projects"], responses=schemas.ERRORS)
ProjectId = Annotated[str, Path(max_length=63, description="The project")]
OrganisationId = Annotated[str, Path(max_length=63, description="The organisation")]


# -- projects ----------------------------------------------------------------------------------------------------------
@router.get("/projects", response_model=account_schemas.ProjectPage, operation_id="list_projects")
def list_projects(park: ThePark, who: Anyone) -> dict[str, Any]:
    """The projects that one may see."""
    return {"items": [project_view(item) for item in park.accounts.projects(who)], "next": None}


@router.post("/projects", status_code=201, response_model=account_schemas.ProjectView, operation_id="new_project")
def new_project(park: ThePark, who: Someone, body: account_schemas.ProjectRequest) -> dict[str, Any]:
    """Begin a project, one's own or an organisation's; whoever does is its lead."""
    made = park.accounts.places.new_project(
        who, body.project_id, body.title, is_public=body.is_public, organisation_id=body.organisation
    )
    return project_view(made)


@router.get("/projects/{project_id}", response_model=account_schemas.ProjectView, operation_id="get_project")
def get_project(park: ThePark, who: Anyone, project_id: ProjectId) -> dict[str, Any]:
    """A project."""
    return project_view(park.accounts.require(Act.SEE, who, project_id))


@router.patch("/projects/{project_id}", response_model=account_schemas.ProjectView, operation_id="change_project")
def change_project(
    park: ThePark, who: Someone, project_id: ProjectId, body: account_schemas.ProjectChange
) -> dict[str, Any]:
    """Set its title, whether everybody sees it, whether it is closed. For its leads."""
    changes = body.model_dump(exclude_none=True)
    return project_view(park.accounts.places.change_project(who, project_id, changes))


@router.get("/projects/{project_id}/people", response_model=account_schemas.HolderPage, operation_id="project_people")
def project_people(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """Everybody in a project with their roles, for those who are in it."""
    return _people(park, who, scope_of(Kind.PROJECT, project_id))


@router.put("/projects/{project_id}/people/{person_id}/{role}", status_code=204, operation_id="give_project_role")
def give_project_role(
    park: ThePark, who: Someone, project_id: ProjectId, person_id: PersonId, role: RoleInPath
) -> None:
    """Let a person or a group hold a role in a project. For its leads."""
    park.accounts.places.give_role(who, person_id, Role(role), scope_of(Kind.PROJECT, project_id))


@router.delete("/projects/{project_id}/people/{person_id}/{role}", status_code=204, operation_id="take_project_role")
def take_project_role(
    park: ThePark, who: Someone, project_id: ProjectId, person_id: PersonId, role: RoleInPath
) -> None:
    """End a role in a project. For its leads, and for whoever leaves."""
    park.accounts.places.take_role(who, person_id, Role(role), scope_of(Kind.PROJECT, project_id))


@router.post(
    "/projects/{project_id}/machines", status_code=201, response_model=account_schemas.PersonView,
    operation_id="new_machine",
)  # fmt: skip
def new_machine(
    park: ThePark, who: Someone, project_id: ProjectId, body: account_schemas.MachineRequest
) -> dict[str, Any]:
    """An account for a machine, a member of the project; tokens for it are made with `of`. For its leads."""
    person_id = park.accounts.places.new_machine(who, project_id, body.name)
    return person_view(park, park.accounts.people.person(person_id))


# -- organisations -----------------------------------------------------------------------------------------------------
@router.get("/organisations", response_model=account_schemas.OrganisationPage, operation_id="list_organisations")
def list_organisations(park: ThePark, who: Someone) -> dict[str, Any]:
    """The organisations that one may see."""
    return {"items": [organisation_view(who, item) for item in park.accounts.places.organisations(who)], "next": None}


@router.post(
    "/organisations", status_code=201, response_model=account_schemas.OrganisationView, operation_id="new_organisation"
)
def new_organisation(park: ThePark, who: Someone, body: account_schemas.OrganisationRequest) -> dict[str, Any]:
    """Found an organisation; whoever does is its lead."""
    billing = {} if body.billing is None else body.billing.model_dump()
    made = park.accounts.places.new_organisation(
        who, body.organisation_id, body.name, body.kind, country=body.country, billing=billing
    )
    return organisation_view(who, made, is_lead=True)


@router.get(
    "/organisations/{organisation_id}", response_model=account_schemas.OrganisationView,
    operation_id="get_organisation",
)  # fmt: skip
def get_organisation(park: ThePark, who: Someone, organisation_id: OrganisationId) -> dict[str, Any]:
    """An organisation."""
    return organisation_view(who, park.accounts.require_organisation(Act.SEE, who, organisation_id))


@router.patch(
    "/organisations/{organisation_id}", response_model=account_schemas.OrganisationView,
    operation_id="change_organisation",
)  # fmt: skip
def change_organisation(
    park: ThePark, who: Someone, organisation_id: OrganisationId, body: account_schemas.OrganisationChange
) -> dict[str, Any]:
    """Set its name, kind, country or what invoices need. For its leads."""
    changes = body.model_dump(exclude_none=True)
    return organisation_view(who, park.accounts.places.change_organisation(who, organisation_id, changes))


@router.get(
    "/organisations/{organisation_id}/people", response_model=account_schemas.HolderPage,
    operation_id="organisation_people",
)  # fmt: skip
def organisation_people(park: ThePark, who: Someone, organisation_id: OrganisationId) -> dict[str, Any]:
    """Everybody in an organisation with their roles, for those who are in it."""
    return _people(park, who, scope_of(Kind.ORGANISATION, organisation_id))


@router.put(
    "/organisations/{organisation_id}/people/{person_id}/{role}", status_code=204,
    operation_id="give_organisation_role",
)  # fmt: skip
def give_organisation_role(
    park: ThePark, who: Someone, organisation_id: OrganisationId, person_id: PersonId, role: RoleInPath
) -> None:
    """Let a person or a group hold a role in an organisation. For its leads."""
    park.accounts.places.give_role(who, person_id, Role(role), scope_of(Kind.ORGANISATION, organisation_id))


@router.delete(
    "/organisations/{organisation_id}/people/{person_id}/{role}", status_code=204,
    operation_id="take_organisation_role",
)  # fmt: skip
def take_organisation_role(
    park: ThePark, who: Someone, organisation_id: OrganisationId, person_id: PersonId, role: RoleInPath
) -> None:
    """End a role in an organisation. For its leads, and for whoever leaves."""
    park.accounts.places.take_role(who, person_id, Role(role), scope_of(Kind.ORGANISATION, organisation_id))


def _people(park: Park, who: Principal, scope: str) -> dict[str, Any]:
    thing = park.accounts.places.named(who, scope)
    if not may_know_people(who, thing):
        name, kind = scope.partition(":")[2], kind_of(thing)
        raise Forbidden(
            f"Only the people of {name} may know who is in it.", fix=f"Ask a lead of this {kind} to add you."
        )
    return {"items": [holder_view(item) for item in park.accounts.places.holders(scope)], "next": None}


def project_view(project: Project) -> dict[str, Any]:
    """A project as the API shows one."""
    return {
        "project_id": project.project_id,
        "title": project.title,
        "is_public": project.is_public,
        "is_closed": project.is_closed,
        "organisation": project.organisation_id or None,
        "created_at": iso_from_s(project.created_at_s),
    }


def organisation_view(who: Principal, made: Organisation, *, is_lead: bool = False) -> dict[str, Any]:
    """An organisation as the API shows one; what invoices need is for those who may see its bills."""
    sees_bill = is_lead or may(Act.SEE_BILL, who, made).is_allowed
    return {
        "organisation_id": made.organisation_id,
        "name": made.name,
        "kind": made.kind,
        "country": made.country,
        "created_at": iso_from_s(made.created_at_s),
        "billing": dict(made.billing) if sees_bill else None,
    }
