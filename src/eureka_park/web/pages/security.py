"""One's ways in: the password, and what stands beside it. Changed only by who signed in a short while ago."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from eureka_park.accounts.service import Act, Principal, may
from eureka_park.foundation.errors import Forbidden, ParkError
from eureka_park.web.auth import COOKIE, Anyone, Someone, check_recent, park_of
from eureka_park.web.pages.door import count_try, show
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.words import N_

PATH: Final = "/account/security"
_FIELDS: Final = ("old", "password", "code", "label")


def security_page(request: Request, who: Anyone) -> Response:
    """The ways in that one has, and those that one may add."""
    if who is None:
        return RedirectResponse(f"/sign-in?next={PATH}", 303)
    answer = may(Act.ACCOUNT, who, None)
    if not answer.is_allowed:
        raise Forbidden(answer.why, fix=answer.fix)
    return draw(request, who)


def change_password(request: Request, who: Someone, form: TheForm) -> Response:
    """Set one's password; all other sessions end."""
    try:
        count_try(request, who.person_id)
        session = check_recent(request, who)
        park = park_of(request)
        park.sign_in.passwords.change(who, form.one("old"), form.one("password"), park.accounts.sessions.id_of(session))
    except ParkError as error:
        return draw(request, who, error)
    return draw(request, who, done=N_("The password is set. All your other sessions have ended."))


def second_step(request: Request, who: Someone, form: TheForm) -> Response:
    """Begin, confirm, renew or take away the second step; recovery codes are shown this once."""
    second, code, deed = park_of(request).sign_in.second, form.one("code"), form.one("do")
    try:
        count_try(request, who.person_id)
        check_recent(request, who)
        if deed == "begin":
            second.begin(who)
            return draw(request, who)
        if deed == "confirm":
            return draw(
                request,
                who,
                done=N_("From now on a code is asked for after the password."),
                codes=second.confirm(who, code),
            )
        if deed == "renew":
            return draw(
                request,
                who,
                done=N_("These codes stand in the place of the earlier ones."),
                codes=second.renew_codes(who, code),
            )
        second.drop(who, code)
    except ParkError as error:
        return draw(request, who, error)
    return draw(request, who, done=N_("No code is asked for any more."))


def drop_passkey(request: Request, who: Someone, form: TheForm) -> Response:
    """Take a passkey away."""
    drop = park_of(request).sign_in.passkeys.drop
    return _one_way_less(request, who, lambda: drop(who, form.one("passkey")), N_("The passkey is taken away."))


def part(request: Request, who: Someone, form: TheForm) -> Response:
    """Have an identity elsewhere be one's no more."""
    leave = park_of(request).sign_in.providers.part
    return _one_way_less(request, who, lambda: leave(who, form.one("provider")), N_("It is connected no more."))


def _one_way_less(request: Request, who: Someone, deed: Callable[[], object], done: str) -> Response:
    """Take a way to sign in from somebody who has just signed in and has another."""
    try:
        check_recent(request, who)
        park_of(request).sign_in.check_other_way(who)
        deed()
    except ParkError as error:
        return draw(request, who, error)
    return draw(request, who, done=done)


def qr_of(link: str) -> Markup:
    """A picture that programs for codes read, as SVG."""
    import segno

    return Markup(
        segno.make(link, error="m").svg_inline(scale=4, border=2, svgclass="qr", lineclass=None, light="white")
    )


def draw(request: Request, who: Principal, error: ParkError | None = None, done: str = "", **more: Any) -> Response:
    """The page, after something was done or was not."""
    sign_in = park_of(request).sign_in
    is_recent = sign_in.is_recent(who, request.cookies.get(COOKIE, ""))
    begun = sign_in.second.begun(who) if is_recent else None
    more = {"leads_to": "", "codes": (), "begun": begun, "qr": qr_of(begun[1]) if begun else "", **more}
    return show(
        request, "security.html", PATH, error, _FIELDS, ways=sign_in.ways(who), methods=sign_in.methods(), done=done,
        email=park_of(request).accounts.people.person(who.person_id).email,
        is_recent=is_recent, **more,
    )  # fmt: skip
