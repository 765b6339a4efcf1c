"""While the operator works on the park: pages say so and nothing new is taken in; operators and readers go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import Unavailable
from eureka_park.web.errors import request_id
from eureka_park.web.pages.draw import someone
from eureka_park.web.pages.messages import maintenance_page

_OPEN: Final = ("/static/", "/sw.js", "/offline", "/healthz", "/sign-in", "/sign-out")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Closed:
    """Stands before the application while there is a notice of maintenance."""

    def __init__(self, app: ASGIApp, park: Park) -> None:
        self._app, self._park = app, park

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN):
            note = self._park.maintenance()
            if note is not None:
                answer = await run_in_threadpool(_refusal, Request(scope, receive), note)
                if answer is not None:
                    await answer(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _refusal(request: Request, note: Mapping[str, Any]) -> Response | None:
    is_api = request.url.path.startswith("/api/")
    if is_api and request.method in _SAFE:
        return None
    who = someone(request)
    if who is not None and who.is_operator:
        return None
    if not is_api:
        return maintenance_page(request, note)
    message = str(note.get("message") or "The park is being looked after.")
    error = Unavailable(message, fix="Try again in a little while.", code="maintenance")
    return JSONResponse(error.to_json(request_id(request)), 503, {"Retry-After": "60"})
