"""Who may do what, and why: the table of roles as data, and the answer for one act and one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query

from eureka_park.accounts.core.permissions import Answer, fitting, kind_of, may, may_know_people, scope_text
from eureka_park.accounts.core.roles import ROLES_AT, SCOPES, TABLE, Act, Kind, rule_text
from eureka_park.accounts.places import Holder
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
    chosen = Act(act)
    thing = fitting(chosen, park.accounts.places.named(who, of))
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


def answer_view(answer: Answer) -> dict[str, Any]:
    """An answer as the API shows one."""
    return {
        "is_allowed": answer.is_allowed,
        "why": answer.why,
        "code": answer.code,
        "fix": answer.fix,
        "roles": list(map(str, answer.roles)),
    }


def holder_view(item: Holder) -> dict[str, str]:
    """Somebody who holds a role, as the API shows them."""
    return {
        "person_id": item.person_id, "name": item.name, "role": str(item.role), "at": item.scope, "through": item.via,
        "group": item.group,
    }  # fmt: skip


def _sorted(words: Iterable[str]) -> list[str]:
    return sorted(map(str, words))
