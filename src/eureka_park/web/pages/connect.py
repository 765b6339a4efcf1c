"""Connect a terminal: install the light client, log in with a one-time code, three first commands."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.accounts.service import LOGIN_CODE_S, Principal
from eureka_park.foundation.units import iso_from_s
from eureka_park.web.auth import Anyone, Someone, park_of, url_of
from eureka_park.web.hosts import is_loopback_name
from eureka_park.web.pages.draw import page
from eureka_park.web.pages.words import N_, isolated

# The package is not in a public index yet, so it is installed from a clone of the repository.
INSTALL: Final = (
    (N_("Linux and macOS"), "uv tool install ."),
    (N_("Linux and macOS, without uv"), "python3 -m pip install ."),
    (N_("Windows PowerShell"), "py -m pip install ."),
)
FIRST: Final = (
    ("park submit -- echo hello", N_("sends a first job and prints its id")),
    (
        "park submit train.py --dir . --tier flex --by 12h",
        N_("sends a script with its folder; it may wait for a better hour"),
    ),
    ("park why JOB", N_("says why a job waits, and until when")),
)


def connect_page(request: Request, who: Anyone) -> HTMLResponse:
    """How to reach this park from a terminal."""
    return _draw(request, who)


def connect_code(request: Request, who: Someone) -> HTMLResponse:
    """The same page with a code that logs a terminal in, once."""
    park = park_of(request)
    code = park.accounts.new_login_code(who.person_id, by=who)
    until_s = park.clock.real_s() + LOGIN_CODE_S
    return _draw(request, who, code=code, until=iso_from_s(until_s))


def _draw(request: Request, who: Principal | None, code: str = "", until: str | None = None) -> HTMLResponse:
    url = url_of(request)
    more: dict[str, Any] = {
        "help_option": isolated("\u200e--help"),
        "code": code,
        "until": until,
        "line": f"park login {url} --code {code}" if code else "",
    }
    return page(
        request, "connect.html", "/connect", url=url, is_here=is_loopback(request), install=INSTALL, first=FIRST, **more
    )


def is_loopback(request: Request) -> bool:
    """Whether the reader sits at the park's own machine, by the name it was called."""
    return is_loopback_name(request.headers["host"])
