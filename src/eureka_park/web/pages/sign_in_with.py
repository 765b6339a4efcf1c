"""Signing in at a provider elsewhere: there, and back."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Path, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Someone, check_recent, is_secure, park_of
from eureka_park.web.pages.door import browser_of, count_try, entered
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.security import draw as draw_security
from eureka_park.web.pages.sign_in import Next, draw

FLOW_COOKIE: Final = "park_flow"  # what ties a provider's answer to the browser that asked
_PATH: Final = "/sign-in/with"
_FLOW_S: Final = 600
ProviderId = Annotated[str, Path(max_length=31)]


def go_there(request: Request, provider: ProviderId, next_path: Next = "/") -> Response:
    """Send the browser to the provider."""
    try:
        count_try(request, "")
        url, flow = park_of(request).sign_in.providers.start(provider, browser_of(request), next_path)
    except ParkError as error:
        return draw(request, next_path, error)
    return _sent(request, url, flow)


def join(request: Request, who: Someone, form: TheForm) -> Response:
    """Send the browser to the provider, to have an identity there become one's own here."""
    try:
        count_try(request, who.person_id)
        check_recent(request, who)
        providers, back = park_of(request).sign_in.providers, "/account/security"
        url, flow = providers.start(form.one("provider"), browser_of(request), back, who)
    except ParkError as error:
        return draw_security(request, who, error)
    answer = draw_security(request, who, leads_to=url)  # a form may lead to this park alone, a page anywhere
    _set_flow(answer, request, flow)
    return answer


def come_back(request: Request, provider: ProviderId) -> Response:
    """Sign in by the provider's answer."""
    flow, query = request.cookies.get(FLOW_COOKIE, ""), dict(request.query_params)
    try:
        count_try(request, "")
        done = park_of(request).sign_in.providers.finish(provider, query, flow, browser_of(request))
    except ParkError as error:
        answer = draw(request, "/", error)
    else:
        answer = entered(request, done)
    answer.delete_cookie(FLOW_COOKIE, path=_PATH)
    return answer


def _sent(request: Request, url: str, flow: str) -> Response:
    answer = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    _set_flow(answer, request, flow)
    return answer


def _set_flow(answer: Response, request: Request, flow: str) -> None:
    answer.set_cookie(
        FLOW_COOKIE, flow, max_age=_FLOW_S, path=_PATH, httponly=True, samesite="lax", secure=is_secure(request)
    )
