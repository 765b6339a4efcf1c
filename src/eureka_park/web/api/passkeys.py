"""Passkeys: what a browser's authenticator is asked, and what it answers. For the park's own pages."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from eureka_park.web import schemas
from eureka_park.web.auth import COOKIE, Someone, ThePark, check_recent, check_same_origin, set_session
from eureka_park.web.hosts import host_name
from eureka_park.web.pages.door import browser_of, count_try
from eureka_park.web.request_schemas import Body

router = APIRouter(tags=["login"], responses=schemas.ERRORS, dependencies=[Depends(check_same_origin)])


class PasskeyAnswer(Body):
    """What an authenticator answered, as the browser tells it."""

    flow: str = Field(max_length=200)
    response: dict[str, Any]
    next: str = Field("/", max_length=1000)
    label: str = Field("", max_length=200)


@router.post("/sign-in/passkey/options", operation_id="begin_passkey")
def begin_passkey(request: Request, park: ThePark) -> dict[str, Any]:
    """Begin to sign in with a passkey."""
    count_try(request, "")
    flow, options = park.sign_in.passkeys.options(host_name(request.headers["host"]))
    return {"flow": flow, "options": options}


@router.post("/sign-in/passkey", operation_id="sign_in_with_passkey")
def sign_in_with_passkey(request: Request, park: ThePark, body: PasskeyAnswer, response: Response) -> dict[str, str]:
    """Sign in with a passkey; the session comes as a cookie."""
    count_try(request, "")
    done = park.sign_in.passkeys.finish(body.flow, body.response, browser_of(request), body.next)
    if old := request.cookies.get(COOKIE):
        park.accounts.end_session(old)
    set_session(response, request, done.secret)
    return {"next": done.next_path}


@router.post("/account/passkeys/options", operation_id="begin_new_passkey")
def begin_new_passkey(request: Request, park: ThePark, who: Someone) -> dict[str, Any]:
    """Begin a new passkey of one's own; only shortly after signing in."""
    check_recent(request, who)
    flow, options = park.sign_in.passkeys.add_options(who, host_name(request.headers["host"]))
    return {"flow": flow, "options": options}


@router.post("/account/passkeys", operation_id="add_passkey")
def add_passkey(request: Request, park: ThePark, who: Someone, body: PasskeyAnswer) -> dict[str, str]:
    """Keep a new passkey of one's own."""
    check_recent(request, who)
    park.sign_in.passkeys.add(who, body.flow, body.response, body.label, browser_of(request))
    return {"next": "/account/security"}
