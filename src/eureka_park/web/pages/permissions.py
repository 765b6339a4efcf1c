"""Why may I, why may I not: the answer for one act and one place, who may, and the whole table of roles."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from eureka_park.accounts.core.permissions import Thing, fitting, may, may_know_people, scope_of, scope_text
from eureka_park.accounts.core.roles import TABLE, Act, Kind, Role
from eureka_park.accounts.service import Principal
from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.people_words import ACT_NAMES, show, told, what_helps, why

_ROLES: Final = tuple(role for role in Role if role is not Role.VISITOR)
_SHOWN: Final = tuple(act for act in Act if act is not Act.ACCOUNT)
ActQuery = Annotated[str, Query(max_length=20, description="What one may want to do")]
PlaceQuery = Annotated[str, Query(max_length=80, alias="object", description="park, project:ID or organisation:ID")]


def permissions_page(request: Request, who: Anyone, act: ActQuery = "submit", of: PlaceQuery = "") -> HTMLResponse:
    """What the asker may do where, and why."""
    park, words, error = park_of(request), words_of(request), None
    chosen = Act(act) if act in set(Act) else Act.SUBMIT
    places = _places(request, who)
    thing: Thing = None
    try:
        thing = fitting(chosen, park.accounts.places.named(who, of or _first(places, chosen)))
    except ParkError as found:
        error = found
    answer = may(chosen, who, thing)
    knows = error is None and chosen is not Act.ACCOUNT and may_know_people(who, thing)
    return show(
        request, "permissions.html", "/permissions", error, wrong=told(words, error), acts=ACT_NAMES, act=str(chosen),
        places=places, asked=scope_text(thing), is_allowed=answer.is_allowed, has_answer=error is None,
        why=why(words, chosen, who, thing, answer), helps="" if answer.is_allowed else what_helps(words, answer, thing),
        who_may=park.accounts.places.who_can(chosen, thing) if knows else None, table=_table(), all_roles=_ROLES,
    )  # fmt: skip


def _places(request: Request, who: Principal | None) -> list[str]:
    accounts = park_of(request).accounts
    projects = [scope_of(Kind.PROJECT, item.project_id) for item in accounts.projects(who)]
    mine = accounts.places.organisations(who) if who is not None else []
    return ["park", *projects[:200], *(scope_of(Kind.ORGANISATION, item.organisation_id) for item in mine[:200])]


def _first(places: list[str], act: Act) -> str:
    """Where an act is asked about when no place was named: in a project where it has to do with one."""
    in_project = Kind.PROJECT in TABLE[act].here
    return next((place for place in places if place.startswith("project:")), "park") if in_project else "park"


def _table() -> list[dict[str, Any]]:
    """Every act with, for each role, where it lets one: `here` where it is held, `park` for the whole park."""
    rows = []
    for act in _SHOWN:
        rule = TABLE[act]
        here = {role for roles in rule.here.values() for role in roles} - {Role.OPERATOR, Role.AUDITOR}
        everywhere = rule.everywhere | rule.here.get(Kind.PARK, frozenset())
        marks = {role: "here" if role in here else "park" if role in everywhere else "" for role in _ROLES}
        rows.append({"act": str(act), "marks": marks})
    return rows
