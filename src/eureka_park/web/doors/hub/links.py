"""The addresses that clients print, for those who follow them in a browser: they lead to the park's own pages."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.foundation.errors import NotFound
from eureka_park.web.doors.hub.asking import path_of


def job(request: Request) -> Response:
    """A job's page; it asks who looks."""
    return _to(request, "jobs", path_of(request)[2])


def dataset(request: Request) -> Response:
    """A data set's page, that of a commit, or of a folder."""
    return _to(request, "data", "datasets", *path_of(request)[1:])


def model(request: Request) -> Response:
    """The same of a model."""
    return _to(request, "data", "models", *path_of(request))


def _to(request: Request, *pieces: str) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        raise NotFound("There is a page for browsers only.", fix="See the guide of the hub door.")
    return RedirectResponse("/" + "/".join(quote(piece[:1000], safe="") for piece in pieces), 307)
