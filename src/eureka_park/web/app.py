"""The web application of one park."""

from __future__ import annotations

import re
import secrets
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eureka_park import __version__
from eureka_park.accounts.service import Asked, asked
from eureka_park.bootstrap import Park
from eureka_park.energy.year_desk import YearDesk
from eureka_park.foundation.errors import BadInput, RateLimited
from eureka_park.web import status
from eureka_park.web.api import (
    audit,
    bank,
    bills,
    buckets,
    cards,
    groups,
    invitations,
    jobs,
    login,
    money,
    nodes,
    notices,
    park,
    passkeys,
    people,
    permissions,
    project_keys,
    projects,
    repositories,
    snapshots,
    storage,
    tokens,
    twin,
    years,
)
from eureka_park.web.assets import Squeeze
from eureka_park.web.doors.hub.app import add_hub_door
from eureka_park.web.errors import add_error_handlers, headers_of
from eureka_park.web.events import ChangeWatch
from eureka_park.web.hosts import allowed_hosts, host_name, network_of
from eureka_park.web.limits import Limits
from eureka_park.web.maintenance import Closed
from eureka_park.web.pages.data_routes import add_data_pages
from eureka_park.web.pages.messages import error_page
from eureka_park.web.pages.people_routes import add_people_pages
from eureka_park.web.pages.routes import add_pages

BODY_BYTES_MAX: Final = 4 * 1024**2  # reading JSON holds up everybody else; blobs have a limit of their own
_CONTENT: Final = re.compile(
    r"/api/v1/(?:(?:projects/[^/]+/repositories/[^/]+/[^/]+/)?blobs/[0-9a-f]{64}|projects/[^/]+/buckets/[^/]+/file)"
)
_UPLOAD: Final = re.compile(r"/data/[^/]+/[^/]+/[^/]+/upload/.*", re.DOTALL)
LISTING_BYTES_MAX: Final = 32 * 1024**2  # the files of a folder may be very many
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",  # unless an answer says otherwise: most depend on who asks
}


class _App(FastAPI):
    """An application behind its guard, which stands outside of everything: defects too pass through it."""

    def build_middleware_stack(self) -> ASGIApp:
        return Guard(Squeeze(Closed(super().build_middleware_stack(), self.state.park)), self.state.limits)


def make_app(the_park: Park) -> FastAPI:
    """Build the application: API, pages, streams, one error form."""
    app = _App(
        title="Eureka Park",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.park = the_park
    app.state.limits = Limits()
    app.state.watch = ChangeWatch(the_park.compute.change_mark)
    app.state.desk = YearDesk(the_park.site)
    app.state.runs = None  # made by the first who asks for it (`api.twin.desk_of`)
    api = APIRouter(prefix="/api/v1")
    for room in (
        repositories, cards, storage, buckets,
        jobs, snapshots, park, nodes, years, twin, login, tokens, permissions, people, projects, audit, bills, money,
        bank, project_keys,
        passkeys, notices, groups, invitations,
    ):  # fmt: skip
        api.include_router(room.router)
    app.include_router(api)
    app.include_router(status.router)
    add_hub_door(app)
    add_people_pages(app)
    add_data_pages(app)
    add_pages(app, the_park)
    add_error_handlers(app, error_page)
    return app


class Guard:
    """Before every request: an id, the host name, the body's size, how many came; after it: headers that keep browsers
    careful, and the session's next secret.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._hosts = allowed_hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if given.isascii() and given.isprintable() and 0 < len(given) <= 64 else secrets.token_hex(8)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        address = (scope.get("client") or ("",))[0]
        asked.set(Asked(request_id, address))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if "fresh_cookie" in state and "set-cookie" not in headers:
                    headers.append("Set-Cookie", state["fresh_cookie"])
            await send(message)

        refused = _refusal(scope, self._hosts) or self._too_many(scope, address)
        if refused is None:
            await self._app(scope, receive, send_with_headers)
        else:
            answer = JSONResponse(refused.to_json(request_id), refused.http_status, headers_of(refused))
            await answer(scope, receive, send_with_headers)

    def _too_many(self, scope: Scope, address: str) -> RateLimited | None:
        """The error for an address that asks too often; files of the pages cost nothing and are not counted."""
        if scope["path"].startswith(("/static/", "/healthz")):
            return None
        try:
            self._limits.take("address", network_of(address))
        except RateLimited as error:
            return error
        return None


def _refusal(scope: Scope, hosts: frozenset[str]) -> BadInput | None:
    headers = Headers(scope=scope)
    if host_name(headers.get("host", "")) not in hosts:
        return BadInput(
            "The park does not answer to this host name.", fix="Name it in PARK_HOSTS.", code="unknown_host"
        )
    if scope["path"].startswith("/hub/"):  # the door takes bodies piece by piece, each with a limit of its own
        return None
    if scope["method"] == "PUT" and _CONTENT.fullmatch(scope["path"]):  # read piece by piece too
        return None
    if scope["method"] == "POST" and _UPLOAD.fullmatch(scope["path"]):  # and this: files of a form
        return None
    if "transfer-encoding" in headers:
        return BadInput("The body's length is not said.", fix="Send a Content-Length.", code="length_required")
    length = headers.get("content-length", "0")
    most = LISTING_BYTES_MAX if scope["path"] == "/api/v1/snapshots" else BODY_BYTES_MAX
    if length.isdigit() and int(length) > most:
        return BadInput(f"The body is larger than {most // 1024**2} MiB.", fix="Send less at once.", code="too_large")
    return None
