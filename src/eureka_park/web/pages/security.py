"""One's ways in: the password, and what stands beside it. Changed only by who signed in a short while ago."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.foundation.errors import Forbidden, ParkError
from eureka_park.web.auth import COOKIE, Anyone, Someone, park_of
from eureka_park.web.pages.door import count_try, show
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.words import N_

PATH: Final = "/account/security"
_FIELDS: Final = ("old", "password", "code", "label")


def security_page(request: Request, who: Anyone) -> Response:
    """The ways in that one has, and those that one may add."""
    if who is None:
        return RedirectResponse(f"/sign-in?next={PATH}", 303)
    return draw(request, who)


def change_password(request: Request, who: Someone, form: TheForm) -> Response:
    """Set one's password; all other sessions end."""
    try:
        count_try(request, who.person_id)
        session = check_recent(request)
        park = park_of(request)
        park.sign_in.passwords.change(who, form.one("old"), form.one("password"), park.accounts.sessions.id_of(session))
    except ParkError as error:
        return draw(request, who, error)
    return draw(request, who, done=N_("The password is set. All your other sessions have ended."))


def check_recent(request: Request) -> str:
    """The session that asks, if it was opened a short while ago. Raises Forbidden."""
    session = request.cookies.get(COOKIE, "")
    if not park_of(request).sign_in.is_recent(session):
        raise Forbidden("You signed in a while ago.", fix="Sign in once more.", code="not_recent")
    return session


def draw(request: Request, who: Principal, error: ParkError | None = None, done: str = "", **more: Any) -> Response:
    """The page, after something was done or was not."""
    sign_in = park_of(request).sign_in
    return show(
        request, "security.html", PATH, error, _FIELDS, ways=sign_in.ways(who), methods=sign_in.methods(), done=done,
        email=park_of(request).accounts.people.person(who.person_id).email,
        is_recent=sign_in.is_recent(request.cookies.get(COOKIE, "")), **more,
    )  # fmt: skip
