"""Signing in: a password, a code after it, a link by e-mail, a link of the operator."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.entrance import safe_next
from eureka_park.accounts.sign_in.letters import Opening
from eureka_park.foundation.errors import ParkError, Unauthorised
from eureka_park.web.auth import COOKIE, Anyone, check_same_origin, open_from, park_of, set_session
from eureka_park.web.hosts import is_loopback_name
from eureka_park.web.pages.door import STEP_COOKIE, browser_of, count_letter, count_try, entered, show
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.words import N_

Code = Annotated[str, Query(max_length=200)]
Next = Annotated[str, Query(alias="next", max_length=1000)]
_FIELDS: Final = ("email", "password", "name", "code")
_HEADLINES: Final = {
    "sign_up": N_("Make your account"),
    "recover": N_("Choose a new password"),
    "link": N_("Sign in"),
}


def sign_in_page(request: Request, who: Anyone, code: Code = "", next_path: Next = "/") -> Response:
    """The ways in; or, with a code of the operator's, straight in."""
    if code:
        session = park_of(request).accounts.redeem_sign_in(code, **open_from(request))
        answer = RedirectResponse(safe_next(next_path), 303, {"Cache-Control": "no-store"})
        set_session(answer, request, session)
        return answer
    return draw(request, next_path, is_in=who is not None)


def sign_in_password(request: Request, form: TheForm) -> Response:
    """Sign in with an e-mail address and a password."""
    check_same_origin(request)
    email, next_path = form.one("email"), form.one("next", "/")
    try:
        count_try(request, email)
        done = park_of(request).sign_in.passwords.start(email, form.one("password"), browser_of(request), next_path)
    except ParkError as error:
        return draw(request, next_path, error, email)
    return entered(request, done)


def send_link(request: Request, form: TheForm) -> Response:
    """Send a link that signs in; the answer is the same whoever has the address."""
    check_same_origin(request)
    email, next_path, words = form.one("email"), form.one("next", "/"), words_of(request)
    try:
        count_letter(request, email)
        park_of(request).sign_in.letters.send("link", email, words.language.locale, browser_of(request), next_path)
    except ParkError as error:
        return draw(request, next_path, error, email)
    return show(request, "sent.html", "/sign-in", kind="link", email=email.strip())


def code_page(request: Request) -> Response:
    """The second step."""
    if not request.cookies.get(STEP_COOKIE):
        return RedirectResponse("/sign-in", 303)
    return show(request, "sign_in_code.html", "/sign-in")


def sign_in_code(request: Request, form: TheForm) -> Response:
    """End the second step with a code."""
    check_same_origin(request)
    flow = request.cookies.get(STEP_COOKIE, "")
    try:
        count_try(request, "")
        done = park_of(request).sign_in.second.finish(flow, form.one("code"), browser_of(request))
    except Unauthorised as error:
        if error.code == "bad_flow":
            return draw(request, "/", error)
        return show(request, "sign_in_code.html", "/sign-in", error)
    except ParkError as error:
        return show(request, "sign_in_code.html", "/sign-in", error)
    return entered(request, done)


def letter_page(request: Request, code: Code = "") -> Response:
    """Where a link of a letter leads: what it is for, and a button; looking spends nothing."""
    try:
        count_try(request, "")
        opening = park_of(request).sign_in.letters.opening(code)
    except ParkError as error:
        return draw(request, "/", error)
    return _letter(request, code, opening, opening.name)


def open_letter(request: Request, form: TheForm) -> Response:
    """Do what a link of a letter is for."""
    check_same_origin(request)
    letters, code, opening = park_of(request).sign_in.letters, form.one("code"), None
    try:
        count_try(request, "")
        opening = letters.opening(code)
        done = letters.redeem(code, browser_of(request), name=form.one("name"), password=form.one("password"))
    except ParkError as error:
        if opening is None or error.field not in ("name", "password"):
            return draw(request, "/", error)
        return _letter(request, code, opening, form.one("name") or opening.name, error)
    return entered(request, done)


def _letter(request: Request, code: str, opening: Opening, name: str, error: ParkError | None = None) -> Response:
    headline = _HEADLINES[opening.kind]
    return show(
        request, "letter.html", "/sign-in", error, _FIELDS, code=code, opening=opening, name=name, headline=headline
    )


def sign_out(request: Request) -> RedirectResponse:
    """End the session."""
    check_same_origin(request)
    session = request.cookies.get(COOKIE)
    if session:
        park_of(request).accounts.end_session(session)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def draw(
    request: Request, next_path: str, error: ParkError | None = None, email: str = "", *, is_in: bool = False,
    done: str = "",
) -> Response:  # fmt: skip
    """The ways in, with what went wrong on top, or (`done`: joined) what was done."""
    methods = park_of(request).sign_in.methods()
    return show(
        request, "sign_in.html", "/sign-in", error, ("email",), methods=methods, next_path=safe_next(next_path),
        email=email, is_here=is_loopback_name(request.headers["host"]), is_in=is_in, done=done,
    )  # fmt: skip
