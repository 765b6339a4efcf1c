"""Logging in from a terminal: a page gives a one-time code, the command turns it into a token of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from eureka_park.accounts.service import LOGIN_CODE_S, Act, Principal
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import schemas
from eureka_park.web.auth import Someone, ThePark

router = APIRouter(prefix="/login", tags=["login"], responses=schemas.ERRORS)


@router.post("", status_code=201, response_model=schemas.Login, operation_id="log_in")
def log_in(park: ThePark, body: schemas.LoginRequest, response: Response) -> dict[str, Any]:
    """Spend a one-time code for a token."""
    token, who = park.accounts.redeem_login_code(body.code, body.name)
    response.headers["Cache-Control"] = "no-store"
    return {"token": token, "person": person_of(who), "expires": None}


@router.get("", response_model=schemas.Person, operation_id="who_am_i")
def who_am_i(who: Someone) -> dict[str, Any]:
    """Who asks."""
    return person_of(who)


@router.delete("", status_code=204, operation_id="log_out")
def log_out(request: Request, park: ThePark, who: Someone) -> None:
    """Give up the token that is sent with the request."""
    _, _, token = request.headers.get("authorization", "").partition(" ")
    if not token:
        raise BadInput("No token was sent.", fix="Leave a browser by its sign-out button.", code="no_token")
    park.accounts.end_token(token.strip())


@router.post("/codes", status_code=201, response_model=schemas.LoginCode, operation_id="make_login_code")
def make_login_code(park: ThePark, who: Someone, response: Response) -> dict[str, Any]:
    """Make a code with which the person who asks can log in somewhere else, once within ten minutes."""
    park.accounts.require_park(Act.ACCOUNT, who)  # a token that is good for less makes no way to more
    code = park.accounts.new_login_code(who.person_id)
    response.headers["Cache-Control"] = "no-store"
    return {"code": code, "expires_at": iso_from_s(park.clock.real_s() + LOGIN_CODE_S)}


def person_of(who: Principal) -> dict[str, Any]:
    """A person as the API shows one."""
    return {
        "person_id": who.person_id,
        "name": who.name,
        "is_operator": who.is_operator,
        "projects": sorted(who.projects),
    }
