"""The pages' routes, and errors as pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.web.assets import STATIC, Static
from eureka_park.web.auth import COOKIE, check_same_origin, park_of
from eureka_park.web.pages import jobs, overview, site
from eureka_park.web.pages.draw import page
from eureka_park.web.pages.words import N_

SESSION_S: Final = 14 * 86400
_HEADLINES: Final[Mapping[int, str]] = {
    401: N_("You are not signed in."),
    403: N_("This is not yours to do."),
    404: N_("There is nothing here."),
    422: N_("That could not be read."),
    500: N_("Something in the park went wrong."),
    503: N_("Not now."),
}


def add_pages(app: FastAPI, _park: Park) -> None:
    """Put the pages and their files into the application."""
    for path, endpoint in (
        ("/", overview.overview),
        ("/jobs", jobs.job_list),
        ("/jobs/{job_id}", jobs.job_page),
        ("/site", site.site_page),
    ):
        _add(app, path, endpoint)
    app.add_api_route("/jobs/{job_id}/cancel", jobs.cancel_job, methods=["POST"], include_in_schema=False)
    app.add_api_route("/sign-in", sign_in, include_in_schema=False)
    app.add_api_route("/sign-out", sign_out, methods=["POST"], include_in_schema=False)
    app.mount("/static", Static(directory=STATIC), name="static")


def _add(app: FastAPI, path: str, endpoint: Any, methods: tuple[str, ...] = ("GET",)) -> None:
    app.add_api_route(path, endpoint, methods=list(methods), include_in_schema=False, response_class=HTMLResponse)


def sign_in(request: Request, code: Annotated[str, Query(max_length=200)] = "") -> RedirectResponse:
    """Spend a one-time link for a session."""
    session = park_of(request).accounts.redeem_sign_in(code)
    answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    answer.set_cookie(
        COOKIE,
        session,
        max_age=SESSION_S,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )
    return answer


def sign_out(request: Request) -> RedirectResponse:
    """End the session."""
    check_same_origin(request)
    session = request.cookies.get(COOKIE)
    if session:
        park_of(request).accounts.end_session(session)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def error_page(request: Request, error: ParkError) -> Response:
    """An error for people: what it is, and what to do."""
    headline = _HEADLINES.get(error.http_status, _HEADLINES[500])
    fix = error.fix
    if error.code == "bad_sign_in_link":
        fix = "Start the park again: it prints a new one."
    request_id = str(getattr(request.state, "request_id", ""))
    text = f"{error.message} {fix}".strip()
    return page(request, "message.html", status=error.http_status, headline=headline, text=text, request_id=request_id)
