"""Logging in from a terminal: a page gives a one-time code, the command turns it into a token of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from eureka_park.accounts.secrets.store import Token
from eureka_park.accounts.service import LOGIN_CODE_S, Principal
from eureka_park.accounts.sign_in.devices import INTERVAL_S
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import login_schemas, schemas
from eureka_park.web.auth import Someone, ThePark, address_of, limits_of, url_of
from eureka_park.web.hosts import network_of

router = APIRouter(prefix="/login", tags=["login"], responses=schemas.ERRORS)


@router.post("", status_code=201, response_model=login_schemas.Login, operation_id="log_in")
def log_in(park: ThePark, body: login_schemas.LoginRequest, response: Response) -> dict[str, Any]:
    """Spend a one-time code for a token."""
    response.headers["Cache-Control"] = "no-store"
    return _logged_in(*park.accounts.redeem_login_code(body.code, body.name))


@router.get("", response_model=login_schemas.Person, operation_id="who_am_i")
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


@router.post("/codes", status_code=201, response_model=login_schemas.LoginCode, operation_id="make_login_code")
def make_login_code(park: ThePark, who: Someone, response: Response) -> dict[str, Any]:
    """Make a code with which the person who asks can log in somewhere else, once within ten minutes."""
    code = park.accounts.new_login_code(who.person_id, by=who)
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


@router.post("/device", status_code=201, response_model=login_schemas.DeviceLogin, operation_id="begin_device_login")
def begin_device_login(
    request: Request, park: ThePark, body: login_schemas.DeviceRequest, response: Response
) -> dict[str, Any]:
    """Have a terminal wait for somebody who says yes to it on the page /device."""
    limits_of(request).take("sign_in_from", network_of(address_of(request)))
    begun = park.sign_in.devices.start(body.name, body.scopes)
    response.headers["Cache-Control"] = "no-store"
    page = f"{park.sign_in.settings().url or url_of(request)}/device"
    return {
        "device_code": begun.secret,
        "user_code": begun.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?code={begun.user_code}",
        "expires_at": iso_from_s(begun.expires_at_s),
        "interval_s": INTERVAL_S,
    }


@router.post("/device/token", status_code=201, response_model=login_schemas.Login, operation_id="end_device_login")
def end_device_login(park: ThePark, body: login_schemas.DeviceTokenRequest, response: Response) -> dict[str, Any]:
    """The token, once somebody said yes; 409 `device_pending` until then."""
    response.headers["Cache-Control"] = "no-store"
    return _logged_in(*park.sign_in.devices.poll(body.device_code))


def _logged_in(secret: str, token: Token, who: Principal) -> dict[str, Any]:
    end_s = token.expires_at_s
    return {"token": secret, "person": person_of(who), "expires": None if end_s is None else iso_from_s(end_s)}
