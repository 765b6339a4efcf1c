"""One error form on every API route; pages get the same error in words."""

from __future__ import annotations

import json
import logging
import math
import reprlib
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from eureka_park.foundation.errors import (
    BadInput,
    Conflict,
    Forbidden,
    Internal,
    NotFound,
    ParkError,
    RateLimited,
    TooLarge,
    Unauthorised,
    Unavailable,
)

_log = logging.getLogger("eureka_park.web")

_REPR: Final = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100
Page = Callable[[Request, ParkError], Response]
_BY_STATUS: Final[dict[int, type[ParkError]]] = {
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    429: RateLimited,
    503: Unavailable,
}


class MethodNotAllowed(ParkError):
    """The path is there, but not for this method."""

    http_status = 405
    default_code = "method_not_allowed"


def add_error_handlers(app: FastAPI, page: Page) -> None:
    """Answer every error in one form; `page` draws it for people."""

    async def answer(request: Request, error: ParkError) -> Response:
        if _is_for_people(request):
            try:
                return await run_in_threadpool(page, request, error)
            except Exception:  # a page asks the park for more than an error needs; then the error goes out bare
                _log.exception("request %s: no page for its error", request_id(request))
        return _ErrorAnswer(error.to_json(request_id(request)), error.http_status, headers_of(error))

    @app.exception_handler(ParkError)
    async def park_error(request: Request, error: ParkError) -> Response:
        if isinstance(error, Internal):
            _log.error("%s %s: %s", request.method, request.url.path, error.message)
        return await answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, from_validation(error, _known_fields(request)))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return await answer(request, _from_http(request, error))

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> Response:
        _log.exception("request %s", request_id(request), exc_info=error)
        told = Internal("Something in the park went wrong.", fix="Try again; the log names it by the request id.")
        return await answer(request, told)


def _is_for_people(request: Request) -> bool:
    """Whether a browser asks for a page, or for a paper, whose address is one of the API."""
    path = request.url.path
    is_page = not path.startswith(("/api/", "/healthz")) or path.endswith("/pdf")
    return is_page and "text/html" in request.headers.get("accept", "")


def headers_of(error: ParkError) -> dict[str, str]:
    """What an error says beside its body: how to sign in, or when to come again."""
    if isinstance(error, RateLimited | Unavailable) and error.retry_after_s is not None:
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    return {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else {}


class _ErrorAnswer(JSONResponse):
    """An error may quote what was sent, and that need not be sound Unicode."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def request_id(request: Request) -> str:
    """The id under which the request is logged; given by the caller or made here."""
    return str(getattr(request.state, "request_id", ""))


def _from_http(request: Request, error: HTTPException) -> ParkError:
    if error.status_code == 404:
        return NotFound(f"There is nothing at {request.url.path}.", fix="Look at /api/v1/openapi.json for the routes.")
    if error.status_code == 405:
        return MethodNotAllowed(f"{request.method} is not for {request.url.path}.", fix="Use another method.")
    kind = _BY_STATUS.get(error.status_code, BadInput if error.status_code < 500 else Internal)
    return kind(str(error.detail), fix="Change the request.")


def from_validation(error: RequestValidationError, known: Sequence[str] = ()) -> BadInput:
    """The first thing wrong with a request, in words: its field, what was sent, what is right. `known`: the fields of
    the body that the route takes.
    """
    first: dict[str, Any] = dict(error.errors()[0])
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        near = get_close_matches(str(first["loc"][-1]), known, 1)
        fix = f"Did you mean '{near[0]}'?" if near else f"Known fields: {', '.join(known)}."
        return BadInput(f"'{place}' is not a field.", fix=fix, field=place, code="unknown_field")
    if first["type"] == "json_invalid":
        return BadInput("The body is not valid JSON.", fix=f"Mend it: {first['ctx']['error']}.", code="bad_json")
    if place == "body" and isinstance(first.get("input"), bytes):
        fix = "Send it with the header Content-Type: application/json"
        return BadInput("The body is not marked as JSON.", fix=fix, code="bad_json")
    if first["type"] == "missing":
        return BadInput(f"'{place}' is missing.", fix="Add it.", field=place, code="missing_field")
    sent = _REPR.repr(first.get("input"))  # never all of a body of mebibytes
    sent = sent if len(sent) <= 60 else sent[:57] + "..."
    return BadInput(f"'{place}' is {sent}: {first['msg'].lower()}.", fix="Change it.", field=place)


def _known_fields(request: Request) -> list[str]:
    """The fields of the body of the route that a request came to."""
    body = getattr(request.scope.get("route"), "body_field", None)
    model = getattr(getattr(body, "field_info", None), "annotation", None)
    fields: dict[str, Any] = getattr(model, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]
