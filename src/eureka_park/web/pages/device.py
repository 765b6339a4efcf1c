"""Letting a terminal in: the code that it shows, what it is called, yes or no."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.pages.door import count_try, show
from eureka_park.web.pages.forms import TheForm

Code = Annotated[str, Query(max_length=40)]


def device_page(request: Request, who: Anyone, code: Code = "") -> Response:
    """The code, typed or brought along; then which terminal it is."""
    if who is None:
        here = "/device" + (f"?code={quote(code)}" if code else "")
        return RedirectResponse(f"/sign-in?next={quote(here)}", 303)
    if not code:
        return _draw(request)
    try:
        count_try(request, who.person_id)
        asking = park_of(request).sign_in.devices.asking(code)
    except ParkError as error:
        return _draw(request, error, code)
    return show(request, "device.html", "/device", code=code, asking=asking, decided="")


def decide_device(request: Request, who: Someone, form: TheForm) -> Response:
    """Say yes or no to it."""
    code, is_let_in = form.one("code"), form.one("answer") == "yes"
    try:
        count_try(request, who.person_id)
        asking = park_of(request).sign_in.devices.decide(who, code, is_let_in)
    except ParkError as error:
        return _draw(request, error, code)
    decided = "yes" if is_let_in else "no"
    return show(request, "device.html", "/device", code="", asking=asking, decided=decided)


def _draw(request: Request, error: ParkError | None = None, code: str = "") -> Response:
    if error is not None and error.code == "bad_user_code":
        error.field = "code"
    return show(request, "device.html", "/device", error, ("code",), code=code, asking=None, decided="")
