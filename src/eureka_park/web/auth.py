"""Who asks: a bearer token, else a session cookie, else nobody. Cookies count only for requests of our own pages."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import Forbidden, Unauthorised

COOKIE: Final = "park_session"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def park_of(request: Request) -> Park:
    """The park that this process serves."""
    park: Park = request.app.state.park
    return park


async def _the_park(request: Request) -> Park:
    return park_of(request)  # a coroutine, so that it costs no thread


def principal_or_none(request: Request) -> Principal | None:
    """Who asks, or None. Raises Unauthorised for a wrong token, Forbidden for a cookie sent from another site."""
    park = park_of(request)
    header = request.headers.get("authorization", "")
    if header:
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Unauthorised(
                "The Authorization header is not a bearer token.",
                fix="Send: Authorization: Bearer TOKEN",
                code="bad_token",
            )
        return park.accounts.principal_of_token(token.strip())
    session = request.cookies.get(COOKIE)
    if not session:
        return None
    if request.method not in _SAFE:
        check_same_origin(request)
    try:
        return park.accounts.principal_of_session(session)
    except Unauthorised:
        return None  # an old cookie makes a visitor, not an error


def principal(request: Request) -> Principal:
    """Who asks. Raises Unauthorised for nobody."""
    who = principal_or_none(request)
    if who is None:
        raise Unauthorised(
            "Nobody is signed in.", fix="Send a token (PARK_TOKEN), or sign in by a link.", code="no_token"
        )
    return who


def check_same_origin(request: Request) -> None:
    """Refuse a state-changing request that another site made with our cookie."""
    site = request.headers.get("sec-fetch-site")
    if site in {"same-origin", "none"}:
        return
    origin = request.headers.get("origin")
    if site is None and origin and urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise Forbidden(
        "The request came from another site.", fix="Use the park's own pages, or a token.", code="cross_site"
    )


Someone = Annotated[Principal, Depends(principal)]
Anyone = Annotated[Principal | None, Depends(principal_or_none)]
ThePark = Annotated[Park, Depends(_the_park)]
