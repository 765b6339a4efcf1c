"""Who asks: a bearer token, else a session cookie, else nobody. Cookies count only for requests of our own pages."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import Forbidden, Unauthorised
from eureka_park.web.hosts import is_loopback_name
from eureka_park.web.limits import Limits

COOKIE: Final = "park_session"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def park_of(request: Request) -> Park:
    """The park that this process serves."""
    park: Park = request.app.state.park
    return park


async def _the_park(request: Request) -> Park:
    return park_of(request)  # a coroutine, so that it costs no thread


def limits_of(request: Request) -> Limits:
    """How often who may ask, as this process counts it."""
    limits: Limits = request.app.state.limits
    return limits


def address_of(request: Request) -> str:
    """Where a request comes from: the peer's address, or what a proxy on this machine says of it."""
    return request.client.host if request.client is not None else ""


def is_secure(request: Request) -> bool:
    """Whether cookies of this browser may go through TLS alone: always, but on the park's own machine."""
    return request.url.scheme == "https" or not is_loopback_name(request.headers["host"])


def url_of(request: Request) -> str:
    """The park's address as the reader's browser knows it; the host was checked before.

    A proxy need not say that it speaks TLS: a code must not be sent over an open line because it kept silent.
    """
    scheme = request.url.scheme if is_loopback_name(request.headers["host"]) else "https"
    return f"{scheme}://{request.headers['host']}"


def session_cookie(request: Request, secret: str) -> str:
    """The Set-Cookie header of a session. Off loopback it goes through TLS alone."""
    secure = "; Secure" if is_secure(request) else ""
    lasts_s = park_of(request).accounts.lasting().session_s
    return f"{COOKIE}={secret}; HttpOnly; Max-Age={lasts_s:.0f}; Path=/; SameSite=lax{secure}"


def set_session(answer: Response, request: Request, secret: str) -> None:
    """Give the browser a session that was just opened."""
    answer.headers.append("Set-Cookie", session_cookie(request, secret))


def open_from(request: Request) -> dict[str, str]:
    """What a session notes of the browser that opens it."""
    return {"client": request.headers.get("user-agent", ""), "address": address_of(request)}


def principal_or_none(request: Request) -> Principal | None:
    """Who asks, or None; asked for once per request.

    Raises Unauthorised for a wrong token, Forbidden for a cookie sent from another site, RateLimited.
    """
    known: tuple[Principal | None] | None = getattr(request.state, "who", None)
    if known is None:
        known = request.state.who = (_who_asks(request),)
    return known[0]


def _who_asks(request: Request) -> Principal | None:
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
        who = park.accounts.principal_of_token(token.strip())
        limits_of(request).take("token", who.token_id)
        return who
    session = request.cookies.get(COOKIE)
    if not session:
        return None
    if request.method not in _SAFE:
        check_same_origin(request)
    try:
        who, fresh = park.accounts.sessions.seen(session)
    except Unauthorised:
        return None  # an old cookie makes a visitor, not an error
    if fresh is not None:
        request.state.fresh_cookie = session_cookie(request, fresh)  # the guard puts it on the answer, whatever that is
    return who


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


def check_recent(request: Request, who: Principal) -> str:
    """The session that asks, if it is theirs and was opened a short while ago. Raises Forbidden (`not_recent`); a token
    proves nothing.
    """
    session = request.cookies.get(COOKIE, "")
    if not park_of(request).sign_in.is_recent(who, session):
        raise Forbidden(
            "Only who signed in within the last half hour may do this, in a browser.", fix="Sign in once more.",
            code="not_recent",
        )  # fmt: skip
    return session


Someone = Annotated[Principal, Depends(principal)]
Anyone = Annotated[Principal | None, Depends(principal_or_none)]
ThePark = Annotated[Park, Depends(_the_park)]
