"""Who may do what, and why: the table of roles as data, and the answer for one act and one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from eureka_park.accounts.core.permissions import Answer, Thing, is_in, kind_of, may, scope_of
from eureka_park.accounts.core.roles import ROLES_AT, SCOPES, TABLE, Act, Kind, rule_text
from eureka_park.accounts.places import Holder, hidden
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.web import account_schemas, schemas
from eureka_park.web.auth import Anyone, ThePark

router = APIRouter(prefix="/permissions", tags=["permissions"], responses=schemas.ERRORS)
ActQuery = Annotated[account_schemas.ActName, Query(description="What one may want to do")]
ObjectQuery = Annotated[
    str, Query(max_length=80, description="`park`, a project, `project:ID` or `organisation:ID`", alias="object")
]


@router.get("", response_model=account_schemas.PermissionView, operation_id="who_can")
def who_can(park: ThePark, who: Anyone, act: ActQuery, of: ObjectQuery = "park") -> dict[str, Any]:
    """Who may do an act to an object, by which rule, and whether the asker may. Names are told to its people."""
    thing, chosen = thing_of(park, who, of), Act(act)
    people = park.accounts.places.who_can(chosen, thing) if may_know_people(who, thing) else None
    return {
        "act": act,
        "object": scope_text(thing),
        "rule": rule_text(chosen, Kind.SELF if chosen is Act.ACCOUNT else kind_of(thing)),
        "you": answer_view(may(chosen, who, thing)),
        "people": None if people is None else [holder_view(item) for item in people],
    }


@router.get("/table", response_model=account_schemas.PermissionTable, operation_id="permission_table")
def permission_table() -> dict[str, Any]:
    """The whole table: every act, on every kind of object, with the roles that allow it and where they are held."""
    rows = [
        {
            "act": str(act),
            "of": str(kind),
            "rule": rule_text(act, kind),
            "roles": [{"role": str(role), "at": str(where)} for where, role in rule.sources(kind)],
        }
        for act, rule in TABLE.items()
        for kind in Kind
        if kind in rule.here
    ]
    return {
        "items": rows,
        "scopes": {name: _sorted(acts) for name, acts in SCOPES.items()},
        "roles_at": {str(kind): _sorted(roles) for kind, roles in ROLES_AT.items()},
    }


def thing_of(park: Park, who: Principal | None, text: str) -> Thing:
    """What a text names, as far as `who` may know of it. Raises NotFound, BadInput."""
    scope = text if ":" in text or text == str(Kind.PARK) else scope_of(Kind.PROJECT, text)
    thing = park.accounts.places.thing(scope)
    if thing is not None and not may(Act.SEE, who, thing).is_allowed:
        kind, _, name = scope.partition(":")
        raise hidden(name, kind)
    return thing


def may_know_people(who: Principal | None, thing: Thing) -> bool:
    """Whether somebody may know who is there: its own people, and those who look after the park."""
    return may(Act.SEE_PEOPLE, who, None).is_allowed or (who is not None and is_in(who, thing))


def scope_text(thing: Thing) -> str:
    """An object as text."""
    if thing is None:
        return scope_of(Kind.PARK)
    kind = kind_of(thing)
    return scope_of(kind, thing.project_id if kind is Kind.PROJECT else thing.organisation_id)  # type: ignore[union-attr]


def answer_view(answer: Answer) -> dict[str, Any]:
    """An answer as the API shows one."""
    return {"is_allowed": answer.is_allowed, "why": answer.why, "code": answer.code, "fix": answer.fix}


def holder_view(item: Holder) -> dict[str, str]:
    """Somebody who holds a role, as the API shows them."""
    return {
        "person_id": item.person_id, "name": item.name, "role": str(item.role), "at": item.scope, "through": item.via,
    }  # fmt: skip


def _sorted(words: Iterable[str]) -> list[str]:
    return sorted(map(str, words))
