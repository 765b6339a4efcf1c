"""People and machines of the park for its operators, and one's own account: changed, told, erased."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from eureka_park.accounts.core.permissions import may, scope_of
from eureka_park.accounts.core.roles import Kind, Role
from eureka_park.accounts.service import Act, Principal
from eureka_park.accounts.store import Person
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import account_schemas, schemas
from eureka_park.web.auth import Someone, ThePark, check_recent

router = APIRouter(tags=["people"], responses=schemas.ERRORS)
PersonId = Annotated[str, Path(max_length=80, description="The person's id")]
RoleInPath = Annotated[account_schemas.RoleName, Path(description="The role")]


@router.get("/people", response_model=account_schemas.PersonPage, operation_id="list_people")
def list_people(
    park: ThePark,
    who: Someone,
    text: Annotated[str, Query(max_length=200, description="What a name or an address holds")] = "",
    after: Annotated[str, Query(max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """Everybody who has an account. For operators and auditors."""
    park.accounts.require_park(Act.SEE_PEOPLE, who)
    found = park.accounts.people.page(after, limit, text)
    next_ = found[-1].person_id if len(found) == limit else None
    return {"items": [person_view(park, item) for item in found], "next": next_}


@router.post("/people", status_code=201, response_model=account_schemas.PersonAdded, operation_id="add_person")
def add_person(park: ThePark, who: Someone, body: account_schemas.PersonRequest, response: Response) -> dict[str, Any]:
    """Add somebody, with a code that signs them in once: `/sign-in?code=`. For operators."""
    park.accounts.require_park(Act.OPERATE, who)
    park.accounts.check_links(who)
    person_id = park.accounts.people.add(body.name, by=who, email=body.email, language=body.language, is_verified=True)
    response.headers["Cache-Control"] = "no-store"
    code = park.accounts.new_sign_in_link(person_id, by=who)
    return {**person_view(park, park.accounts.people.person(person_id)), "sign_in_code": code}


@router.get("/people/{person_id}", response_model=account_schemas.PersonView, operation_id="get_person")
def get_person(park: ThePark, who: Someone, person_id: PersonId) -> dict[str, Any]:
    """A person, as operators, auditors and they themselves see them."""
    return person_view(park, _known_to(park, who, person_id))


@router.patch("/people/{person_id}", response_model=account_schemas.PersonView, operation_id="change_person")
def change_person(
    park: ThePark, who: Someone, person_id: PersonId, body: account_schemas.PersonChange
) -> dict[str, Any]:
    """Set name or language of oneself, or as an operator of anybody; operators give them another address, shut
    them out and let them in.
    """
    _known_to(park, who, person_id)
    changes = body.model_dump(exclude_none=True)
    is_disabled, email = changes.pop("is_disabled", None), changes.pop("email", None)
    if email is not None:
        park.accounts.people.set_email(who, person_id, email)
    if is_disabled is not None:
        park.accounts.people.set_disabled(who, person_id, is_disabled)
    if changes:
        park.accounts.people.change(who, person_id, **changes)
    return person_view(park, park.accounts.people.person(person_id))


@router.delete("/people/{person_id}", status_code=204, operation_id="erase_person")
def erase_person(request: Request, park: ThePark, who: Someone, person_id: PersonId) -> None:
    """Forget who somebody is: oneself, from a browser in which one has just signed in, or as an operator anybody else.
    Books and log keep an id that stands for nobody.
    """
    _known_to(park, who, person_id)
    if person_id == who.person_id:
        park.accounts.require_park(Act.ACCOUNT, who)
        check_recent(request, who)
    park.accounts.people.erase(who, person_id)


@router.put("/people/{person_id}/roles/{role}", status_code=204, operation_id="give_park_role")
def give_park_role(park: ThePark, who: Someone, person_id: PersonId, role: RoleInPath) -> None:
    """Let a person or a group hold a role park-wide. For operators."""
    park.accounts.places.give_role(who, person_id, Role(role), scope_of(Kind.PARK))


@router.delete("/people/{person_id}/roles/{role}", status_code=204, operation_id="take_park_role")
def take_park_role(park: ThePark, who: Someone, person_id: PersonId, role: RoleInPath) -> None:
    """End a role that is held park-wide. For operators, and for whoever gives up their own."""
    park.accounts.places.take_role(who, person_id, Role(role), scope_of(Kind.PARK))


@router.get("/account", response_model=account_schemas.PersonView, operation_id="get_account")
def get_account(park: ThePark, who: Someone) -> dict[str, Any]:
    """One's own account."""
    return person_view(park, park.accounts.people.person(who.person_id))


@router.get("/account/export", response_model=dict[str, Any], operation_id="export_account")
def export_account(park: ThePark, who: Someone, response: Response) -> dict[str, Any]:
    """All that the park knows of the person who asks; no secrets."""
    park.accounts.require_park(Act.ACCOUNT, who)
    response.headers["Content-Disposition"] = 'attachment; filename="account.json"'
    return park.accounts.people.export(who.person_id)


def _known_to(park: Park, who: Principal, person_id: str) -> Person:
    """A person whom `who` may know of. Raises NotFound alike for one who is not there."""
    if person_id != who.person_id and not _sees_people(who):
        raise NotFound(
            f"There is no person {person_id[:80]} that you can see.", fix="Check the id.", code="no_such_person"
        )
    return park.accounts.people.person(person_id)


def _sees_people(who: Principal) -> bool:
    return may(Act.SEE_PEOPLE, who, None).is_allowed


def person_view(park: Park, person: Person) -> dict[str, Any]:
    """A person as the API shows one."""
    held = park.accounts.places.roles_of(person.person_id)
    return {
        "person_id": person.person_id,
        "name": person.name,
        "kind": person.kind,
        "email": person.email,
        "is_verified": person.is_verified,
        "language": person.language,
        "responsible_id": person.responsible_id,
        "created_at": iso_from_s(person.created_at_s),
        "is_disabled": person.is_disabled,
        "is_erased": person.is_erased,
        "screened": person.screened,
        "roles": [{"role": str(item.role), "at": item.scope, "through": item.via} for item in held],
    }
